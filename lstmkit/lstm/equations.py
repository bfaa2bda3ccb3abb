"""The LSTM in NumPy: one function a gate, one a derivative, then the sequence both ways.

Forward: Hochreiter and Schmidhuber (1997) with the forget gate of Gers, Schmidhuber and Cummins
(2000):

    f = σ(W_xf x + W_hf h_prev + b_f)        what stays on the belt
    i = σ(W_xi x + W_hi h_prev + b_i)        how much is put on it
    g = tanh(W_xg x + W_hg h_prev + b_g)     what is put on it
    o = σ(W_xo x + W_ho h_prev + b_o)        how much of it is shown
    c = f ⊙ c_prev + i ⊙ g
    h = o ⊙ tanh(c)

Backward: the full gradient through time (Graves and Schmidhuber, 2005); the paper of 1997 had cut
it short at the gates.

Shapes: T steps, B rows, I inputs, H hidden units; time comes first, and one item is a row, so that
W x is written ``x @ W.T``. The stacked arrays W_ih (4H, I), W_hh (4H, H) and b (4H,) hold their
blocks in PyTorch's order i, f, g, o, with one bias in place of PyTorch's two. float32 stays
float32. ``dc`` means the derivative of the loss by c.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lstmkit.rnn.equations import d_h_prev, d_weights, d_x, preactivation
from lstmkit.shapes import Array, active_rows, check_lengths, check_same_shape, check_shapes


class LSTMTrace(NamedTuple):
    """All that a forward pass computed, each (T, B, H): both states, the gates, the candidate."""

    h: Array
    c: Array
    i: Array
    f: Array
    g: Array
    o: Array


class LSTMGradients(NamedTuple):
    """Derivatives of the loss by each argument of ``lstm_forward``, in that argument's shape."""

    x: Array
    h0: Array
    c0: Array
    W_ih: Array
    W_hh: Array
    b: Array


# Forward, gate by gate


def sigmoid(z: Array) -> Array:
    """σ(z) = 1 / (1 + e⁻ᶻ), entry by entry, for z of any size and shape.

    Written as e^min(z, 0) / (1 + e^-|z|), which is the same number: no exponent is ever positive,
    so nothing overflows, and a small σ keeps all its digits.
    """
    return np.exp(np.minimum(z, 0)) / (1 + np.exp(-np.abs(z)))


def forget_gate(x: Array, h_prev: Array, W_xf: Array, W_hf: Array, b_f: Array) -> Array:
    """How much of each entry of c_prev stays: f = σ(W_xf x + W_hf h_prev + b_f).

    Gers, Schmidhuber and Cummins (2000).
    Shapes: x (B, I), h_prev (B, H), W_xf (H, I), W_hf (H, H), b_f (H,); returns (B, H) in (0, 1).

    Raises:
        ValueError: a shape does not fit.
    """
    check_shapes(
        W_xf=(W_xf, "H I"), W_hf=(W_hf, "H H"), b_f=(b_f, "H"), x=(x, "B I"), h_prev=(h_prev, "B H")
    )
    return sigmoid(preactivation(x, h_prev, W_xf, W_hf, b_f))


def input_gate(x: Array, h_prev: Array, W_xi: Array, W_hi: Array, b_i: Array) -> Array:
    """How much of each entry of the candidate is let in: i = σ(W_xi x + W_hi h_prev + b_i).

    Hochreiter and Schmidhuber (1997).
    Shapes: x (B, I), h_prev (B, H), W_xi (H, I), W_hi (H, H), b_i (H,); returns (B, H) in (0, 1).

    Raises:
        ValueError: a shape does not fit.
    """
    check_shapes(
        W_xi=(W_xi, "H I"), W_hi=(W_hi, "H H"), b_i=(b_i, "H"), x=(x, "B I"), h_prev=(h_prev, "B H")
    )
    return sigmoid(preactivation(x, h_prev, W_xi, W_hi, b_i))


