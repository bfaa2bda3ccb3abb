"""The layer-normalised LSTM in NumPy (Ba, Kiros and Hinton, 2016, supplement).

Forward, where LN(z; α) = α ⊙ (z - mean) / √(var + ε) over all entries of the vector z:

    a = LN(W_ih x; α_x) + LN(W_hh h_prev; α_h) + b        4H entries, normalised as one vector
    i, f, o = σ(a_i), σ(a_f), σ(a_o)        g = tanh(a_g)
    c = f ⊙ c_prev + i ⊙ g
    h = o ⊙ tanh(LN(c; α_c) + β_c)

The cell's own line is not normalised, only what is read from it: c still keeps what it is told to
keep. The paper has three biases in a, which only meet as a sum; here b is that sum. Blocks, shapes
and all else are as in ``lstmkit.lstm.equations``; the gains are α_x and α_h (4H,), α_c (H,).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lstmkit.lstm.equations import (
    LSTMTrace,
    d_candidate,
    d_cell_prev,
    d_forget_gate,
    d_input_gate,
    d_preactivations,
    sigmoid,
    update_cell,
)
from lstmkit.normalise import EPS, d_layer_norm, layer_norm
from lstmkit.shapes import Array, active_rows, check_lengths, check_same_shape, check_shapes


class Gains(NamedTuple):
    """What layer normalisation learns: gains for W_ih x, W_hh h_prev and c, and c's bias."""

    x: Array
    h: Array
    c: Array
    c_bias: Array


class NormalisedGradients(NamedTuple):
    """Derivatives of the loss by each argument of ``normalised_forward``, in its shape."""

    x: Array
    h0: Array
    c0: Array
    W_ih: Array
    W_hh: Array
    b: Array
    gains: Gains


def start_gains(H: int, dtype: type[np.floating] = np.float64) -> Gains:
    """Gains of one and a bias of zero: normalised, and nothing learned yet."""
    ones = np.ones
    return Gains(ones(4 * H, dtype), ones(4 * H, dtype), ones(H, dtype), np.zeros(H, dtype))


def normalised_gates(
    x: Array, h_prev: Array, W_ih: Array, W_hh: Array, b: Array, gains: Gains, eps: float = EPS
) -> tuple[Array, Array, Array, Array]:
    """The gates and the candidate, i, f, g, o, from the two normalised products.

    Shapes: x (B, I), h_prev (B, H), W_ih (4H, I), W_hh (4H, H), b (4H,); returns four (B, H).

    Raises:
        ValueError: a shape does not fit.
    """
    _check(W_ih, W_hh, gains, b=(b, "4H"), x=(x, "B I"), h_prev=(h_prev, "B H"))
    a = layer_norm(x @ W_ih.T, gains.x, b, eps) + layer_norm(h_prev @ W_hh.T, gains.h, eps=eps)
    a_i, a_f, a_g, a_o = np.split(a, 4, axis=-1)
    return sigmoid(a_i), sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)


def normalised_hidden_state(o: Array, c: Array, gains: Gains, eps: float = EPS) -> Array:
    """Read: h = o ⊙ tanh(LN(c; α_c) + β_c).

    Shapes: o and c (B, H); returns (B, H).

    Raises:
        ValueError: the shapes differ.
    """
    check_same_shape(c=c, o=o)
    return o * np.tanh(layer_norm(c, gains.c, gains.c_bias, eps))


def normalised_step(
    x: Array,
    h_prev: Array,
    c_prev: Array,
    W_ih: Array,
    W_hh: Array,
    b: Array,
    gains: Gains,
    eps: float = EPS,
) -> tuple[Array, Array]:
    """One step of the whole cell, (h_prev, c_prev) -> (h_next, c_next).

    Shapes: x (B, I), h_prev and c_prev (B, H), W_ih (4H, I), W_hh (4H, H), b (4H,), blocks in the
    order i, f, g, o; returns h_next and c_next, each (B, H).

    Raises:
        ValueError: a shape does not fit.
    """
    i, f, g, o = normalised_gates(x, h_prev, W_ih, W_hh, b, gains, eps)
    check_same_shape(h_prev=h_prev, c_prev=c_prev)
    c_next = update_cell(c_prev, f, i, g)
    return normalised_hidden_state(o, c_next, gains, eps), c_next


def normalised_forward(
    x: Array,
    h0: Array,
    c0: Array,
    W_ih: Array,
    W_hh: Array,
    b: Array,
    gains: Gains,
    lengths: ArrayLike | None = None,
    eps: float = EPS,
) -> LSTMTrace:
    """The step, once for every item, with all that it computed on the way.

    A row that has ended is held: where t >= lengths[row] the gates stand at f = 1, i = g = o = 0,
    and h[t] = h[t-1], c[t] = c[t-1], whatever x[t] holds.

    Shapes: x (T, B, I), h0 and c0 (B, H), W_ih (4H, I), W_hh (4H, H), b (4H,), lengths (B,) whole
    numbers in 0 … T; returns h, c, i, f, g, o, each (T, B, H).

    Raises:
        ValueError: a shape or a length does not fit.
    """
    _check(W_ih, W_hh, gains, b=(b, "4H"), x=(x, "T B I"), h0=(h0, "B H"), c0=(c0, "B H"))
    T, B, _ = x.shape
    lengths = check_lengths(lengths, T, B)
    shape, dtype = (T, *h0.shape), np.result_type(x, h0, c0, W_ih, W_hh, b, *gains)
    h, c, i, f, g, o = (np.zeros(shape, dtype) for _ in LSTMTrace._fields)

    h_prev, c_prev = h0, c0
    for t in range(T):
        rows = active_rows(t, lengths)
        h[t], c[t], f[t] = h_prev, c_prev, 1
        gates = normalised_gates(x[t, rows], h_prev[rows], W_ih, W_hh, b, gains, eps)
        i[t, rows], f[t, rows], g[t, rows], o[t, rows] = gates
        c[t, rows] = update_cell(c_prev[rows], f[t, rows], i[t, rows], g[t, rows])
        h[t, rows] = normalised_hidden_state(o[t, rows], c[t, rows], gains, eps)
        h_prev, c_prev = h[t], c[t]
    return LSTMTrace(h, c, i, f, g, o)


