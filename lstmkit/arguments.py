"""What is checked before the reference loop runs: torch's own rules, in torch's words and order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

if TYPE_CHECKING:
    from lstmkit.recurrent import Recurrent


def check_kinds(layer: Recurrent, input: Any, hx: Any, lengths: Any) -> None:
    """Name an argument that is no tensor where one has to be.

    Raises:
        TypeError: input or hx is of another kind.
        ValueError: lengths for an input that cannot have them.
    """
    kind, packed = layer.kind, isinstance(input, PackedSequence)
    if not packed and not isinstance(input, Tensor):
        found = type(input).__name__
        raise TypeError(f"{kind}: input has to be a tensor or a PackedSequence, got {found}")
    if hx is not None and len(layer.states) == 1:
        if not isinstance(hx, Tensor):
            raise TypeError(f"{kind}: hx has to be one tensor, h, got {type(hx).__name__}")
    elif hx is not None and (isinstance(hx, Tensor) or len(hx) != 2):
        found = "one tensor" if isinstance(hx, Tensor) else f"{len(hx)} of them"
        raise TypeError(f"{kind}: hx has to be a pair of tensors, (h, c), got {found}")
    if lengths is not None and (packed or input.dim() == 2):
        what = "a PackedSequence, which has its own" if packed else "input without a batch"
        raise ValueError(f"{kind}: lengths cannot go with {what}")


def check_call(layer: Recurrent, input: Tensor | PackedSequence, hx: Any) -> None:
    """Hold shapes and dtypes of input and hx against the layer.

    Raises:
        RuntimeError, ValueError: torch's own. In torch a state of another dtype is an error of the
            function that first meets it; here it is named.
    """
    many = len(layer.states) > 1
    states = () if hx is None else tuple(hx) if many else (hx,)
    batch_sizes = None
    if isinstance(input, PackedSequence):
        x, batch_sizes = input.data, input.batch_sizes
        _check_dims(states, batched=True)
    else:
        x, states = _batched(layer, input, states)
    if states:
        hidden: Any = states if many else states[0]
        layer.check_forward_args(x, hidden, batch_sizes)
    else:
        layer.check_input(x, batch_sizes)
    if batch_sizes is None and x.shape[1 if layer.batch_first else 0] == 0:
        raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
    for s in states:
        if s.dtype != x.dtype and not torch.is_autocast_enabled(x.device.type):
            names = "hx and cx" if many else "hx"
            raise RuntimeError(
                f"{names} should have the dtype of the input, {x.dtype}, got {s.dtype}"
            )


def _batched(
    layer: Recurrent, x: Tensor, states: tuple[Tensor, ...]
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Input and states with a batch, of one row where they had none."""
    if x.dim() not in (2, 3):
        noun = "D tensor" if layer.kind == "RNN" else "D"
        raise ValueError(
            f"{layer.kind}: Expected input to be 2D or 3D, got {x.dim()}{noun} instead"
        )
    _check_dims(states, batched=x.dim() == 3)
    if x.dim() == 3:
        return x, states
    return x.unsqueeze(0 if layer.batch_first else 1), tuple(s.unsqueeze(1) for s in states)


def _check_dims(states: tuple[Tensor, ...], batched: bool) -> None:
    """Torch's error for states that have a batch where the input has none, or the other way."""
    dims = [s.dim() for s in states]
    wanted, kind = (3, "batched") if batched else (2, "unbatched")
    if any(dim != wanted for dim in dims):
        names, noun = ("hx", "tensor") if len(dims) == 1 else ("hx and cx", "tensors")
        found = f"{dims[0]}-D" if len(dims) == 1 else f"({', '.join(f'{d}-D' for d in dims)})"
        raise RuntimeError(
            f"For {kind} {wanted}-D input, {names} should also be {wanted}-D but got {found} {noun}"
        )
