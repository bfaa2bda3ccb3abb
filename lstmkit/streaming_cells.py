"""The steps that ``lstmkit.streaming`` repeats, written so that a step allocates nothing.

Each cell has two functions. ``prepare`` lays one layer's weights out for speed, once. ``advance``
binds them to the layer's memory and returns a function without arguments: one step.

What makes them fast at one item a time, where the calls cost as much as the arithmetic:

* one matrix for inputs and state, [W_ih | W_hh], so one product with the vector v = [x; h];
* σ(a) = ½ + ½ tanh(a/2), so one tanh for all gates; the half of a/2 is in the weights already;
* every result goes to memory that is there (``out=``).

Features come first, (H,) for one row and (H, B) for B of them: then a block of gates, or the
vector [x; h] itself, is a contiguous piece of memory. The code is the same for NumPy and torch;
``Ops`` has the functions of one or the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Advance = Callable[[], None]


class Ops(NamedTuple):
    """The functions that a step needs; the first six take ``out=``."""

    product: Callable[..., Any]
    add: Callable[..., Any]
    subtract: Callable[..., Any]
    multiply: Callable[..., Any]
    tanh: Callable[..., Any]
    maximum: Callable[..., Any]
    concatenate: Callable[..., Any]
    zeros: Callable[..., Any]
    """zeros(shape, like=array), dtype and device as there."""
    number: Callable[..., Any]
    """number(value, like=array): an array of no axes; faster to compute with than a float."""
    array: Callable[[Any], Any]
    """A weight, array or tensor, as this backend takes it."""
    copier: Callable[[Any], Callable[[], Any]]
    """copier(view): a function that returns a contiguous copy of what the view shows then."""
    cast: Callable[[Any], Any] | None
    """What has to be done to an item before it is written into memory."""


class Weights(NamedTuple):
    """One layer's weights: W_ih (gates · H, I), W_hh (gates · H, H), biases (gates · H,)."""

    W_ih: Any
    W_hh: Any
    b_ih: Any
    b_hh: Any


class Cell(NamedTuple):
    """What a stream has to know of a kind of layer."""

    states: tuple[str, ...]
    gates: int
    """Blocks of H rows in the stacked weights."""
    work: int
    """Numbers that a step works in, in units of H; the first H of an LSTM's are c."""
    prepare: Callable[[Ops, Weights], tuple[Any, ...]]
    advance: Callable[..., Advance]
    """advance(ops, prepared, v, work): v is [x; h], a view of the memory that holds them."""


def numpy_ops() -> Ops:
    """NumPy's functions."""
    return Ops(
        np.dot,
        np.add,
        np.subtract,
        np.multiply,
        np.tanh,
        np.maximum,
        np.concatenate,
        lambda shape, like: np.zeros(shape, like.dtype),
        lambda value, like: np.array(value, like.dtype),
        _numpy_array,
        lambda view: view.copy,
        None,
    )


def torch_ops() -> Ops:
    """Torch's functions."""
    import torch

    return Ops(
        torch.matmul,
        torch.add,
        torch.subtract,
        torch.multiply,
        torch.tanh,
        torch.maximum,
        torch.cat,
        lambda shape, like: torch.zeros(shape, dtype=like.dtype, device=like.device),
        lambda value, like: torch.tensor(value, dtype=like.dtype, device=like.device),
        lambda weight: torch.as_tensor(weight).detach(),
        lambda view: lambda: view.clone(memory_format=torch.contiguous_format),
        lambda x: torch.as_tensor(x).detach(),
    )


def _numpy_array(weight: Any) -> Any:
    """A weight, array or tensor, as an array of float32 or float64."""
    name = str(weight.dtype).removeprefix("torch.")
    if name not in ("float32", "float64"):
        raise TypeError(f'the weights are {name}; backend="numpy" has float32 and float64')
    return weight.detach().cpu().numpy() if hasattr(weight, "detach") else np.asarray(weight)


def _column(b: Any, v: Any) -> Any:
    """A bias as (G,) for one row, as (G, 1) for several."""
    return b if v.ndim == 1 else b[:, None]


# RNN: h = tanh(W_ih x + W_hh h_prev + b), or relu


def _prepare_rnn(ops: Ops, w: Weights) -> tuple[Any, ...]:
    return ops.concatenate([w.W_ih, w.W_hh], 1), w.b_ih + w.b_hh


def _advance_rnn(relu: bool) -> Callable[..., Advance]:
    def bind(ops: Ops, prepared: tuple[Any, ...], v: Any, work: Any) -> Advance:
        product, add, tanh, maximum = ops.product, ops.add, ops.tanh, ops.maximum
        W, b = prepared
        h, a, b = v[-len(b) :], work, _column(b, v)
        zero = ops.number(0.0, like=v)

        def advance() -> None:
            product(W, v, out=a)
            add(a, b, out=a)
            if relu:
                maximum(a, zero, out=h)
            else:
                tanh(a, out=h)

        return advance

    return bind


