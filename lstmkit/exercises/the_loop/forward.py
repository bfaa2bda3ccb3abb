"""01.rnn_forward: the whole sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...rnn.equations import rnn_forward
from .. import names
from ..compare import difference
from ..model import Exercise, Part, Trial, known_wrong
from ..sizes import F64, Sizes, normal, sizes, states
from .inputs import weights


def trial(rng: np.random.Generator, s: Sizes) -> Trial:
    x = normal(rng, s.T, s.B, s.I, dtype=s.dtype)
    args = (x, states(rng, s.B, s.H, dtype=s.dtype), *weights(rng, s))
    return Trial(args, rnn_forward(*args), s.words("T", "B", "I", "H"))


def causality(rng: np.random.Generator) -> Part:
    """Change x from one step on; what came before must stay as it was."""
    s = Sizes(8, 2, 3, 4, F64)
    before = trial(rng, s)
    cut = int(rng.integers(2, 7))
    x, *rest = before.args
    changed = x.copy()
    changed[cut:] = normal(rng, s.T - cut, s.B, s.I)
    after = Trial((changed, *rest), rnn_forward(changed, *rest), s.words("T", "B", "I", "H"))

    def judge(trials: Sequence[Trial], answers: Sequence[Any]) -> str | None:
        first, second = answers
        problem = difference(first, np.zeros((s.T, s.B, s.H)))
        if problem and "differs" not in problem:
            return problem
        if np.shape(second) == np.shape(first) and not difference(second[:cut], first[:cut]):
            return None
        return f"x was changed from step {cut} on, and the state of an earlier step moved."

    return Part("a state sees nothing that comes later", [before, after], judge)


def parts(rng: np.random.Generator, thorough: bool) -> list[Part]:
    same = [trial(rng, s) for s in sizes(rng, thorough)]
    return [causality(rng), Part("same numbers as the equation at every step", same)]


def forward_resets(x, h0, W_ih, W_hh, b):
    """It looks as if every step starts from h0 again. Feed back the state that the step before
    has made.
    """
    return np.stack([np.tanh(x_t @ W_ih.T + h0 @ W_hh.T + b) for x_t in x])


def forward_no_state(x, h0, W_ih, W_hh, b):
    """It looks as if no state is fed back at all: each step sees its own x and nothing else."""
    return np.stack([np.tanh(x_t @ W_ih.T + 0 * h0 + b) for x_t in x])


def forward_ignores_h0(x, h0, W_ih, W_hh, b):
    """It looks as if the loop starts from zeros. Start it from h0, the state you were given."""
    h, out = np.zeros_like(h0), []
    for x_t in x:
        h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
    return np.stack(out)


def forward_shifted(x, h0, W_ih, W_hh, b):
    """It looks as if the states are one step late: h[t] should be the state *after* reading x[t].
    h0 itself is no output.
    """
    h, out = h0, []
    for x_t in x:
        out.append(h)
        h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
    return np.stack(out)


def forward_preactivation_fed_back(x, h0, W_ih, W_hh, b):
    """It looks as if the sum before tanh is fed back. What goes round the loop is h, after tanh."""
    a, out = h0, []
    for x_t in x:
        a = x_t @ W_ih.T + a @ W_hh.T + b
        out.append(np.tanh(a))
    return np.stack(out)


def forward_reversed(x, h0, W_ih, W_hh, b):
    """It looks as if the sequence is read from its end."""
    h, out = h0, []
    for x_t in x[::-1]:
        h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
    return np.stack(out[::-1])


def forward_reversed_output(x, h0, W_ih, W_hh, b):
    """It looks as if the states are right but stacked in the wrong order: h[0] belongs to x[0]."""
    h, out = h0, []
    for x_t in x:
        h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
    return np.stack(out[::-1])


def forward_last_only(x, h0, W_ih, W_hh, b):
    """It looks as if the last state is returned for every step. Keep the state of each step."""
    h = h0
    for x_t in x:
        h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
    return np.stack([h for _ in x])


def forward_transposed(x, h0, W_ih, W_hh, b):
    """It looks as if W_hh was used as it stands, `h @ W_hh`; the product is `h @ W_hh.T`."""
    h, out = h0, []
    for x_t in x:
        h = np.tanh(x_t @ W_ih.T + h @ W_hh + b)
        out.append(h)
    return np.stack(out)


def forward_first_input(x, h0, W_ih, W_hh, b):
    """It looks as if every step reads x[0]. Step t reads x[t]."""
    h, out = h0, []
    for _ in x:
        h = np.tanh(x[0] @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
    return np.stack(out)


def forward_sums(x, h0, W_ih, W_hh, b):
    """It looks as if each new state is added to the old one. In this loop it replaces it."""
    h, out = h0, []
    for x_t in x:
        h = h + np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
    return np.stack(out)


KNOWN_WRONG = known_wrong(
    forward_resets,
    forward_no_state,
    forward_ignores_h0,
    forward_shifted,
    forward_preactivation_fed_back,
    forward_reversed,
    forward_reversed_output,
    forward_last_only,
    forward_transposed,
    forward_first_input,
    forward_sums,
)


def forward_preallocated(x, h0, W_ih, W_hh, b):
    T, B, _ = x.shape
    h = np.empty((T, B, len(W_hh)), dtype=x.dtype)
    h_prev = h0
    for t in range(T):
        h[t] = np.tanh(x[t] @ W_ih.T + h_prev @ W_hh.T + b)
        h_prev = h[t]
    return h


def forward_inputs_first(x, h0, W_ih, W_hh, b):
    ready = x @ W_ih.T + b  # all steps in one product
    out = []
    for a in ready:
        out.append(np.tanh(a + (out[-1] if out else h0) @ W_hh.T))
    return np.array(out)


def forward_recursive(x, h0, W_ih, W_hh, b):
    if len(x) == 0:
        return np.empty((0, *h0.shape), dtype=x.dtype)
    h = np.tanh(W_ih @ x[0].T + W_hh @ h0.T + b[:, None]).T
    return np.concatenate([h[None], forward_recursive(x[1:], h, W_ih, W_hh, b)])


EXERCISE = Exercise(
    name="01.rnn_forward",
    chapter="01-the-loop",
    title="the loop over a whole sequence",
    points=4,
    asks=("rnn_forward",),
    withheld=names.RNN,
    parts=parts,
    known_wrong=KNOWN_WRONG,
    right=(forward_preallocated, forward_inputs_first, forward_recursive),
)
