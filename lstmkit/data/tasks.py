"""Tasks with one thing to remember: adding, copying, parity, recall over a gap.

Every function draws B independent sequences with a NumPy generator; arrays are time-major.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["adding", "copying", "parity", "recall"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def adding(rng: np.random.Generator, T: int, B: int) -> tuple[Floats, Floats]:
    """The adding problem (Hochreiter and Schmidhuber, 1997): add the two marked numbers.

    x ``(T, B, 2)``, float32: a number between 0 and 1, and a mark that is 1 at two steps, one in
    each half. y ``(B,)``, float32: their sum. Answering 1 every time has a mean squared error of
    1/6.

    Raises:
        ValueError: T is smaller than two.
    """
    if T < 2:
        raise ValueError(f"T is {T}; two numbers need at least two steps")
    numbers = rng.random((T, B))
    marks = np.zeros((T, B))
    columns = np.arange(B)
    first, second = rng.integers(0, T // 2, B), rng.integers(T // 2, T, B)
    marks[first, columns] = marks[second, columns] = 1
    y = numbers[first, columns] + numbers[second, columns]
    return np.stack([numbers, marks], axis=-1).astype(np.float32), y.astype(np.float32)


def copying(
    rng: np.random.Generator, gap: int, B: int, length: int = 10, symbols: int = 8
) -> tuple[Ints, Ints]:
    """Copy memory (Hochreiter and Schmidhuber, 1997; Arjovsky, Shah and Bengio, 2016).

    x and y ``(gap + 2 · length, B)``, int64. x: ``length`` symbols, numbered from 2; blanks (0);
    the cue (1) at step ``length + gap − 1``; blanks. y: blanks, and the symbols in their order at
    the last ``length`` steps. There are ``symbols + 2`` different entries.

    Raises:
        ValueError: gap, length or symbols is smaller than one.
    """
    if min(gap, length, symbols) < 1:
        raise ValueError("gap, length and symbols must be at least 1")
    word = rng.integers(2, symbols + 2, (length, B))
    x = np.zeros((gap + 2 * length, B), dtype=np.int64)
    y = np.zeros_like(x)
    x[:length] = word
    x[length + gap - 1] = 1
    y[-length:] = word
    return x, y


def parity(rng: np.random.Generator, T: int, B: int) -> tuple[Floats, Ints]:
    """Is the number of ones so far odd? x ``(T, B, 1)``, float32, bits; y ``(T, B)``, int64.

    One bit of state is enough, and a gate that cannot see the state cannot keep it.
    """
    bits = rng.integers(0, 2, (T, B))
    return bits[..., None].astype(np.float32), bits.cumsum(axis=0) % 2


def recall(rng: np.random.Generator, gap: int, B: int, keys: int = 8) -> tuple[Floats, Ints]:
    """ "The colour of the sky": a colour is named once, then comes noise, then the question.

    x ``(gap + 2, B, keys + 2)``, float32. Step 0 names one of ``keys`` colours (one of the first
    ``keys`` entries is 1); the ``gap`` steps after it hold noise, uniform between −1 and 1, in
    entry ``keys``; the last step is the cue, a 1 in the last entry. y ``(B,)``, int64: the colour,
    to be said at the cue. A guess is right once in ``keys``; the gap is the distance over which
    something must be kept.

    Raises:
        ValueError: gap is negative, or keys is smaller than two.
    """
    if gap < 0 or keys < 2:
        raise ValueError("gap must be at least 0 and keys at least 2")
    y = rng.integers(0, keys, B)
    x = np.zeros((gap + 2, B, keys + 2), dtype=np.float32)
    x[0, np.arange(B), y] = 1
    x[1:-1, :, keys] = rng.uniform(-1, 1, (gap, B))
    x[-1, :, -1] = 1
    return x, y