def candidate(x: Array, h_prev: Array, W_xg: Array, W_hg: Array, b_g: Array) -> Array:
    """What might be written: g = tanh(W_xg x + W_hg h_prev + b_g).

    Hochreiter and Schmidhuber (1997), with tanh where they had a scaled sigmoid.
    Shapes: x (B, I), h_prev (B, H), W_xg (H, I), W_hg (H, H), b_g (H,); returns (B, H) in (-1, 1).

    Raises:
        ValueError: a shape does not fit.
    """
    check_shapes(
        W_xg=(W_xg, "H I"), W_hg=(W_hg, "H H"), b_g=(b_g, "H"), x=(x, "B I"), h_prev=(h_prev, "B H")
    )
    return np.tanh(preactivation(x, h_prev, W_xg, W_hg, b_g))


def output_gate(x: Array, h_prev: Array, W_xo: Array, W_ho: Array, b_o: Array) -> Array:
    """How much of each entry of the cell is shown: o = σ(W_xo x + W_ho h_prev + b_o).

    Hochreiter and Schmidhuber (1997).
    Shapes: x (B, I), h_prev (B, H), W_xo (H, I), W_ho (H, H), b_o (H,); returns (B, H) in (0, 1).

    Raises:
        ValueError: a shape does not fit.
    """
    check_shapes(
        W_xo=(W_xo, "H I"), W_ho=(W_ho, "H H"), b_o=(b_o, "H"), x=(x, "B I"), h_prev=(h_prev, "B H")
    )
    return sigmoid(preactivation(x, h_prev, W_xo, W_ho, b_o))


def update_cell(c_prev: Array, f: Array | float, i: Array | float, g: Array) -> Array:
    """Keep and write: c = f ⊙ c_prev + i ⊙ g.

    Shapes: all of one shape, (B, H) as a rule; a gate held at one value may be a plain number.

    Raises:
        ValueError: two shapes differ.
    """
    check_same_shape(c_prev=c_prev, f=f, i=i, g=g)
    return f * c_prev + i * g


def hidden_state(o: Array | float, c: Array) -> Array:
    """Read: h = o ⊙ tanh(c).

    Shapes: both of one shape, (B, H) as a rule; a gate held at one value may be a plain number.

    Raises:
        ValueError: the shapes differ.
    """
    check_same_shape(c=c, o=o)
    return o * np.tanh(c)


def all_gates(
    x: Array, h_prev: Array, W_ih: Array, W_hh: Array, b: Array
) -> tuple[Array, Array, Array, Array]:
    """The four of them from the stacked weights: one product, cut into i, f, g, o.

    Shapes: x (B, I), h_prev (B, H), W_ih (4H, I), W_hh (4H, H), b (4H,); returns four (B, H).

    Raises:
        ValueError: a shape does not fit.
    """
    check_shapes(
        W_hh=(W_hh, "4H H"), W_ih=(W_ih, "4H I"), b=(b, "4H"), x=(x, "B I"), h_prev=(h_prev, "B H")
    )
    a_i, a_f, a_g, a_o = np.split(preactivation(x, h_prev, W_ih, W_hh, b), 4, axis=-1)
    return sigmoid(a_i), sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)


def lstm_step(
    x: Array, h_prev: Array, c_prev: Array, W_ih: Array, W_hh: Array, b: Array
) -> tuple[Array, Array]:
    """One step of the whole cell, (h_prev, c_prev) -> (h_next, c_next).

    Shapes: x (B, I), h_prev and c_prev (B, H), W_ih (4H, I), W_hh (4H, H), b (4H,), blocks in the
    order i, f, g, o; returns h_next and c_next, each (B, H).

    Raises:
        ValueError: a shape does not fit.
    """
    i, f, g, o = all_gates(x, h_prev, W_ih, W_hh, b)
    check_same_shape(h_prev=h_prev, c_prev=c_prev)
    c_next = update_cell(c_prev, f, i, g)
    return hidden_state(o, c_next), c_next


