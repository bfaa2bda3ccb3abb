"""The LSTM as a torch module, a drop-in for ``torch.nn.LSTM``."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

from lstmkit.recurrent import Recurrent, State


class LSTM(Recurrent):
    """The cell of ``lstmkit.lstm.equations``, at every step and layer upon layer.

    Hochreiter and Schmidhuber (1997); forget gate of Gers, Schmidhuber and Cummins (2000).
    Constructor, call, parameters (blocks in the order i, f, g, o) and start values are those of
    ``torch.nn.LSTM``: one layer or several, ``bias``, ``batch_first``, initial states, input with
    or without a batch. What is not there yet raises NotImplementedError: ``bidirectional``,
    ``dropout``, ``proj_size``, packed sequences, ``lengths``, other backends than the plain loop.
    """

    blocks = 4
    states = ("h", "c")

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None, lengths: Any = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Run the layers over ``input``.

        Args:
            input: (T, B, I), or (B, T, I) with ``batch_first``, or (T, I) without a batch.
            hx: the states to start from, (h, c), each (num_layers, B, H) or (num_layers, H);
                zeros if None.
            lengths: not there yet.

        Returns:
            The last layer's h at every step, (T, B, H), axes as in the input, and every layer's
            last (h, c), shaped as ``hx``.

        Raises:
            RuntimeError, ValueError: torch's own, for a shape or a dtype that does not fit.
        """
        if hx is not None and (isinstance(hx, Tensor) or len(hx) != 2):
            found = "one tensor" if isinstance(hx, Tensor) else f"{len(hx)} of them"
            raise TypeError(f"LSTM: hx has to be a pair of tensors, (h, c), got {found}")
        output, (h_n, c_n) = self.run(input, None if hx is None else tuple(hx), lengths)
        return output, (h_n, c_n)

    def sweep(
        self, x: Tensor, state: State, W_ih: Tensor, W_hh: Tensor, b: Tensor | None
    ) -> tuple[Tensor, State]:
        h, c = state
        h_all = []
        # The inputs do not wait for one another: one product serves all steps.
        for a_x in linear(x, W_ih, b):
            a_i, a_f, a_g, a_o = (a_x + linear(h, W_hh)).chunk(4, dim=-1)
            i, f, o = torch.sigmoid(a_i), torch.sigmoid(a_f), torch.sigmoid(a_o)
            g = torch.tanh(a_g)
            c = f * c + i * g
            h = o * torch.tanh(c)
            h_all.append(h)
        return torch.stack(h_all), (h, c)
