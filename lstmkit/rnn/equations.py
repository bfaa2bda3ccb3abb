"""The plain recurrent network in NumPy: one function a step of the derivation.

Forward (Elman, 1990):

    a_t = W_ih x_t + W_hh h_{t-1} + b
    h_t = tanh(a_t)

Backward, through time (Rumelhart, Hinton and Williams, 1986; Werbos, 1990), where dh_t gathers what
the loss says at step t and what comes back from step t + 1:

    da_t     = dh_t ⊙ (1 - h_t²)
    dx_t     = W_ihᵀ da_t
    dh_{t-1} = W_hhᵀ da_t
    dW_ih    = Σ_t da_t x_tᵀ        dW_hh = Σ_t da_t h_{t-1}ᵀ        db = Σ_t da_t

Shapes: T steps, B rows, I inputs, H hidden units; time comes first, and one item is a row, so that
W x is written ``x @ W.T``. float32 stays float32. ``dx`` means the derivative of the loss by x.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lstmkit.shapes import Array, active_rows, check_lengths, check_same_shape, check_shapes

NONLINEARITIES = ("tanh", "relu")


class RNNGradients(NamedTuple):
    """Derivatives of the loss by each argument of ``rnn_forward``, in that argument's shape."""

    x: Array
    h0: Array
    W_ih: Array
    W_hh: Array
    b: Array


def preactivation(x: Array, h_prev: Array, W_ih: Array, W_hh: Array, b: Array) -> Array:
    """What every unit hears: a = W_ih x + W_hh h_prev + b.

    Shapes, for G rows of weights (H here, 4H in an LSTM): x (B, I), h_prev (B, H), W_ih (G, I),
    W_hh (G, H), b (G,); returns (B, G). Its callers check them.
    """
    return x @ W_ih.T + h_prev @ W_hh.T + b


def activation(a: Array, nonlinearity: str = "tanh") -> Array:
    """tanh(a) or relu(a), entry by entry.

    Raises:
        ValueError: ``nonlinearity`` is neither "tanh" nor "relu".
    """
    _check_nonlinearity(nonlinearity)
    return np.tanh(a) if nonlinearity == "tanh" else np.maximum(a, 0)


def rnn_step(
    x: Array, h_prev: Array, W_ih: Array, W_hh: Array, b: Array, nonlinearity: str = "tanh"
) -> Array:
    """One step: h_next = tanh(W_ih x + W_hh h_prev + b) (Elman, 1990).

    Shapes: x (B, I), h_prev (B, H), W_ih (H, I), W_hh (H, H), b (H,); returns h_next (B, H).

    Raises:
        ValueError: a shape does not fit, or ``nonlinearity`` is neither "tanh" nor "relu".
    """
    check_shapes(
        W_ih=(W_ih, "H I"), W_hh=(W_hh, "H H"), b=(b, "H"), x=(x, "B I"), h_prev=(h_prev, "B H")
    )
    return activation(preactivation(x, h_prev, W_ih, W_hh, b), nonlinearity)


def rnn_forward(
    x: Array,
    h0: Array,
    W_ih: Array,
    W_hh: Array,
    b: Array,
    lengths: ArrayLike | None = None,
    nonlinearity: str = "tanh",
) -> Array:
    """The step, once for every item: h[t] = tanh(W_ih x[t] + W_hh h[t-1] + b), with h[-1] = h0.

    A row that has ended is held: h[t] = h[t-1] where t >= lengths[row], whatever x[t] holds. So the
    last h is each row's last true state.

    Shapes: x (T, B, I), h0 (B, H), W_ih (H, I), W_hh (H, H), b (H,), lengths (B,) whole numbers
    in 0 … T; returns h (T, B, H).

    Raises:
        ValueError: a shape or a length does not fit, or ``nonlinearity`` is not known.
    """
    check_shapes(W_ih=(W_ih, "H I"), W_hh=(W_hh, "H H"), b=(b, "H"), x=(x, "T B I"), h0=(h0, "B H"))
    _check_nonlinearity(nonlinearity)
    T, B, _ = x.shape
    lengths = check_lengths(lengths, T, B)

    h = np.empty((T, *h0.shape), np.result_type(x, h0, W_ih, W_hh, b))
    h_prev = h0
    for t in range(T):
        rows = active_rows(t, lengths)
        h[t] = h_prev
        h[t, rows] = rnn_step(x[t, rows], h_prev[rows], W_ih, W_hh, b, nonlinearity)
        h_prev = h[t]
    return h


