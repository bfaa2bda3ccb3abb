"""The plain recurrent network as a torch module, a drop-in for ``torch.nn.RNN``."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

from lstmkit.recurrent import Recurrent, State


class RNN(Recurrent):
    """h[t] = tanh(W_ih x[t] + b_ih + W_hh h[t-1] + b_hh), layer upon layer (Elman, 1990).

    Constructor, call, parameters and start values are those of ``torch.nn.RNN``: one layer or
    several, ``nonlinearity`` "tanh" or "relu", ``bias``, ``batch_first``, initial states, input
    with or without a batch. What is not there yet raises NotImplementedError: ``bidirectional``,
    ``dropout``, packed sequences, ``lengths``, other backends than the plain loop.
    """

    blocks = 1
    states = ("h",)

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
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'."
            )
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
        )
        self.nonlinearity = nonlinearity

    def forward(
        self, input: Tensor, hx: Tensor | None = None, lengths: Any = None
    ) -> tuple[Tensor, Tensor]:
        """Run the layers over ``input``.

        Args:
            input: (T, B, I), or (B, T, I) with ``batch_first``, or (T, I) without a batch.
            hx: the states to start from, (num_layers, B, H) or (num_layers, H); zeros if None.
            lengths: not there yet.

        Returns:
            The last layer's h at every step, (T, B, H), axes as in the input, and every layer's
            last h, shaped as ``hx``.

        Raises:
            RuntimeError, ValueError: torch's own, for a shape or a dtype that does not fit.
        """
        if hx is not None and not isinstance(hx, Tensor):
            raise TypeError(f"RNN: hx has to be one tensor, h, got {type(hx).__name__}")
        output, (h_n,) = self.run(input, None if hx is None else (hx,), lengths)
        return output, h_n

    def sweep(
        self, x: Tensor, state: State, W_ih: Tensor, W_hh: Tensor, b: Tensor | None
    ) -> tuple[Tensor, State]:
        activation = torch.tanh if self.nonlinearity == "tanh" else torch.relu
        (h,) = state
        h_all = []
        # The inputs do not wait for one another: one product serves all steps.
        for a_x in linear(x, W_ih, b):
            h = activation(a_x + linear(h, W_hh))
            h_all.append(h)
        return torch.stack(h_all), (h,)
