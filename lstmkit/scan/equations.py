"""minGRU and minLSTM in NumPy (Feng et al., 2024): gates that do not see h, all steps at once.

minGRU                                      minLSTM
    z = σ(W_xz x + b_z)                         i, f = σ(W_xi x + b_i), σ(W_xf x + b_f)
    n = W_xn x + b_n                            g = W_xg x + b_g
    h = (1 - z) ⊙ h_prev + z ⊙ n                h = f / (f + i) ⊙ h_prev + i / (f + i) ⊙ g

Both are the linear recurrence of ``lstmkit.scan.recurrence``, h = a ⊙ h_prev + u. What it costs: a
gate that does not see h cannot act on what has been; parity is out of reach. In the paper's minGRU,
z lets in the new state; in ``lstmkit.gru``, as in PyTorch, z keeps the old one.

``candidate="positive"`` passes n (or g) through y + ½ for y ≥ 0, σ(y) for y < 0, which is what the
paper's log form needs. ``scan`` chooses how the recurrence is computed: "loop", "doubling", or
"log" (positive candidates, h0 ≥ 0); the result is the same but for rounding.

Shapes: T steps, B rows, I inputs, H hidden units, time first. W_ih (2H, I) and b (2H,) hold their
blocks in the order z, n; W_ih (3H, I) and b (3H,) of the minLSTM in the order i, f, g. float32
stays float32.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lstmkit.lstm.equations import sigmoid
from lstmkit.scan.recurrence import (
    Scan,
    linear_backward,
    linear_doubling,
    linear_log,
    linear_loop,
)
from lstmkit.shapes import Array, check_lengths, check_shapes

CANDIDATES = ("linear", "positive")
SCANS: dict[str, Scan] = {"loop": linear_loop, "doubling": linear_doubling}


class MinGRUTrace(NamedTuple):
    """What a forward pass computed, each (T, B, H): state, update gate, candidate."""

    h: Array
    z: Array
    n: Array


class MinLSTMTrace(NamedTuple):
    """What a forward pass computed, each (T, B, H): state, gates, candidate, and the gates' shares.

    keep = f / (f + i) and write = i / (f + i).
    """

    h: Array
    i: Array
    f: Array
    g: Array
    keep: Array
    write: Array


class MinGradients(NamedTuple):
    """Derivatives of the loss by each argument of a forward pass, in that argument's shape."""

    x: Array
    h0: Array
    W_ih: Array
    b: Array


def log_sigmoid(y: Array) -> Array:
    """log σ(y) = -log(1 + e⁻ʸ), finite for every finite y."""
    return -np.logaddexp(0, -y)


def candidate_value(y: Array, candidate: str = "linear") -> Array:
    """y itself, or, "positive", y + ½ for y ≥ 0 and σ(y) for y < 0 (Feng et al., 2024).

    Raises:
        ValueError: ``candidate`` is neither "linear" nor "positive".
    """
    _check_candidate(candidate)
    return y if candidate == "linear" else np.where(y >= 0, y + 0.5, sigmoid(y))


def d_candidate_value(dn: Array, n: Array, candidate: str = "linear") -> Array:
    """Back through the candidate, its slope written with its value: 1, or n(1 - n) below ½.

    Raises:
        ValueError: ``candidate`` is neither "linear" nor "positive".
    """
    _check_candidate(candidate)
    return dn if candidate == "linear" else dn * np.where(n >= 0.5, 1, n * (1 - n))


def shares(a_i: Array, a_f: Array) -> tuple[Array, Array]:
    """keep = f / (f + i) and write = i / (f + i) from the gates' pre-activations.

    Written as σ(± (log f - log i)), the same number, which holds where both gates round to zero.
    """
    ratio = log_sigmoid(a_f) - log_sigmoid(a_i)
    return sigmoid(ratio), sigmoid(-ratio)


# minGRU


def min_gru_step(
    x: Array, h_prev: Array, W_ih: Array, b: Array, candidate: str = "linear"
) -> Array:
    """One step: h = (1 - z) ⊙ h_prev + z ⊙ n (Feng et al., 2024).

    Shapes: x (B, I), h_prev (B, H), W_ih (2H, I), b (2H,), blocks z, n; returns (B, H).

    Raises:
        ValueError: a shape does not fit, or ``candidate`` is not known.
    """
    check_shapes(h_prev=(h_prev, "B H"), W_ih=(W_ih, "2H I"), b=(b, "2H"), x=(x, "B I"))
    a_z, a_n = np.split(x @ W_ih.T + b, 2, axis=-1)
    z = sigmoid(a_z)
    return (1 - z) * h_prev + z * candidate_value(a_n, candidate)


