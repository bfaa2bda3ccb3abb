"""Compare an answer with what was expected, and say in words what differs.

Shape, kind of dtype and finiteness come before any tolerance: an empty array, a scalar or a NaN
must never pass as "close".
"""

from __future__ import annotations

from typing import Any

import numpy as np

#: (relative, absolute) tolerance by the width of the inputs
TOLERANCE = {np.dtype(np.float32): (2e-4, 2e-5), np.dtype(np.float64): (1e-8, 1e-10)}


def tolerance(dtype: Any) -> tuple[float, float]:
    """Relative and absolute tolerance for results computed in ``dtype``."""
    return TOLERANCE[np.dtype(dtype)]


def misfit(
    got: Any, expected: np.ndarray, name: str = "The answer", kinds: str = "f", remedy: str = ""
) -> str | None:
    """A sentence when ``got`` is no finite array of the expected shape and kind of dtype.

    The numbers themselves are not looked at.
    """
    if got is None:
        return f"{name} is None. Does the function end with a return?"
    if type(got) in (list, tuple):
        return (
            f"{name} is a {type(got).__name__} of {len(got)}; one NumPy array of shape "
            f"{expected.shape} is expected. {remedy or 'np.stack joins a list of arrays.'}"
        )
    if not hasattr(got, "dtype") and expected.shape == () and type(got) in (int, float):
        got = np.float64(got)
    if not hasattr(got, "dtype") or not hasattr(got, "shape"):
        return f"{name} is of type {type(got).__name__}; a NumPy array is expected."
    array = np.asarray(got)
    if array.shape != expected.shape:
        return f"{name} has shape {array.shape}; expected {expected.shape}."
    if array.dtype.kind not in kinds:
        return f"{name} has dtype {array.dtype}; expected {expected.dtype}."
    if not np.isfinite(array).all():
        bad = np.argwhere(~np.isfinite(array))[0]
        return f"{name} holds {array[tuple(bad)]} at {_place(bad)}; every number must be finite."
    return None


def _narrow(dtype: np.dtype[Any], expected: np.ndarray, error: np.ndarray) -> bool:
    """Whether the only fault is a float narrower than the input's."""
    near = error.max() <= 1e-5 * (1 + np.abs(expected).max())
    return dtype.itemsize < expected.dtype.itemsize and bool(near)


def _place(index: np.ndarray) -> str:
    return "[" + ", ".join(str(int(i)) for i in index) + "]"


def difference(got: Any, expected: Any, name: str = "The answer") -> str | None:
    """None when ``got`` agrees with ``expected``, otherwise a sentence that says how it differs.

    expected: a float array (any shape), or a tuple of them. The tolerance is that of the
        expected array's dtype.
    """
    if type(expected) is tuple:
        return _tuple_difference(got, expected, name)
    expected = np.asarray(expected)
    problem = misfit(got, expected, name)
    if problem:
        return problem
    if expected.size == 0:
        return None
    relative, absolute = tolerance(expected.dtype)
    array = np.asarray(got, dtype=np.float64)
    error = np.abs(array - expected.astype(np.float64))
    over = error - (absolute + relative * np.abs(expected))
    if over.max() <= 0:
        return None
    if _narrow(np.asarray(got).dtype, expected, error):
        return (
            f"{name} is right to about seven digits only: it is {np.asarray(got).dtype} where the "
            f"input is {expected.dtype}. Is there a dtype in your np.zeros or np.empty?"
        )
    worst = np.unravel_index(np.argmax(over), error.shape)
    where = f" at {_place(np.array(worst))}" if expected.ndim else ""
    return (
        f"{name} differs in {int((over > 0).sum())} of {error.size} numbers, most{where}: "
        f"yours {array[worst]:.5g}, expected {float(expected[worst]):.5g}."
    )


def _miscount(
    got: Any, wanted: str, expected: tuple[Any, ...], name: str = "The answer"
) -> str | None:
    """A sentence when ``got`` is not as many values as ``expected``."""
    if got is None:
        return f"{name} is None. Does the function end with a return?"
    if type(got) in (tuple, list) and len(got) == len(expected):
        return None
    have = f"{len(got)} values" if type(got) in (tuple, list) else "one value"
    return f"{name} is {have}; {wanted}."


def _tuple_difference(got: Any, expected: tuple[Any, ...], name: str) -> str | None:
    problem = _miscount(
        got, f"{len(expected)} values are expected, separated by commas", expected, name
    )
    if problem:
        return problem
    for position, (mine, theirs) in enumerate(zip(got, expected, strict=True), 1):
        problem = difference(mine, theirs, f"Value {position} of {len(expected)}")
        if problem:
            return problem
    return None


def same(got: Any, expected: Any) -> bool:
    """True when ``got`` agrees with ``expected``."""
    return difference(got, expected) is None


def structure(got: Any, shapes: tuple[tuple[int, ...], ...], names: tuple[str, ...]) -> str | None:
    """None when ``got`` is a tuple of finite arrays of these shapes, else a sentence.

    Whole numbers are as good as floats here: the values are weights set by hand.
    """
    problem = _miscount(got, f"{len(shapes)} are expected: {', '.join(names)}", shapes)
    if problem:
        return problem
    for value, shape, name in zip(got, shapes, names, strict=True):
        problem = misfit(value, np.zeros(shape), name, "fiu", "np.array(…) makes one.")
        if problem:
            return problem
    return None
