"""Cutting a set into training, validation and test without leakage.

What belongs together stays together: a whole stretch of time, all spellings of one word family,
one date in all its languages. Which part a group falls into depends on its name alone, so the cut
is the same on every machine and stays the same when a set grows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Parts", "by_group", "by_time"]

Shares = tuple[float, float, float]


@dataclass(frozen=True)
class Parts:
    """Indices into a set, int64, shapes ``(N_train,)``, ``(N_validation,)``, ``(N_test,)``."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]


def by_group(groups: Sequence[str], shares: Shares = (0.8, 0.1, 0.1)) -> Parts:
    """Every row with the same group falls into the same part; ``shares`` hold on the average.

    Raises:
        ValueError: the shares are negative or do not add up to one.
    """
    _check(shares)
    places: dict[str, int] = {}
    for group in groups:
        if group not in places:
            digest = hashlib.sha256(group.encode("utf-8")).digest()
            place = int.from_bytes(digest[:8], "big") / 2**64
            places[group] = int(place >= shares[0]) + int(place >= shares[0] + shares[1])
    part = np.array([places[group] for group in groups], dtype=np.int64)
    return Parts(*(np.flatnonzero(part == k) for k in range(3)))


def by_time(steps: int, shares: Shares = (0.7, 0.15, 0.15)) -> Parts:
    """The first steps for training, those after them for validation, the last for the test.

    Raises:
        ValueError: the shares are negative or do not add up to one.
    """
    _check(shares)
    first = round(steps * shares[0])
    second = round(steps * (shares[0] + shares[1]))
    return Parts(np.arange(first), np.arange(first, second), np.arange(second, steps))


def _check(shares: Shares) -> None:
    if min(shares) < 0 or abs(sum(shares) - 1) > 1e-9:
        raise ValueError(f"the shares are {shares}; they must be three that add up to one")
