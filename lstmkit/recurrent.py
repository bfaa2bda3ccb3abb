"""What the recurrent layers share: options beyond torch's, and the way of a call to its backend.

Parameters, start values, names and error messages are those of ``torch.nn``, because each layer
inherits from torch's. A layer of its own kind adds ``project`` and ``step``, which the reference
loop calls (``lstmkit/reference.py``).
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from lstmkit import reference
from lstmkit.arguments import check_call, check_kinds
from lstmkit.backends import BackendError, choose, torch_with_lengths
from lstmkit.packing import check_lengths
from lstmkit.reference import State, Weights
from lstmkit.regularise import Zoneout, check_rate, zoneout_rates


class Recurrent(nn.RNNBase):
    """The base of ``RNN``, ``LSTM`` and ``GRU``; what they share with torch.nn's comes from there.

    Attributes:
        backend: what was asked for, one of "auto", "reference", "torch", "triton".
        backend_used: what ran the last call, "torch" or "reference"; None before the first.
    """

    kind: str
    """The name of torch's layer, for messages."""
    states: tuple[str, ...] = ("h",)
    """What the layer carries from step to step: ("h", "c") for an LSTM."""
    gates_when_held: tuple[float, ...] = ()
    """What a trace shows for each gate where a row has ended."""
    norms: ClassVar[dict[str, int]]
    """Layer normalisation's parameters, and how many times H numbers each has."""
    trace_type: type[Any]
    """The named tuple of states and gates that ``trace=True`` returns."""

    def __init__(
        self,
        *sizes: Any,
        backend: str,
        recurrent_dropout: float,
        zoneout: Zoneout,
        layer_norm: bool,
        **torchs: Any,
    ) -> None:
        if not isinstance(layer_norm, bool):
            raise TypeError(f"layer_norm should be of type bool, got: {type(layer_norm).__name__}")
        zoneout_rates(zoneout, self.states)
        self.backend = backend
        self.backend_used: str | None = None
        self.recurrent_dropout = check_rate("recurrent_dropout", recurrent_dropout)
        self.zoneout = zoneout
        self.layer_norm = layer_norm
        super().__init__(*sizes, **torchs)
        if layer_norm:
            self._add_norms(torchs.get("device"), torchs.get("dtype"))
        choose(self)

    def reset_parameters(self) -> None:
        """Draw torch's parameters from U(-1/√H, 1/√H) as torch does; norms start neutral."""
        bound = 1 / math.sqrt(self.hidden_size)
        for name, parameter in self.named_parameters():
            if name.startswith("norm_"):
                nn.init.constant_(parameter, 0.0 if "bias" in name else 1.0)
            else:
                nn.init.uniform_(parameter, -bound, bound)

    def forward(
        self,
        input: Tensor | PackedSequence,
        hx: Any = None,
        lengths: Any = None,
        trace: bool = False,
    ) -> Any:
        """Run the layers over ``input``.

        Args:
            input: (T, B, I), or (B, T, I) with ``batch_first``, or (T, I) without a batch, or a
                PackedSequence.
            hx: the states to start from, h, or (h, c) for an LSTM, each
                (num_layers · directions, B, H) or, without a batch, (num_layers · directions, H);
                zeros if None. With ``proj_size``, h has that in place of H.
            lengths: how many items each row has, (B,) whole numbers in 0 … T, in any order. The
                results are those of a packed sequence: the output is 0 after a row's end, the last
                state is the one at its end, the backward direction starts there, and nothing
                behind it, NaN included, reaches a result or a gradient.
            trace: return the traces too.

        Returns:
            The last layer's h at every step, (T, B, directions · H), axes as in the input, packed
            if that was; every layer's last state, shaped as ``hx``; with ``trace``, also a tuple
            of named tuples: ``traces[k]`` has states and gates at every step of the layer and
            direction whose last h is ``h_n[k]``. Each is (T, B, H), axes as in the input, or as
            in an unpacked one; with ``proj_size``, h has that in place of H. A row that has ended
            is held, as in the NumPy equations.

        Raises:
            RuntimeError, ValueError, TypeError: torch's own, for a shape or a dtype that does not
                fit; ours for lengths that do not.
            BackendError: the backend asked for cannot run this call.
        """
        check_kinds(self, input, hx, lengths)
        backend = choose(self, trace)
        # Written past nn.Module's __setattr__, whose look-ups take as long as a small product.
        self.__dict__["backend_used"] = backend
        if backend == "torch" and lengths is None and isinstance(input, Tensor):
            return super().forward(input, hx)
        # torch.nn.LSTM does not check a packed input, and may take one of a wrong width.
        check_call(self, input, hx)
        if backend == "torch" and lengths is None:
            return super().forward(input, hx)
        if backend == "torch":
            return self._torch_with_lengths(input, hx, lengths)
        if hx is not None:
            hx = (hx,) if isinstance(hx, Tensor) else tuple(hx)
        output, last, traces = reference.run(self, input, hx, lengths, trace)
        ends = last if len(last) > 1 else last[0]
        return (output, ends, traces) if trace else (output, ends)

    def project(self, x: Tensor, w: Weights) -> Tensor:
        """The inputs' share of the pre-activations: (T, B, I) -> (T, B, gates · H)."""
        raise NotImplementedError

    def step(self, a_x: Tensor, h: Tensor, state: State, w: Weights) -> tuple[State, State]:
        """One step: the next state and the gates, each (B, H).

        ``a_x`` (B, gates · H) is the inputs' share at this step, and ``h`` is what the weights
        meet: ``state[0]``, with recurrent dropout's mask upon it.
        """
        raise NotImplementedError

    def beyond_torch(self) -> list[str]:
        """The options in force that torch's layer does not have, as they were written."""
        options = []
        if self.recurrent_dropout and self.training:
            options.append(f"recurrent_dropout={self.recurrent_dropout}")
        if self.zoneout and any(zoneout_rates(self.zoneout, self.states)):
            options.append(f"zoneout={self.zoneout}")
        if self.layer_norm:
            options.append("layer_norm=True")
        return options

    def weights(self, layer: int, reverse: bool) -> Weights:
        """The parameters of one layer in one direction."""
        suffix = f"_l{layer}_reverse" if reverse else f"_l{layer}"
        norms = self.norms if self.layer_norm else ()
        return Weights(
            getattr(self, f"weight_ih{suffix}"),
            getattr(self, f"weight_hh{suffix}"),
            getattr(self, f"bias_ih{suffix}") if self.bias else None,
            getattr(self, f"bias_hh{suffix}") if self.bias else None,
            getattr(self, f"weight_hr{suffix}") if self.proj_size else None,
            {name: getattr(self, f"norm_{name}{suffix}") for name in norms},
        )

    def zeros(self, x: Tensor) -> State:
        """The states of a sequence (T, B, I) that starts from nothing."""
        rows = self.num_layers * (2 if self.bidirectional else 1)
        widths = (self.proj_size or self.hidden_size, self.hidden_size)
        return tuple(
            x.new_zeros(rows, x.shape[1], width)
            for _, width in zip(self.states, widths, strict=False)
        )

    def extra_repr(self) -> str:
        shown = [super().extra_repr()]
        defaults = {
            "recurrent_dropout": 0.0,
            "zoneout": 0.0,
            "layer_norm": False,
            "forget_bias": None,
            "backend": "auto",
        }
        shown += [
            f"{name}={getattr(self, name)!r}"
            for name, default in defaults.items()
            if getattr(self, name, default) != default
        ]
        return ", ".join(shown)

    def _add_norms(self, device: Any, dtype: torch.dtype | None) -> None:
        for layer in range(self.num_layers):
            for suffix in ("", "_reverse") if self.bidirectional else ("",):
                for name, times in self.norms.items():
                    fill = torch.zeros if "bias" in name else torch.ones
                    values = fill(times * self.hidden_size, device=device, dtype=dtype)
                    self.register_parameter(f"norm_{name}_l{layer}{suffix}", nn.Parameter(values))

    def _weights_have_changed(self) -> bool:
        """Has a parameter been replaced? torch asks before each call, and takes longer over it."""
        return any(
            self._parameters.get(name) is not weight
            for name, weight in zip(self._flat_weights_names, self._flat_weights, strict=True)
        )

    def __prepare_scriptable__(self) -> nn.RNNBase:
        """What ``torch.jit.script`` compiles in this layer's place: torch's own on its weights.

        Raises:
            BackendError: the layer has options that torch's does not have.
        """
        if beyond := self.beyond_torch():
            raise BackendError(
                f"torch.jit.script cannot compile this {self.kind}: torch.nn.{self.kind} has no "
                f"{' and no '.join(beyond)}. torch.export takes every option."
            )
        names = ["num_layers", "bias", "batch_first", "dropout", "bidirectional"]
        names += {"RNN": ["nonlinearity"], "LSTM": ["proj_size"]}.get(self.kind, [])
        options = {name: getattr(self, name) for name in names}
        plain = getattr(nn, self.kind)(self.input_size, self.hidden_size, device="meta", **options)
        for name in self._flat_weights_names:
            setattr(plain, name, getattr(self, name))
        return plain.train(self.training)

    def _torch_with_lengths(self, input: Any, hx: Any, lengths: Any) -> Any:
        rows, steps = (0, 1) if self.batch_first else (1, 0)
        found = check_lengths(lengths, input.shape[steps], input.shape[rows], input.device)
        return torch_with_lengths(super().forward, input, hx, found, self.batch_first)
