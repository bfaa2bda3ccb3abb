"""Variants of the LSTM in NumPy: peepholes, coupled gates, and the cell of 1997.

Forward, with ``peepholes`` P (the three terms p ⊙ c fall away without them) and with one of three
forget gates:

    i = σ(W_xi x + W_hi h_prev + p_i ⊙ c_prev + b_i)
    f = σ(W_xf x + W_hf h_prev + p_f ⊙ c_prev + b_f)    forget="gate"
    f = 1 - i                                           forget="coupled"
    f = 1                                               forget="none"
    g = tanh(W_xg x + W_hg h_prev + b_g)
    c = f ⊙ c_prev + i ⊙ g
    o = σ(W_xo x + W_ho h_prev + p_o ⊙ c + b_o)         the new c
    h = o ⊙ tanh(c)

- Peepholes let the gates see the cell, which the output gate may hide from them (Gers and
  Schmidhuber, 2000; Gers, Schraudolph and Schmidhuber, 2002). The output gate sees the new c.
- Coupled gates write only where they erase (Greff et al., 2017, who write f = 1 - i, as here).
- "none" is the cell of Hochreiter and Schmidhuber (1997), with blocks of one cell and with tanh
  where they had scaled sigmoids. They trained it with a gradient cut short: ``truncated=True``.

The stacked arrays hold their blocks in PyTorch's order: i, f, g, o with a forget gate of its own
(4H rows), i, g, o otherwise (3H rows); P holds i, f, o (3H,) or i, o (2H,). All else is as in
``lstmkit.lstm.equations``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lstmkit.lstm.equations import (
    LSTMTrace,
    d_candidate,
    d_cell,
    d_cell_prev,
    d_forget_gate,
    d_input_gate,
    d_output_gate,
    hidden_state,
    sigmoid,
    update_cell,
)
from lstmkit.rnn.equations import d_h_prev, d_weights, d_x, preactivation
from lstmkit.shapes import Array, active_rows, check_lengths, check_same_shape, check_shapes

BLOCKS = {"gate": "ifgo", "coupled": "igo", "none": "igo"}


class VariantGradients(NamedTuple):
    """Derivatives of the loss by each argument of ``variant_forward``; P is None without any."""

    x: Array
    h0: Array
    c0: Array
    W_ih: Array
    W_hh: Array
    b: Array
    P: Array | None


def peephole_gate(
    x: Array, h_prev: Array, c: Array, W_x: Array, W_h: Array, p: Array, b: Array
) -> Array:
    """A gate that sees the cell, each entry its own: σ(W_x x + W_h h_prev + p ⊙ c + b).

    Gers and Schmidhuber (2000). c is the old cell state for the input and the forget gate, the new
    one for the output gate.
    Shapes: x (B, I), h_prev and c (B, H), W_x (H, I), W_h (H, H), p and b (H,); returns (B, H).

    Raises:
        ValueError: a shape does not fit.
    """
    check_shapes(
        W_x=(W_x, "H I"),
        W_h=(W_h, "H H"),
        p=(p, "H"),
        b=(b, "H"),
        x=(x, "B I"),
        h_prev=(h_prev, "B H"),
        c=(c, "B H"),
    )
    return sigmoid(preactivation(x, h_prev, W_x, W_h, b) + p * c)


def variant_gates(
    x: Array,
    h_prev: Array,
    c_prev: Array,
    W_ih: Array,
    W_hh: Array,
    b: Array,
    P: Array | None = None,
    forget: str = "gate",
) -> tuple[Array, Array, Array, Array, Array]:
    """The new cell state and the four that made it and show it: c, i, f, g, o, each (B, H).

    The cell comes along because a peephole of the output gate looks at it.

    Raises:
        ValueError: a shape does not fit, or ``forget`` is not "gate", "coupled" or "none".
    """
    _check_weights(W_ih, W_hh, b, P, forget, x=(x, "B I"), h_prev=(h_prev, "B H"))
    check_same_shape(h_prev=h_prev, c_prev=c_prev)
    a = _blocks(preactivation(x, h_prev, W_ih, W_hh, b), forget)
    p = _peepholes(P, forget)
    i, g = sigmoid(a["i"] + p["i"] * c_prev), np.tanh(a["g"])
    if forget == "gate":
        f = sigmoid(a["f"] + p["f"] * c_prev)
    else:
        f = 1 - i if forget == "coupled" else np.ones_like(i)
    c = update_cell(c_prev, f, i, g)
    return c, i, f, g, sigmoid(a["o"] + p["o"] * c)


def variant_step(
    x: Array,
    h_prev: Array,
    c_prev: Array,
    W_ih: Array,
    W_hh: Array,
    b: Array,
    P: Array | None = None,
    forget: str = "gate",
) -> tuple[Array, Array]:
    """One step of the whole cell, (h_prev, c_prev) -> (h_next, c_next).

    Shapes: x (B, I), h_prev and c_prev (B, H), W_ih (G, I), W_hh (G, H), b (G,), with G = 4H for
    forget="gate" and 3H otherwise, P (3H,) or (2H,); returns h_next and c_next, each (B, H).

    Raises:
        ValueError: a shape does not fit, or ``forget`` is not "gate", "coupled" or "none".
    """
    c_next, _, _, _, o = variant_gates(x, h_prev, c_prev, W_ih, W_hh, b, P, forget)
    return hidden_state(o, c_next), c_next


def variant_forward(
    x: Array,
    h0: Array,
    c0: Array,
    W_ih: Array,
    W_hh: Array,
    b: Array,
    P: Array | None = None,
    lengths: ArrayLike | None = None,
    forget: str = "gate",
) -> LSTMTrace:
    """The step, once for every item, with all that it computed on the way.

    A row that has ended is held: where t >= lengths[row] the gates stand at f = 1, i = g = o = 0,
    and h[t] = h[t-1], c[t] = c[t-1], whatever x[t] holds.

    Shapes: x (T, B, I), h0 and c0 (B, H), weights as in ``variant_step``, lengths (B,) whole
    numbers in 0 … T; returns h, c, i, f, g, o, each (T, B, H).

    Raises:
        ValueError: a shape or a length does not fit, or ``forget`` is not known.
    """
    _check_weights(W_ih, W_hh, b, P, forget, x=(x, "T B I"), h0=(h0, "B H"), c0=(c0, "B H"))
    T, B, _ = x.shape
    lengths = check_lengths(lengths, T, B)
    given = [array for array in (x, h0, c0, W_ih, W_hh, b, P) if array is not None]
    h, c, i, f, g, o = (np.zeros((T, *h0.shape), np.result_type(*given)) for _ in LSTMTrace._fields)

    h_prev, c_prev = h0, c0
    for t in range(T):
        rows = active_rows(t, lengths)
        h[t], c[t], f[t] = h_prev, c_prev, 1
        gates = variant_gates(x[t, rows], h_prev[rows], c_prev[rows], W_ih, W_hh, b, P, forget)
        c[t, rows], i[t, rows], f[t, rows], g[t, rows], o[t, rows] = gates
        h[t, rows] = hidden_state(o[t, rows], c[t, rows])
        h_prev, c_prev = h[t], c[t]
    return LSTMTrace(h, c, i, f, g, o)


def variant_step_backward(
    dh: Array,
    dc_next: Array,
    c_prev: Array,
    c: Array,
    i: Array,
    f: Array,
    g: Array,
    o: Array,
    P: Array | None = None,
    forget: str = "gate",
    truncated: bool = False,
) -> tuple[Array, Array, Array]:
    """Back through one step: (dh, dc_next) -> da, dc_prev (B, H), and this step's share of dP.

    The output gate comes first: through its peephole it adds to what the new c hears. da is
    (B, 4H) or (B, 3H), dP (3H,) or (2H,). Shapes of the other arguments: each (B, H).

    Raises:
        ValueError: a shape does not fit, or ``forget`` is not known.
    """
    _check_forget(forget)
    p = _peepholes(None if truncated else P, forget)
    da = {"o": d_output_gate(dh, c) * o * (1 - o)}
    dc = d_cell(dh, dc_next, o, c) + da["o"] * p["o"]
    di, df = d_input_gate(dc, g), d_forget_gate(dc, c_prev)
    if forget == "coupled":
        di = di - df
    da["i"], da["f"] = di * i * (1 - i), df * f * (1 - f)
    da["g"] = d_candidate(dc, i) * (1 - g**2)
    dc_prev = d_cell_prev(dc, f) + da["i"] * p["i"]
    if forget == "gate":
        dc_prev = dc_prev + da["f"] * p["f"]
    seen = {"i": c_prev, "f": c_prev, "o": c}
    dP = [(da[letter] * seen[letter]).sum(axis=0) for letter in _peephole_letters(forget)]
    stacked = np.concatenate([da[letter] for letter in BLOCKS[forget]], axis=-1)
    return stacked, dc_prev, np.concatenate(dP)


def variant_backward(
    dh: Array,
    dc_last: Array,
    x: Array,
    h0: Array,
    c0: Array,
    trace: LSTMTrace,
    W_ih: Array,
    W_hh: Array,
    P: Array | None = None,
    lengths: ArrayLike | None = None,
    forget: str = "gate",
    truncated: bool = False,
) -> VariantGradients:
    """Backpropagation through time: the full gradient, or the truncated one of 1997.

    dh[t] is the derivative of the loss by h[t] as the loss sees it; ``dc_last`` is the same for the
    last cell state. A held step hands both gradients on untouched.

    Truncated (Hochreiter and Schmidhuber, 1997, and Gers, Schraudolph and Schmidhuber, 2002, for
    peepholes): what reaches a gate or the candidate changes its weights, and is cut off there. It
    goes back neither into h_prev nor through a peephole; c alone carries the gradient through time.

    Shapes: dh and each array of the trace (T, B, H), dc_last, h0 and c0 (B, H), x (T, B, I),
    weights and lengths as in the forward pass; returns gradients in the arguments' shapes.

    Raises:
        ValueError: a shape or a length does not fit, or ``forget`` is not known.
    """
    states = {"h0": (h0, "B H"), "c0": (c0, "B H"), "dc_last": (dc_last, "B H")}
    kept = {f"trace.{name}": (array, "T B H") for name, array in trace._asdict().items()}
    others = {"x": (x, "T B I"), **states, "dh": (dh, "T B H"), **kept}
    _check_weights(W_ih, W_hh, None, P, forget, **others)
    T, B, _ = x.shape
    lengths = check_lengths(lengths, T, B)
    dtype = np.result_type(dh, dc_last, x, h0, c0, trace.h, W_ih, W_hh)
    dx, dh_t, dc_t = np.zeros(x.shape, dtype), np.zeros(h0.shape, dtype), dc_last.astype(dtype)
    dW_ih, dW_hh = np.zeros(W_ih.shape, dtype), np.zeros(W_hh.shape, dtype)
    db = np.zeros(len(W_hh), dtype)
    dP = np.zeros(h0.shape[1] * len(_peephole_letters(forget)), dtype)

    for t in reversed(range(T)):
        rows = active_rows(t, lengths)
        _, c, i, f, g, o = (array[t, rows] for array in trace)
        h_prev, c_prev = (trace.h[t - 1], trace.c[t - 1]) if t > 0 else (h0, c0)
        dh_t += dh[t]
        da, dc_t[rows], dP_t = variant_step_backward(
            dh_t[rows], dc_t[rows], c_prev[rows], c, i, f, g, o, P, forget, truncated
        )
        dx[t, rows] = d_x(da, W_ih)
        dh_t[rows] = 0 if truncated else d_h_prev(da, W_hh)
        dW_ih_t, dW_hh_t, db_t = d_weights(da, x[t, rows], h_prev[rows])
        dW_ih += dW_ih_t
        dW_hh += dW_hh_t
        db += db_t
        dP += dP_t
    return VariantGradients(dx, dh_t, dc_t, dW_ih, dW_hh, db, None if P is None else dP)


def _blocks(a: Array, forget: str) -> dict[str, Array]:
    """Cut stacked pre-activations into their letters' blocks."""
    letters = BLOCKS[forget]
    return dict(zip(letters, np.split(a, len(letters), axis=-1), strict=True))


def _peephole_letters(forget: str) -> str:
    """Every gate has a peephole, in the order of the weights; the candidate has none."""
    return BLOCKS[forget].replace("g", "")


def _peepholes(P: Array | None, forget: str) -> dict[str, Array | float]:
    """Cut P into its letters' blocks; without peepholes, zeros."""
    letters = _peephole_letters(forget)
    if P is None:
        return dict.fromkeys(letters, 0.0)
    return dict(zip(letters, np.split(P, len(letters)), strict=True))


def _check_weights(
    W_ih: Array,
    W_hh: Array,
    b: Array | None,
    P: Array | None,
    forget: str,
    **others: tuple[Array, str],
) -> None:
    _check_forget(forget)
    blocks = len(BLOCKS[forget])
    arrays = {"W_hh": (W_hh, f"{blocks}H H"), "W_ih": (W_ih, f"{blocks}H I")}
    if b is not None:
        arrays["b"] = (b, f"{blocks}H")
    if P is not None:
        arrays["P"] = (P, f"{blocks - 1}H")
    check_shapes(**arrays, **others)


def _check_forget(forget: str) -> None:
    if forget not in BLOCKS:
        raise ValueError(f'forget should be "gate", "coupled" or "none", got {forget!r}')
