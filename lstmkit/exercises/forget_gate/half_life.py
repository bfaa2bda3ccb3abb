"""06.half_life: how many steps an entry lasts when the gate stands at σ(b)."""

from __future__ import annotations

import numpy as np

from .. import names
from ..model import Exercise, Part, Trial, known_wrong
from ..sizes import F32, F64


def reference(b: np.ndarray) -> np.ndarray:
    """Steps until half is left: ``ln(1/2) / ln σ(b)``, with ``ln σ(b) = −ln(1 + e^(−b))``."""
    return (np.log(2) / np.log1p(np.exp(-b))).astype(b.dtype)


def trial(b: np.ndarray) -> Trial:
    return Trial((b,), reference(b), f"b = {np.array2string(b.ravel()[:4], precision=3)} …")


def parts(rng: np.random.Generator, thorough: bool) -> list[Part]:
    shown = [trial(rng.uniform(-1.5, 6.0, 5)), trial(rng.uniform(0.5, 3.0, 2))]
    found = [Part("steps until half is left", shown)]
    if not thorough:
        return found
    drawn = [
        trial(rng.uniform(-3.0, 8.0, (2, 3))),
        trial(rng.uniform(-2.0, 4.0, 7).astype(F32)),
        trial(np.array([0.0])),
        trial(rng.uniform(-4.0, 0.0, (1, 4)).astype(F64)),
    ]
    return [*found, Part("other shapes, both float widths, b below zero", drawn)]


def half_life_time_constant(b):
    """It looks as if this is −1/ln f, the number of steps until 1/e is left. Half is asked: ln ½
    in place of −1.
    """
    return -1 / np.log(1 / (1 + np.exp(-b)))


def half_life_linear(b):
    """It looks as if the same amount is taken off at every step. The gate *multiplies*: after n
    steps fⁿ is left.
    """
    return 0.5 / (1 - 1 / (1 + np.exp(-b)))


def half_life_mean_time(b):
    """It looks as if this is 1/(1 − f), the mean time that an entry lasts. Solve fⁿ = ½ for n."""
    return 1 / (1 - 1 / (1 + np.exp(-b)))


def half_life_inverted(b):
    """It looks as if the fraction is upside down: n = ln ½ / ln f."""
    return np.log(1 / (1 + np.exp(-b))) / np.log(0.5)


def half_life_of_the_rest(b):
    """It looks as if 1 − f is used. What stays after a step is f = σ(b): larger b, longer life."""
    return np.log(0.5) / np.log(1 / (1 + np.exp(b)))


def half_life_rounded_up(b):
    """It looks as if the result is rounded. Leave it as it is: it need not be a whole number."""
    return np.ceil(np.log(0.5) / np.log(1 / (1 + np.exp(-b))))


def half_life_mixed_logarithms(b):
    """It looks as if two kinds of logarithm are mixed. Use the same one above and below."""
    return np.log10(0.5) / np.log(1 / (1 + np.exp(-b)))


def half_life_large_b_only(b):
    """It looks as if ln σ(b) was replaced by −e^(−b). That is close for large b only."""
    return np.log(2) * np.exp(b)


def half_life_to_a_tenth(b):
    """It looks as if a tenth is left, not a half."""
    return np.log(0.1) / np.log(1 / (1 + np.exp(-b)))


def half_life_negative(b):
    """The sign is wrong: ln ½ and ln f are both negative, so their fraction is positive."""
    return np.log(2) / np.log(1 / (1 + np.exp(-b)))


def half_life_one_step_less(b):
    """It is one step too few: after n steps the entry was multiplied n times, so fⁿ = ½."""
    return np.log(0.5) / np.log(1 / (1 + np.exp(-b))) - 1


KNOWN_WRONG = known_wrong(
    half_life_time_constant,
    half_life_linear,
    half_life_mean_time,
    half_life_inverted,
    half_life_of_the_rest,
    half_life_rounded_up,
    half_life_mixed_logarithms,
    half_life_large_b_only,
    half_life_to_a_tenth,
    half_life_negative,
    half_life_one_step_less,
)


def half_life_base_two(b):
    return -1 / np.log2(1 / (1 + np.exp(-b)))


def half_life_logaddexp(b):
    return np.log(b.dtype.type(2)) / np.logaddexp(b.dtype.type(0), -b)


def half_life_bisection(b):
    low, high = np.zeros_like(b, dtype=np.float64), np.full_like(b, 1e6, dtype=np.float64)
    f = 1 / (1 + np.exp(-b.astype(np.float64)))
    for _ in range(100):
        middle = (low + high) / 2
        more = f**middle > 0.5
        low, high = np.where(more, middle, low), np.where(more, high, middle)
    return low


EXERCISE = Exercise(
    name="06.half_life",
    chapter="06-forget-gate",
    title="how long an entry lasts",
    points=3,
    asks=("half_life",),
    withheld=names.LSTM,
    parts=parts,
    known_wrong=KNOWN_WRONG,
    right=(half_life_base_two, half_life_logaddexp, half_life_bisection),
)
