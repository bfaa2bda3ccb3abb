"""What the recurrent layers share: parameters, stacking, batch_first, initial states, errors.

A layer of its own kind adds one method, ``sweep``: one layer over one sequence in one direction.
Names, order, start values and error messages of the parameters are those of ``torch.nn``, so that a
``state_dict`` goes both ways and a seed gives the same layer.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

State = tuple[Tensor, ...]


class Recurrent(nn.Module):
    """A stack of recurrent layers; the base of ``RNN`` and ``LSTM``."""

    blocks: int
    """Rows of the stacked weights, in units of the hidden size: 4 for an LSTM, 1 for an RNN."""
    states: tuple[str, ...]
    """What the layer carries from step to step: ("h", "c") for an LSTM, ("h",) for an RNN."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: torch.dtype | None = None,
        *,
        backend: str = "auto",
    ) -> None:
        super().__init__()
        _check_sizes(input_size, hidden_size, num_layers, bias, batch_first)
        self._refuse_what_is_missing(dropout, bidirectional, proj_size, backend)
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first = bias, batch_first
        self.dropout, self.bidirectional, self.proj_size = 0.0, False, 0
        self.backend = backend

        rows = self.blocks * hidden_size
        for layer in range(num_layers):
            columns = input_size if layer == 0 else hidden_size
            shapes = [(rows, columns), (rows, hidden_size), (rows,), (rows,)]
            for name, shape in zip(self._names(layer), shapes, strict=False):
                empty = torch.empty(shape, device=device, dtype=dtype)
                self.register_parameter(name, nn.Parameter(empty))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw every parameter from U(-1/√H, 1/√H) as torch does, the forget bias included."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    @property
    def all_weights(self) -> list[list[Tensor]]:
        """The parameters, a list for each layer."""
        return [
            [getattr(self, name) for name in self._names(layer)] for layer in range(self.num_layers)
        ]

    def flatten_parameters(self) -> None:
        """Nothing to do here; it stands for code that calls it on torch's layers."""

    def sweep(
        self, x: Tensor, state: State, W_ih: Tensor, W_hh: Tensor, b: Tensor | None
    ) -> tuple[Tensor, State]:
        """Run one layer over one sequence: (T, B, I) -> h (T, B, H) and the last state.

        ``state`` has a tensor (B, H) for each name in ``states``; b is the sum of torch's two.
        """
        raise NotImplementedError

    def run(self, input: Tensor, state: State | None, lengths: Any = None) -> tuple[Tensor, State]:
        """Bring the arguments into time-major, batched form, sweep layer by layer, and back.

        ``state`` and the second result have a tensor (num_layers, B, H) for each name in
        ``states``, without the B where the input has none.
        """
        self._check_input(input, lengths)
        batched = input.dim() == 3
        x = input if batched else input.unsqueeze(1)
        if batched and self.batch_first:
            x = x.transpose(0, 1)
        starts = self._starts(x, state, batched)

        ends = []
        for layer, start in enumerate(starts):
            W_ih, W_hh, *biases = (getattr(self, name) for name in self._names(layer))
            x, end = self.sweep(x, start, W_ih, W_hh, sum(biases) if biases else None)
            ends.append(end)

        if batched and self.batch_first:
            x = x.transpose(0, 1)
        last = tuple(torch.stack(layers) for layers in zip(*ends, strict=True))
        return (x, last) if batched else (x.squeeze(1), tuple(s.squeeze(1) for s in last))

    def extra_repr(self) -> str:
        shown = [f"{self.input_size}, {self.hidden_size}"]
        defaults = {"num_layers": 1, "bias": True, "batch_first": False}
        shown += [
            f"{name}={getattr(self, name)}"
            for name, default in defaults.items()
            if getattr(self, name) != default
        ]
        return ", ".join(shown)

    def _names(self, layer: int) -> list[str]:
        names = [f"weight_ih_l{layer}", f"weight_hh_l{layer}"]
        return names + [f"bias_ih_l{layer}", f"bias_hh_l{layer}"] * self.bias

    def _starts(self, x: Tensor, state: State | None, batched: bool) -> list[State]:
        """The state that each layer starts from, each tensor (B, H); zeros if none was given."""
        shape = (self.num_layers, x.shape[1], self.hidden_size)
        if state is None:
            state = tuple(x.new_zeros(shape) for _ in self.states)
        else:
            self._check_state(x, state, batched)
            state = state if batched else tuple(s.unsqueeze(1) for s in state)
            for k, s in enumerate(state):
                if s.shape != shape:
                    which = "hidden" if len(state) == 1 else f"hidden[{k}]"
                    raise RuntimeError(f"Expected {which} size {shape}, got {list(s.shape)}")
        return list(zip(*(s.unbind(0) for s in state), strict=True))

    def _check_state(self, x: Tensor, state: State, batched: bool) -> None:
        names, noun = ("hx", "tensor") if len(state) == 1 else ("hx and cx", "tensors")
        dims = [s.dim() for s in state]
        wanted = 3 if batched else 2
        if any(dim != wanted for dim in dims):
            found = f"{dims[0]}-D" if len(dims) == 1 else f"({', '.join(f'{d}-D' for d in dims)})"
            kind = "batched" if batched else "unbatched"
            raise RuntimeError(
                f"For {kind} {wanted}-D input, {names} should also be {wanted}-D "
                f"but got {found} {noun}"
            )
        for s in state:
            if s.dtype != x.dtype:
                raise RuntimeError(
                    f"{names} should have the dtype of the input, {x.dtype}, got {s.dtype}"
                )

    def _check_input(self, input: Tensor, lengths: Any) -> None:
        kind = type(self).__name__
        if isinstance(input, nn.utils.rnn.PackedSequence):
            raise _missing(kind, "packed sequences", f"Pass a tensor, or use torch.nn.{kind}")
        if lengths is not None:
            raise _missing(
                kind, "lengths", f"Pack the sequences and use torch.nn.{kind} with these weights"
            )
        if not isinstance(input, Tensor):
            raise TypeError(f"{kind}: input has to be a tensor, got {type(input).__name__}")
        if input.dim() not in (2, 3):
            noun = "D tensor" if len(self.states) == 1 else "D"
            raise ValueError(
                f"{kind}: Expected input to be 2D or 3D, got {input.dim()}{noun} instead"
            )
        dtype = self.weight_ih_l0.dtype
        if input.dtype != dtype:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({dtype}). "
                f"Convert input: input.to({dtype}), or convert model: model.to({input.dtype})"
            )
        if input.shape[-1] != self.input_size:
            raise RuntimeError(
                "input.size(-1) must be equal to input_size. "
                f"Expected {self.input_size}, got {input.shape[-1]}"
            )
        if input.shape[1 if self.batch_first and input.dim() == 3 else 0] == 0:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")

    def _refuse_what_is_missing(
        self, dropout: float, bidirectional: bool, proj_size: int, backend: str
    ) -> None:
        kind = type(self).__name__
        for name, value in [
            ("dropout", dropout),
            ("bidirectional", bidirectional),
            ("proj_size", proj_size),
        ]:
            if value:
                instead = f"Leave it out, or use torch.nn.{kind}, which takes the same arguments"
                raise _missing(kind, f"{name}={value}", instead)
        if backend in ("torch", "triton"):
            instead = 'Leave it out, or write backend="reference", to run the loop in plain torch'
            raise _missing(kind, f"backend={backend!r}", instead)
        if backend not in ("auto", "reference"):
            raise ValueError(f'backend should be "auto" or "reference", got {backend!r}')


def _missing(kind: str, what: str, instead: str) -> NotImplementedError:
    return NotImplementedError(f"lstmkit.{kind} does not have {what} yet. {instead}.")


def _check_sizes(
    input_size: int, hidden_size: int, num_layers: int, bias: bool, batch_first: bool
) -> None:
    for name, value, kind in [
        ("bias", bias, bool),
        ("batch_first", batch_first, bool),
        ("input_size", input_size, int),
        ("hidden_size", hidden_size, int),
        ("num_layers", num_layers, int),
    ]:
        if not isinstance(value, kind):
            raise TypeError(
                f"{name} should be of type {kind.__name__}, got: {type(value).__name__}"
            )
        if kind is int and value <= 0:
            raise ValueError(f"{name} must be greater than zero")
