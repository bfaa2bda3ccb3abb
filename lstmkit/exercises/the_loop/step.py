"""01.rnn_step: one step of the loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...rnn.equations import rnn_step
from .. import names
from ..compare import difference
from ..model import Exercise, Part, Trial, known_wrong
from ..sizes import F64, Sizes, normal, sizes, states
from .inputs import weights


def trial(rng: np.random.Generator, s: Sizes, scale: float = 1.0) -> Trial:
    x = normal(rng, s.B, s.I, scale=scale, dtype=s.dtype)
    args = (x, states(rng, s.B, s.H, dtype=s.dtype), *weights(rng, s))
    return Trial(args, rnn_step(*args), s.words("B", "I", "H"))


def rows(rng: np.random.Generator) -> Part:
    """The same rows, all at once and one by one."""
    whole = trial(rng, Sizes(1, 4, 3, 4, F64))
    x, h_prev, *shared = whole.args
    single = [Trial((x[n : n + 1], h_prev[n : n + 1], *shared)) for n in range(len(x))]

    def judge(trials: Sequence[Trial], answers: Sequence[Any]) -> str | None:
        together, *alone = answers
        for n, answer in enumerate(alone):
            if difference(answer, np.asarray(together)[n : n + 1]):
                return f"Row {n} gives another state when it stands alone in its batch."
        return None

    return Part("each row of the batch is on its own", [whole, *single], judge)


def parts(rng: np.random.Generator, thorough: bool) -> list[Part]:
    same = Part("same numbers as the equation", [trial(rng, s) for s in sizes(rng, thorough)])
    # So large that exp overflows, whatever is drawn.
    large = [trial(rng, Sizes(1, 6, 2, 5, F64), scale=1e5)]
    bends = Part("large inputs bend at one and stay finite, as np.tanh does", large)
    return [same, rows(rng), bends] if thorough else [same, bends]


def step_transposed(x, h_prev, W_ih, W_hh, b):
    """It looks as if W_hh was used as it stands, `h_prev @ W_hh`. Row n of W_hh holds the weights
    *into* unit n, so the product is `h_prev @ W_hh.T`.
    """
    return np.tanh(x @ W_ih.T + h_prev @ W_hh + b)


def step_no_tanh(x, h_prev, W_ih, W_hh, b):
    """It looks as if tanh is missing: the state is left unbounded."""
    return x @ W_ih.T + h_prev @ W_hh.T + b


def step_bias_outside(x, h_prev, W_ih, W_hh, b):
    """It looks as if the bias is added after tanh. It belongs inside: tanh(… + b)."""
    return np.tanh(x @ W_ih.T + h_prev @ W_hh.T) + b


def step_no_bias(x, h_prev, W_ih, W_hh, b):
    """It looks as if the bias b is left out."""
    return np.tanh(x @ W_ih.T + h_prev @ W_hh.T)


def step_no_state(x, h_prev, W_ih, W_hh, b):
    """It looks as if h_prev is not used. Without it there is no loop: the step sees x alone."""
    return np.tanh(x @ W_ih.T + b)


def step_no_input(x, h_prev, W_ih, W_hh, b):
    """It looks as if x is not used: the state runs on without its input."""
    return np.tanh(h_prev @ W_hh.T + b + 0 * x.sum())


def step_two_tanh(x, h_prev, W_ih, W_hh, b):
    """It looks as if tanh is taken of the two parts apart. Add first, then one tanh of the sum."""
    return np.tanh(x @ W_ih.T + b) + np.tanh(h_prev @ W_hh.T)


def step_sigmoid(x, h_prev, W_ih, W_hh, b):
    """It looks as if the sigmoid stands in place of tanh: states lie in −1…1."""
    return 1 / (1 + np.exp(-(x @ W_ih.T + h_prev @ W_hh.T + b)))


def step_elementwise(x, h_prev, W_ih, W_hh, b):
    """It looks as if each unit sees its own old state only. W_hh mixes all units: use a matrix
    product, not `*`.
    """
    return np.tanh(x @ W_ih.T + h_prev * np.diag(W_hh) + b)


def step_adds_state(x, h_prev, W_ih, W_hh, b):
    """It looks as if the new state is added to the old one. In this loop the new state replaces
    it.
    """
    return h_prev + np.tanh(x @ W_ih.T + h_prev @ W_hh.T + b)


def step_bias_twice(x, h_prev, W_ih, W_hh, b):
    """It looks as if b is added twice. torch keeps two biases, one a product; here b is already
    their sum.
    """
    return np.tanh((x @ W_ih.T + b) + (h_prev @ W_hh.T + b))


KNOWN_WRONG = known_wrong(
    step_transposed,
    step_no_tanh,
    step_bias_outside,
    step_no_bias,
    step_no_state,
    step_no_input,
    step_two_tanh,
    step_sigmoid,
    step_elementwise,
    step_adds_state,
    step_bias_twice,
)


def step_one_product(x, h_prev, W_ih, W_hh, b):
    joined = np.concatenate([x, h_prev], axis=1)
    return np.tanh(joined @ np.concatenate([W_ih, W_hh], axis=1).T + b)


def step_einsum(x, h_prev, W_ih, W_hh, b):
    return np.tanh(np.einsum("hi,bi->bh", W_ih, x) + np.einsum("hk,bk->bh", W_hh, h_prev) + b)


def step_unit_by_unit(x, h_prev, W_ih, W_hh, b):
    h_next = np.empty((len(W_hh), len(x)), dtype=x.dtype)
    for unit in range(len(W_hh)):
        h_next[unit] = np.tanh((W_ih[unit] * x).sum(1) + (W_hh[unit] * h_prev).sum(1) + b[unit])
    return h_next.T


EXERCISE = Exercise(
    name="01.rnn_step",
    chapter="01-the-loop",
    title="one step of the loop",
    points=2,
    asks=("rnn_step",),
    withheld=names.RNN,
    parts=parts,
    known_wrong=KNOWN_WRONG,
    right=(step_one_product, step_einsum, step_unit_by_unit),
)
