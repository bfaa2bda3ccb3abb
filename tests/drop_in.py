"""What "drop-in" means: the same numbers, gradients, names and errors as torch.nn's layer."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

import lstmkit

Hidden = Tensor | tuple[Tensor, ...] | None

KINDS = ("RNN", "LSTM", "GRU")
BACKENDS = ("auto", "reference")


def pair(kind: str, *arguments: Any, backend: str = "auto", **options: Any) -> Any:
    """Our layer and torch's, with the same weights; float64 unless told otherwise."""
    options.setdefault("dtype", torch.float64)
    torch.manual_seed(0)
    ours = getattr(lstmkit, kind)(*arguments, backend=backend, **options)
    torch.manual_seed(0)
    return ours, getattr(nn, kind)(*arguments, **options)


def draw(*shape: int, seed: int = 3) -> Tensor:
    """A float64 tensor that wants a gradient."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True)


def start_states(layer: nn.RNNBase, *batch: int, seed: int = 4) -> Hidden:
    """The states to start from, random; ``batch`` is (B,), or nothing for input without a batch."""
    rows = layer.num_layers * (2 if layer.bidirectional else 1)
    h = draw(rows, *batch, layer.proj_size or layer.hidden_size, seed=seed)
    if layer.mode != "LSTM":
        return h
    return h, draw(rows, *batch, layer.hidden_size, seed=seed + 1)


def flatten(result: Any) -> list[Tensor]:
    """The tensors of (output, h_n) or (output, (h_n, c_n)), in one list."""
    output, last = result
    output = output.data if isinstance(output, PackedSequence) else output
    return [output, *(last if isinstance(last, tuple) else (last,))]


def states_of(hx: Hidden) -> tuple[Tensor, ...]:
    return () if hx is None else hx if isinstance(hx, tuple) else (hx,)


def assert_same_behaviour(ours: nn.Module, theirs: nn.Module, x: Tensor, hx: Hidden) -> None:
    """Hold outputs to 1e-12 and the gradients of input, states and weights to 1e-10."""
    theirs.load_state_dict(ours.state_dict())
    leaves = [x, *states_of(hx)]
    assert_same(
        outputs_and_gradients(ours, flatten(ours(x, hx)), leaves),
        outputs_and_gradients(theirs, flatten(theirs(x, hx)), leaves),
    )


def outputs_and_gradients(
    layer: nn.Module, outputs: Sequence[Tensor], leaves: Sequence[Tensor]
) -> tuple[list[Tensor], list[Tensor]]:
    """The outputs, and the gradients of a loss that weighs every entry of them differently."""
    generator = torch.Generator().manual_seed(9)
    loss = sum(
        (torch.randn(out.shape, generator=generator, dtype=out.dtype) * out).sum()
        for out in outputs
    )
    gradients = torch.autograd.grad(loss, [*leaves, *layer.parameters()])
    return [out.detach() for out in outputs], list(gradients)


def assert_same(found: Any, expected: Any) -> None:
    """Compare two results of ``outputs_and_gradients``."""
    for k, rtol in ((0, 1e-12), (1, 1e-10)):
        assert len(found[k]) == len(expected[k])
        for ours, theirs in zip(found[k], expected[k], strict=True):
            assert ours.shape == theirs.shape
            assert ours.dtype == theirs.dtype
            assert torch.isfinite(ours).all()
            scale = float(theirs.abs().max()) if theirs.numel() else 1.0
            torch.testing.assert_close(ours, theirs, rtol=0, atol=rtol * max(scale, 1e-3))


def error_of(call: Callable[[], Any]) -> tuple[type, str]:
    """Type and message of the error that a call ends with."""
    try:
        call()
    except Exception as error:
        return type(error), str(error)
    raise AssertionError("no error was raised")
