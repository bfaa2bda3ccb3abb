"""06.remaining: the share of an old entry that is left at the end, which is also its gradient."""

from __future__ import annotations

import numpy as np

from .. import names
from ..model import Exercise, Part, Trial, known_wrong
from ..sizes import F32, F64


def run_belt(f: np.ndarray, g: np.ndarray) -> np.ndarray:
    """The last cell state of ``c_t = f_t · c_{t−1} + g_t`` from zero; f and g are (T, B, H)."""
    c = np.zeros(f.shape[1:])
    for f_t, g_t in zip(f, g, strict=True):
        c = f_t * c + g_t
    return c


def by_differences(f: np.ndarray) -> np.ndarray:
    """∂c_{T−1}/∂g_t by central differences in float64, shape (T, B, H)."""
    wide, zero = f.astype(np.float64), np.zeros(f.shape)
    share = np.empty(f.shape)
    for t in range(len(f)):
        push = zero.copy()
        push[t] = 0.5  # the belt is linear in g: a difference of any width is exact
        share[t] = run_belt(wide, zero + push) - run_belt(wide, zero - push)
    return share.astype(f.dtype)


def trial(rng: np.random.Generator, T: int, B: int, H: int, dtype: np.dtype = F64) -> Trial:
    f = rng.uniform(0.3, 0.98, (T, B, H)).astype(dtype)
    return Trial((f,), by_differences(f), f"T={T}, B={B}, H={H}, {np.dtype(dtype)}")


def parts(rng: np.random.Generator, thorough: bool) -> list[Part]:
    shown = [trial(rng, 4, 2, 3), trial(rng, 6, 1, 2)]
    found = [Part("the share that is left, against differences", shown)]
    if not thorough:
        return found
    closed = trial(rng, 7, 2, 3)
    f = closed.args[0].copy()
    f[3] = 0.0
    shut = Trial((f,), by_differences(f), "T=7, B=2, H=3, a gate shut at step 3")
    T = int(rng.integers(8, 15))
    return [
        *found,
        Part(
            "one step, one row, both float widths", [trial(rng, 1, 1, 1), trial(rng, T, 3, 4, F32)]
        ),
        Part("a shut gate wipes out all that was written before it", [shut]),
    ]


def remaining_includes_own_step(f):
    """It looks as if f[t] itself is in the product. What is written at step t comes after that
    step's gate: the first gate that it meets is f[t+1].
    """
    return np.cumprod(f[::-1], axis=0)[::-1]


def remaining_from_the_start(f):
    """It looks as if the gates *before* step t are multiplied. What was written at t meets the
    gates that come after it.
    """
    return np.cumprod(f, axis=0)


def remaining_before(f):
    """It looks as if the gates *before* step t are multiplied, without f[t]. What was written at
    t meets the gates that come after it.
    """
    return np.concatenate([np.ones_like(f[:1]), np.cumprod(f, axis=0)[:-1]])


def remaining_without_last(f):
    """It looks as if the last gate is left out: an entry of step t meets f[t+1] … f[T−1]."""
    left = np.ones_like(f)
    for t in range(len(f) - 3, -1, -1):
        left[t] = left[t + 1] * f[t + 1]
    return left


def remaining_one_gate(f):
    """It looks as if only the next gate is applied. Every later gate takes its share."""
    return np.concatenate([f[1:], np.ones_like(f[:1])])


def remaining_last_gate_power(f):
    """It looks as if all gates are taken to be equal to the last. Each step has its own opening."""
    steps = np.arange(len(f))[::-1].reshape(-1, 1, 1)
    return (f[-1:] ** steps).astype(f.dtype)


def remaining_own_gate_power(f):
    """It looks as if the opening of step t is used for all later steps. Each has its own."""
    steps = np.arange(len(f))[::-1].reshape(-1, 1, 1)
    return (f**steps).astype(f.dtype)


def remaining_mean_power(f):
    """It looks as if the mean opening is used. Multiply the openings themselves."""
    steps = np.arange(len(f))[::-1].reshape(-1, 1, 1)
    return (f.mean(axis=0, keepdims=True) ** steps).astype(f.dtype)


def remaining_smallest(f):
    """It looks as if the smallest later opening is taken. Gates in a row multiply."""
    later = np.concatenate([f[1:], np.ones_like(f[:1])])
    return np.minimum.accumulate(later[::-1], axis=0)[::-1]


def remaining_sum(f):
    """It looks as if the openings are added. Gates in a row multiply."""
    later = np.concatenate([f[1:], np.zeros_like(f[:1])])
    return np.cumsum(later[::-1], axis=0)[::-1]


def remaining_logarithm(f):
    """It looks as if this is the logarithm of the share: exp is missing at the end."""
    later = np.concatenate([f[1:], np.ones_like(f[:1])])
    return np.cumsum(np.log(np.maximum(later, 1e-30))[::-1], axis=0)[::-1]


def remaining_all_gates(f):
    """It looks as if every entry gets the product of all gates. An entry meets only the gates
    that come after it.
    """
    return np.broadcast_to(np.prod(f, axis=0), f.shape).copy()


def remaining_turned_round(f):
    """It looks as if the result stands in reverse order of time: turn it round once more."""
    later = np.concatenate([f[1:], np.ones_like(f[:1])])
    return np.cumprod(later[::-1], axis=0)


KNOWN_WRONG = known_wrong(
    remaining_includes_own_step,
    remaining_from_the_start,
    remaining_before,
    remaining_without_last,
    remaining_one_gate,
    remaining_last_gate_power,
    remaining_own_gate_power,
    remaining_mean_power,
    remaining_smallest,
    remaining_sum,
    remaining_logarithm,
    remaining_all_gates,
    remaining_turned_round,
)


def remaining_backwards(f):
    left = np.ones_like(f)
    for t in range(len(f) - 2, -1, -1):
        left[t] = left[t + 1] * f[t + 1]
    return left


def remaining_products(f):
    return np.stack([np.prod(f[t + 1 :], axis=0) for t in range(len(f))])


def remaining_by_pushing(f):
    left = np.empty_like(f)
    for t in range(len(f)):
        c = np.ones(f.shape[1:], dtype=f.dtype)
        for f_s in f[t + 1 :]:
            c *= f_s
        left[t] = c
    return left


EXERCISE = Exercise(
    name="06.remaining",
    chapter="06-forget-gate",
    title="what is left of an old entry",
    points=4,
    asks=("remaining",),
    withheld=names.LSTM,
    parts=parts,
    known_wrong=KNOWN_WRONG,
    right=(remaining_backwards, remaining_products, remaining_by_pushing),
)
