"""The GRU in NumPy: one function a gate, one a derivative, then the sequence both ways.

Forward (Cho et al., 2014; named by Chung et al., 2014), with the candidate in one of two forms:

    r = σ(W_xr x + W_hr h_prev + b_r)                      how much of the past the candidate hears
    z = σ(W_xz x + W_hz h_prev + b_z)                      how much of the past stays
    n = tanh(W_xn x + b_xn + W_hn (r ⊙ h_prev) + b_hn)     reset="before" the product, or
    n = tanh(W_xn x + b_xn + r ⊙ (W_hn h_prev + b_hn))     reset="after" it
    h = (1 - z) ⊙ n + z ⊙ h_prev

"before" is the final version of Cho et al. and the default of ONNX; "after" is their first version,
and what cuDNN and PyTorch compute. Here z keeps the old state, as in Cho et al. and PyTorch; in
Chung et al. it lets in the new one.

Shapes: T steps, B rows, I inputs, H hidden units; time comes first, and one item is a row, so that
W x is written ``x @ W.T``. The stacked arrays W_ih (3H, I), W_hh (3H, H), b_ih and b_hh (3H,) hold
their blocks in PyTorch's order r, z, n. There are two biases, as in PyTorch, because "after" puts
b_hn inside the reset; the other five blocks only meet as sums. float32 stays float32. ``dz`` means
the derivative of the loss by z.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lstmkit.lstm.equations import sigmoid
from lstmkit.rnn.equations import d_h_prev, d_x, preactivation
from lstmkit.shapes import Array, active_rows, check_lengths, check_same_shape, check_shapes

RESETS = ("before", "after")


class GRUTrace(NamedTuple):
    """All that a forward pass computed, each (T, B, H): state, gates, candidate, and m.

    m is what the reset gate multiplies: h_prev for "before", W_hn h_prev + b_hn for "after".
    """

    h: Array
    r: Array
    z: Array
    n: Array
    m: Array


class GRUGradients(NamedTuple):
    """Derivatives of the loss by each argument of ``gru_forward``, in that argument's shape."""

    x: Array
    h0: Array
    W_ih: Array
    W_hh: Array
    b_ih: Array
    b_hh: Array


# Forward, gate by gate


def reset_gate(x: Array, h_prev: Array, W_xr: Array, W_hr: Array, b_r: Array) -> Array:
    """How much of each entry of the past the candidate hears: r = σ(W_xr x + W_hr h_prev + b_r).

    Cho et al. (2014).
    Shapes: x (B, I), h_prev (B, H), W_xr (H, I), W_hr (H, H), b_r (H,); returns (B, H) in (0, 1).

    Raises:
        ValueError: a shape does not fit.
    """
    check_shapes(
        W_xr=(W_xr, "H I"), W_hr=(W_hr, "H H"), b_r=(b_r, "H"), x=(x, "B I"), h_prev=(h_prev, "B H")
    )
    return sigmoid(preactivation(x, h_prev, W_xr, W_hr, b_r))


def update_gate(x: Array, h_prev: Array, W_xz: Array, W_hz: Array, b_z: Array) -> Array:
    """How much of each entry of the past stays: z = σ(W_xz x + W_hz h_prev + b_z).

    Cho et al. (2014).
    Shapes: x (B, I), h_prev (B, H), W_xz (H, I), W_hz (H, H), b_z (H,); returns (B, H) in (0, 1).

    Raises:
        ValueError: a shape does not fit.
    """
    check_shapes(
        W_xz=(W_xz, "H I"), W_hz=(W_hz, "H H"), b_z=(b_z, "H"), x=(x, "B I"), h_prev=(h_prev, "B H")
    )
    return sigmoid(preactivation(x, h_prev, W_xz, W_hz, b_z))


def candidate_reset_before(
    x: Array, h_prev: Array, r: Array, W_xn: Array, W_hn: Array, b_xn: Array, b_hn: Array
) -> Array:
    """The reset first, then the product: n = tanh(W_xn x + b_xn + W_hn (r ⊙ h_prev) + b_hn).

    Cho et al. (2014), final version.
    Shapes: x (B, I), h_prev and r (B, H), W_xn (H, I), W_hn (H, H), b_xn and b_hn (H,); returns
    (B, H) in (-1, 1).

    Raises:
        ValueError: a shape does not fit.
    """
    _check_candidate(x, h_prev, r, W_xn, W_hn, b_xn, b_hn)
    return np.tanh(x @ W_xn.T + b_xn + (r * h_prev) @ W_hn.T + b_hn)


