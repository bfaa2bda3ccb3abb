"""01.rnn_forward: the whole sequence, from either end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...rnn.equations import rnn_forward
from .. import names
from ..compare import difference, misfit
from ..model import Exercise, Part, Trial, known_wrong
from ..sizes import F64, Sizes, normal, sizes, states
from .inputs import weights


def reference(args: tuple[Any, ...], reverse: bool) -> np.ndarray:
    """The states in the order of x, read from its start or from its end."""
    x, *rest = args
    return rnn_forward(x[::-1], *rest)[::-1] if reverse else rnn_forward(x, *rest)


def trial(rng: np.random.Generator, s: Sizes, reverse: bool) -> Trial:
    x = normal(rng, s.T, s.B, s.I, dtype=s.dtype)
    args = (x, states(rng, s.B, s.H, dtype=s.dtype), *weights(rng, s))
    words = f"{s.words('T', 'B', 'I', 'H')}, reverse={reverse}"
    return Trial((*args, reverse), reference(args, reverse), words)


def shape(rng: np.random.Generator) -> Part:
    """One state for every step, before anything else is looked at."""
    one = trial(rng, Sizes(4, 2, 3, 5, F64), False)

    def judge(trials: Sequence[Trial], answers: Sequence[Any]) -> str | None:
        problem = misfit(answers[0], trials[0].expected)
        return f"{problem} Called with {trials[0].what}." if problem else None

    return Part("one state for every step", [one], judge)


def causality(rng: np.random.Generator) -> Part:
    """Change x from one step on; what came before must stay as it was."""
    s = Sizes(8, 2, 3, 4, F64)
    before = trial(rng, s, False)
    cut = int(rng.integers(2, 7))
    x, *rest = before.args
    changed = x.copy()
    changed[cut:] = normal(rng, s.T - cut, s.B, s.I)
    after = Trial((changed, *rest), None, s.words("T", "B", "I", "H"))

    def judge(trials: Sequence[Trial], answers: Sequence[Any]) -> str | None:
        first, second = answers
        if np.shape(second) == np.shape(first) and not difference(second[:cut], first[:cut]):
            return None
        return f"x was changed from step {cut} on, and the state of an earlier step moved."

    return Part("a state sees nothing that comes later", [before, after], judge)


def parts(rng: np.random.Generator, thorough: bool) -> list[Part]:
    every = sizes(rng, thorough)
    onwards = [trial(rng, s, False) for s in every]
    back = [trial(rng, s, True) for s in every]
    return [
        shape(rng),
        causality(rng),
        Part("same numbers as the equation at every step", [*onwards, *back[:1]]),
        Part("read from the end, with reverse=True", [*back, *onwards[:1]]),
    ]


def forward_resets(x, h0, W_ih, W_hh, b, reverse=False):
    """It looks as if every step starts from h0 again. Feed back the state that the step before
    has made.
    """
    return np.stack([np.tanh(x_t @ W_ih.T + h0 @ W_hh.T + b) for x_t in x])


def forward_no_state(x, h0, W_ih, W_hh, b, reverse=False):
    """It looks as if no state is fed back at all: each step sees its own x and nothing else."""
    return np.stack([np.tanh(x_t @ W_ih.T + 0 * h0 + b) for x_t in x])


def forward_ignores_h0(x, h0, W_ih, W_hh, b, reverse=False):
    """It looks as if the loop starts from zeros. Start it from h0, the state you were given."""
    h, out = np.zeros_like(h0), []
    for x_t in x[::-1] if reverse else x:
        h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
    return np.stack(out[::-1] if reverse else out)


def forward_shifted(x, h0, W_ih, W_hh, b, reverse=False):
    """It looks as if the states are one step late: h[t] should be the state *after* reading x[t].
    h0 itself is no output.
    """
    h, out = h0, []
    for x_t in x[::-1] if reverse else x:
        out.append(h)
        h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
    return np.stack(out[::-1] if reverse else out)


def forward_skips_the_first(x, h0, W_ih, W_hh, b, reverse=False):
    """It looks as if the first state is h0 and the first item was never read. Read it first, then
    keep the state.
    """
    h, out = h0, [h0]
    for x_t in (x[::-1] if reverse else x)[1:]:
        h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
    return np.stack(out[::-1] if reverse else out)


def forward_preactivation_fed_back(x, h0, W_ih, W_hh, b, reverse=False):
    """It looks as if the sum before tanh is fed back. What goes round the loop is h, after tanh."""
    a, out = h0, []
    for x_t in x[::-1] if reverse else x:
        a = x_t @ W_ih.T + a @ W_hh.T + b
        out.append(np.tanh(a))
    return np.stack(out[::-1] if reverse else out)


def forward_always_reversed(x, h0, W_ih, W_hh, b, reverse=False):
    """It looks as if the sequence is always read from its end, whatever reverse says."""
    h, out = h0, []
    for x_t in x[::-1]:
        h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
    return np.stack(out[::-1])


def forward_never_reversed(x, h0, W_ih, W_hh, b, reverse=False):
    """It looks as if reverse is not used: with reverse=True the loop starts at the last step."""
    h, out = h0, []
    for x_t in x:
        h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
    return np.stack(out)


def forward_not_turned_back(x, h0, W_ih, W_hh, b, reverse=False):
    """It looks as if, with reverse=True, the states stand in the order of reading. h[t] belongs to
    x[t] in both cases: turn the result round again.
    """
    h, out = h0, []
    for x_t in x[::-1] if reverse else x:
        h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
    return np.stack(out)


def forward_turns_the_result_only(x, h0, W_ih, W_hh, b, reverse=False):
    """It looks as if, with reverse=True, only the result is turned round. The *reading* starts at
    the last step.
    """
    h, out = h0, []
    for x_t in x:
        h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
    return np.stack(out[::-1] if reverse else out)


def forward_turns_the_batch(x, h0, W_ih, W_hh, b, reverse=False):
    """It looks as if, with reverse=True, the rows of the batch are turned round, not the steps.
    Time is the first axis.
    """
    h, out = h0, []
    for x_t in x[:, ::-1] if reverse else x:
        h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
    return np.stack(out)


def forward_last_only(x, h0, W_ih, W_hh, b, reverse=False):
    """It looks as if the last state is returned for every step. Keep the state of each step."""
    h = h0
    for x_t in x[::-1] if reverse else x:
        h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
    return np.stack([h for _ in x])


def forward_transposed(x, h0, W_ih, W_hh, b, reverse=False):
    """It looks as if W_hh was used as it stands, `h @ W_hh`; the product is `h @ W_hh.T`."""
    h, out = h0, []
    for x_t in x[::-1] if reverse else x:
        h = np.tanh(x_t @ W_ih.T + h @ W_hh + b)
        out.append(h)
    return np.stack(out[::-1] if reverse else out)


def forward_first_input(x, h0, W_ih, W_hh, b, reverse=False):
    """It looks as if every step reads x[0]. Step t reads x[t]."""
    h, out = h0, []
    for _ in x:
        h = np.tanh(x[0] @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
    return np.stack(out)


KNOWN_WRONG = known_wrong(
    forward_resets,
    forward_no_state,
    forward_ignores_h0,
    forward_shifted,
    forward_skips_the_first,
    forward_preactivation_fed_back,
    forward_always_reversed,
    forward_never_reversed,
    forward_not_turned_back,
    forward_turns_the_result_only,
    forward_turns_the_batch,
    forward_last_only,
    forward_transposed,
    forward_first_input,
)


def forward_preallocated(x, h0, W_ih, W_hh, b, reverse=False):
    """Fill an array by index, in whichever order."""
    T, B, _ = x.shape
    h = np.empty((T, B, len(W_hh)), dtype=x.dtype)
    h_prev = h0
    for t in reversed(range(T)) if reverse else range(T):
        h[t] = np.tanh(x[t] @ W_ih.T + h_prev @ W_hh.T + b)
        h_prev = h[t]
    return h


def forward_inputs_first(x, h0, W_ih, W_hh, b, reverse=False):
    """All input products at once, then the recurrence."""
    turn = slice(None, None, -1) if reverse else slice(None)
    out = []
    for a in (x @ W_ih.T + b)[turn]:
        out.append(np.tanh(a + (out[-1] if out else h0) @ W_hh.T))
    return np.array(out)[turn]


def forward_recursive(x, h0, W_ih, W_hh, b, reverse=False):
    """One step, and the rest by the function itself."""
    if reverse:
        return forward_recursive(x[::-1], h0, W_ih, W_hh, b)[::-1]
    if len(x) == 0:
        return np.empty((0, *h0.shape), dtype=x.dtype)
    h = np.tanh(W_ih @ x[0].T + W_hh @ h0.T + b[:, None]).T
    return np.concatenate([h[None], forward_recursive(x[1:], h, W_ih, W_hh, b)])


EXERCISE = Exercise(
    name="01.rnn_forward",
    chapter="01-the-loop",
    title="the loop over a whole sequence, from either end",
    points=4,
    asks=("rnn_forward",),
    withheld=names.RNN,
    parts=parts,
    known_wrong=KNOWN_WRONG,
    right=(forward_preallocated, forward_inputs_first, forward_recursive),
)
