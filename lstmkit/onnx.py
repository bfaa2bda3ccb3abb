"""ONNX's operators RNN, GRU and LSTM (opset 14 on) on this course's equations: the outer reference.

ONNX stacks blocks in orders of its own (GRU z r h, LSTM i o f c, peepholes i o f; h and c are the
candidates n and g), has a first axis for the direction in all weights, and two biases, [Wb, Rb].
This module turns all that into the arguments of ``rnn_forward``, ``gru_forward``, ``lstm_forward``
and ``variant_forward``. What those do not have, clipping and activations other than the defaults,
is computed by the cells in ``lstmkit.onnx_cells``.

Where the specification leaves something open, these functions do as onnxruntime does:

- ``input_forget`` takes the forget gate as 1 - i; f's weights go unread.
- ``clip`` bounds what goes into the gates and the candidate, not the c that goes into h = o ⊙ h(c).
- A row of length zero has no last state: its Y_h and Y_c are zero, not the initial states.

Shapes, with layout 0: X (T, B, I), W (D, G·H, I), R (D, G·H, H), B (D, 2·G·H), initial states
(D, B, H), P (D, 3·H), with D = 2 for "bidirectional" and 1 otherwise, and G = 1, 3, 4 blocks for
RNN, GRU, LSTM. Layout 1 puts the batch first: X (B, T, I), states (B, D, H), Y (B, T, D, H).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lstmkit.gates import reorder
from lstmkit.gru.equations import gru_forward
from lstmkit.lstm.equations import lstm_forward
from lstmkit.lstm.variants import variant_forward
from lstmkit.onnx_cells import (
    ACTIVATIONS,
    gru_clipped_step,
    lstm_clipped_step,
    rnn_clipped_step,
    run_steps,
)
from lstmkit.rnn.equations import rnn_forward
from lstmkit.shapes import Array, check_lengths, check_shapes

DIRECTIONS = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}
"""Of each direction that an operator runs: does it read from the end?"""

RNN_ACTIVATIONS = ("Tanh",)
GRU_ACTIVATIONS = ("Sigmoid", "Tanh")
LSTM_ACTIVATIONS = ("Sigmoid", "Tanh", "Tanh")

Swept = tuple[Array, Sequence[Array]]
"""One direction's h (T, B, H), and its last states, each (B, H)."""


def rnn(
    X: ArrayLike,
    W: ArrayLike,
    R: ArrayLike,
    B: ArrayLike | None = None,
    sequence_lens: ArrayLike | None = None,
    initial_h: ArrayLike | None = None,
    *,
    hidden_size: int | None = None,
    direction: str = "forward",
    activations: Sequence[str] | None = None,
    clip: float | None = None,
    layout: int = 0,
) -> tuple[Array, Array]:
    """ONNX's RNN: H_t = f(W X_t + R H_{t-1} + Wb + Rb), f = Tanh if not given.

    Shapes as at the top of this module; ``activations`` has one name a direction. Returns
    Y (T, D, B, H), zero where a row has ended, and Y_h (D, B, H), each row's last state.

    Raises:
        ValueError: a shape or length does not fit, or an option or activation is not known.
    """
    states = {"initial_h": initial_h}
    call = _prepare(1, X, W, R, B, sequence_lens, states, None, hidden_size, direction, layout)
    names = _activations(activations, RNN_ACTIVATIONS, len(call.W))
    _check_clip(clip)

    def sweep(d: int, x: Array) -> Swept:
        (h0,), W_d, R_d, b = call.states[:, d], call.W[d], call.R[d], call.b_w[d] + call.b_r[d]
        (f,) = names[d]
        if clip is not None or f not in ("Tanh", "Relu"):
            step = rnn_clipped_step(W_d, R_d, b, f, clip)
            return run_steps(step, x, [h0], call.lengths)
        h = rnn_forward(x, h0, W_d, R_d, b, call.lengths, f.lower())
        return h, [_last(h, h0)]

    Y, (Y_h,) = _run(call, sweep)
    return Y, Y_h