def min_gru_forward(
    x: Array,
    h0: Array,
    W_ih: Array,
    b: Array,
    lengths: ArrayLike | None = None,
    candidate: str = "linear",
    scan: str = "loop",
) -> MinGRUTrace:
    """All gates in one product, then the recurrence with a = 1 - z and u = z ⊙ n.

    A row that has ended is held: where t >= lengths[row] z = n = 0 and h[t] = h[t-1], whatever x[t]
    holds.

    Shapes: x (T, B, I), h0 (B, H), W_ih (2H, I), b (2H,), blocks z, n, lengths (B,) whole numbers
    in 0 … T; returns h, z, n, each (T, B, H).

    Raises:
        ValueError: a shape or a length does not fit, an option is not known, or the log form is
            asked for with values that may be negative.
    """
    check_shapes(h0=(h0, "B H"), W_ih=(W_ih, "2H I"), b=(b, "2H"), x=(x, "T B I"))
    _check_scan(scan, candidate, h0)
    going = _going(x, lengths)
    a_z, a_n = np.split(_valid(x, going) @ W_ih.T + b, 2, axis=-1)
    z, n = (np.where(going, y, 0) for y in (sigmoid(a_z), candidate_value(a_n, candidate)))
    if scan != "log":
        return MinGRUTrace(SCANS[scan](1 - z, z * n, h0), z, n)
    log_keep = np.where(going, log_sigmoid(-a_z), 0)
    return MinGRUTrace(_log_scan(log_keep, log_sigmoid(a_z), n, h0), z, n)


def min_gru_backward(
    dh: Array,
    x: Array,
    h0: Array,
    trace: MinGRUTrace,
    W_ih: Array,
    lengths: ArrayLike | None = None,
    candidate: str = "linear",
    scan: str = "loop",
) -> MinGradients:
    """The recurrence backwards, then dz = du ⊙ n - da and dn = du ⊙ z, then one product.

    dh[t] is the derivative of the loss by h[t] as the loss sees it. ``scan`` is "loop" or
    "doubling": gradients have signs, so there is no log form.

    Shapes: dh and each array of the trace (T, B, H), x (T, B, I), h0 (B, H), W_ih (2H, I), lengths
    (B,) as in the forward pass; returns gradients x (T, B, I), h0 (B, H), W_ih (2H, I), b (2H,).

    Raises:
        ValueError: a shape or a length does not fit, or an option is not known.
    """
    _check_backward(dh, x, h0, trace._asdict(), W_ih, "2H", scan)
    h, z, n = trace
    da, du, dh0 = linear_backward(dh, 1 - z, h0, h, SCANS[scan])
    da_z = (du * n - da) * z * (1 - z)
    da_n = d_candidate_value(du * z, n, candidate)
    return _d_linear(np.concatenate([da_z, da_n], axis=-1), x, dh0, W_ih, lengths)


# minLSTM


def min_lstm_step(
    x: Array, h_prev: Array, W_ih: Array, b: Array, candidate: str = "linear"
) -> Array:
    """One step: h = f / (f + i) ⊙ h_prev + i / (f + i) ⊙ g (Feng et al., 2024).

    Shapes: x (B, I), h_prev (B, H), W_ih (3H, I), b (3H,), blocks i, f, g; returns (B, H).

    Raises:
        ValueError: a shape does not fit, or ``candidate`` is not known.
    """
    check_shapes(h_prev=(h_prev, "B H"), W_ih=(W_ih, "3H I"), b=(b, "3H"), x=(x, "B I"))
    a_i, a_f, a_g = np.split(x @ W_ih.T + b, 3, axis=-1)
    keep, write = shares(a_i, a_f)
    return keep * h_prev + write * candidate_value(a_g, candidate)


def min_lstm_forward(
    x: Array,
    h0: Array,
    W_ih: Array,
    b: Array,
    lengths: ArrayLike | None = None,
    candidate: str = "linear",
    scan: str = "loop",
) -> MinLSTMTrace:
    """All gates in one product, then the recurrence with a = keep and u = write ⊙ g.

    A row that has ended is held: where t >= lengths[row] f = keep = 1, i = write = g = 0 and
    h[t] = h[t-1], whatever x[t] holds.

    Shapes: x (T, B, I), h0 (B, H), W_ih (3H, I), b (3H,), blocks i, f, g, lengths (B,) whole
    numbers in 0 … T; returns h, i, f, g, keep, write, each (T, B, H).

    Raises:
        ValueError: a shape or a length does not fit, an option is not known, or the log form is
            asked for with values that may be negative.
    """
    check_shapes(h0=(h0, "B H"), W_ih=(W_ih, "3H I"), b=(b, "3H"), x=(x, "T B I"))
    _check_scan(scan, candidate, h0)
    going = _going(x, lengths)
    a_i, a_f, a_g = np.split(_valid(x, going) @ W_ih.T + b, 3, axis=-1)
    keep, write = shares(a_i, a_f)
    f, keep = (np.where(going, y, 1) for y in (sigmoid(a_f), keep))
    i, write, g = (
        np.where(going, y, 0) for y in (sigmoid(a_i), write, candidate_value(a_g, candidate))
    )
    if scan != "log":
        return MinLSTMTrace(SCANS[scan](keep, write * g, h0), i, f, g, keep, write)
    ratio = log_sigmoid(a_f) - log_sigmoid(a_i)
    log_keep = np.where(going, log_sigmoid(ratio), 0)
    return MinLSTMTrace(_log_scan(log_keep, log_sigmoid(-ratio), g, h0), i, f, g, keep, write)


