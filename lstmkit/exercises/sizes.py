"""Odd sizes, batch 1 and both float widths: the shapes that checks are tried on."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

F32, F64 = np.dtype(np.float32), np.dtype(np.float64)


class Sizes(NamedTuple):
    """T steps, B rows, I inputs, H hidden units, and the float width."""

    T: int
    B: int
    I: int  # noqa: E741  # the course's symbol
    H: int
    dtype: np.dtype[Any]

    def words(self, *letters: str) -> str:
        """``"B=2, I=3, H=4, float64"`` for the letters that matter."""
        return ", ".join(f"{k}={getattr(self, k)}" for k in letters) + f", {self.dtype}"


def sizes(rng: np.random.Generator, thorough: bool) -> list[Sizes]:
    """Three sizes for the visible check, eight for the hidden one."""
    fixed = [Sizes(5, 2, 3, 4, F64), Sizes(1, 1, 1, 1, F64), Sizes(9, 3, 5, 2, F64)]
    if not thorough:
        return fixed
    drawn = [
        Sizes._make([*rng.integers([2, 2, 1, 2], [12, 6, 7, 8]).tolist(), dtype])
        for dtype in (F64, F32, F64, F32)
    ]
    return [
        *drawn,
        Sizes(2, 1, 4, 4, F32),
        Sizes(17, 1, 2, 3, F64),
        Sizes(3, 4, 4, 4, F64),
        fixed[1],
    ]


def normal(
    rng: np.random.Generator, *shape: int, scale: float = 1.0, dtype: Any = F64
) -> np.ndarray:
    """Normal numbers of the given shape and width."""
    return (scale * rng.standard_normal(shape)).astype(dtype)


def states(rng: np.random.Generator, *shape: int, dtype: Any = F64) -> np.ndarray:
    """Hidden states: uniform in (-1, 1), never near zero, so that ignoring one shows."""
    sign = rng.choice([-1.0, 1.0], shape)
    return (sign * rng.uniform(0.2, 0.95, shape)).astype(dtype)