def lstm_forward(
    x: Array,
    h0: Array,
    c0: Array,
    W_ih: Array,
    W_hh: Array,
    b: Array,
    lengths: ArrayLike | None = None,
) -> LSTMTrace:
    """The step, once for every item, with all that it computed on the way.

    A row that has ended is held: where t >= lengths[row] the gates stand at f = 1, i = g = o = 0,
    and h[t] = h[t-1], c[t] = c[t-1], whatever x[t] holds. So the last h and c are each row's last
    true states.

    Shapes: x (T, B, I), h0 and c0 (B, H), W_ih (4H, I), W_hh (4H, H), b (4H,), blocks in the order
    i, f, g, o, lengths (B,) whole numbers in 0 … T; returns h, c, i, f, g, o, each (T, B, H).

    Raises:
        ValueError: a shape or a length does not fit.
    """
    check_shapes(
        W_hh=(W_hh, "4H H"),
        W_ih=(W_ih, "4H I"),
        b=(b, "4H"),
        x=(x, "T B I"),
        h0=(h0, "B H"),
        c0=(c0, "B H"),
    )
    T, B, _ = x.shape
    lengths = check_lengths(lengths, T, B)
    shape, dtype = (T, *h0.shape), np.result_type(x, h0, c0, W_ih, W_hh, b)
    h, c, i, f, g, o = (np.zeros(shape, dtype) for _ in LSTMTrace._fields)

    h_prev, c_prev = h0, c0
    for t in range(T):
        rows = active_rows(t, lengths)
        h[t], c[t], f[t] = h_prev, c_prev, 1
        gates = all_gates(x[t, rows], h_prev[rows], W_ih, W_hh, b)
        i[t, rows], f[t, rows], g[t, rows], o[t, rows] = gates
        c[t, rows] = update_cell(c_prev[rows], f[t, rows], i[t, rows], g[t, rows])
        h[t, rows] = hidden_state(o[t, rows], c[t, rows])
        h_prev, c_prev = h[t], c[t]
    return LSTMTrace(h, c, i, f, g, o)


# Backward, derivative by derivative. All of these work entry by entry on arrays of one shape,
# (B, H) as a rule.


def d_output_gate(dh: Array, c: Array) -> Array:
    """h = o ⊙ tanh(c), so do = dh ⊙ tanh(c)."""
    check_same_shape(dh=dh, c=c)
    return dh * np.tanh(c)


def d_cell(dh: Array, dc_next: Array, o: Array, c: Array) -> Array:
    """c goes two ways, into h and along the belt: dc = dc_next + dh ⊙ o ⊙ (1 - tanh²(c)).

    ``dc_next`` is what comes back along the belt from the step after, ``d_cell_prev`` of that step.
    """
    check_same_shape(dh=dh, dc_next=dc_next, o=o, c=c)
    return dc_next + dh * o * (1 - np.tanh(c) ** 2)


def d_forget_gate(dc: Array, c_prev: Array) -> Array:
    """c = f ⊙ c_prev + i ⊙ g, so the forget gate has df = dc ⊙ c_prev."""
    check_same_shape(dc=dc, c_prev=c_prev)
    return dc * c_prev


def d_input_gate(dc: Array, g: Array) -> Array:
    """c = f ⊙ c_prev + i ⊙ g, so the input gate has di = dc ⊙ g."""
    check_same_shape(dc=dc, g=g)
    return dc * g


def d_candidate(dc: Array, i: Array) -> Array:
    """c = f ⊙ c_prev + i ⊙ g, so the candidate has dg = dc ⊙ i."""
    check_same_shape(dc=dc, i=i)
    return dc * i


def d_cell_prev(dc: Array, f: Array) -> Array:
    """c = f ⊙ c_prev + i ⊙ g, so the belt has dc_prev = dc ⊙ f: one factor a step, no matrix."""
    check_same_shape(dc=dc, f=f)
    return dc * f


def d_preactivations(
    di: Array, df: Array, dg: Array, do: Array, i: Array, f: Array, g: Array, o: Array
) -> Array:
    """Back through σ and tanh, whose slopes are σ(1 - σ) and 1 - tanh², at the activated values.

    da_i = di ⊙ i(1 - i),  da_f = df ⊙ f(1 - f),  da_g = dg ⊙ (1 - g²),  da_o = do ⊙ o(1 - o),
    stacked in the order of the weights: eight (B, H) in, (B, 4H) out.
    """
    check_same_shape(di=di, df=df, dg=dg, do=do, i=i, f=f, g=g, o=o)
    da_i, da_f, da_o = di * i * (1 - i), df * f * (1 - f), do * o * (1 - o)
    da_g = dg * (1 - g**2)
    return np.concatenate([da_i, da_f, da_g, da_o], axis=-1)


