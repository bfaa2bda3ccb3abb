"""One step as a torch module: drop-ins for ``torch.nn.RNNCell``, ``LSTMCell`` and ``GRUCell``.

For loops that you write yourself, where the next input depends on the last output. Constructor,
call, parameters, start values and errors are torch's, whose own functions run the step. With
``trace=True`` the step is the one written out here, and its gates come back too.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from lstmkit.gru.equations import GRUTrace
from lstmkit.lstm.equations import LSTMTrace


class RNNCell(nn.RNNCell):
    """h = tanh(W_ih x + b_ih + W_hh h_prev + b_hh), or relu (Elman, 1990).

    A plain network has no gates, so this is ``torch.nn.RNNCell`` under the course's roof.
    """


class LSTMCell(nn.LSTMCell):
    """c = f ⊙ c_prev + i ⊙ g, h = o ⊙ tanh(c); blocks of the weights in the order i, f, g, o.

    Hochreiter and Schmidhuber (1997); forget gate of Gers, Schmidhuber and Cummins (2000).

    Args:
        forget_bias: what the forget gate's two biases add up to at the start: b_ih has it, b_hh
            has 0. None leaves both as torch draws them.

    Raises:
        ValueError: ``forget_bias`` without ``bias``.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: torch.dtype | None = None,
        *,
        forget_bias: float | None = None,
    ) -> None:
        if forget_bias is not None and not bias:
            raise ValueError(f"forget_bias={forget_bias} needs biases, but bias={bias}")
        self.forget_bias = forget_bias
        super().__init__(input_size, hidden_size, bias, device, dtype)

    def reset_parameters(self) -> None:
        """Torch's start values, but for the forget gate's biases if ``forget_bias`` is given."""
        super().reset_parameters()
        if self.forget_bias is not None:
            block_f = slice(self.hidden_size, 2 * self.hidden_size)
            nn.init.constant_(self.bias_ih[block_f], self.forget_bias)
            nn.init.constant_(self.bias_hh[block_f], 0.0)

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None, trace: bool = False
    ) -> Any:
        """One step.

        Args:
            input: (B, I) or (I,).
            hx: (h, c), each (B, H) or (H,); zeros if None.
            trace: return the gates too.

        Returns:
            (h, c); with ``trace``, ((h, c), LSTMTrace), each of its fields shaped as h.

        Raises:
            RuntimeError, ValueError: torch's own, for a shape or a dtype that does not fit.
        """
        if not trace:
            return super().forward(input, hx)
        h_prev, c_prev = hx if hx is not None else (_zeros(self, input),) * 2
        a = linear(input, self.weight_ih, self.bias_ih)
        a_i, a_f, a_g, a_o = (a + linear(h_prev, self.weight_hh, self.bias_hh)).chunk(4, dim=-1)
        i, f, g, o = torch.sigmoid(a_i), torch.sigmoid(a_f), torch.tanh(a_g), torch.sigmoid(a_o)
        c = f * c_prev + i * g
        h = o * torch.tanh(c)
        return (h, c), LSTMTrace(h, c, i, f, g, o)  # type: ignore[arg-type]


class GRUCell(nn.GRUCell):
    """h = (1 - z) ⊙ n + z ⊙ h_prev, reset after the product; blocks in the order r, z, n.

    Cho et al. (2014), first version; Chung et al. (2014).
    """

    def forward(self, input: Tensor, hx: Tensor | None = None, trace: bool = False) -> Any:
        """One step.

        Args:
            input: (B, I) or (I,).
            hx: h, (B, H) or (H,); zeros if None.
            trace: return the gates too.

        Returns:
            h; with ``trace``, (h, GRUTrace), each of its fields shaped as h.

        Raises:
            RuntimeError, ValueError: torch's own, for a shape or a dtype that does not fit.
        """
        if not trace:
            return super().forward(input, hx)
        h_prev = hx if hx is not None else _zeros(self, input)
        a_r, a_z, a_n = linear(input, self.weight_ih, self.bias_ih).chunk(3, dim=-1)
        from_r, from_z, m = linear(h_prev, self.weight_hh, self.bias_hh).chunk(3, dim=-1)
        r, z = torch.sigmoid(a_r + from_r), torch.sigmoid(a_z + from_z)
        n = torch.tanh(a_n + r * m)
        h = (1 - z) * n + z * h_prev
        return h, GRUTrace(h, r, z, n, m)  # type: ignore[arg-type]


def _zeros(cell: nn.LSTMCell | nn.GRUCell, input: Tensor) -> Tensor:
    return input.new_zeros(*input.shape[:-1], cell.hidden_size)
