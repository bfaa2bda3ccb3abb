"""06.forget_cell_step: the cell that can keep and drop, input and output gates held at one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...lstm.stages import forget_cell_step
from .. import names
from ..compare import difference
from ..model import Exercise, Part, Trial, known_wrong
from ..sizes import F64, Sizes, normal, sizes, states
from .inputs import gate_weights


def trial(rng: np.random.Generator, s: Sizes) -> Trial:
    x, h_prev = normal(rng, s.B, s.I, dtype=s.dtype), states(rng, s.B, s.H, dtype=s.dtype)
    c_prev = normal(rng, s.B, s.H, scale=1.5, dtype=s.dtype)
    args = (x, h_prev, c_prev, *gate_weights(rng, s), *gate_weights(rng, s))
    return Trial(args, forget_cell_step(*args), s.words("B", "I", "H"))


def belt(rng: np.random.Generator, opening: float) -> Part:
    """The gate held fully open, with a zero candidate, or shut: a large bias does it."""
    s = Sizes(1, 3, 2, 4, F64)
    x, h_prev, c_prev, W_xf, W_hf, b_f, W_xg, W_hg, b_g = trial(rng, s).args
    shut = opening == 0.0
    b_f = np.full_like(b_f, -60.0 if shut else 60.0)
    if not shut:
        W_xg, W_hg, b_g = np.zeros_like(W_xg), np.zeros_like(W_hg), np.zeros_like(b_g)
    args = (x, h_prev, c_prev, W_xf, W_hf, b_f, W_xg, W_hg, b_g)
    expected = np.tanh(x @ W_xg.T + h_prev @ W_hg.T + b_g) if shut else c_prev

    def judge(trials: Sequence[Trial], answers: Sequence[Any]) -> str | None:
        answer = answers[0]
        if type(answer) not in (tuple, list) or len(answer) != 2:
            return difference(answer, (expected, expected))
        problem = difference(answer[1], expected, "c")
        why = "c should be the candidate alone" if shut else "c should be c_prev, unchanged"
        return f"{problem} Here {why}." if problem else None

    title = (
        "gate shut: nothing of the old cell state is left"
        if shut
        else "gate open, candidate zero: the cell state rides on unchanged"
    )
    return Part(title, [Trial(args, None, s.words("B", "I", "H"))], judge)


def parts(rng: np.random.Generator, thorough: bool) -> list[Part]:
    same = [trial(rng, s) for s in sizes(rng, thorough)]
    found = [Part("same h and c as the equations", same)]
    return [*found, belt(rng, 1.0), belt(rng, 0.0)] if thorough else found


def cell_forgets_the_new(x, h_prev, c_prev, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """It looks as if the forget gate multiplied the *new* cell state, f · (c_prev + g). It clears
    what lies on the belt; what is written now is not touched by it.
    """
    f = 1 / (1 + np.exp(-(x @ W_xf.T + h_prev @ W_hf.T + b_f)))
    g = np.tanh(x @ W_xg.T + h_prev @ W_hg.T + b_g)
    c = f * (c_prev + g)
    return np.tanh(c), c


def cell_gates_the_candidate(x, h_prev, c_prev, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """It looks as if f multiplies the candidate. f acts on c_prev, the old content."""
    f = 1 / (1 + np.exp(-(x @ W_xf.T + h_prev @ W_hf.T + b_f)))
    g = np.tanh(x @ W_xg.T + h_prev @ W_hg.T + b_g)
    c = c_prev + f * g
    return np.tanh(c), c


def cell_one_minus(x, h_prev, c_prev, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """It looks as if 1 − f multiplies c_prev. At f = 1 an entry is kept, at f = 0 it is gone."""
    f = 1 / (1 + np.exp(-(x @ W_xf.T + h_prev @ W_hf.T + b_f)))
    g = np.tanh(x @ W_xg.T + h_prev @ W_hg.T + b_g)
    c = (1 - f) * c_prev + g
    return np.tanh(c), c


def cell_coupled(x, h_prev, c_prev, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """It looks as if the candidate is scaled by 1 − f. That is a later variant with coupled
    gates; here the candidate is added whole.
    """
    f = 1 / (1 + np.exp(-(x @ W_xf.T + h_prev @ W_hf.T + b_f)))
    g = np.tanh(x @ W_xg.T + h_prev @ W_hg.T + b_g)
    c = f * c_prev + (1 - f) * g
    return np.tanh(c), c


def cell_never_forgets(x, h_prev, c_prev, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """It looks as if the gate is never used: this cell adds and adds, and nothing leaves it."""
    g = np.tanh(x @ W_xg.T + h_prev @ W_hg.T + b_g)
    c = c_prev + g
    return np.tanh(c), c


def cell_h_on_the_belt(x, h_prev, c_prev, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """It looks as if f multiplies h_prev. Two lines run side by side: the gate acts on the cell
    state c_prev.
    """
    f = 1 / (1 + np.exp(-(x @ W_xf.T + h_prev @ W_hf.T + b_f)))
    g = np.tanh(x @ W_xg.T + h_prev @ W_hg.T + b_g)
    c = f * h_prev + g
    return np.tanh(c), c


def cell_gate_reads_c(x, h_prev, c_prev, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """It looks as if the gate reads c_prev. It reads x and h_prev; gates that see the cell came
    later, as peepholes.
    """
    f = 1 / (1 + np.exp(-(x @ W_xf.T + c_prev @ W_hf.T + b_f)))
    g = np.tanh(x @ W_xg.T + h_prev @ W_hg.T + b_g)
    c = f * c_prev + g
    return np.tanh(c), c


def cell_sigmoid_candidate(x, h_prev, c_prev, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """It looks as if the candidate goes through the sigmoid. It is a value, not a gate: tanh,
    from −1 to 1.
    """
    f = 1 / (1 + np.exp(-(x @ W_xf.T + h_prev @ W_hf.T + b_f)))
    g = 1 / (1 + np.exp(-(x @ W_xg.T + h_prev @ W_hg.T + b_g)))
    c = f * c_prev + g
    return np.tanh(c), c


def cell_h_without_tanh(x, h_prev, c_prev, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """It looks as if h is the cell state itself. h = tanh(c): what is said stays between −1 and
    1, however much lies on the belt.
    """
    f = 1 / (1 + np.exp(-(x @ W_xf.T + h_prev @ W_hf.T + b_f)))
    g = np.tanh(x @ W_xg.T + h_prev @ W_hg.T + b_g)
    c = f * c_prev + g
    return c, c


def cell_swapped(x, h_prev, c_prev, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """It looks as if the two results are in the wrong order: return h first, then c."""
    f = 1 / (1 + np.exp(-(x @ W_xf.T + h_prev @ W_hf.T + b_f)))
    g = np.tanh(x @ W_xg.T + h_prev @ W_hg.T + b_g)
    c = f * c_prev + g
    return c, np.tanh(c)


def cell_tanh_on_the_belt(x, h_prev, c_prev, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """It looks as if c itself goes through tanh. The belt carries c as it is; tanh is taken of a
    copy, for h.
    """
    f = 1 / (1 + np.exp(-(x @ W_xf.T + h_prev @ W_hf.T + b_f)))
    g = np.tanh(x @ W_xg.T + h_prev @ W_hg.T + b_g)
    c = np.tanh(f * c_prev + g)
    return c, c


def cell_weights_mixed_up(x, h_prev, c_prev, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """It looks as if the weights of the gate and of the candidate are swapped."""
    f = 1 / (1 + np.exp(-(x @ W_xg.T + h_prev @ W_hg.T + b_g)))
    g = np.tanh(x @ W_xf.T + h_prev @ W_hf.T + b_f)
    c = f * c_prev + g
    return np.tanh(c), c


KNOWN_WRONG = known_wrong(
    cell_forgets_the_new,
    cell_gates_the_candidate,
    cell_one_minus,
    cell_coupled,
    cell_never_forgets,
    cell_h_on_the_belt,
    cell_gate_reads_c,
    cell_sigmoid_candidate,
    cell_h_without_tanh,
    cell_swapped,
    cell_tanh_on_the_belt,
    cell_weights_mixed_up,
)


def cell_stacked(x, h_prev, c_prev, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    joined = np.concatenate([x, h_prev], axis=1)
    W = np.block([[W_xf, W_hf], [W_xg, W_hg]])
    a_f, a_g = np.split(joined @ W.T + np.concatenate([b_f, b_g]), 2, axis=1)
    c_next = c_prev / (1 + np.exp(-a_f)) + np.tanh(a_g)
    return np.tanh(c_next), c_next


def cell_columns(x, h_prev, c_prev, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    f = 0.5 + 0.5 * np.tanh((W_xf @ x.T + W_hf @ h_prev.T + b_f[:, None]) / 2)
    g = np.tanh(W_xg @ x.T + W_hg @ h_prev.T + b_g[:, None])
    c = (f * c_prev.T + g).T
    return np.tanh(c), c


def cell_row_by_row(x, h_prev, c_prev, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    h_next, c_next = np.empty_like(h_prev), np.empty_like(c_prev)
    for row in range(len(x)):
        f = 1 / (1 + np.exp(-(W_xf @ x[row] + W_hf @ h_prev[row] + b_f)))
        c_next[row] = c_prev[row] * f
        c_next[row] += np.tanh(W_xg @ x[row] + W_hg @ h_prev[row] + b_g)
        h_next[row] = np.tanh(c_next[row])
    return [h_next, c_next]


EXERCISE = Exercise(
    name="06.forget_cell_step",
    chapter="06-forget-gate",
    title="one step of the cell with a forget gate",
    points=4,
    asks=("forget_cell_step",),
    withheld=names.LSTM,
    parts=parts,
    known_wrong=KNOWN_WRONG,
    right=(cell_stacked, cell_columns, cell_row_by_row),
)
