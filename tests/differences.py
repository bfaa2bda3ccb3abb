"""The derivative as its definition has it: what every backward pass is held against."""

from collections.abc import Callable

import numpy as np


def finite_differences(
    loss: Callable[[], float], argument: np.ndarray, step: float = 1e-6
) -> np.ndarray:
    """Central differences of ``loss()`` by each entry of ``argument``, which is moved in place."""
    slope = np.empty_like(argument)
    for index in np.ndindex(argument.shape):
        kept = argument[index]
        argument[index] = kept + step
        above = loss()
        argument[index] = kept - step
        below = loss()
        argument[index] = kept
        slope[index] = (above - below) / (2 * step)
    return slope


def assert_gradient(found: np.ndarray, expected: np.ndarray, rtol: float) -> None:
    """Hold a gradient to a tolerance relative to its largest entry, in shape and kind as well."""
    assert found.shape == expected.shape
    assert np.isfinite(found).all()
    scale = np.abs(expected).max(initial=1e-3)
    np.testing.assert_allclose(found, expected, rtol=0, atol=rtol * scale)