def candidate_reset_after(
    x: Array, h_prev: Array, r: Array, W_xn: Array, W_hn: Array, b_xn: Array, b_hn: Array
) -> Array:
    """The product first, then the reset: n = tanh(W_xn x + b_xn + r ⊙ (W_hn h_prev + b_hn)).

    Cho et al. (2014), first version; cuDNN and ``torch.nn.GRU``.
    Shapes: x (B, I), h_prev and r (B, H), W_xn (H, I), W_hn (H, H), b_xn and b_hn (H,); returns
    (B, H) in (-1, 1).

    Raises:
        ValueError: a shape does not fit.
    """
    _check_candidate(x, h_prev, r, W_xn, W_hn, b_xn, b_hn)
    return np.tanh(x @ W_xn.T + b_xn + r * (h_prev @ W_hn.T + b_hn))


def update_state(h_prev: Array, z: Array, n: Array) -> Array:
    """Between old and new: h = (1 - z) ⊙ n + z ⊙ h_prev.

    Shapes: all of one shape, (B, H) as a rule.

    Raises:
        ValueError: two shapes differ.
    """
    check_same_shape(h_prev=h_prev, z=z, n=n)
    return (1 - z) * n + z * h_prev


def all_gates(
    x: Array,
    h_prev: Array,
    W_ih: Array,
    W_hh: Array,
    b_ih: Array,
    b_hh: Array,
    reset: str = "after",
) -> tuple[Array, Array, Array, Array]:
    """r, z and n from the stacked weights, and m, what r multiplies.

    With the reset after the product, all three blocks of W_hh can meet h_prev in one product. With
    the reset before it, the block of n has to wait for r: two products, one after the other.

    Shapes: x (B, I), h_prev (B, H), W_ih (3H, I), W_hh (3H, H), b_ih and b_hh (3H,); returns r, z,
    n, m, each (B, H).

    Raises:
        ValueError: a shape does not fit, or ``reset`` is neither "before" nor "after".
    """
    _check_reset(reset)
    check_shapes(
        W_hh=(W_hh, "3H H"),
        W_ih=(W_ih, "3H I"),
        b_ih=(b_ih, "3H"),
        b_hh=(b_hh, "3H"),
        x=(x, "B I"),
        h_prev=(h_prev, "B H"),
    )
    W_hr, W_hz, W_hn = np.split(W_hh, 3)
    b_hr, b_hz, b_hn = np.split(b_hh, 3)
    a_r, a_z, a_n = np.split(x @ W_ih.T + b_ih, 3, axis=-1)
    r, z = sigmoid(a_r + h_prev @ W_hr.T + b_hr), sigmoid(a_z + h_prev @ W_hz.T + b_hz)
    if reset == "after":
        m = h_prev @ W_hn.T + b_hn
        return r, z, np.tanh(a_n + r * m), m
    return r, z, np.tanh(a_n + (r * h_prev) @ W_hn.T + b_hn), h_prev


def gru_step(
    x: Array,
    h_prev: Array,
    W_ih: Array,
    W_hh: Array,
    b_ih: Array,
    b_hh: Array,
    reset: str = "after",
) -> Array:
    """One step of the whole cell, h_prev -> h_next.

    Shapes: x (B, I), h_prev (B, H), W_ih (3H, I), W_hh (3H, H), b_ih and b_hh (3H,), blocks in the
    order r, z, n; returns h_next (B, H).

    Raises:
        ValueError: a shape does not fit, or ``reset`` is neither "before" nor "after".
    """
    _, z, n, _ = all_gates(x, h_prev, W_ih, W_hh, b_ih, b_hh, reset)
    return update_state(h_prev, z, n)


