"""The Mackey–Glass series: a simple law, a delay, and no repetition."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["mackey_glass"]

STEP = 0.1


def mackey_glass(
    rng: np.random.Generator,
    T: int,
    tau: float = 17.0,
    every: float = 1.0,
    settle: float = 500.0,
) -> NDArray[np.float64]:
    """T values of dx/dt = 0.2 x(t − τ) / (1 + x(t − τ)¹⁰) − 0.1 x(t), shape ``(T,)``, float64.

    Mackey and Glass (1977). Chaotic for τ above about 16.8. Integrated by the classical
    Runge–Kutta method with a step of 0.1 from a past that is constant, drawn between 0.5 and 1.3;
    the first ``settle`` units of time are left out, then one value is taken ``every`` unit.

    Raises:
        ValueError: tau or every is no positive multiple of 0.1, or T or settle is negative.
    """
    delay, stride = round(tau / STEP), round(every / STEP)
    whole = abs(delay * STEP - tau) < 1e-9 and abs(stride * STEP - every) < 1e-9
    if not whole or delay < 2 or stride < 1 or T < 0 or settle < 0:
        raise ValueError(
            "tau and every must be positive multiples of 0.1, T and settle not negative"
        )
    first = round(settle / STEP)
    steps = first + stride * max(T - 1, 0)
    x = np.empty(delay + 1 + steps)
    x[: delay + 1] = rng.uniform(0.5, 1.3)
    for now in range(delay, delay + steps):
        before, after = x[now - delay], x[now - delay + 1]
        # Halfway between two known values: a parabola through them and the one after.
        middle = (3 * before + 6 * after - x[now - delay + 2]) / 8
        one = _slope(x[now], before)
        two = _slope(x[now] + STEP / 2 * one, middle)
        three = _slope(x[now] + STEP / 2 * two, middle)
        four = _slope(x[now] + STEP * three, after)
        x[now + 1] = x[now] + STEP / 6 * (one + 2 * two + 2 * three + four)
    return x[delay + first :: stride][:T].copy()


def _slope(x: float, past: float) -> float:
    return 0.2 * past / (1 + past**10) - 0.1 * x
