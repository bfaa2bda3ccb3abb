"""06.reset_weights: a forget gate of one unit, set by hand, that clears the belt at stops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...lstm.equations import forget_gate
from .. import names
from ..compare import structure
from ..model import Exercise, Part, Trial, known_wrong

SHAPES = ((1, 2), (1, 1), (1,))


def openings(weights: Any, stop: bool, rng: np.random.Generator) -> np.ndarray:
    """The gate's openings (24,) on fresh values and states, at stops or elsewhere."""
    W_xf, W_hf, b_f = (np.asarray(w, dtype=np.float64) for w in weights)
    x = np.column_stack([rng.uniform(-1, 1, 24), np.full(24, float(stop))])
    return forget_gate(x, rng.uniform(-1, 1, (24, 1)), W_xf, W_hf, b_f)[:, 0]


def judge_with(seed: int) -> Any:
    """A judge whose values and states are drawn from ``seed``."""

    def judge(trials: Sequence[Trial], answers: Sequence[Any]) -> str | None:
        rng = np.random.default_rng(seed)
        for trial, answer in zip(trials, answers, strict=True):
            problem = structure(answer, SHAPES, ("W_xf", "W_hf", "b_f"))
            if problem:
                return problem
            for stop, wanted in zip((False, True), trial.args, strict=True):
                f = openings(answer, stop, rng)
                moves = float(np.ptp(f)) > 1e-6  # with other weights at 0 it is the same everywhere
                if moves or np.abs(f - wanted).max() > 1e-3:
                    where = "at stops" if stop else "elsewhere"
                    why = " The value's weight and W_hf have to be 0." if moves else ""
                    return (
                        f"Asked for keep={trial.args[0]:.3f}, drop={trial.args[1]:.3f}: {where} "
                        f"the opening should be {wanted:.3f}; yours runs from {f.min():.3f} to "
                        f"{f.max():.3f} over 24 values of x and h_prev.{why}"
                    )
        return None

    return judge


def parts(rng: np.random.Generator, thorough: bool) -> list[Part]:
    trials = [
        Trial((float(rng.uniform(0.85, 0.99)), float(rng.uniform(0.02, 0.2))))
        for _ in range(5 if thorough else 2)
    ]
    judge = judge_with(int(rng.integers(2**31)))
    return [Part("keeps elsewhere and clears at stops, whatever x and h_prev are", trials, judge)]


def reset_forgets_the_bias(keep, drop):
    """It looks as if the weight of the stop is logit(drop) alone. The bias is still there at a
    stop: the weight has to take logit(keep) off as well.
    """

    def logit(p):
        return np.log(p / (1 - p))

    return np.array([[0.0, logit(drop)]]), np.array([[0.0]]), np.array([logit(keep)])


def reset_wrong_way_round(keep, drop):
    """It looks as if keep and drop are the wrong way round: this gate clears everywhere but at
    stops.
    """

    def logit(p):
        return np.log(p / (1 - p))

    return np.array([[0.0, logit(keep) - logit(drop)]]), np.array([[0.0]]), np.array([logit(drop)])


def reset_listens_to_value(keep, drop):
    """It looks as if the gate listens to x[0], the value. The stop is x[1]: W_xf has a column for
    each input.
    """

    def logit(p):
        return np.log(p / (1 - p))

    return np.array([[logit(drop) - logit(keep), 0.0]]), np.array([[0.0]]), np.array([logit(keep)])


def reset_listens_to_h(keep, drop):
    """It looks as if W_hf is not zero, so the opening moves with h_prev. Here the stop alone
    decides.
    """

    def logit(p):
        return np.log(p / (1 - p))

    return (
        np.array([[0.0, logit(drop) - logit(keep)]]),
        np.array([[1.0]]),
        np.array([logit(keep)]),
    )


def reset_raw_openings(keep, drop):
    """It looks as if the openings themselves are used as weights. They come out of a sigmoid:
    work with logit(p) = ln(p / (1 − p)).
    """
    return np.array([[0.0, drop - keep]]), np.array([[0.0]]), np.array([keep])


def reset_only_cancels(keep, drop):
    """It looks as if the stop only cancels the bias. Then the gate stands at one half, not at
    drop.
    """

    def logit(p):
        return np.log(p / (1 - p))

    return np.array([[0.0, -logit(keep)]]), np.array([[0.0]]), np.array([logit(keep)])


def reset_logarithms(keep, drop):
    """It looks as if ln p is used. The inverse of the sigmoid is ln(p / (1 − p))."""
    return (
        np.array([[0.0, np.log(drop) - np.log(keep)]]),
        np.array([[0.0]]),
        np.array([np.log(keep)]),
    )


def reset_sign(keep, drop):
    """The sign of the stop's weight is wrong: at a stop this gate opens still further."""

    def logit(p):
        return np.log(p / (1 - p))

    return np.array([[0.0, logit(keep) - logit(drop)]]), np.array([[0.0]]), np.array([logit(keep)])


def reset_no_bias(keep, drop):
    """It looks as if the bias is zero. Where there is no stop, the bias alone keeps the gate
    open.
    """

    def logit(p):
        return np.log(p / (1 - p))

    return np.array([[0.0, logit(drop)]]), np.array([[0.0]]), np.array([0.0 * keep])


def reset_never(keep, drop):
    """It looks as if the gate does not hear the stop at all."""
    return np.array([[0.0, 0.0 * drop]]), np.array([[0.0]]), np.array([np.log(keep / (1 - keep))])


KNOWN_WRONG = known_wrong(
    reset_forgets_the_bias,
    reset_wrong_way_round,
    reset_listens_to_value,
    reset_listens_to_h,
    reset_raw_openings,
    reset_only_cancels,
    reset_logarithms,
    reset_sign,
    reset_no_bias,
    reset_never,
)


def reset_logit(keep, drop):
    up, down = (np.log(p) - np.log1p(-p) for p in (keep, drop))
    return np.array([[0.0, down - up]]), np.zeros((1, 1)), np.array([up])


def reset_by_artanh(keep, drop):
    b_f = 2 * np.arctanh(2 * keep - 1)
    W_xf = np.zeros((1, 2))
    W_xf[0, 1] = 2 * np.arctanh(2 * drop - 1) - b_f
    return W_xf, np.zeros((1, 1)), np.array([b_f])


def reset_by_solving(keep, drop):
    wanted = -np.log(1 / np.array([keep, drop]) - 1)
    b, w = np.linalg.solve(np.array([[1.0, 0.0], [1.0, 1.0]]), wanted)
    return [np.array([[0.0, w]]), np.array([[0.0]]), np.array([b])]


EXERCISE = Exercise(
    name="06.reset_weights",
    chapter="06-forget-gate",
    title="a gate set by hand that clears the belt at stops",
    points=3,
    asks=("reset_weights",),
    withheld=names.LSTM,
    parts=parts,
    known_wrong=KNOWN_WRONG,
    right=(reset_logit, reset_by_artanh, reset_by_solving),
)
