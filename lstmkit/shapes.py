"""Shape checks that the NumPy equations share: one short sentence for the reader who slipped."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]


def check_shapes(**arrays: tuple[Any, str]) -> None:
    """Check arrays against shapes written in letters, as in ``W_ih=(W_ih, "4H I")``.

    A letter takes its size from the first array that has it, and every later array has to agree.

    Raises:
        TypeError: an argument is no array.
        ValueError: an array does not fit; the message gives the shape expected and the shape got.
    """
    sizes: dict[str, int] = {}
    for name, (array, letters) in arrays.items():
        if not isinstance(array, np.ndarray):
            raise TypeError(f"{name} has to be a NumPy array, got {type(array).__name__}")
        axes = letters.split()
        if array.ndim != len(axes) or not all(
            _fits(axis, size, sizes) for axis, size in zip(axes, array.shape, strict=True)
        ):
            raise ValueError(
                f"{name} should have shape {_expected(axes, sizes)}, got {array.shape}"
            )


def check_same_shape(**arrays: Any) -> None:
    """Check that arrays which meet entry by entry have one shape; a plain number fits any.

    Raises:
        ValueError: two shapes differ; the message names both arrays.
    """
    first, shape = "", ()
    for name, array in arrays.items():
        found = np.shape(array)
        if shape and found and found != shape:
            raise ValueError(f"{name} should have shape {shape}, as {first} has, got {found}")
        if found and not shape:
            first, shape = name, found


def check_lengths(lengths: ArrayLike | None, T: int, B: int) -> Array | None:
    """Return ``lengths`` as an integer array (B,), or None for "every row is T steps long".

    Raises:
        ValueError: not B whole numbers from 0 to T.
    """
    if lengths is None:
        return None
    found = np.asarray(lengths)
    if found.shape != (B,):
        raise ValueError(f"lengths should have shape (B,) = ({B},), got {found.shape}")
    if found.size and found.dtype.kind not in "iu":
        raise ValueError(f"lengths should be whole numbers, got {found.dtype}")
    if found.size and (found.min() < 0 or found.max() > T):
        raise ValueError(f"lengths should lie in 0 … T = {T}, got {found.min()} … {found.max()}")
    return found


def active_rows(t: int, lengths: Array | None) -> Any:
    """Index of the rows that still have an item at step t; all rows without ``lengths``."""
    return slice(None) if lengths is None else np.flatnonzero(t < lengths)


def _fits(axis: str, size: int, sizes: dict[str, int]) -> bool:
    """Compare one axis ("B" or "4H") with what is known; a new letter takes its size from here."""
    letter, times = axis[-1], int(axis[:-1] or 1)
    return size % times == 0 and sizes.setdefault(letter, size // times) == size // times


def _expected(axes: list[str], sizes: dict[str, int]) -> str:
    """Write a shape in letters and, where they are known, in numbers: "(B, I) = (B, 5)"."""
    numbers = [
        str(int(axis[:-1] or 1) * sizes[axis[-1]]) if axis[-1] in sizes else axis for axis in axes
    ]
    comma = "," if len(axes) == 1 else ""
    in_letters = f"({', '.join(axes)}{comma})"
    return in_letters if numbers == axes else f"{in_letters} = ({', '.join(numbers)}{comma})"
