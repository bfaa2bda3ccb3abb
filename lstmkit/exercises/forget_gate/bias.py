"""06.starting_bias: start the forget gate open, in the arrays that torch.nn.LSTM keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import names
from ..compare import difference, structure
from ..model import Exercise, Part, Trial, known_wrong


def reference(H: int, opening: float) -> np.ndarray:
    """The sum of both biases: zeros (4H,), but logit(opening) in torch's second block."""
    total = np.zeros(4 * H)
    total[H : 2 * H] = np.log(opening / (1 - opening))
    return total


def fills(trials: Sequence[Trial], answers: Sequence[Any]) -> str | None:
    """None when each pair of biases adds up to the reference."""
    for trial, answer in zip(trials, answers, strict=True):
        H, _ = trial.args
        problem = structure(answer, ((4 * H,), (4 * H,)), ("bias_ih", "bias_hh"))
        if problem:
            return f"{problem} Called with {trial.what}."
        total = np.asarray(answer[0]) + np.asarray(answer[1])
        # Nothing that was passed in has a width, so float32 biases are as good as float64 ones.
        expected = trial.expected.astype(total.dtype if total.dtype == np.float32 else np.float64)
        problem = difference(total, expected, "bias_ih + bias_hh")
        if problem:
            return f"{problem} Called with {trial.what}."
    return None


def parts(rng: np.random.Generator, thorough: bool) -> list[Part]:
    trials = []
    for H in (3, 1, 5, 2, 7) if thorough else (3, 2):
        # Away from a half: there the bias is zero, and most mistakes are invisible.
        opening = float(rng.choice([rng.uniform(0.1, 0.35), rng.uniform(0.65, 0.97)]))
        words = f"H={H}, opening={opening:.3f}"
        trials.append(Trial((H, opening), reference(H, opening), words))
    return [Part("at the start the forget gate stands at the opening asked for", trials, fills)]


def bias_both_filled(H, opening):
    """It looks as if both biases are filled. They are added, so the gate stands at σ(2b)."""
    bias = np.zeros(4 * H)
    bias[H : 2 * H] = np.log(opening / (1 - opening))
    return bias, bias.copy()


def bias_onnx_order(H, opening):
    """It looks as if the third block is filled, where another framework keeps the forget gate.
    torch's order is i, f, g, o.
    """
    bias = np.zeros(4 * H)
    bias[2 * H : 3 * H] = np.log(opening / (1 - opening))
    return bias, np.zeros(4 * H)


def bias_first_block(H, opening):
    """It looks as if the first block is filled: that is the input gate. torch's order is i, f, g,
    o.
    """
    bias = np.zeros(4 * H)
    bias[:H] = np.log(opening / (1 - opening))
    return bias, np.zeros(4 * H)


def bias_last_block(H, opening):
    """It looks as if the last block is filled: that is the output gate. torch's order is i, f, g,
    o.
    """
    bias = np.zeros(4 * H)
    bias[3 * H :] = np.log(opening / (1 - opening))
    return bias, np.zeros(4 * H)


def bias_is_opening(H, opening):
    """It looks as if the opening itself is the bias. The bias goes through the sigmoid: find b
    with σ(b) = opening.
    """
    bias = np.zeros(4 * H)
    bias[H : 2 * H] = opening
    return bias, np.zeros(4 * H)


def bias_logarithm(H, opening):
    """It looks as if b = ln(opening). The inverse of the sigmoid is ln(opening / (1 − opening))."""
    bias = np.zeros(4 * H)
    bias[H : 2 * H] = np.log(opening)
    return bias, np.zeros(4 * H)


def bias_negative(H, opening):
    """The sign is wrong: this bias opens the gate to 1 − opening."""
    bias = np.zeros(4 * H)
    bias[H : 2 * H] = np.log((1 - opening) / opening)
    return bias, np.zeros(4 * H)


def bias_everywhere(H, opening):
    """It looks as if all four blocks are filled. Only the forget gate's is; the rest stays zero."""
    return np.full(4 * H, np.log(opening / (1 - opening))), np.zeros(4 * H)


def bias_sigmoid(H, opening):
    """It looks as if the sigmoid is used where its inverse is needed."""
    bias = np.zeros(4 * H)
    bias[H : 2 * H] = 1 / (1 + np.exp(-opening))
    return bias, np.zeros(4 * H)


def bias_artanh(H, opening):
    """It looks as if artanh is used. It undoes tanh; the gate has a sigmoid."""
    bias = np.zeros(4 * H)
    bias[H : 2 * H] = np.arctanh(opening)
    return bias, np.zeros(4 * H)


def bias_always_one(H, opening):
    """It looks as if the bias is always 1, the usual choice. Here the opening is asked for: find
    b with σ(b) = opening.
    """
    bias = np.zeros(4 * H)
    bias[H : 2 * H] = 1.0
    return bias, np.zeros(4 * H)


KNOWN_WRONG = known_wrong(
    bias_both_filled,
    bias_onnx_order,
    bias_first_block,
    bias_last_block,
    bias_is_opening,
    bias_logarithm,
    bias_negative,
    bias_everywhere,
    bias_sigmoid,
    bias_artanh,
    bias_always_one,
)


def bias_split_evenly(H, opening):
    half = np.repeat([0.0, np.log(opening / (1 - opening)) / 2, 0.0, 0.0], H)
    return half, half


def bias_in_the_second(H, opening):
    bias_hh = np.zeros((4, H))
    bias_hh[1] = np.log(opening) - np.log1p(-opening)
    return np.zeros(4 * H), bias_hh.reshape(-1)


def bias_by_bisection(H, opening):
    low, high = -40.0, 40.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if 1 / (1 + np.exp(-middle)) < opening else (low, middle)
    bias_ih = np.concatenate([np.zeros(H), np.full(H, low), np.zeros(2 * H)])
    return [bias_ih, np.zeros(4 * H)]


EXERCISE = Exercise(
    name="06.starting_bias",
    chapter="06-forget-gate",
    title="a forget gate that starts open",
    points=3,
    asks=("starting_bias",),
    withheld=names.LSTM,
    parts=parts,
    known_wrong=KNOWN_WRONG,
    right=(bias_split_evenly, bias_in_the_second, bias_by_bisection),
)
