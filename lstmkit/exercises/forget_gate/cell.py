"""06.forget_cell_forward: the cell that can keep and drop, over a whole sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...lstm.equations import forget_gate
from ...lstm.stages import forget_cell_step
from .. import names
from ..compare import difference
from ..model import Exercise, Part, Trial, known_wrong
from ..sizes import F64, Sizes, normal, sizes, states
from .inputs import gate_weights


def reference(
    x: np.ndarray, h: np.ndarray, c: np.ndarray, *weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """h, c and f after every step, each (T, B, H)."""
    steps = []
    for x_t in x:
        f = forget_gate(x_t, h, *weights[:3])
        h, c = forget_cell_step(x_t, h, c, *weights)
        steps.append((h, c, f))
    h_all, c_all, f_all = (np.stack(kept) for kept in zip(*steps, strict=True))
    return h_all, c_all, f_all


def trial(rng: np.random.Generator, s: Sizes) -> Trial:
    x, h0 = normal(rng, s.T, s.B, s.I, dtype=s.dtype), states(rng, s.B, s.H, dtype=s.dtype)
    c0 = normal(rng, s.B, s.H, scale=1.5, dtype=s.dtype)
    args = (x, h0, c0, *gate_weights(rng, s), *gate_weights(rng, s))
    return Trial(args, reference(*args), s.words("T", "B", "I", "H"))


def belt(rng: np.random.Generator, opening: float) -> Part:
    """The gate held fully open, with a zero candidate, or shut: a large bias does it."""
    s = Sizes(4, 3, 2, 4, F64)
    x, h0, c0, W_xf, W_hf, b_f, W_xg, W_hg, b_g = trial(rng, s).args
    shut = opening == 0.0
    b_f = np.full_like(b_f, -60.0 if shut else 60.0)
    if not shut:
        W_xg, W_hg, b_g = np.zeros_like(W_xg), np.zeros_like(W_hg), np.zeros_like(b_g)
    args = (x, h0, c0, W_xf, W_hf, b_f, W_xg, W_hg, b_g)
    expected = reference(*args)

    def judge(trials: Sequence[Trial], answers: Sequence[Any]) -> str | None:
        problem = difference(answers[0], expected)
        why = "every c should be that step's candidate alone" if shut else "every c should be c0"
        return f"{problem} Here {why}." if problem else None

    title = (
        "gate shut: nothing of the old cell state is left"
        if shut
        else "gate open, candidate zero: the cell state rides on unchanged"
    )
    return Part(title, [Trial(args, None, s.words("T", "B", "I", "H"))], judge)


def parts(rng: np.random.Generator, thorough: bool) -> list[Part]:
    same = [trial(rng, s) for s in sizes(rng, thorough)]
    found = [Part("same h, c and f as the equations, at every step", same)]
    return [*found, belt(rng, 1.0), belt(rng, 0.0)] if thorough else found


def cell_forgets_the_new(x, h0, c0, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """It looks as if the forget gate multiplied the *new* cell state, f · (c + g). It clears what
    lies on the belt; what is written now is not touched by it.
    """
    h, c, steps = h0, c0, []
    for x_t in x:
        f = 1 / (1 + np.exp(-(x_t @ W_xf.T + h @ W_hf.T + b_f)))
        g = np.tanh(x_t @ W_xg.T + h @ W_hg.T + b_g)
        c = f * (c + g)
        h = np.tanh(c)
        steps.append((h, c, f))
    return tuple(np.stack(kept) for kept in zip(*steps, strict=True))


def cell_gates_the_candidate(x, h0, c0, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """It looks as if f multiplies the candidate. f acts on the old cell state."""
    h, c, steps = h0, c0, []
    for x_t in x:
        f = 1 / (1 + np.exp(-(x_t @ W_xf.T + h @ W_hf.T + b_f)))
        g = np.tanh(x_t @ W_xg.T + h @ W_hg.T + b_g)
        c = c + f * g
        h = np.tanh(c)
        steps.append((h, c, f))
    return tuple(np.stack(kept) for kept in zip(*steps, strict=True))


def cell_one_minus(x, h0, c0, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """It looks as if 1 − f multiplies the old cell state. At f = 1 an entry is kept, at f = 0 it
    is gone.
    """
    h, c, steps = h0, c0, []
    for x_t in x:
        f = 1 / (1 + np.exp(-(x_t @ W_xf.T + h @ W_hf.T + b_f)))
        g = np.tanh(x_t @ W_xg.T + h @ W_hg.T + b_g)
        c = (1 - f) * c + g
        h = np.tanh(c)
        steps.append((h, c, f))
    return tuple(np.stack(kept) for kept in zip(*steps, strict=True))


def cell_coupled(x, h0, c0, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """It looks as if the candidate is scaled by 1 − f. That is a later variant with coupled
    gates; here the candidate is added whole.
    """
    h, c, steps = h0, c0, []
    for x_t in x:
        f = 1 / (1 + np.exp(-(x_t @ W_xf.T + h @ W_hf.T + b_f)))
        g = np.tanh(x_t @ W_xg.T + h @ W_hg.T + b_g)
        c = f * c + (1 - f) * g
        h = np.tanh(c)
        steps.append((h, c, f))
    return tuple(np.stack(kept) for kept in zip(*steps, strict=True))


def cell_never_forgets(x, h0, c0, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """It looks as if the gate is worked out and never used: this cell adds and adds, and nothing
    leaves it.
    """
    h, c, steps = h0, c0, []
    for x_t in x:
        f = 1 / (1 + np.exp(-(x_t @ W_xf.T + h @ W_hf.T + b_f)))
        g = np.tanh(x_t @ W_xg.T + h @ W_hg.T + b_g)
        c = c + g
        h = np.tanh(c)
        steps.append((h, c, f))
    return tuple(np.stack(kept) for kept in zip(*steps, strict=True))


def cell_h_on_the_belt(x, h0, c0, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """It looks as if f multiplies the hidden state. Two lines run side by side: the gate acts on
    the cell state.
    """
    h, c, steps = h0, c0, []
    for x_t in x:
        f = 1 / (1 + np.exp(-(x_t @ W_xf.T + h @ W_hf.T + b_f)))
        g = np.tanh(x_t @ W_xg.T + h @ W_hg.T + b_g)
        c = f * h + g
        h = np.tanh(c)
        steps.append((h, c, f))
    return tuple(np.stack(kept) for kept in zip(*steps, strict=True))


def cell_gate_reads_c(x, h0, c0, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """It looks as if the gate reads the cell state. It reads x and the old h; gates that see the
    cell came later, as peepholes.
    """
    h, c, steps = h0, c0, []
    for x_t in x:
        f = 1 / (1 + np.exp(-(x_t @ W_xf.T + c @ W_hf.T + b_f)))
        g = np.tanh(x_t @ W_xg.T + h @ W_hg.T + b_g)
        c = f * c + g
        h = np.tanh(c)
        steps.append((h, c, f))
    return tuple(np.stack(kept) for kept in zip(*steps, strict=True))


def cell_gate_reads_new_h(x, h0, c0, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """It looks as if the gate reads the *new* hidden state, or runs after the update: its f
    belongs to the step before it. Work out f first, from the old h.
    """
    h, c, steps = h0, c0, []
    for x_t in x:
        g = np.tanh(x_t @ W_xg.T + h @ W_hg.T + b_g)
        h_mid = np.tanh(c + g)
        f = 1 / (1 + np.exp(-(x_t @ W_xf.T + h_mid @ W_hf.T + b_f)))
        c = f * c + g
        h = np.tanh(c)
        steps.append((h, c, f))
    return tuple(np.stack(kept) for kept in zip(*steps, strict=True))


def cell_sigmoid_candidate(x, h0, c0, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """It looks as if the candidate goes through the sigmoid. It is a value, not a gate: tanh,
    from −1 to 1.
    """
    h, c, steps = h0, c0, []
    for x_t in x:
        f = 1 / (1 + np.exp(-(x_t @ W_xf.T + h @ W_hf.T + b_f)))
        g = 1 / (1 + np.exp(-(x_t @ W_xg.T + h @ W_hg.T + b_g)))
        c = f * c + g
        h = np.tanh(c)
        steps.append((h, c, f))
    return tuple(np.stack(kept) for kept in zip(*steps, strict=True))


def cell_h_without_tanh(x, h0, c0, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """It looks as if h is the cell state itself. h = tanh(c): what is said stays between −1 and
    1, however much lies on the belt.
    """
    h, c, steps = h0, c0, []
    for x_t in x:
        f = 1 / (1 + np.exp(-(x_t @ W_xf.T + h @ W_hf.T + b_f)))
        g = np.tanh(x_t @ W_xg.T + h @ W_hg.T + b_g)
        c = f * c + g
        h = c
        steps.append((h, c, f))
    return tuple(np.stack(kept) for kept in zip(*steps, strict=True))


def cell_tanh_on_the_belt(x, h0, c0, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """It looks as if c itself goes through tanh. The belt carries c as it is; tanh is taken of a
    copy, for h.
    """
    h, c, steps = h0, c0, []
    for x_t in x:
        f = 1 / (1 + np.exp(-(x_t @ W_xf.T + h @ W_hf.T + b_f)))
        g = np.tanh(x_t @ W_xg.T + h @ W_hg.T + b_g)
        c = np.tanh(f * c + g)
        h = c
        steps.append((h, c, f))
    return tuple(np.stack(kept) for kept in zip(*steps, strict=True))


def cell_weights_mixed_up(x, h0, c0, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """It looks as if the weights of the gate and of the candidate are swapped."""
    h, c, steps = h0, c0, []
    for x_t in x:
        f = 1 / (1 + np.exp(-(x_t @ W_xg.T + h @ W_hg.T + b_g)))
        g = np.tanh(x_t @ W_xf.T + h @ W_hf.T + b_f)
        c = f * c + g
        h = np.tanh(c)
        steps.append((h, c, f))
    return tuple(np.stack(kept) for kept in zip(*steps, strict=True))


def cell_starts_from_zero(x, h0, c0, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """It looks as if h0 or c0 is not used: the first step starts from the two states that you
    were given.
    """
    h, c, steps = np.zeros_like(h0), np.zeros_like(c0), []
    for x_t in x:
        f = 1 / (1 + np.exp(-(x_t @ W_xf.T + h @ W_hf.T + b_f)))
        g = np.tanh(x_t @ W_xg.T + h @ W_hg.T + b_g)
        c = f * c + g
        h = np.tanh(c)
        steps.append((h, c, f))
    return tuple(np.stack(kept) for kept in zip(*steps, strict=True))


def cell_ignores_c0(x, h0, c0, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """It looks as if the belt starts empty. It starts with c0, the cell state you were given."""
    h, c, steps = h0, np.zeros_like(c0), []
    for x_t in x:
        f = 1 / (1 + np.exp(-(x_t @ W_xf.T + h @ W_hf.T + b_f)))
        g = np.tanh(x_t @ W_xg.T + h @ W_hg.T + b_g)
        c = f * c + g
        h = np.tanh(c)
        steps.append((h, c, f))
    return tuple(np.stack(kept) for kept in zip(*steps, strict=True))


def cell_ignores_h0(x, h0, c0, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """It looks as if the hidden state starts from zeros. Gate and candidate of the first step read
    h0.
    """
    h, c, steps = np.zeros_like(h0), c0, []
    for x_t in x:
        f = 1 / (1 + np.exp(-(x_t @ W_xf.T + h @ W_hf.T + b_f)))
        g = np.tanh(x_t @ W_xg.T + h @ W_hg.T + b_g)
        c = f * c + g
        h = np.tanh(c)
        steps.append((h, c, f))
    return tuple(np.stack(kept) for kept in zip(*steps, strict=True))


def cell_candidate_without_tanh(x, h0, c0, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """It looks as if tanh is missing in the candidate: what is put on the belt lies in −1 … 1."""
    h, c, steps = h0, c0, []
    for x_t in x:
        f = 1 / (1 + np.exp(-(x_t @ W_xf.T + h @ W_hf.T + b_f)))
        g = x_t @ W_xg.T + h @ W_hg.T + b_g
        c = f * c + g
        h = np.tanh(c)
        steps.append((h, c, f))
    return tuple(np.stack(kept) for kept in zip(*steps, strict=True))


def cell_c0_from_h0(x, h0, c0, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """It looks as if the cell state starts from h0. There are two lines and two initial states:
    h0 and c0.
    """
    h, c, steps = h0, h0, []
    for x_t in x:
        f = 1 / (1 + np.exp(-(x_t @ W_xf.T + h @ W_hf.T + b_f)))
        g = np.tanh(x_t @ W_xg.T + h @ W_hg.T + b_g)
        c = f * c + g
        h = np.tanh(c)
        steps.append((h, c, f))
    return tuple(np.stack(kept) for kept in zip(*steps, strict=True))


def cell_h_and_c_swapped(x, h0, c0, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """It looks as if the results are in the wrong order: return h first, then c, then f."""
    h, c, steps = h0, c0, []
    for x_t in x:
        f = 1 / (1 + np.exp(-(x_t @ W_xf.T + h @ W_hf.T + b_f)))
        g = np.tanh(x_t @ W_xg.T + h @ W_hg.T + b_g)
        c = f * c + g
        h = np.tanh(c)
        steps.append((c, h, f))
    return tuple(np.stack(kept) for kept in zip(*steps, strict=True))


def cell_before_the_step(x, h0, c0, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """It looks as if h and c are kept *before* each step. h[t] and c[t] are the states after
    reading x[t].
    """
    h, c, steps = h0, c0, []
    for x_t in x:
        f = 1 / (1 + np.exp(-(x_t @ W_xf.T + h @ W_hf.T + b_f)))
        g = np.tanh(x_t @ W_xg.T + h @ W_hg.T + b_g)
        steps.append((h, c, f))
        c = f * c + g
        h = np.tanh(c)
    return tuple(np.stack(kept) for kept in zip(*steps, strict=True))


KNOWN_WRONG = known_wrong(
    cell_forgets_the_new,
    cell_gates_the_candidate,
    cell_one_minus,
    cell_coupled,
    cell_never_forgets,
    cell_h_on_the_belt,
    cell_gate_reads_c,
    cell_gate_reads_new_h,
    cell_sigmoid_candidate,
    cell_h_without_tanh,
    cell_tanh_on_the_belt,
    cell_weights_mixed_up,
    cell_starts_from_zero,
    cell_ignores_c0,
    cell_ignores_h0,
    cell_candidate_without_tanh,
    cell_c0_from_h0,
    cell_h_and_c_swapped,
    cell_before_the_step,
)


def cell_stacked(x, h0, c0, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """Gate and candidate in one product."""
    W, b = np.block([[W_xf, W_hf], [W_xg, W_hg]]), np.concatenate([b_f, b_g])
    h, c, steps = h0, c0, []
    for x_t in x:
        a_f, a_g = np.split(np.concatenate([x_t, h], axis=1) @ W.T + b, 2, axis=1)
        f = 0.5 + 0.5 * np.tanh(a_f / 2)
        c = f * c + np.tanh(a_g)
        h = np.tanh(c)
        steps.append(np.stack([h, c, f]))
    return tuple(np.stack(steps, axis=1))


def cell_columns(x, h0, c0, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """States as columns, arrays filled by index."""
    T, B, _ = x.shape
    h, c, f = (np.empty((T, B, len(b_f)), dtype=x.dtype) for _ in range(3))
    h_prev, c_prev = h0.T, c0.T
    for t in range(T):
        f_t = 1 / (1 + np.exp(-(W_xf @ x[t].T + W_hf @ h_prev + b_f[:, None])))
        c_prev = f_t * c_prev + np.tanh(W_xg @ x[t].T + W_hg @ h_prev + b_g[:, None])
        h_prev = np.tanh(c_prev)
        h[t], c[t], f[t] = h_prev.T, c_prev.T, f_t.T
    return h, c, f


def cell_row_by_row(x, h0, c0, W_xf, W_hf, b_f, W_xg, W_hg, b_g):
    """Each row of the batch on its own, inputs first."""
    a_f, a_g = x @ W_xf.T + b_f, x @ W_xg.T + b_g
    out = np.empty((3, *a_f.shape), dtype=x.dtype)
    for row in range(x.shape[1]):
        h, c = h0[row], c0[row]
        for t in range(len(x)):
            f = 1 / (1 + np.exp(-(a_f[t, row] + W_hf @ h)))
            c = c * f + np.tanh(a_g[t, row] + W_hg @ h)
            h = np.tanh(c)
            out[:, t, row] = h, c, f
    return [out[0], out[1], out[2]]


EXERCISE = Exercise(
    name="06.forget_cell_forward",
    chapter="06-forget-gate",
    title="the cell with a forget gate over a whole sequence",
    points=5,
    asks=("forget_cell_forward",),
    withheld=names.LSTM,
    parts=parts,
    known_wrong=KNOWN_WRONG,
    right=(cell_stacked, cell_columns, cell_row_by_row),
)