def min_lstm_backward(
    dh: Array,
    x: Array,
    h0: Array,
    trace: MinLSTMTrace,
    W_ih: Array,
    lengths: ArrayLike | None = None,
    candidate: str = "linear",
    scan: str = "loop",
) -> MinGradients:
    """The recurrence backwards, then through the shares to both gates, then one product.

    With s = log f - log i, keep = σ(s) and write = σ(-s): ds = (dkeep - dwrite) ⊙ keep ⊙ write,
    da_f = ds ⊙ (1 - f), da_i = -ds ⊙ (1 - i).

    Shapes: dh and each array of the trace (T, B, H), x (T, B, I), h0 (B, H), W_ih (3H, I), lengths
    (B,) as in the forward pass; returns gradients x (T, B, I), h0 (B, H), W_ih (3H, I), b (3H,).

    Raises:
        ValueError: a shape or a length does not fit, or an option is not known.
    """
    _check_backward(dh, x, h0, trace._asdict(), W_ih, "3H", scan)
    h, i, f, g, keep, write = trace
    dkeep, du, dh0 = linear_backward(dh, keep, h0, h, SCANS[scan])
    ds = (dkeep - du * g) * keep * write
    da_g = d_candidate_value(du * write, g, candidate)
    da = np.concatenate([-ds * (1 - i), ds * (1 - f), da_g], axis=-1)
    return _d_linear(da, x, dh0, W_ih, lengths)


# What both share


def _going(x: Array, lengths: ArrayLike | None) -> Array:
    """True where a row still has an item, (T, B, 1)."""
    T, B, _ = x.shape
    found = check_lengths(lengths, T, B)
    ends = np.full(B, T) if found is None else found
    return (np.arange(T)[:, None] < ends)[..., None]


def _valid(x: Array, going: Array) -> Array:
    """x with its padding, which may hold anything, set to zero."""
    return np.where(going, x, 0)


def _log_scan(log_keep: Array, log_write: Array, n: Array, h0: Array) -> Array:
    """The log form; a candidate of zero, as in held steps, and a zero in h0 become -∞."""
    with np.errstate(divide="ignore"):
        return linear_log(log_keep, log_write + np.log(n), np.log(h0))


def _d_linear(
    da: Array, x: Array, dh0: Array, W_ih: Array, lengths: ArrayLike | None
) -> MinGradients:
    """Back through a = W_ih x + b for all steps at once: dx = W_ihᵀ da, dW_ih = Σ da xᵀ, db = Σ da.

    Where a row has ended da is zero already; x may hold anything there.
    """
    x = _valid(x, _going(x, lengths))
    dW_ih = np.einsum("tbg,tbi->gi", da, x, optimize=True)
    return MinGradients(da @ W_ih, dh0, dW_ih, da.sum(axis=(0, 1)))


def _check_candidate(candidate: str) -> None:
    if candidate not in CANDIDATES:
        raise ValueError(f'candidate should be "linear" or "positive", got {candidate!r}')


def _check_scan(scan: str, candidate: str, h0: Array) -> None:
    _check_candidate(candidate)
    if scan not in (*SCANS, "log"):
        raise ValueError(f'scan should be "loop", "doubling" or "log", got {scan!r}')
    if scan == "log" and (candidate != "positive" or (h0 < 0).any()):
        raise ValueError(
            'scan="log" takes logarithms of the candidate and of h0: use candidate="positive" and '
            "an h0 without negative entries"
        )


def _check_backward(
    dh: Array,
    x: Array,
    h0: Array,
    trace: dict[str, Array],
    W_ih: Array,
    rows: str,
    scan: str,
) -> None:
    check_shapes(
        h0=(h0, "B H"),
        W_ih=(W_ih, f"{rows} I"),
        x=(x, "T B I"),
        dh=(dh, "T B H"),
        **{f"trace.{name}": (kept, "T B H") for name, kept in trace.items()},
    )
    if scan not in SCANS:
        raise ValueError(f'scan should be "loop" or "doubling" on the way back, got {scan!r}')