# LSTM: c = f ⊙ c_prev + i ⊙ g, h = o ⊙ tanh(c)


def _prepare_lstm(ops: Ops, w: Weights) -> tuple[Any, ...]:
    """Rows in the order g, f, i, o, so that c, g and f, i meet in one product; f, i, o halved."""
    W, b = ops.concatenate([w.W_ih, w.W_hh], 1), w.b_ih + w.b_hh
    H = len(b) // 4

    def arranged(rows: Any) -> Any:
        i, f, g, o = rows[:H], rows[H : 2 * H], rows[2 * H : 3 * H], rows[3 * H :]
        return ops.concatenate([g, 0.5 * f, 0.5 * i, 0.5 * o], 0)

    return arranged(W), arranged(b)


def _advance_lstm(ops: Ops, prepared: tuple[Any, ...], v: Any, work: Any) -> Advance:
    product, add, multiply, tanh = ops.product, ops.add, ops.multiply, ops.tanh
    W, b = prepared
    H, b = len(b) // 4, _column(b, v)
    h, half = v[-H:], ops.number(0.5, like=v)
    # The memory in blocks of H: c, g, f, i, o, and four more for what is not kept.
    c, c_g, gates = work[:H], work[: 2 * H], work[H : 5 * H]
    f_i, f_i_o, o = work[2 * H : 4 * H], work[2 * H : 5 * H], work[4 * H : 5 * H]
    a = work[5 * H :]
    kept_written, kept, written = a[: 2 * H], a[:H], a[H : 2 * H]

    def advance() -> None:
        product(W, v, out=a)
        add(a, b, out=a)
        tanh(a, out=gates)
        multiply(f_i_o, half, out=f_i_o)
        add(f_i_o, half, out=f_i_o)
        multiply(f_i, c_g, out=kept_written)
        add(kept, written, out=c)
        tanh(c, out=kept)
        multiply(o, kept, out=h)

    return advance


# GRU: n = tanh(W_xn x + b_xn + r ⊙ (W_hn h_prev + b_hn)), h = (1 - z) ⊙ n + z ⊙ h_prev


def _prepare_gru(ops: Ops, w: Weights) -> tuple[Any, ...]:
    """Two matrices, because r meets the state's share of n alone; r and z halved."""
    cut = 2 * len(w.b_ih) // 3

    def halved(rows: Any) -> Any:
        return ops.concatenate([0.5 * rows[:cut], rows[cut:]], 0)

    b_x = ops.concatenate([w.b_ih[:cut] + w.b_hh[:cut], w.b_ih[cut:]], 0)
    return halved(w.W_ih), halved(w.W_hh), halved(b_x), w.b_hh[cut:] + 0.0


def _advance_gru(ops: Ops, prepared: tuple[Any, ...], v: Any, work: Any) -> Advance:
    product, add, subtract = ops.product, ops.add, ops.subtract
    multiply, tanh = ops.multiply, ops.tanh
    W_x, W_h, b_x, b_hn = prepared
    H = len(b_hn)
    x, h, half = v[:-H], v[-H:], ops.number(0.5, like=v)
    b_x, b_hn = _column(b_x, v), _column(b_hn, v)
    a_x, a_h = work[: 3 * H], work[3 * H :]
    r_z, r, z, n = a_x[: 2 * H], a_x[:H], a_x[H : 2 * H], a_x[2 * H :]
    from_h, m = a_h[: 2 * H], a_h[2 * H :]

    def advance() -> None:
        product(W_x, x, out=a_x)
        product(W_h, h, out=a_h)
        add(a_x, b_x, out=a_x)
        add(r_z, from_h, out=r_z)
        tanh(r_z, out=r_z)
        multiply(r_z, half, out=r_z)
        add(r_z, half, out=r_z)
        add(m, b_hn, out=m)
        multiply(r, m, out=m)
        add(n, m, out=n)
        tanh(n, out=n)
        subtract(h, n, out=h)
        multiply(z, h, out=h)
        add(n, h, out=h)

    return advance


CELLS = {
    "RNN_TANH": Cell(("h",), 1, 1, _prepare_rnn, _advance_rnn(relu=False)),
    "RNN_RELU": Cell(("h",), 1, 1, _prepare_rnn, _advance_rnn(relu=True)),
    "LSTM": Cell(("h", "c"), 4, 9, _prepare_lstm, _advance_lstm),
    "GRU": Cell(("h",), 3, 6, _prepare_gru, _advance_gru),
}
"""By the names that ``torch.nn``'s layers have in their attribute ``mode``."""
