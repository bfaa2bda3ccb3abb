"""Which code runs a layer: torch's own functions, the reference loop, or, one day, a kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

if TYPE_CHECKING:
    from lstmkit.recurrent import Recurrent

BACKENDS = ("auto", "reference", "torch", "triton")


class BackendError(RuntimeError):
    """The backend asked for cannot do what is asked for; the message says why, and what can."""


def choose(layer: Recurrent, trace: bool = False) -> str:
    """The backend of one call: "torch" or "reference".

    "auto" takes torch's functions unless something is asked for that torch's layers do not have;
    then it takes the loop. ``lengths`` torch has, in the form of packed sequences.

    Raises:
        BackendError: the backend that the layer asks for cannot run this call.
        ValueError: there is no backend of that name.
    """
    wanted, kind = layer.backend, layer.kind
    beyond = layer.beyond_torch() + ["trace=True"] * trace
    if wanted == "auto":
        return "reference" if beyond else "torch"
    if wanted == "torch" and beyond:
        raise BackendError(
            f'backend="torch" cannot run this {kind}: torch.nn.{kind} has no '
            f'{" and no ".join(beyond)}. backend="reference" has, and backend="auto" takes it.'
        )
    if wanted == "triton":
        raise BackendError(
            f'backend="triton" cannot run this {kind}: lstmkit has no Triton kernel for it '
            '(yet). Use backend="auto", which runs torch\'s own functions wherever they will do, '
            'or backend="reference", the loop in plain torch.'
        )
    if wanted not in BACKENDS:
        names = ", ".join(f'"{name}"' for name in BACKENDS)
        raise ValueError(f"backend should be one of {names}, got {wanted!r}")
    return wanted


def torch_with_lengths(forward: Any, x: Tensor, hx: Any, lengths: Tensor, batch_first: bool) -> Any:
    """``forward``, a torch layer's, for lengths (B,): packed on the way in, padded on the way out.

    torch packs no sequence of length 0. Such a row goes in as one step of zeros, and what comes of
    it is thrown away: its output is 0 and its last state the one that it started from.
    """
    rows, steps = (0, 1) if batch_first else (1, 0)
    empty = lengths == 0
    some_empty = bool(empty.any())
    if some_empty:
        x = x.masked_fill(empty[:, None, None] if batch_first else empty[:, None], 0)
    if x.shape[rows] == 0:
        return forward(x, hx)
    packed = pack_padded_sequence(x, lengths.cpu().clamp(min=1), batch_first, enforce_sorted=False)
    packed_output, last = forward(packed, hx)
    output, _ = pad_packed_sequence(packed_output, batch_first, total_length=x.shape[steps])
    if not some_empty:
        return output, last
    at = empty[:, None]
    output = output.masked_fill(at[..., None] if batch_first else at, 0)
    if isinstance(last, Tensor):
        return output, torch.where(at, torch.zeros_like(last) if hx is None else hx, last)
    starts = [torch.zeros_like(s) for s in last] if hx is None else hx
    return output, tuple(torch.where(at, h0, h) for h0, h in zip(starts, last, strict=True))