def lstm_step_backward(
    dh: Array,
    dc_next: Array,
    c_prev: Array,
    c: Array,
    i: Array,
    f: Array,
    g: Array,
    o: Array,
) -> tuple[Array, Array]:
    """Back through one step: (dh, dc_next) -> the pre-activations' da (B, 4H) and dc_prev (B, H).

    The rest is what a plain recurrent network does with its da: ``d_x``, ``d_h_prev``,
    ``d_weights``. Shapes of the arguments: each (B, H).
    """
    do = d_output_gate(dh, c)
    dc = d_cell(dh, dc_next, o, c)
    df, di, dg = d_forget_gate(dc, c_prev), d_input_gate(dc, g), d_candidate(dc, i)
    return d_preactivations(di, df, dg, do, i, f, g, o), d_cell_prev(dc, f)


def lstm_backward(
    dh: Array,
    dc_last: Array,
    x: Array,
    h0: Array,
    c0: Array,
    trace: LSTMTrace,
    W_ih: Array,
    W_hh: Array,
    lengths: ArrayLike | None = None,
) -> LSTMGradients:
    """Backpropagation through time, the full gradient (Graves and Schmidhuber, 2005).

    dh[t] is the derivative of the loss by h[t] as the loss sees it, without the path through later
    steps: that path is what this function adds. ``dc_last`` is the same for the last cell state. A
    held step hands both gradients on untouched.

    Shapes: dh and each array of the trace (T, B, H), dc_last, h0 and c0 (B, H), x (T, B, I),
    W_ih (4H, I), W_hh (4H, H), lengths (B,) as in the forward pass; returns gradients x (T, B, I),
    h0 and c0 (B, H), W_ih (4H, I), W_hh (4H, H), b (4H,).

    Raises:
        ValueError: a shape or a length does not fit.
    """
    _check_backward(dh, dc_last, x, h0, c0, trace, W_ih, W_hh)
    T, B, _ = x.shape
    lengths = check_lengths(lengths, T, B)
    dtype = np.result_type(dh, dc_last, x, h0, c0, trace.h, W_ih, W_hh)
    dx, dh_t, dc_t = np.zeros(x.shape, dtype), np.zeros(h0.shape, dtype), dc_last.astype(dtype)
    dW_ih, dW_hh = np.zeros(W_ih.shape, dtype), np.zeros(W_hh.shape, dtype)
    db = np.zeros(len(W_hh), dtype)

    for t in reversed(range(T)):
        rows = active_rows(t, lengths)
        _, c, i, f, g, o = (kept[t, rows] for kept in trace)
        h_prev, c_prev = (trace.h[t - 1], trace.c[t - 1]) if t > 0 else (h0, c0)
        dh_t += dh[t]
        da, dc_t[rows] = lstm_step_backward(dh_t[rows], dc_t[rows], c_prev[rows], c, i, f, g, o)
        dx[t, rows] = d_x(da, W_ih)
        dh_t[rows] = d_h_prev(da, W_hh)
        dW_ih_t, dW_hh_t, db_t = d_weights(da, x[t, rows], h_prev[rows])
        dW_ih += dW_ih_t
        dW_hh += dW_hh_t
        db += db_t
    return LSTMGradients(dx, dh_t, dc_t, dW_ih, dW_hh, db)


def _check_backward(
    dh: Array,
    dc_last: Array,
    x: Array,
    h0: Array,
    c0: Array,
    trace: LSTMTrace,
    W_ih: Array,
    W_hh: Array,
) -> None:
    check_shapes(
        W_hh=(W_hh, "4H H"),
        W_ih=(W_ih, "4H I"),
        x=(x, "T B I"),
        h0=(h0, "B H"),
        c0=(c0, "B H"),
        dh=(dh, "T B H"),
        dc_last=(dc_last, "B H"),
        **{f"trace.{name}": (kept, "T B H") for name, kept in trace._asdict().items()},
    )