def gru_forward(
    x: Array,
    h0: Array,
    W_ih: Array,
    W_hh: Array,
    b_ih: Array,
    b_hh: Array,
    lengths: ArrayLike | None = None,
    reset: str = "after",
) -> GRUTrace:
    """The step, once for every item, with all that it computed on the way.

    A row that has ended is held: where t >= lengths[row] the gates stand at z = 1, r = n = m = 0,
    and h[t] = h[t-1], whatever x[t] holds. So the last h is each row's last true state.

    Shapes: x (T, B, I), h0 (B, H), W_ih (3H, I), W_hh (3H, H), b_ih and b_hh (3H,), blocks in the
    order r, z, n, lengths (B,) whole numbers in 0 … T; returns h, r, z, n, m, each (T, B, H).

    Raises:
        ValueError: a shape or a length does not fit, or ``reset`` is neither "before" nor "after".
    """
    _check_reset(reset)
    check_shapes(
        W_hh=(W_hh, "3H H"),
        W_ih=(W_ih, "3H I"),
        b_ih=(b_ih, "3H"),
        b_hh=(b_hh, "3H"),
        x=(x, "T B I"),
        h0=(h0, "B H"),
    )
    T, B, _ = x.shape
    lengths = check_lengths(lengths, T, B)
    shape, dtype = (T, *h0.shape), np.result_type(x, h0, W_ih, W_hh, b_ih, b_hh)
    h, r, z, n, m = (np.zeros(shape, dtype) for _ in GRUTrace._fields)

    h_prev = h0
    for t in range(T):
        rows = active_rows(t, lengths)
        h[t], z[t] = h_prev, 1
        gates = all_gates(x[t, rows], h_prev[rows], W_ih, W_hh, b_ih, b_hh, reset)
        r[t, rows], z[t, rows], n[t, rows], m[t, rows] = gates
        h[t, rows] = update_state(h_prev[rows], z[t, rows], n[t, rows])
        h_prev = h[t]
    return GRUTrace(h, r, z, n, m)


# Backward, derivative by derivative. The first four work entry by entry on arrays of one shape,
# (B, H) as a rule.


def d_update(dh: Array, h_prev: Array, n: Array) -> Array:
    """h = (1 - z) ⊙ n + z ⊙ h_prev, so the update gate has dz = dh ⊙ (h_prev - n)."""
    check_same_shape(dh=dh, h_prev=h_prev, n=n)
    return dh * (h_prev - n)


def d_candidate(dh: Array, z: Array) -> Array:
    """h = (1 - z) ⊙ n + z ⊙ h_prev, so the candidate has dn = dh ⊙ (1 - z)."""
    check_same_shape(dh=dh, z=z)
    return dh * (1 - z)


def d_state_prev(dh: Array, z: Array) -> Array:
    """h = (1 - z) ⊙ n + z ⊙ h_prev: along the line itself, dh ⊙ z, one factor a step."""
    check_same_shape(dh=dh, z=z)
    return dh * z


def d_reset(dp: Array, m: Array) -> Array:
    """r stands in p = r ⊙ m and nowhere else, so the reset gate has dr = dp ⊙ m."""
    check_same_shape(dp=dp, m=m)
    return dp * m


def gru_step_backward(
    dh: Array,
    h_prev: Array,
    r: Array,
    z: Array,
    n: Array,
    m: Array,
    W_hh: Array,
    reset: str = "after",
) -> tuple[Array, Array, Array]:
    """Back through one step: dh -> da_x and da_h, each (B, 3H), and dh_prev (B, H).

    da_x is the derivative by W_ih x + b_ih, and da_h that by what W_hh makes, b_hh added. The two
    are equal but for n's block when the reset comes after: there da_h is r ⊙ da_x.

    Shapes of the other arguments: dh, h_prev, r, z, n, m (B, H), W_hh (3H, H).

    Raises:
        ValueError: a shape does not fit, or ``reset`` is neither "before" nor "after".
    """
    _check_reset(reset)
    check_shapes(W_hh=(W_hh, "3H H"), dh=(dh, "B H"))
    W_hr, W_hz, W_hn = np.split(W_hh, 3)
    da_n = d_candidate(dh, z) * (1 - n**2)
    # p = r ⊙ m goes into n's pre-activation as it is, or through W_hn.
    dp = da_n if reset == "after" else d_h_prev(da_n, W_hn)
    da_r = d_reset(dp, m) * r * (1 - r)
    da_z = d_update(dh, h_prev, n) * z * (1 - z)
    dm, da_hn = dp * r, da_n * r if reset == "after" else da_n
    dh_prev = d_state_prev(dh, z) + d_h_prev(da_r, W_hr) + d_h_prev(da_z, W_hz)
    dh_prev += d_h_prev(dm, W_hn) if reset == "after" else dm
    da_x, da_h = (np.concatenate([da_r, da_z, block], axis=-1) for block in (da_n, da_hn))
    return da_x, da_h, dh_prev


