"""The GRU as a torch module, a drop-in for ``torch.nn.GRU``."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from lstmkit.gru.equations import GRUTrace
from lstmkit.recurrent import Recurrent
from lstmkit.reference import State, Weights
from lstmkit.regularise import Zoneout, layer_norm


class GRU(Recurrent, nn.GRU):
    """The cell of ``lstmkit.gru.equations``, reset after the product, layer upon layer.

    Cho et al. (2014), first version; Chung et al. (2014). Constructor, call, parameters (blocks in
    the order r, z, n), start values and errors are those of ``torch.nn.GRU``. Beyond them:

    Args:
        backend: "auto", "reference", "torch" or "triton"; see ``lstmkit.backends``.
        recurrent_dropout: probability with which an entry of h[t-1] is hidden from W_hh, in
            training: one draw for a whole sequence (Gal and Ghahramani, 2016). The part of h[t-1]
            that the update gate keeps is not touched.
        zoneout: probability with which an entry of h keeps its old value (Krueger et al., 2017).
        layer_norm: both products are normalised, the gates' 2H entries as one vector and the
            candidate's H as another (Ba, Kiros and Hinton, 2016, supplement); the gains (3H,) are
            the parameters ``norm_x_l[k]`` and ``norm_h_l[k]``.

    Raises:
        BackendError: the backend asked for does not have the options asked for.
        TypeError, ValueError: torch's own, and ours for the options beyond torch's.
    """

    kind = "GRU"
    gates_when_held = (0.0, 1.0, 0.0, 0.0)
    norms: ClassVar[dict[str, int]] = {"x": 3, "h": 3}
    trace_type = GRUTrace

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
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
        return _product(x, w.W_ih, w.b_ih, w.norm.get("x"))

    def step(self, a_x: Tensor, h: Tensor, state: State, w: Weights) -> tuple[State, State]:
        (h_prev,) = state
        a_r, a_z, a_n = a_x.chunk(3, dim=-1)
        from_r, from_z, m = _product(h, w.W_hh, w.b_hh, w.norm.get("h")).chunk(3, dim=-1)
        r, z = torch.sigmoid(a_r + from_r), torch.sigmoid(a_z + from_z)
        n = torch.tanh(a_n + r * m)
        return ((1 - z) * n + z * h_prev,), (r, z, n, m)


def _product(v: Tensor, W: Tensor, b: Tensor | None, gain: Tensor | None) -> Tensor:
    """W v + b, or with a gain LN(W v) + b, the gates' share and the candidate's each by itself."""
    if gain is None:
        return linear(v, W, b)
    cut = 2 * len(W) // 3
    product = linear(v, W)
    biases = (None, None) if b is None else (b[:cut], b[cut:])
    gates = layer_norm(product[..., :cut], gain[:cut], biases[0])
    return torch.cat([gates, layer_norm(product[..., cut:], gain[cut:], biases[1])], dim=-1)
