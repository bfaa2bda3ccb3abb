"""06.bias_for: the bias at which half of an entry is left after so many steps."""

from __future__ import annotations

import numpy as np

from .. import names
from ..model import Exercise, Part, Trial, known_wrong
from ..sizes import F32


def reference(steps: np.ndarray) -> np.ndarray:
    """``σ(b)ⁿ = ½`` solved for b: ``−ln(2^(1/n) − 1)``."""
    return (-np.log(np.expm1(np.log(2) / steps.astype(np.float64)))).astype(steps.dtype)


def trial(steps: np.ndarray) -> Trial:
    return Trial(
        (steps,), reference(steps), f"steps = {np.array2string(steps.ravel()[:4], precision=3)} …"
    )


def parts(rng: np.random.Generator, thorough: bool) -> list[Part]:
    shown = [trial(rng.uniform(0.5, 60.0, 5)), trial(np.array([1.0, 2.0, 14.0]))]
    found = [Part("half is left after the steps asked for", shown)]
    if not thorough:
        return found
    drawn = [
        trial(rng.uniform(2.0, 400.0, (2, 3))),
        trial(rng.uniform(1.0, 30.0, 7).astype(F32)),
        trial(rng.uniform(0.3, 1.0, (1, 4))),
    ]
    return [*found, Part("other shapes, both float widths, less than one step", drawn)]


def bias_for_mean_time(steps):
    """It looks as if the opening is 1 − 1/n. After n steps that leaves more than a third, not a
    half. Solve fⁿ = ½.
    """
    f = np.maximum(1 - 1 / steps, 1e-3)
    return np.log(f / (1 - f))


def bias_for_straight_line(steps):
    """It looks as if the same amount is taken off at every step. The gate *multiplies*: after n
    steps fⁿ is left.
    """
    f = np.maximum(1 - 0.5 / steps, 1e-3)
    return np.log(f / (1 - f))


def bias_for_opening(steps):
    """It looks as if this is the opening ½^(1/n), not the bias. The bias goes through the sigmoid
    first.
    """
    return 0.5 ** (1 / steps)


def bias_for_logarithm(steps):
    """It looks as if b = ln f. The inverse of the sigmoid is ln(f / (1 − f))."""
    return np.log(0.5) / steps


def bias_for_power(steps):
    """It looks as if f = ½ⁿ. After n steps fⁿ is left, so f is the n-th *root* of ½."""
    f = 0.5 ** np.minimum(steps, 60)
    return np.log(f / (1 - f))


def bias_for_negative(steps):
    """The sign is wrong: this is the bias of a gate that *drops* what it should keep."""
    f = 0.5 ** (1 / steps)
    return np.log((1 - f) / f)


def bias_for_time_constant(steps):
    """It looks as if 1/e is left after n steps, not a half: f = ½^(1/n), not e^(−1/n)."""
    f = np.exp(-1 / steps)
    return np.log(f / (1 - f))


def bias_for_large_steps(steps):
    """It looks as if b = ln(n / ln 2). That is close for large n only."""
    return np.log(steps / np.log(2))


def bias_for_artanh(steps):
    """It looks as if artanh is used. It undoes tanh; the gate has a sigmoid."""
    return np.arctanh(0.5 ** (1 / steps))


def bias_for_half_life(steps):
    """It looks as if n is taken for the bias: this is the half-life of σ(n). Here the number of
    steps is given and the bias is asked for.
    """
    return np.log(2) / np.log1p(np.exp(-np.minimum(steps, 30)))


def bias_for_rounded(steps):
    """It looks as if the result is rounded. Leave it as it is."""
    return np.round(-np.log(2 ** (1 / steps) - 1))


def bias_for_one_step_more(steps):
    """It looks as if one step too many is counted: after n steps the entry was multiplied n
    times.
    """
    f = 0.5 ** (1 / (steps + 1))
    return np.log(f / (1 - f))


KNOWN_WRONG = known_wrong(
    bias_for_mean_time,
    bias_for_straight_line,
    bias_for_opening,
    bias_for_logarithm,
    bias_for_power,
    bias_for_negative,
    bias_for_time_constant,
    bias_for_large_steps,
    bias_for_artanh,
    bias_for_half_life,
    bias_for_rounded,
    bias_for_one_step_more,
)


def bias_for_root(steps):
    """The closed form."""
    return -np.log(np.expm1(np.log(2) / steps.astype(np.float64)))


def bias_for_log_odds(steps):
    """Log-odds of the opening, in two logarithms."""
    log_f = -np.log(2) / steps.astype(np.float64)
    return log_f - np.log(-np.expm1(log_f))


def bias_for_bisection(steps):
    """Halve an interval until the half-life fits."""
    low, high = np.full(steps.shape, -20.0), np.full(steps.shape, 20.0)
    for _ in range(100):
        middle = (low + high) / 2
        short = np.log(2) / np.log1p(np.exp(-middle)) < steps
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return low


EXERCISE = Exercise(
    name="06.bias_for",
    chapter="06-forget-gate",
    title="the bias that keeps an entry so long",
    points=3,
    asks=("bias_for",),
    withheld=names.LSTM,
    parts=parts,
    known_wrong=KNOWN_WRONG,
    right=(bias_for_root, bias_for_log_odds, bias_for_bisection),
)
