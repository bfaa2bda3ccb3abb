"""01.rnn_padded: sequences of different lengths in one batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...rnn.equations import rnn_forward
from .. import names
from ..compare import difference, misfit
from ..model import Exercise, Part, Trial, known_wrong
from ..parity import parity_with_hint
from ..sizes import F32, F64, Sizes, normal, states
from .inputs import weights


def trial(rng: np.random.Generator, s: Sizes, lengths: list[int]) -> Trial:
    x = normal(rng, s.T, s.B, s.I, dtype=s.dtype)
    h0, (W_ih, W_hh, b) = states(rng, s.B, s.H, dtype=s.dtype), weights(rng, s)
    counts = np.array(lengths)
    expected = rnn_forward(x, h0, W_ih, W_hh, b, lengths=counts)
    words = f"{s.words('T', 'B', 'I', 'H')}, lengths={lengths}"
    return Trial((x, counts, h0, W_ih, W_hh, b), expected, words)


def blind(rng: np.random.Generator) -> Part:
    """Change what stands in the padding; no state may move."""
    s = Sizes(7, 3, 2, 4, F64)
    clean = trial(rng, s, [7, 2, 4])
    x, counts, *rest = clean.args
    dirty = x.copy()
    for row, count in enumerate(counts):
        dirty[count:, row] = normal(rng, s.T - count, s.I, scale=3.0)
    other = Trial((dirty, counts, *rest), clean.expected, clean.what)

    def judge(trials: Sequence[Trial], answers: Sequence[Any]) -> str | None:
        first, second = answers
        problem = misfit(first, clean.expected)
        if problem:
            return problem
        if difference(second, np.asarray(first)):
            return "The numbers in the padding were changed, and a state moved with them."
        return None

    return Part("what stands in the padding has no effect", [clean, other], judge)


def not_a_number(rng: np.random.Generator) -> Part:
    """Fill the padding with nan; every state must stay finite."""
    clean = trial(rng, Sizes(6, 3, 2, 4, F64), [6, 1, 4])
    x, counts = clean.args[:2]
    for row, count in enumerate(counts):
        x[count:, row] = np.nan

    def judge(trials: Sequence[Trial], answers: Sequence[Any]) -> str | None:
        problem = difference(answers[0], clean.expected)
        hint = "0 · nan is nan: np.where picks a row without multiplying."
        return f"{problem} {hint}" if problem else None

    return Part("padding that is nan does not come into a state", [clean], judge)


held = parity_with_hint(
    lambda trial, h: h[:1, trial.args[1] > 0],
    "Already the first step, before any padding, differs: if your function calls rnn_step, make "
    "sure that its own check passes.",
)


def parts(rng: np.random.Generator, thorough: bool) -> list[Part]:
    shown = [
        trial(rng, Sizes(6, 4, 2, 4, F64), [6, 2, 0, 4]),
        trial(rng, Sizes(5, 2, 3, 2, F64), [3, 1]),
    ]
    found = [
        blind(rng),
        Part("each row keeps its last true state", shown, held),
        not_a_number(rng),
    ]
    if not thorough:
        return found
    drawn = []
    for dtype in (F64, F32, F64):
        T, B = int(rng.integers(5, 12)), int(rng.integers(3, 6))
        lengths = [int(n) for n in rng.integers(1, T + 1, size=B)]
        drawn.append(trial(rng, Sizes(T, B, 3, 5, dtype), lengths))
    edges = [
        trial(rng, Sizes(4, 1, 1, 1, F64), [2]),
        trial(rng, Sizes(4, 3, 2, 3, F64), [4, 4, 4]),
        trial(rng, Sizes(4, 3, 2, 3, F64), [0, 4, 1]),
    ]
    return [
        *found,
        Part("fresh lengths and sizes", drawn, held),
        Part("one row, no padding at all, and an empty row", edges, held),
    ]


def padded_to_zero(x, lengths, h0, W_ih, W_hh, b):
    """It looks as if the padding sets h to zero. A row that has ended keeps its last state."""
    h, out = h0, []
    for t, x_t in enumerate(x):
        h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b) * (t < lengths)[:, None]
        out.append(h.astype(x.dtype))
    return np.stack(out)


def padded_x_zeroed(x, lengths, h0, W_ih, W_hh, b):
    """It looks as if the padding is only zeroed in x. The bias and W_hh still move h at every
    step; the state itself has to be held.
    """
    h, out = h0, []
    for t, x_t in enumerate(x):
        x_t = np.where((t < lengths)[:, None], x_t, np.zeros_like(x_t))
        h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
    return np.stack(out)


def padded_unmasked(x, lengths, h0, W_ih, W_hh, b):
    """It looks as if lengths is not used: the loop reads the padding too."""
    h, out = h0, []
    for x_t in x:
        h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
    return np.stack(out)


def padded_one_too_many(x, lengths, h0, W_ih, W_hh, b):
    """It looks as if each row reads one step too many: with lengths[n] = 2 it reads steps 0 and
    1, so the condition is t < lengths.
    """
    h, out = h0, []
    for t, x_t in enumerate(x):
        h = np.where((t <= lengths)[:, None], np.tanh(x_t @ W_ih.T + h @ W_hh.T + b), h)
        out.append(h)
    return np.stack(out)


def padded_one_too_few(x, lengths, h0, W_ih, W_hh, b):
    """It looks as if each row stops one step early: with lengths[n] = 2 it reads steps 0 and 1."""
    h, out = h0, []
    for t, x_t in enumerate(x):
        h = np.where((t < lengths - 1)[:, None], np.tanh(x_t @ W_ih.T + h @ W_hh.T + b), h)
        out.append(h)
    return np.stack(out)


def padded_inverted(x, lengths, h0, W_ih, W_hh, b):
    """It looks as if the mask is the wrong way round: the state moves in the padding and rests
    where there is text.
    """
    h, out = h0, []
    for t, x_t in enumerate(x):
        h = np.where((t < lengths)[:, None], h, np.tanh(x_t @ W_ih.T + h @ W_hh.T + b))
        out.append(h)
    return np.stack(out)


def padded_shortest_for_all(x, lengths, h0, W_ih, W_hh, b):
    """It looks as if all rows stop where the shortest one ends. Each row has its own length."""
    h, out = h0, []
    for t, x_t in enumerate(x):
        if t < min(lengths):
            h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
    return np.stack(out)


def padded_back_to_h0(x, lengths, h0, W_ih, W_hh, b):
    """It looks as if a row that has ended goes back to h0. It keeps its last state."""
    h, out = h0, []
    for t, x_t in enumerate(x):
        h = np.where((t < lengths)[:, None], np.tanh(x_t @ W_ih.T + h @ W_hh.T + b), h0)
        out.append(h)
    return np.stack(out)


def padded_at_the_front(x, lengths, h0, W_ih, W_hh, b):
    """It looks as if the padding is taken to stand in front. Here each row starts at step 0 and
    is padded at its end.
    """
    h, out = h0, []
    for t, x_t in enumerate(x):
        read = (t >= len(x) - lengths)[:, None]
        h = np.where(read, np.tanh(x_t @ W_ih.T + h @ W_hh.T + b), h)
        out.append(h)
    return np.stack(out)


def padded_sorted(x, lengths, h0, W_ih, W_hh, b):
    """It looks as if the lengths were sorted and the rows were not: lengths[n] belongs to row n."""
    h, out, lengths = h0, [], np.sort(lengths)[::-1]
    for t, x_t in enumerate(x):
        h = np.where((t < lengths)[:, None], np.tanh(x_t @ W_ih.T + h @ W_hh.T + b), h)
        out.append(h)
    return np.stack(out)


def padded_empty_row_zero(x, lengths, h0, W_ih, W_hh, b):
    """It looks as if a row of length 0 gets zeros. It has no last state of its own, so it keeps
    h0.
    """
    h, out = np.where((lengths > 0)[:, None], h0, np.zeros_like(h0)), []
    for t, x_t in enumerate(x):
        h = np.where((t < lengths)[:, None], np.tanh(x_t @ W_ih.T + h @ W_hh.T + b), h)
        out.append(h)
    return np.stack(out)


KNOWN_WRONG = known_wrong(
    padded_empty_row_zero,
    padded_to_zero,
    padded_x_zeroed,
    padded_unmasked,
    padded_one_too_many,
    padded_one_too_few,
    padded_inverted,
    padded_shortest_for_all,
    padded_back_to_h0,
    padded_at_the_front,
    padded_sorted,
)


def padded_clean_x(x, lengths, h0, W_ih, W_hh, b):
    """Clean x first, then blend by the mask."""
    mask = np.arange(len(x))[:, None, None] < lengths[:, None]
    h, out = h0, []
    for x_t, m in zip(np.where(mask, x, 0), mask.astype(x.dtype), strict=True):
        h = m * np.tanh(x_t @ W_ih.T + h @ W_hh.T + b) + (1 - m) * h
        out.append(h.astype(x.dtype))
    return np.stack(out)


def padded_row_by_row(x, lengths, h0, W_ih, W_hh, b):
    T, B, _ = x.shape
    h = np.empty((T, B, len(W_hh)), dtype=x.dtype)
    for row in range(B):
        state = h0[row]
        for t in range(T):
            if t < lengths[row]:
                state = np.tanh(W_ih @ x[t, row] + W_hh @ state + b)
            h[t, row] = state
    return h


def padded_active_rows(x, lengths, h0, W_ih, W_hh, b):
    h, out = h0.copy(), []
    for t in range(len(x)):
        active = np.flatnonzero(lengths > t)
        h[active] = np.tanh(x[t, active] @ W_ih.T + h[active] @ W_hh.T + b)
        out.append(h.copy())
    return np.array(out)


EXERCISE = Exercise(
    name="01.rnn_padded",
    chapter="01-the-loop",
    title="rows of different lengths in one batch",
    points=5,
    asks=("rnn_padded",),
    withheld=names.RNN,
    parts=parts,
    known_wrong=KNOWN_WRONG,
    right=(padded_clean_x, padded_row_by_row, padded_active_rows),
)
