"""The plain recurrent network as a torch module, a drop-in for ``torch.nn.RNN``."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from lstmkit.recurrent import Recurrent
from lstmkit.reference import State, Weights
from lstmkit.regularise import Zoneout, layer_norm


class RNNTrace(NamedTuple):
    """All that a forward pass computed: the state, (T, B, H); a plain network has no gates."""

    h: Tensor


class RNN(Recurrent, nn.RNN):
    """h[t] = tanh(W_ih x[t] + b_ih + W_hh h[t-1] + b_hh), layer upon layer (Elman, 1990).

    Constructor, call, parameters, start values and errors are those of ``torch.nn.RNN``. Beyond
    them:

    Args:
        backend: "auto", "reference", "torch" or "triton"; see ``lstmkit.backends``.
        recurrent_dropout: probability with which an entry of h[t-1] is hidden from W_hh, in
            training: one draw for a whole sequence (Gal and Ghahramani, 2016).
        zoneout: probability with which an entry of h keeps its old value (Krueger et al., 2017).
        layer_norm: h[t] = tanh(LN(W_ih x[t] + W_hh h[t-1]; α) + b_ih + b_hh) (Ba, Kiros and
            Hinton, 2016); the gains α (H,) are the parameters ``norm_a_l[k]``.

    Raises:
        BackendError: the backend asked for does not have the options asked for.
        TypeError, ValueError: torch's own, and ours for the options beyond torch's.
    """

    kind = "RNN"
    norms: ClassVar[dict[str, int]] = {"a": 1}
    trace_type = RNNTrace

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: torch.dtype | None = None,
        *,
        backend: str = "auto",
        recurrent_dropout: float = 0.0,
        zoneout: Zoneout = 0.0,
        layer_norm: bool = False,
        **others: Any,
    ) -> None:
        # ``others`` only reach torch so that its own error is raised.
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            nonlinearity,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device=device,
            dtype=dtype,
            backend=backend,
            recurrent_dropout=recurrent_dropout,
            zoneout=zoneout,
            layer_norm=layer_norm,
            **others,
        )

    def project(self, x: Tensor, w: Weights) -> Tensor:
        return linear(x, w.W_ih, None if w.norm else w.b_ih)

    def step(self, a_x: Tensor, h: Tensor, state: State, w: Weights) -> tuple[State, State]:
        if w.norm:
            b = None if w.b_ih is None or w.b_hh is None else w.b_ih + w.b_hh
            a = layer_norm(a_x + linear(h, w.W_hh), w.norm["a"], b)
        else:
            a = a_x + linear(h, w.W_hh, w.b_hh)
        return (torch.tanh(a) if self.nonlinearity == "tanh" else torch.relu(a),), ()