def gru_backward(
    dh: Array,
    x: Array,
    h0: Array,
    trace: GRUTrace,
    W_ih: Array,
    W_hh: Array,
    lengths: ArrayLike | None = None,
    reset: str = "after",
) -> GRUGradients:
    """Backpropagation through time (Rumelhart, Hinton and Williams, 1986; Werbos, 1990).

    dh[t] is the derivative of the loss by h[t] as the loss sees it, without the path through later
    steps: that path is what this function adds. A held step hands its gradient on untouched.

    Shapes: dh and each array of the trace (T, B, H), h0 (B, H), x (T, B, I), W_ih (3H, I),
    W_hh (3H, H), lengths (B,) as in the forward pass; returns gradients x (T, B, I), h0 (B, H),
    W_ih (3H, I), W_hh (3H, H), b_ih and b_hh (3H,).

    Raises:
        ValueError: a shape or a length does not fit, or ``reset`` is neither "before" nor "after".
    """
    _check_reset(reset)
    check_shapes(
        W_hh=(W_hh, "3H H"),
        W_ih=(W_ih, "3H I"),
        x=(x, "T B I"),
        h0=(h0, "B H"),
        dh=(dh, "T B H"),
        **{f"trace.{name}": (kept, "T B H") for name, kept in trace._asdict().items()},
    )
    T, B, _ = x.shape
    lengths = check_lengths(lengths, T, B)
    dtype = np.result_type(dh, x, h0, trace.h, W_ih, W_hh)
    dx, dh_t = np.zeros(x.shape, dtype), np.zeros(h0.shape, dtype)
    dW_ih, dW_hh = np.zeros(W_ih.shape, dtype), np.zeros(W_hh.shape, dtype)
    db_ih, db_hh = np.zeros(len(W_ih), dtype), np.zeros(len(W_hh), dtype)

    for t in reversed(range(T)):
        rows = active_rows(t, lengths)
        _, r, z, n, m = (kept[t, rows] for kept in trace)
        h_prev = (trace.h[t - 1] if t > 0 else h0)[rows]
        dh_t += dh[t]
        da_x, da_h, dh_t[rows] = gru_step_backward(dh_t[rows], h_prev, r, z, n, m, W_hh, reset)
        dx[t, rows] = d_x(da_x, W_ih)
        dW_ih += da_x.T @ x[t, rows]
        dW_hh += _d_recurrent_weights(da_h, h_prev, r, reset)
        db_ih += da_x.sum(axis=0)
        db_hh += da_h.sum(axis=0)
    return GRUGradients(dx, dh_t, dW_ih, dW_hh, db_ih, db_hh)


def _d_recurrent_weights(da_h: Array, h_prev: Array, r: Array, reset: str) -> Array:
    """One step's share of dW_hh: da_h h_prevᵀ; before the product, n's block met r ⊙ h_prev."""
    dW_hh = da_h.T @ h_prev
    if reset == "before":
        block_n = slice(-h_prev.shape[1], None)
        dW_hh[block_n] = da_h[:, block_n].T @ (r * h_prev)
    return dW_hh


def _check_candidate(
    x: Array, h_prev: Array, r: Array, W_xn: Array, W_hn: Array, b_xn: Array, b_hn: Array
) -> None:
    check_shapes(
        W_xn=(W_xn, "H I"),
        W_hn=(W_hn, "H H"),
        b_xn=(b_xn, "H"),
        b_hn=(b_hn, "H"),
        x=(x, "B I"),
        h_prev=(h_prev, "B H"),
        r=(r, "B H"),
    )


def _check_reset(reset: str) -> None:
    if reset not in RESETS:
        raise ValueError(f'reset should be "before" or "after", got {reset!r}')