def gru(
    X: ArrayLike,
    W: ArrayLike,
    R: ArrayLike,
    B: ArrayLike | None = None,
    sequence_lens: ArrayLike | None = None,
    initial_h: ArrayLike | None = None,
    *,
    hidden_size: int | None = None,
    direction: str = "forward",
    activations: Sequence[str] | None = None,
    clip: float | None = None,
    layout: int = 0,
    linear_before_reset: int = 0,
) -> tuple[Array, Array]:
    """ONNX's GRU, blocks z r h; ``linear_before_reset`` = 1 is our reset="after".

    Shapes as at the top of this module; ``activations`` has two names a direction, for the gates
    and for the candidate, Sigmoid and Tanh if not given. Returns Y (T, D, B, H), zero where a row
    has ended, and Y_h (D, B, H), each row's last state.

    Raises:
        ValueError: a shape or length does not fit, or an option or activation is not known.
    """
    states = {"initial_h": initial_h}
    call = _prepare(3, X, W, R, B, sequence_lens, states, None, hidden_size, direction, layout)
    names = _activations(activations, GRU_ACTIVATIONS, len(call.W))
    _check_clip(clip)
    reset = "after" if linear_before_reset else "before"

    def sweep(d: int, x: Array) -> Swept:
        (h0,), W_d, R_d, b_w, b_r = (
            call.states[:, d],
            call.W[d],
            call.R[d],
            call.b_w[d],
            call.b_r[d],
        )
        if clip is not None or names[d] != GRU_ACTIVATIONS:
            step = gru_clipped_step(W_d, R_d, b_w, b_r, names[d], clip, reset)
            return run_steps(step, x, [h0], call.lengths)
        W_ih, W_hh, b_ih, b_hh = (
            reorder(array, "onnx", "pytorch", gates="gru") for array in (W_d, R_d, b_w, b_r)
        )
        h = gru_forward(x, h0, W_ih, W_hh, b_ih, b_hh, call.lengths, reset).h
        return h, [_last(h, h0)]

    Y, (Y_h,) = _run(call, sweep)
    return Y, Y_h


def lstm(
    X: ArrayLike,
    W: ArrayLike,
    R: ArrayLike,
    B: ArrayLike | None = None,
    sequence_lens: ArrayLike | None = None,
    initial_h: ArrayLike | None = None,
    initial_c: ArrayLike | None = None,
    P: ArrayLike | None = None,
    *,
    hidden_size: int | None = None,
    direction: str = "forward",
    activations: Sequence[str] | None = None,
    clip: float | None = None,
    layout: int = 0,
    input_forget: int = 0,
) -> tuple[Array, Array, Array]:
    """ONNX's LSTM, blocks i o f c, with peepholes P (i o f) and coupled gates (input_forget = 1).

    Shapes as at the top of this module; ``activations`` has three names a direction, for the gates,
    the candidate and the cell on its way out, Sigmoid, Tanh and Tanh if not given. Returns
    Y (T, D, B, H), zero where a row has ended, and Y_h and Y_c (D, B, H), each row's last states.

    Raises:
        ValueError: a shape or length does not fit, or an option or activation is not known.
    """
    states = {"initial_h": initial_h, "initial_c": initial_c}
    call = _prepare(4, X, W, R, B, sequence_lens, states, P, hidden_size, direction, layout)
    names = _activations(activations, LSTM_ACTIVATIONS, len(call.W))
    _check_clip(clip)

    def sweep(d: int, x: Array) -> Swept:
        h0, c0 = call.states[:, d]
        W_d, R_d, b = call.W[d], call.R[d], call.b_w[d] + call.b_r[d]
        p = None if call.P is None else call.P[d]
        if clip is not None or names[d] != LSTM_ACTIVATIONS:
            step = lstm_clipped_step(W_d, R_d, b, p, names[d], clip, bool(input_forget))
            return run_steps(step, x, [h0, c0], call.lengths)
        blocks = "igo" if input_forget else "ifgo"
        W_ih, W_hh, b = (_pick(array, "iofg", blocks) for array in (W_d, R_d, b))
        if p is None and not input_forget:
            trace = lstm_forward(x, h0, c0, W_ih, W_hh, b, call.lengths)
        else:
            p = None if p is None else _pick(p, "iof", blocks.replace("g", ""))
            forget = "coupled" if input_forget else "gate"
            trace = variant_forward(x, h0, c0, W_ih, W_hh, b, p, call.lengths, forget)
        return trace.h, [_last(trace.h, h0), _last(trace.c, c0)]

    Y, (Y_h, Y_c) = _run(call, sweep)
    return Y, Y_h, Y_c


class _Call(NamedTuple):
    """An operator's inputs, checked, time-major, in one dtype, with zeros for what was left out."""

    X: Array
    W: Array
    R: Array
    b_w: Array
    b_r: Array
    P: Array | None
    states: Array
    """All initial states, (number of states, D, B, H)."""
    lengths: Array
    backwards: tuple[bool, ...]
    batch_first: bool