def d_normalised_hidden_state(
    dh: Array, o: Array, c: Array, gains: Gains, eps: float = EPS
) -> tuple[Array, Array, Array, Array]:
    """Back through h = o ⊙ tanh(n), n = LN(c; α_c) + β_c: do, dc, dα_c, dβ_c.

    do = dh ⊙ tanh(n) and dn = dh ⊙ o ⊙ (1 - tanh²(n)); dc is dn taken back through LN.
    Shapes: dh, o and c (B, H); returns do and dc (B, H), dα_c and dβ_c (H,).

    Raises:
        ValueError: two shapes differ.
    """
    check_same_shape(dh=dh, o=o, c=c)
    shown = np.tanh(layer_norm(c, gains.c, gains.c_bias, eps))
    return dh * shown, *d_layer_norm(dh * o * (1 - shown**2), c, gains.c, eps)


def normalised_step_backward(
    dh: Array,
    dc_next: Array,
    c_prev: Array,
    c: Array,
    i: Array,
    f: Array,
    g: Array,
    o: Array,
    gains: Gains,
    eps: float = EPS,
) -> tuple[Array, Array, Array, Array]:
    """Back through one step: (dh, dc_next) -> da (B, 4H), dc_prev (B, H), dα_c and dβ_c (H,).

    Shapes of the other arguments: each (B, H).

    Raises:
        ValueError: two shapes differ.
    """
    do, dc, d_gain, d_bias = d_normalised_hidden_state(dh, o, c, gains, eps)
    dc = dc + dc_next
    df, di, dg = d_forget_gate(dc, c_prev), d_input_gate(dc, g), d_candidate(dc, i)
    return d_preactivations(di, df, dg, do, i, f, g, o), d_cell_prev(dc, f), d_gain, d_bias


def normalised_backward(
    dh: Array,
    dc_last: Array,
    x: Array,
    h0: Array,
    c0: Array,
    trace: LSTMTrace,
    W_ih: Array,
    W_hh: Array,
    gains: Gains,
    lengths: ArrayLike | None = None,
    eps: float = EPS,
) -> NormalisedGradients:
    """Backpropagation through time, the full gradient.

    dh[t] is the derivative of the loss by h[t] as the loss sees it; ``dc_last`` is the same for the
    last cell state. A held step hands both gradients on untouched. The products W_ih x and
    W_hh h_prev are computed once more; the trace does not keep them.

    Shapes: dh and each array of the trace (T, B, H), dc_last, h0 and c0 (B, H), x (T, B, I),
    W_ih (4H, I), W_hh (4H, H), lengths (B,); returns gradients in the arguments' shapes.

    Raises:
        ValueError: a shape or a length does not fit.
    """
    states = {"h0": (h0, "B H"), "c0": (c0, "B H"), "dc_last": (dc_last, "B H")}
    kept = {f"trace.{name}": (array, "T B H") for name, array in trace._asdict().items()}
    _check(W_ih, W_hh, gains, x=(x, "T B I"), **states, dh=(dh, "T B H"), **kept)
    T, B, _ = x.shape
    lengths = check_lengths(lengths, T, B)
    dtype = np.result_type(dh, dc_last, x, h0, c0, trace.h, W_ih, W_hh, *gains)
    dx, dh_t, dc_t = np.zeros(x.shape, dtype), np.zeros(h0.shape, dtype), dc_last.astype(dtype)
    weights = [np.zeros(array.shape, dtype) for array in (W_ih, W_hh, W_hh[:, 0], *gains)]

    for t in reversed(range(T)):
        rows = active_rows(t, lengths)
        _, c, i, f, g, o = (array[t, rows] for array in trace)
        h_prev, c_prev = (trace.h[t - 1], trace.c[t - 1]) if t > 0 else (h0, c0)
        x_t, h_prev, c_prev = x[t, rows], h_prev[rows], c_prev[rows]
        dh_t += dh[t]
        da, dc_t[rows], *d_reading = normalised_step_backward(
            dh_t[rows], dc_t[rows], c_prev, c, i, f, g, o, gains, eps
        )
        from_x, d_gain_x, db_t = d_layer_norm(da, x_t @ W_ih.T, gains.x, eps)
        from_h, d_gain_h, _ = d_layer_norm(da, h_prev @ W_hh.T, gains.h, eps)
        dx[t, rows], dh_t[rows] = from_x @ W_ih, from_h @ W_hh
        shares = (from_x.T @ x_t, from_h.T @ h_prev, db_t, d_gain_x, d_gain_h, *d_reading)
        for total, share in zip(weights, shares, strict=True):
            total += share
    dW_ih, dW_hh, db, *d_gains = weights
    return NormalisedGradients(dx, dh_t, dc_t, dW_ih, dW_hh, db, Gains(*d_gains))


def _check(W_ih: Array, W_hh: Array, gains: Gains, **others: tuple[Array, str]) -> None:
    """Check the weights; the gains' shapes follow from theirs."""
    letters = zip(gains._asdict().items(), ("4H", "4H", "H", "H"), strict=True)
    shapes = {f"gains.{name}": (gain, letter) for (name, gain), letter in letters}
    check_shapes(W_hh=(W_hh, "4H H"), W_ih=(W_ih, "4H I"), **shapes, **others)
