"""01.rnn_in_chunks: carry the state from one piece of a long sequence to the next."""

from __future__ import annotations

import numpy as np

from ...rnn.equations import rnn_forward
from .. import names
from ..model import Exercise, Part, Trial, known_wrong
from ..sizes import F32, F64, Sizes, normal, states
from .inputs import weights


def trial(rng: np.random.Generator, s: Sizes, size: int) -> Trial:
    x = normal(rng, s.T, s.B, s.I, dtype=s.dtype)
    args = (x, states(rng, s.B, s.H, dtype=s.dtype), *weights(rng, s))
    h = rnn_forward(*args)
    return Trial((*args, size), (h, h[-1]), f"{s.words('T', 'B', 'I', 'H')}, size={size}")


def parts(rng: np.random.Generator, thorough: bool) -> list[Part]:
    even = [trial(rng, Sizes(12, 2, 3, 4, F64), 4), trial(rng, Sizes(9, 1, 2, 3, F64), 3)]
    odd = [trial(rng, Sizes(11, 2, 3, 4, F64), 4), trial(rng, Sizes(10, 3, 2, 5, F64), 7)]
    found = [
        Part("chunks of equal size give what one pass gives", even),
        Part("a shorter last chunk is read as well", odd),
    ]
    if not thorough:
        return found
    edges = [
        trial(rng, Sizes(5, 2, 3, 3, F64), 1),
        trial(rng, Sizes(5, 2, 3, 4, F32), 5),
        trial(rng, Sizes(5, 1, 3, 2, F64), 50),
    ]
    T = int(rng.integers(13, 20))
    drawn = [trial(rng, Sizes(T, 3, 2, 4, dtype), int(rng.integers(2, 6))) for dtype in (F64, F32)]
    return [
        *found,
        Part("chunks of one step, of the whole length, and longer", edges),
        Part("fresh lengths and sizes", drawn),
    ]


def chunks_start_from_zero(x, h0, W_ih, W_hh, b, size):
    """It looks as if each chunk after the first starts from zeros. Start it from the last state
    of the chunk before.
    """
    out, h = [], h0
    for t, x_t in enumerate(x):
        if t % size == 0 and t > 0:
            h = np.zeros_like(h0)
        h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
    return np.stack(out), h


def chunks_start_from_h0(x, h0, W_ih, W_hh, b, size):
    """It looks as if every chunk starts from h0. Only the first does; the next ones start from
    the last state of the chunk before.
    """
    out, h = [], h0
    for t, x_t in enumerate(x):
        h = np.tanh(x_t @ W_ih.T + (h0 if t % size == 0 else h) @ W_hh.T + b)
        out.append(h)
    return np.stack(out), h


def chunks_ignore_h0(x, h0, W_ih, W_hh, b, size):
    """It looks as if the first chunk starts from zeros. It starts from h0."""
    out, h = [], np.zeros_like(h0)
    for x_t in x:
        h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
    return np.stack(out), h


def chunks_return_h0(x, h0, W_ih, W_hh, b, size):
    """It looks as if the second value is h0. Return the state after the last step, so that
    somebody can go on from it.
    """
    out, h = [], h0
    for x_t in x:
        h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
    return np.stack(out), h0


def chunks_last_of_first(x, h0, W_ih, W_hh, b, size):
    """It looks as if the second value is the last state of the *first* chunk. It is the state
    after the whole sequence.
    """
    out, h = [], h0
    for x_t in x:
        h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
    return np.stack(out), out[min(size, len(out)) - 1]


def chunks_carry_mean(x, h0, W_ih, W_hh, b, size):
    """It looks as if the mean of a chunk's states is carried on. Carry its last state: the mean
    is no state that the loop has ever been in.
    """
    out, h = [], h0
    for t, x_t in enumerate(x):
        if t % size == 0 and t > 0:
            h = np.mean(out[-size:], axis=0)
        h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
    return np.stack(out), h


def chunks_carry_first(x, h0, W_ih, W_hh, b, size):
    """It looks as if the first state of the chunk is carried on. Carry its last one: h[-1]."""
    out, h = [], h0
    for t, x_t in enumerate(x):
        if t % size == 0 and t > 0:
            h = out[t - size]
        h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
    return np.stack(out), h


def chunks_read_last_step_again(x, h0, W_ih, W_hh, b, size):
    """It looks as if the last step of a chunk is read a second time at the start of the next.
    Chunks must not overlap.
    """
    out, h = [], h0
    for t, x_t in enumerate(x):
        if t % size == 0 and t > 0:
            h = np.tanh(x[t - 1] @ W_ih.T + h @ W_hh.T + b)
        h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
    return np.stack(out), h


def chunks_drop_the_rest(x, h0, W_ih, W_hh, b, size):
    """It looks as if the steps after the last full chunk are left out. The last chunk may be
    shorter.
    """
    out, h = np.zeros((len(x), *h0.shape), dtype=x.dtype), h0
    for t in range(len(x) // size * size):
        h = np.tanh(x[t] @ W_ih.T + h @ W_hh.T + b)
        out[t] = h
    return out, h


def chunks_last_is_mean(x, h0, W_ih, W_hh, b, size):
    """It looks as if the second value is the mean over time, not the state after the last step."""
    out, h = [], h0
    for x_t in x:
        h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
    return np.stack(out), np.mean(out, axis=0)


KNOWN_WRONG = known_wrong(
    chunks_start_from_zero,
    chunks_start_from_h0,
    chunks_ignore_h0,
    chunks_return_h0,
    chunks_last_of_first,
    chunks_carry_mean,
    chunks_carry_first,
    chunks_read_last_step_again,
    chunks_drop_the_rest,
    chunks_last_is_mean,
)


def chunks_slices(x, h0, W_ih, W_hh, b, size):
    pieces, h = [], h0
    for start in range(0, len(x), size):
        for x_t in x[start : start + size]:
            h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
            pieces.append(h[None])
    return np.concatenate(pieces), h


def chunks_one_pass(x, h0, W_ih, W_hh, b, size):
    h = np.empty((len(x) + 1, *h0.shape), dtype=x.dtype)
    h[0] = h0
    for t in range(len(x)):
        h[t + 1] = np.tanh(x[t] @ W_ih.T + h[t] @ W_hh.T + b)
    return h[1:], h[-1]


def chunks_recursive(x, h0, W_ih, W_hh, b, size):
    h, out = h0, []
    for x_t in x[:size]:
        h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
    if len(x) <= size:
        return np.array(out), h
    rest, last = chunks_recursive(x[size:], h, W_ih, W_hh, b, size)
    return np.concatenate([np.array(out), rest]), last


EXERCISE = Exercise(
    name="01.rnn_in_chunks",
    chapter="01-the-loop",
    title="a long sequence in chunks, with the state carried on",
    points=4,
    asks=("rnn_in_chunks",),
    withheld=names.RNN,
    parts=parts,
    known_wrong=KNOWN_WRONG,
    right=(chunks_slices, chunks_one_pass, chunks_recursive),
)