def _prepare(
    blocks: int,
    X: ArrayLike,
    W: ArrayLike,
    R: ArrayLike,
    B: ArrayLike | None,
    sequence_lens: ArrayLike | None,
    states: dict[str, ArrayLike | None],
    P: ArrayLike | None,
    hidden_size: int | None,
    direction: str,
    layout: int,
) -> _Call:
    """Check everything, then fill in what was left out: zeros, or T for the lengths."""
    if direction not in DIRECTIONS:
        raise ValueError(f"direction should be one of {', '.join(DIRECTIONS)}, got {direction!r}")
    if layout not in (0, 1):
        raise ValueError(f"layout should be 0 (time first) or 1 (batch first), got {layout!r}")
    letters = {
        "R": f"D {blocks}H H",
        "W": f"D {blocks}H I",
        "B": f"D {2 * blocks}H",
        "P": "D 3H",
        "X": "B T I" if layout else "T B I",
        **dict.fromkeys(states, "B D H" if layout else "D B H"),
    }
    given = {"R": R, "W": W, "B": B, "P": P, "X": X, **states}
    arrays = {name: np.asarray(array) for name, array in given.items() if array is not None}
    check_shapes(**{name: (array, letters[name]) for name, array in arrays.items()})
    for name, array in arrays.items():
        if array.dtype.kind != "f":
            raise ValueError(f"{name} should hold floating-point numbers, got {array.dtype}")
    dtype = np.result_type(*arrays.values())
    D, rows, H = arrays["R"].shape
    if len(DIRECTIONS[direction]) != D:
        raise ValueError(
            f'direction="{direction}" needs weights for {len(DIRECTIONS[direction])}, '
            f"but R has shape {arrays['R'].shape}"
        )
    if hidden_size is not None and hidden_size != H:
        raise ValueError(f"hidden_size is {hidden_size}, but R has shape {arrays['R'].shape}")
    arrays = {name: array.astype(dtype) for name, array in arrays.items()}
    if layout:
        arrays.update({name: arrays[name].swapaxes(0, 1) for name in {"X", *states} & {*arrays}})
    T, batch, _ = arrays["X"].shape
    b_w, b_r = np.split(arrays.get("B", np.zeros((D, 2 * rows), dtype)), 2, axis=1)
    starts = [arrays.get(name, np.zeros((D, batch, H), dtype)) for name in states]
    return _Call(
        X=arrays["X"],
        W=arrays["W"],
        R=arrays["R"],
        b_w=b_w,
        b_r=b_r,
        P=arrays.get("P"),
        states=np.stack(starts),
        lengths=_lengths(sequence_lens, T, batch),
        backwards=DIRECTIONS[direction],
        batch_first=bool(layout),
    )


def _lengths(sequence_lens: ArrayLike | None, T: int, batch: int) -> Array:
    """Each row's length; T for all of them if none were given."""
    try:
        lengths = check_lengths(sequence_lens, T, batch)
    except ValueError as error:
        raise ValueError(f"sequence_lens: {error}") from None
    return np.full(batch, T) if lengths is None else lengths


def _run(call: _Call, sweep: Callable[[int, Array], Swept]) -> tuple[Array, list[Array]]:
    """Sweep every direction; zeros after a row's end; the axes in the order of the layout."""
    T = len(call.X)
    going = (np.arange(T)[:, None] < call.lengths)[..., None]
    ran = (call.lengths > 0)[:, None]
    outputs, lasts = [], []
    for d, backwards in enumerate(call.backwards):
        x = _reversed(call.X, call.lengths) if backwards else call.X
        h, last = sweep(d, x)
        h = np.where(going, h, 0)
        outputs.append(_reversed(h, call.lengths) if backwards else h)
        lasts.append([np.where(ran, state, 0) for state in last])
    Y = np.stack(outputs, axis=1)
    by_state = [np.stack(states) for states in zip(*lasts, strict=True)]
    if call.batch_first:
        return Y.transpose(2, 0, 1, 3), [state.swapaxes(0, 1) for state in by_state]
    return Y, by_state


def _reversed(x: Array, lengths: Array) -> Array:
    """Each row's own valid part from its end; its padding stays where it is."""
    t = np.arange(len(x))[:, None]
    source = np.where(t < lengths, lengths - 1 - t, t)
    return np.take_along_axis(x, source[..., None], axis=0)


def _last(h: Array, h0: Array) -> Array:
    """The state after the last step; rows that have ended are held there."""
    return h[-1] if len(h) else h0


def _pick(array: Array, source: str, target: str) -> Array:
    """Some of the stacked blocks, in another order."""
    block = dict(zip(source, np.split(array, len(source)), strict=True))
    return np.concatenate([block[letter] for letter in target])


def _activations(
    given: Sequence[str] | None, default: tuple[str, ...], directions: int
) -> list[tuple[str, ...]]:
    """One tuple of names a direction.

    Raises:
        ValueError: a name is not supported, or there are too many or too few.
    """
    names = list(default) * directions if given is None else list(given)
    if unknown := [name for name in names if name not in ACTIVATIONS]:
        raise ValueError(
            f"activation {unknown[0]!r} is not supported; these are: {', '.join(ACTIVATIONS)}"
        )
    size = len(default)
    if len(names) != size * directions:
        raise ValueError(
            f"activations should be {size * directions} names, {size} a direction, got {len(names)}"
        )
    return [tuple(names[start : start + size]) for start in range(0, len(names), size)]


def _check_clip(clip: float | None) -> None:
    if clip is not None and not clip > 0:
        raise ValueError(f"clip should be positive, or None for no clipping, got {clip!r}")