def d_preactivation(dh: Array, h: Array, nonlinearity: str = "tanh") -> Array:
    """Back through the nonlinearity: da = dh ⊙ (1 - h²) for tanh, dh ⊙ [h > 0] for relu.

    Both slopes are written with the activated h, which the forward pass has kept.

    Shapes: dh and h (B, H); returns (B, H).
    """
    _check_nonlinearity(nonlinearity)
    check_same_shape(h=h, dh=dh)
    return dh * (1 - h**2) if nonlinearity == "tanh" else dh * (h > 0)


def d_x(da: Array, W_ih: Array) -> Array:
    """Back to the input: dx = W_ihᵀ da.

    Shapes, for G rows of weights (H here, 4H in an LSTM): da (B, G), W_ih (G, I); returns (B, I).
    """
    check_shapes(W_ih=(W_ih, "G I"), da=(da, "B G"))
    return da @ W_ih


def d_h_prev(da: Array, W_hh: Array) -> Array:
    """Back along the loop: dh_prev = W_hhᵀ da.

    Shapes, for G rows of weights (H here, 4H in an LSTM): da (B, G), W_hh (G, H); returns (B, H).
    """
    check_shapes(W_hh=(W_hh, "G H"), da=(da, "B G"))
    return da @ W_hh


def d_weights(da: Array, x: Array, h_prev: Array) -> tuple[Array, Array, Array]:
    """One step's share of dW_ih = da xᵀ, dW_hh = da h_prevᵀ and db = da, summed over the rows.

    Shapes, for G rows of weights (H here, 4H in an LSTM): da (B, G), x (B, I), h_prev (B, H);
    returns dW_ih (G, I), dW_hh (G, H), db (G,).
    """
    check_shapes(da=(da, "B G"), x=(x, "B I"), h_prev=(h_prev, "B H"))
    return da.T @ x, da.T @ h_prev, da.sum(axis=0)


def rnn_backward(
    dh: Array,
    x: Array,
    h0: Array,
    h: Array,
    W_ih: Array,
    W_hh: Array,
    lengths: ArrayLike | None = None,
    nonlinearity: str = "tanh",
) -> RNNGradients:
    """Backpropagation through time (Rumelhart, Hinton and Williams, 1986; Werbos, 1990).

    dh[t] is the derivative of the loss by h[t] as the loss sees it, without the path through later
    steps: that path is what this function adds. A held step hands its gradient on untouched.

    Shapes: dh and h (T, B, H), x (T, B, I), h0 (B, H), W_ih (H, I), W_hh (H, H), lengths (B,);
    returns gradients x (T, B, I), h0 (B, H), W_ih (H, I), W_hh (H, H), b (H,).

    Raises:
        ValueError: a shape or a length does not fit, or ``nonlinearity`` is not known.
    """
    check_shapes(
        W_ih=(W_ih, "H I"),
        W_hh=(W_hh, "H H"),
        x=(x, "T B I"),
        h0=(h0, "B H"),
        h=(h, "T B H"),
        dh=(dh, "T B H"),
    )
    T, B, _ = x.shape
    lengths = check_lengths(lengths, T, B)
    dtype = np.result_type(dh, x, h0, h, W_ih, W_hh)
    dx, dh_t = np.zeros(x.shape, dtype), np.zeros(h0.shape, dtype)
    dW_ih, dW_hh = np.zeros(W_ih.shape, dtype), np.zeros(W_hh.shape, dtype)
    db = np.zeros(len(W_hh), dtype)

    for t in reversed(range(T)):
        rows = active_rows(t, lengths)
        h_prev = h[t - 1] if t > 0 else h0
        dh_t += dh[t]
        da = d_preactivation(dh_t[rows], h[t, rows], nonlinearity)
        dx[t, rows] = d_x(da, W_ih)
        dh_t[rows] = d_h_prev(da, W_hh)
        dW_ih_t, dW_hh_t, db_t = d_weights(da, x[t, rows], h_prev[rows])
        dW_ih += dW_ih_t
        dW_hh += dW_hh_t
        db += db_t
    return RNNGradients(dx, dh_t, dW_ih, dW_hh, db)


def _check_nonlinearity(nonlinearity: str) -> None:
    if nonlinearity not in NONLINEARITIES:
        raise ValueError(f'nonlinearity should be "tanh" or "relu", got {nonlinearity!r}')
