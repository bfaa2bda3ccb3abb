"""06.forget_gate: one number between 0 and 1 for every entry of the cell state."""

from __future__ import annotations

import numpy as np

from ...lstm.equations import forget_gate
from .. import names
from ..model import Exercise, Part, Trial, known_wrong
from ..sizes import F64, Sizes, normal, sizes, states
from .inputs import gate_weights


def trial(rng: np.random.Generator, s: Sizes, scale: float = 1.0) -> Trial:
    x = normal(rng, s.B, s.I, scale=scale, dtype=s.dtype)
    args = (x, states(rng, s.B, s.H, dtype=s.dtype), *gate_weights(rng, s))
    return Trial(args, forget_gate(*args), s.words("B", "I", "H"))


def parts(rng: np.random.Generator, thorough: bool) -> list[Part]:
    same = Part("same openings as the equation", [trial(rng, s) for s in sizes(rng, thorough)])
    large = [trial(rng, Sizes(1, 6, 2, 5, F64), scale=1e5)]
    return [same, Part("large inputs open or close the gate and stay finite", large)]


def gate_tanh(x, h_prev, W_xf, W_hf, b_f):
    """It looks as if tanh stands where the sigmoid belongs. tanh runs from −1 to 1; an opening
    runs from 0 (drop) to 1 (keep).
    """
    return np.tanh(x @ W_xf.T + h_prev @ W_hf.T + b_f)


def gate_no_sigmoid(x, h_prev, W_xf, W_hf, b_f):
    """It looks as if the sigmoid is missing: openings lie between 0 and 1."""
    return x @ W_xf.T + h_prev @ W_hf.T + b_f


def gate_ignores_h(x, h_prev, W_xf, W_hf, b_f):
    """It looks as if h_prev is not used. The gate looks at what comes in *and* at what was said
    last.
    """
    return 1 / (1 + np.exp(-(x @ W_xf.T + b_f)))


def gate_ignores_x(x, h_prev, W_xf, W_hf, b_f):
    """It looks as if x is not used: the gate cannot see the present input."""
    return 1 / (1 + np.exp(-(h_prev @ W_hf.T + b_f)))


def gate_no_bias(x, h_prev, W_xf, W_hf, b_f):
    """It looks as if the bias b_f is left out."""
    return 1 / (1 + np.exp(-(x @ W_xf.T + h_prev @ W_hf.T)))


def gate_one_minus(x, h_prev, W_xf, W_hf, b_f):
    """It looks as if this is 1 − f. The gate says what is *kept*: 1 keeps, 0 drops."""
    return 1 / (1 + np.exp(x @ W_xf.T + h_prev @ W_hf.T + b_f))


def gate_thresholded(x, h_prev, W_xf, W_hf, b_f):
    """It looks as if the opening is cut to 0 or 1. It is a smooth number, or nothing could be
    learned through it.
    """
    return (x @ W_xf.T + h_prev @ W_hf.T + b_f > 0).astype(x.dtype)


def gate_transposed(x, h_prev, W_xf, W_hf, b_f):
    """It looks as if W_hf was used as it stands, `h_prev @ W_hf`; the product is `h_prev @
    W_hf.T`.
    """
    return 1 / (1 + np.exp(-(x @ W_xf.T + h_prev @ W_hf + b_f)))


def gate_bias_outside(x, h_prev, W_xf, W_hf, b_f):
    """It looks as if b_f is added after the sigmoid. It belongs inside."""
    return 1 / (1 + np.exp(-(x @ W_xf.T + h_prev @ W_hf.T))) + b_f


def gate_softmax(x, h_prev, W_xf, W_hf, b_f):
    """It looks as if the openings are made to sum to one (softmax). Each entry has its own gate
    and may be kept whatever the others do.
    """
    a = x @ W_xf.T + h_prev @ W_hf.T + b_f
    e = np.exp(a - a.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def gate_two_sigmoids(x, h_prev, W_xf, W_hf, b_f):
    """It looks as if the sigmoid is taken of the two parts apart. Add first, then one sigmoid."""
    return 1 / (1 + np.exp(-(x @ W_xf.T + b_f))) / (1 + np.exp(-(h_prev @ W_hf.T)))


def gate_bias_twice(x, h_prev, W_xf, W_hf, b_f):
    """It looks as if b_f is added twice. torch keeps two biases, one a product; here b_f is
    already their sum.
    """
    return 1 / (1 + np.exp(-(x @ W_xf.T + h_prev @ W_hf.T + 2 * b_f)))


KNOWN_WRONG = known_wrong(
    gate_tanh,
    gate_no_sigmoid,
    gate_ignores_h,
    gate_ignores_x,
    gate_no_bias,
    gate_one_minus,
    gate_thresholded,
    gate_transposed,
    gate_bias_outside,
    gate_softmax,
    gate_two_sigmoids,
    gate_bias_twice,
)


def gate_through_tanh(x, h_prev, W_xf, W_hf, b_f):
    a = x @ W_xf.T + h_prev @ W_hf.T + b_f
    return 0.5 + 0.5 * np.tanh(a / 2)


def gate_two_sides(x, h_prev, W_xf, W_hf, b_f):
    a = np.einsum("hi,bi->bh", W_xf, x) + np.einsum("hk,bk->bh", W_hf, h_prev) + b_f
    e = np.exp(-np.abs(a))
    return np.where(a >= 0, 1, e) / (1 + e)


def gate_one_product(x, h_prev, W_xf, W_hf, b_f):
    joined = np.concatenate([x, h_prev, np.ones_like(x[:, :1])], axis=1)
    W = np.concatenate([W_xf, W_hf, b_f[:, None]], axis=1)
    return np.reciprocal(1 + np.exp(-np.clip(joined @ W.T, -60, 60)))


EXERCISE = Exercise(
    name="06.forget_gate",
    chapter="06-forget-gate",
    title="the opening of the forget gate",
    points=2,
    asks=("forget_gate",),
    withheld=names.LSTM,
    parts=parts,
    known_wrong=KNOWN_WRONG,
    right=(gate_through_tanh, gate_two_sides, gate_one_product),
)
