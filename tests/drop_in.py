"""What "drop-in" means: the same numbers, gradients, names and errors as torch.nn's layer."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

Hidden = Tensor | tuple[Tensor, ...] | None


def flatten(result: Any) -> list[Tensor]:
    """The tensors of (output, h_n) or (output, (h_n, c_n)), in one list."""
    output, last = result
    return [output, *(last if isinstance(last, tuple) else (last,))]


def start_states(names: Iterable[str], shape: tuple[int, ...], seed: int) -> Hidden:
    generator = torch.Generator().manual_seed(seed)
    states = tuple(
        torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True)
        for _ in names
    )
    return states[0] if len(states) == 1 else states


def assert_same_behaviour(ours: nn.Module, theirs: nn.Module, x: Tensor, hx: Hidden) -> None:
    """Hold outputs to 1e-12 and the gradients of input, states and weights to 1e-10."""
    theirs.load_state_dict(ours.state_dict())
    states = () if hx is None else hx if isinstance(hx, tuple) else (hx,)
    found, expected = (
        _outputs_and_gradients(layer, x, hx, [x, *states]) for layer in (ours, theirs)
    )
    for k, rtol in ((0, 1e-12), (1, 1e-10)):
        assert len(found[k]) == len(expected[k])
        for ours_, theirs_ in zip(found[k], expected[k], strict=True):
            assert ours_.shape == theirs_.shape
            assert ours_.dtype == theirs_.dtype
            scale = float(theirs_.abs().max()) if theirs_.numel() else 1.0
            torch.testing.assert_close(ours_, theirs_, rtol=0, atol=rtol * max(scale, 1e-3))


def _outputs_and_gradients(
    layer: nn.Module, x: Tensor, hx: Hidden, leaves: list[Tensor]
) -> tuple[list[Tensor], list[Tensor]]:
    outputs = flatten(layer(x, hx))
    generator = torch.Generator().manual_seed(9)
    loss = sum(
        (torch.randn(out.shape, generator=generator, dtype=out.dtype) * out).sum()
        for out in outputs
    )
    gradients = torch.autograd.grad(loss, [*leaves, *layer.parameters()])
    return [out.detach() for out in outputs], list(gradients)


def error_of(call: Callable[[], Any]) -> tuple[type, str]:
    """Type and message of the error that a call ends with."""
    try:
        call()
    except Exception as error:
        return type(error), str(error)
    raise AssertionError("no error was raised")
