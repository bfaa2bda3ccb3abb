"""Stories with full stops: keep a running sum, and start again at every stop.

The task of the chapter on the forget gate. A stream is a row of stories, one after the other;
nothing but the stop says where one ends.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["running_sum", "stories"]


def stories(
    rng: np.random.Generator, T: int, B: int, stop: float = 0.1
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Draw B streams of T steps.

    x has shape (T, B, 2): an amount, uniform between −1 and 1, and a 1 where the stream has a
    full stop, with chance ``stop`` at every step; a stop carries no amount. y has shape (T, B):
    the sum of the amounts since the last stop, 0 at the stop. Both float32.
    """
    ends = rng.random((T, B)) < stop
    amounts = np.where(ends, 0.0, rng.uniform(-1, 1, (T, B)))
    x = np.stack([amounts, ends], axis=-1).astype(np.float32)
    return x, running_sum(x)


def running_sum(x: NDArray[np.float32], before: object = 0.0) -> NDArray[np.float32]:
    """The sum of the amounts x[..., 0] since the last stop x[..., 1], shape (T, ...).

    ``before`` is the sum at which the stream stood before its first step, shape (...).
    """
    y = np.empty(x.shape[:-1], dtype=np.float32)
    total = np.broadcast_to(np.asarray(before, dtype=np.float32), x.shape[1:-1])
    for t in range(len(x)):
        total = (1 - x[t, ..., 1]) * total + x[t, ..., 0]
        y[t] = total
    return y
