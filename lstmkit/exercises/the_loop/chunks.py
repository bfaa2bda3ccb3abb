"""01.rnn_in_chunks: carry the state from one piece of a long sequence to the next."""

from __future__ import annotations

import numpy as np

from ...rnn.equations import rnn_forward
from .. import names
from ..model import Exercise, Part, Trial, known_wrong
from ..parity import parity_with_hint
from ..sizes import F32, F64, Sizes, normal, states
from .inputs import weights


def trial(rng: np.random.Generator, s: Sizes, size: int) -> Trial:
    x = normal(rng, s.T, s.B, s.I, dtype=s.dtype)
    args = (x, states(rng, s.B, s.H, dtype=s.dtype), *weights(rng, s))
    h = rnn_forward(*args)
    last = [min(start + size, s.T) - 1 for start in range(0, s.T, size)]
    return Trial((*args, size), h[last], f"{s.words('T', 'B', 'I', 'H')}, size={size}")


judge = parity_with_hint(
    lambda trial, h: h[:1],
    "Already the state after the first chunk differs: if your function calls rnn_forward or "
    "rnn_step, make sure that their own checks pass.",
)


def parts(rng: np.random.Generator, thorough: bool) -> list[Part]:
    even = [trial(rng, Sizes(12, 2, 3, 4, F64), 4), trial(rng, Sizes(9, 1, 2, 3, F64), 3)]
    odd = [trial(rng, Sizes(11, 2, 3, 4, F64), 4), trial(rng, Sizes(10, 3, 2, 5, F64), 7)]
    found = [
        Part("the state after each chunk is that of one pass", even, judge),
        Part("a shorter last chunk is read as well", odd, judge),
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
        Part("chunks of one step, of the whole length, and longer", edges, judge),
        Part("fresh lengths and sizes", drawn, judge),
    ]


def chunks_start_from_zero(x, h0, W_ih, W_hh, b, size):
    """It looks as if each chunk after the first starts from zeros. Start it from the last state of
    the chunk before.
    """
    out, h = [], h0
    for start in range(0, len(x), size):
        for x_t in x[start : start + size]:
            h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
        h = np.zeros_like(h0)
    return np.stack(out)


def chunks_start_from_h0(x, h0, W_ih, W_hh, b, size):
    """It looks as if every chunk starts from h0. Only the first does; the next ones start from the
    last state of the chunk before.
    """
    out = []
    for start in range(0, len(x), size):
        h = h0
        for x_t in x[start : start + size]:
            h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
    return np.stack(out)


def chunks_ignore_h0(x, h0, W_ih, W_hh, b, size):
    """It looks as if the first chunk starts from zeros. It starts from h0."""
    out, h = [], np.zeros_like(h0)
    for start in range(0, len(x), size):
        for x_t in x[start : start + size]:
            h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
    return np.stack(out)


def chunks_states_before(x, h0, W_ih, W_hh, b, size):
    """It looks as if the state *before* each chunk is kept. Keep the one after it: the last of them
    is the state from which somebody could read on.
    """
    out, h = [], h0
    for start in range(0, len(x), size):
        out.append(h)
        for x_t in x[start : start + size]:
            h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
    return np.stack(out)


def chunks_first_states(x, h0, W_ih, W_hh, b, size):
    """It looks as if the state after the *first* step of each chunk is kept, and the rest of the
    chunk is read all the same. Keep the state after its last step.
    """
    out, h = [], h0
    for t, x_t in enumerate(x):
        h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
        if t % size == 0:
            out.append(h)
    return np.stack(out)


def chunks_means(x, h0, W_ih, W_hh, b, size):
    """It looks as if the mean of each chunk's states is returned. Return its last state: the mean
    is no state that the loop has ever been in.
    """
    out, h = [], h0
    for start in range(0, len(x), size):
        chunk = []
        for x_t in x[start : start + size]:
            h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
            chunk.append(h)
        out.append(np.mean(chunk, axis=0))
    return np.stack(out)


def chunks_carry_first(x, h0, W_ih, W_hh, b, size):
    """It looks as if the first state of a chunk is carried on to the next. Carry its last: h[-1],
    not h[0].
    """
    out, h = [], h0
    for start in range(0, len(x), size):
        chunk = []
        for x_t in x[start : start + size]:
            h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
            chunk.append(h)
        out.append(chunk[-1])
        h = chunk[0]
    return np.stack(out)


def chunks_read_last_step_again(x, h0, W_ih, W_hh, b, size):
    """It looks as if the last step of a chunk is read a second time at the start of the next.
    Chunks must not overlap.
    """
    out, h = [], h0
    for start in range(0, len(x), size):
        for x_t in x[max(start - 1, 0) : start + size]:
            h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
    return np.stack(out)


def chunks_drop_the_rest(x, h0, W_ih, W_hh, b, size):
    """It looks as if the steps after the last full chunk are not read. The last chunk may be
    shorter than the others.
    """
    out, h = [], h0
    for start in range(0, len(x), size):
        if start + size <= len(x):
            for x_t in x[start : start + size]:
                h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
    return np.stack(out)


def chunks_padded_with_zeros(x, h0, W_ih, W_hh, b, size):
    """It looks as if the last chunk is filled up with zeros and read to its end. A step with zeros
    moves the state too: stop where x stops.
    """
    out, h = [], h0
    for start in range(0, len(x), size):
        for t in range(start, start + size):
            x_t = x[t] if t < len(x) else np.zeros_like(x[0])
            h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
    return np.stack(out)


KNOWN_WRONG = known_wrong(
    chunks_start_from_zero,
    chunks_start_from_h0,
    chunks_ignore_h0,
    chunks_states_before,
    chunks_first_states,
    chunks_means,
    chunks_carry_first,
    chunks_read_last_step_again,
    chunks_drop_the_rest,
    chunks_padded_with_zeros,
)


def chunks_while(x, h0, W_ih, W_hh, b, size):
    """Cut a piece off the front until nothing is left."""
    out, h = [], h0
    while len(x):
        piece, x = x[:size], x[size:]
        for x_t in piece:
            h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
        out.append(h)
    return np.array(out)


def chunks_one_pass(x, h0, W_ih, W_hh, b, size):
    """All states in one pass, then the last of each chunk."""
    h = np.empty((len(x) + 1, *h0.shape), dtype=x.dtype)
    h[0] = h0
    for t in range(len(x)):
        h[t + 1] = np.tanh(x[t] @ W_ih.T + h[t] @ W_hh.T + b)
    return h[[*range(size, len(x), size), len(x)]]


def chunks_recursive(x, h0, W_ih, W_hh, b, size):
    """The first chunk, and the rest by the function itself."""
    h = h0
    for x_t in x[:size]:
        h = np.tanh(x_t @ W_ih.T + h @ W_hh.T + b)
    if len(x) <= size:
        return h[None]
    return np.concatenate([h[None], chunks_recursive(x[size:], h, W_ih, W_hh, b, size)])


EXERCISE = Exercise(
    name="01.rnn_in_chunks",
    chapter="01-the-loop",
    title="a long sequence in chunks, with the state carried on",
    points=4,
    asks=("rnn_in_chunks",),
    withheld=names.RNN,
    parts=parts,
    known_wrong=KNOWN_WRONG,
    right=(chunks_while, chunks_one_pass, chunks_recursive),
)
