"""01.latch_weights: one unit, weights set by hand, that holds its first symbol for ever."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...rnn.equations import rnn_forward
from .. import names
from ..compare import structure
from ..model import Exercise, Part, Trial, known_wrong

STEPS = 60
SHAPES = ((1, 1), (1, 1), (1,))


def run(weights: Any, size: float) -> np.ndarray:
    """States (STEPS, 2) of the loop with these weights: row 0 reads +size, row 1 −size first."""
    W_ih, W_hh, b = (np.asarray(w, dtype=np.float64) for w in weights)
    x = np.zeros((STEPS, 2, 1))
    x[0, :, 0] = size, -size
    return rnn_forward(x, np.zeros((2, 1)), W_ih, W_hh, b)[..., 0]


def holds(trials: Sequence[Trial], answers: Sequence[Any]) -> str | None:
    """None when every answer's state stands at ±level from the first step to the last."""
    for trial, answer in zip(trials, answers, strict=True):
        size, level = trial.args
        problem = structure(answer, SHAPES, ("W_ih", "W_hh", "b"))
        if problem:
            return problem
        h = run(answer, size)
        error = np.abs(h - level * np.array([1.0, -1.0]))
        if error.max() > 1e-3:
            t, row = (int(n) for n in np.unravel_index(np.argmax(error > 1e-3), error.shape))
            want = level if row == 0 else -level
            return (
                f"With size={size:.3g} and level={level:.3g}, a first symbol of "
                f"{'+' if row == 0 else '−'}size should hold the state at {want:.3f}. At step {t} "
                f"{'(the first) ' * (t == 0)}it stands at {h[t, row]:.3f}, at step {STEPS - 1} at "
                f"{h[-1, row]:.3f}."
            )
    return None


def parts(rng: np.random.Generator, thorough: bool) -> list[Part]:
    count = 6 if thorough else 2
    trials = [
        Trial((float(rng.uniform(0.5, 3.0)), float(rng.uniform(0.55, 0.95))), None)
        for _ in range(count)
    ]
    return [Part(f"the state stands at ±level for {STEPS} steps", trials, holds)]


def latch_of_one(size, level):
    """It looks as if W_hh is 1. tanh(1·h) is a little less than h, so the state melts away: W_hh
    has to make up for what tanh takes.
    """
    return np.array([[np.arctanh(level) / size]]), np.array([[1.0]]), np.array([0.0])


def latch_level(size, level):
    """It looks as if W_hh is the level itself. Then every step multiplies by less than one, and
    the state dies out.
    """
    return np.array([[np.arctanh(level) / size]]), np.array([[level]]), np.array([0.0])


def latch_one_over_level(size, level):
    """It looks as if W_hh is 1/level. That would do without tanh; with it, ask which W_hh makes
    tanh(W_hh · level) equal to level.
    """
    return np.array([[np.arctanh(level) / size]]), np.array([[1 / level]]), np.array([0.0])


def latch_not_divided(size, level):
    """It looks as if W_hh is artanh(level). W_hh multiplies the level: W_hh · level =
    artanh(level), and one division is missing.
    """
    return np.array([[np.arctanh(level) / size]]), np.array([[np.arctanh(level)]]), np.array([0.0])


def latch_input_without_artanh(size, level):
    """It looks as if W_ih is level/size. The first step goes through tanh as well: tanh(W_ih ·
    size) has to be the level.
    """
    return (
        np.array([[level / size]]),
        np.array([[np.arctanh(level) / level]]),
        np.array([0.0]),
    )


def latch_input_times_size(size, level):
    """It looks as if W_ih multiplies by the size. W_ih · size has to be artanh(level), so it
    divides.
    """
    return (
        np.array([[np.arctanh(level) * size]]),
        np.array([[np.arctanh(level) / level]]),
        np.array([0.0]),
    )


def latch_sign_flips(size, level):
    """It looks as if W_hh is negative: the state changes its sign at every step."""
    return (
        np.array([[np.arctanh(level) / size]]),
        np.array([[-np.arctanh(level) / level]]),
        np.array([0.0]),
    )


def latch_by_bias(size, level):
    """It looks as if the bias makes the level. Then both first symbols end at the same state, and
    nothing was remembered.
    """
    return np.array([[0.0 * size]]), np.array([[0.0]]), np.array([np.arctanh(level)])


def latch_tanh_for_artanh(size, level):
    """It looks as if tanh stands where its inverse, np.arctanh, is needed."""
    return (
        np.array([[np.tanh(level) / size]]),
        np.array([[np.tanh(level) / level]]),
        np.array([0.0]),
    )


def latch_swapped(size, level):
    """It looks as if W_ih and W_hh are swapped: W_ih goes with the size of the symbol, W_hh with
    the level. The order is W_ih, W_hh, b.
    """
    return (
        np.array([[np.arctanh(level) / level]]),
        np.array([[np.arctanh(level) / size]]),
        np.array([0.0]),
    )


def latch_no_feedback(size, level):
    """It looks as if W_hh is 0: the first step is right, and at the next one all is forgotten."""
    return np.array([[np.arctanh(level) / size]]), np.array([[0.0]]), np.array([0.0])


def latch_one_over_size(size, level):
    """It looks as if W_ih is 1/size: then the first step gives tanh(1), whatever the level is.
    Solve tanh(W_ih · size) = level for W_ih.
    """
    return np.array([[1 / size]]), np.array([[np.arctanh(level) / level]]), np.array([0.0])


def latch_ignores_size(size, level):
    """It looks as if W_ih does not know the size of the symbol. A larger symbol needs a smaller
    weight: W_ih · size = artanh(level).
    """
    return (
        np.array([[np.arctanh(level)]]),
        np.array([[np.arctanh(level) / level]]),
        np.array([0.0]),
    )


def latch_other_sign(size, level):
    """It looks as if W_ih is negative: then +size is held as −level."""
    return (
        np.array([[-np.arctanh(level) / size]]),
        np.array([[np.arctanh(level) / level]]),
        np.array([0.0]),
    )


KNOWN_WRONG = known_wrong(
    latch_one_over_size,
    latch_ignores_size,
    latch_other_sign,
    latch_of_one,
    latch_level,
    latch_one_over_level,
    latch_not_divided,
    latch_input_without_artanh,
    latch_input_times_size,
    latch_sign_flips,
    latch_by_bias,
    latch_tanh_for_artanh,
    latch_swapped,
    latch_no_feedback,
)


def latch_logarithm(size, level):
    artanh = 0.5 * (np.log1p(level) - np.log1p(-level))
    return np.full((1, 1), artanh / size), np.full((1, 1), artanh / level), np.zeros(1)


def latch_bisection(size, level):
    low, high = 0.0, 20.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if np.tanh(middle * level) < level else (low, middle)
    W_hh = np.array([[low]])
    return W_hh * level / size, W_hh, np.zeros(1)


def latch_newton(size, level):
    a = 1.0
    for _ in range(50):
        a = a - (np.tanh(a) - level) / max(1 - np.tanh(a) ** 2, 0.02)
    return np.array([[a]]) / size, np.array([[a / level]]), np.array([0.0])


EXERCISE = Exercise(
    name="01.latch_weights",
    chapter="01-the-loop",
    title="one unit that holds its first symbol",
    points=5,
    asks=("latch_weights",),
    withheld=names.RNN,
    parts=parts,
    known_wrong=KNOWN_WRONG,
    right=(latch_logarithm, latch_bisection, latch_newton),
)
