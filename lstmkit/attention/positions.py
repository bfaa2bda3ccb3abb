"""Where an item stands: attention alone does not know, a set is all that it sees.

Four ways of telling it, by name:

    "sinusoidal"  sines and cosines added to the items (Vaswani et al., 2017)
    "learned"     a vector for each place, added; no place beyond those that were trained
    "alibi"       scores fall with distance, -m |q - k|, a slope m for each head (Press, Smith and
                  Lewis, 2022); nothing is added to the items
    "none"        a set; a causal mask alone still tells a decoder something of the order
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from lstmkit.attention.equations import sinusoidal_positions

POSITIONS = ("sinusoidal", "learned", "alibi", "none")


class Positions(nn.Module):
    """Tells items their places in one of the four ways.

    Args:
        kind: "sinusoidal", "learned", "alibi" or "none".
        width: D, entries of an item.
        heads: of the attention, for "alibi".
        max_length: how many places are learned, for "learned".

    Raises:
        ValueError: an unknown kind, "learned" without a ``max_length``, or "sinusoidal" with an odd
            width.
    """

    slopes: Tensor

    def __init__(
        self,
        kind: str,
        width: int,
        heads: int,
        max_length: int | None = None,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if kind not in POSITIONS:
            raise ValueError(f"positions should be one of {', '.join(POSITIONS)}, got {kind!r}")
        if (kind == "learned") != (max_length is not None):
            raise ValueError('positions="learned" needs a max_length, the others have none')
        self.kind, self.width = kind, width
        if kind == "learned":
            places = torch.empty(max_length or 0, width, device=device, dtype=dtype)
            self.places = nn.Parameter(nn.init.normal_(places, std=0.02))
        elif kind == "sinusoidal":
            self._codes = torch.from_numpy(sinusoidal_positions(0, width))
        elif kind == "alibi":
            self.register_buffer("slopes", alibi_slopes(heads).to(device), persistent=False)

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        """Add to each item the code of its place; ``start`` is the first item's.

        Shapes: x (T, B, D); returns the same.

        Raises:
            ValueError: a place was never learned.
        """
        end = start + len(x)
        if self.kind == "learned":
            if end > len(self.places):
                raise ValueError(
                    f"place {end - 1} was never learned: max_length is {len(self.places)}"
                )
            return x + self.places[start:end, None]
        if self.kind == "sinusoidal":
            return x + self._codes_until(end, x)[start:, None]
        return x

    def bias(self, queries: int, keys: int, like: Tensor) -> Tensor | None:
        """What distance does to the scores, (heads, queries, keys); the queries stand last."""
        if self.kind != "alibi":
            return None
        places = torch.arange(keys, device=self.slopes.device)
        distance = (places[keys - queries :, None] - places).abs()
        return (-self.slopes[:, None, None] * distance).to(like.dtype)

    def _codes_until(self, end: int, like: Tensor) -> Tensor:
        """The codes of places 0 … end - 1, from a table that grows by doubling."""
        table = self._codes
        if len(table) < end or table.dtype != like.dtype or table.device != like.device:
            rows = max(2 * end, len(table))
            self._codes = table = torch.from_numpy(sinusoidal_positions(rows, self.width)).to(like)
        return table[:end]

    def extra_repr(self) -> str:
        return self.kind


def alibi_slopes(heads: int) -> Tensor:
    """m = 2^(-8j / heads), j = 1 … heads: half-distances from one item to many (Press et al.).

    Returns (heads,), float32.
    """
    return 2.0 ** (-8.0 * torch.arange(1, heads + 1, dtype=torch.float32) / heads)
