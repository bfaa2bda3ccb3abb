"""The LSTM as a torch module, a drop-in for ``torch.nn.LSTM``."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from lstmkit.lstm.equations import LSTMTrace
from lstmkit.recurrent import Recurrent
from lstmkit.reference import State, Weights
from lstmkit.regularise import Zoneout, layer_norm


class LSTM(Recurrent, nn.LSTM):
    """The cell of ``lstmkit.lstm.equations``, at every step and layer upon layer.

    Hochreiter and Schmidhuber (1997); forget gate of Gers, Schmidhuber and Cummins (2000).
    Constructor, call, parameters (blocks in the order i, f, g, o), start values and errors are
    those of ``torch.nn.LSTM``. Beyond them:

    Args:
        backend: "auto", "reference", "torch" or "triton"; see ``lstmkit.backends``.
        recurrent_dropout: probability with which an entry of h[t-1] is hidden from W_hh, in
            training: one draw for a whole sequence (Gal and Ghahramani, 2016).
        zoneout: probability with which an entry of h and of c keeps its old value, one number for
            both or one for each, (h, c) (Krueger et al., 2017; they have 0.05 and 0.5).
        layer_norm: the cell of ``lstmkit.lstm.normalised`` (Ba, Kiros and Hinton, 2016); its gains
            are the parameters ``norm_x_l[k]``, ``norm_h_l[k]``, ``norm_c_l[k]`` and
            ``norm_c_bias_l[k]``.
        forget_bias: what the forget gate's two biases add up to at the start (Gers, Schmidhuber
            and Cummins, 2000; Jozefowicz, Zaremba and Sutskever, 2015, recommend 1): b_ih has it,
            b_hh has 0. None leaves both as torch draws them.

    Raises:
        BackendError: the backend asked for does not have the options asked for.
        TypeError, ValueError: torch's own, and ours for the options beyond torch's.
    """

    kind = "LSTM"
    states = ("h", "c")
    gates_when_held = (0.0, 1.0, 0.0, 0.0)
    norms: ClassVar[dict[str, int]] = {"x": 4, "h": 4, "c": 1, "c_bias": 1}
    trace_type = LSTMTrace

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
        recurrent_dropout: float = 0.0,
        zoneout: Zoneout = 0.0,
        layer_norm: bool = False,
        forget_bias: float | None = None,
    ) -> None:
        if forget_bias is not None and not bias:
            raise ValueError(f"forget_bias={forget_bias} needs biases, but bias={bias}")
        self.forget_bias = forget_bias
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device=device,
            dtype=dtype,
            backend=backend,
            recurrent_dropout=recurrent_dropout,
            zoneout=zoneout,
            layer_norm=layer_norm,
        )

    def reset_parameters(self) -> None:
        """Torch's start values, but for the forget gate's biases if ``forget_bias`` is given."""
        super().reset_parameters()
        if self.forget_bias is None:
            return
        block_f = slice(self.hidden_size, 2 * self.hidden_size)
        for name, parameter in self.named_parameters():
            if name.startswith("bias_"):
                once = self.forget_bias if name.startswith("bias_ih") else 0.0
                nn.init.constant_(parameter[block_f], once)

    def project(self, x: Tensor, w: Weights) -> Tensor:
        if not w.norm:
            return linear(x, w.W_ih, w.b_ih)
        b = None if w.b_ih is None or w.b_hh is None else w.b_ih + w.b_hh
        return layer_norm(linear(x, w.W_ih), w.norm["x"], b)

    def step(self, a_x: Tensor, h: Tensor, state: State, w: Weights) -> tuple[State, State]:
        c_prev = state[1]
        if w.norm:
            a = a_x + layer_norm(linear(h, w.W_hh), w.norm["h"])
        else:
            a = a_x + linear(h, w.W_hh, w.b_hh)
        a_i, a_f, a_g, a_o = a.chunk(4, dim=-1)
        i, f, g, o = torch.sigmoid(a_i), torch.sigmoid(a_f), torch.tanh(a_g), torch.sigmoid(a_o)
        c = f * c_prev + i * g
        shown = layer_norm(c, w.norm["c"], w.norm["c_bias"]) if w.norm else c
        h = o * torch.tanh(shown)
        return (h if w.W_hr is None else linear(h, w.W_hr), c), (i, f, g, o)
