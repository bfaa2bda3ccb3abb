"""The one table of gate orders, and the way of a whole weight set between PyTorch, Keras and ONNX.

Frameworks stack the weights of all gates into one array, each in an order of its own. Letters are
the course's: LSTM i f g o (input gate, forget gate, candidate, output gate; Keras and ONNX call the
candidate c), GRU r z n (reset gate, update gate, candidate; Keras and ONNX call the candidate h).

A weight set is one layer, as its framework hands it out:

    PyTorch   ``layer.state_dict()``: weight_ih_l0 (G·H, I), weight_hh_l0 (G·H, H), bias_ih_l0 and
              bias_hh_l0 (G·H,); the second direction under names that end in ``_reverse``
    Keras     ``layer.get_weights()``: kernel (I, G·H), recurrent_kernel (H, G·H), bias (G·H,), for
              a GRU (2, G·H); the second direction of ``Bidirectional`` follows in the same list
    ONNX      the operator's inputs W (D, G·H, I), R (D, G·H, H), B (D, 2·G·H), for D directions

with G = 4 blocks for an LSTM, 3 for a GRU and 1 for a plain network, which the shapes tell apart.
Nothing here needs torch, Keras or ONNX; whatever ``numpy.asarray`` takes will do.

Sources: the documentation of ``torch.nn.LSTM`` and ``torch.nn.GRU``; the operators LSTM, GRU, RNN
of ONNX (opset 14 on), Keras 3 (``keras.layers.LSTM``, ``GRU``, ``SimpleRNN``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lstmkit.shapes import Array

ORDERS: dict[str, dict[str, str]] = {
    "lstm": {"pytorch": "ifgo", "keras": "ifgo", "onnx": "iofg"},
    "gru": {"pytorch": "rzn", "keras": "zrn", "onnx": "zrn"},
    "rnn": {"pytorch": "h", "keras": "h", "onnx": "h"},
}
_CELLS = {len(orders["pytorch"]): cell for cell, orders in ORDERS.items()}


def reorder(
    array: ArrayLike, source: str, target: str, axis: int = 0, gates: str = "lstm"
) -> Array:
    """Put the gates' blocks, stacked along ``axis``, from one order into another.

    Args:
        array: weights or biases of all gates, of any dtype, which is kept.
        source, target: "pytorch", "keras" or "onnx", or an order in letters, as "igfo".
        axis: the axis along which the blocks stand; its size is a multiple of their number.
        gates: whose gates they are: "lstm", "gru" or "rnn".

    Raises:
        ValueError: an order is not known, or the axis cannot be cut into that many blocks.
    """
    array = np.asarray(array)
    before, after = _order(source, gates), _order(target, gates)
    if array.shape[axis] % len(before):
        raise ValueError(
            f"axis {axis} of the array should hold {len(before)} blocks of one size, "
            f"got shape {array.shape}"
        )
    block = dict(zip(before, np.split(array, len(before), axis), strict=True))
    return np.concatenate([block[gate] for gate in after], axis)


def pytorch_to_keras(state_dict: Mapping[str, Any], layer: int = 0) -> list[Array]:
    """Turn one layer of a ``state_dict`` into the list for Keras' ``set_weights``.

    Kernels are transposed, blocks put into Keras' order. PyTorch's two biases become their sum; a
    GRU keeps both, as Keras' default ``reset_after=True`` has it.

    Raises:
        ValueError: the layer is not there, its shapes are no RNN's, GRU's or LSTM's, or it has a
            projection.
    """
    return _to_keras(_from_pytorch(state_dict, layer), reset_after=True)


def keras_to_pytorch(weights: Sequence[ArrayLike], layer: int = 0) -> dict[str, Array]:
    """Turn Keras' ``get_weights`` into one layer of a ``state_dict``, as NumPy arrays.

    Keras' one bias becomes bias_ih, and bias_hh is zero.

    Raises:
        ValueError: the shapes are no RNN's, GRU's or LSTM's, or it is a GRU with
            ``reset_after=False``, which PyTorch does not have.
    """
    directions = _from_keras(weights)
    if directions[0].cell == "gru" and any(np.ndim(w) == 1 for w in weights):
        raise ValueError(
            "this GRU was built with reset_after=False: its reset gate acts before the recurrent "
            "product. PyTorch's GRU resets after it, so no weights make the two equal"
        )
    return _to_pytorch(directions, layer)


def pytorch_to_onnx(
    state_dict: Mapping[str, Any], layer: int = 0
) -> tuple[Array, Array, Array | None]:
    """Turn one layer of a ``state_dict`` into ONNX's W, R and B (None without biases).

    For a GRU, set the operator's ``linear_before_reset`` to 1.

    Raises:
        ValueError: as for ``pytorch_to_keras``.
    """
    return _to_onnx(_from_pytorch(state_dict, layer))


def onnx_to_pytorch(
    W: ArrayLike, R: ArrayLike, B: ArrayLike | None = None, layer: int = 0
) -> dict[str, Array]:
    """Turn ONNX's W, R and B into one layer of a ``state_dict``, as NumPy arrays.

    A GRU has to be one with ``linear_before_reset`` = 1; PyTorch has no other.

    Raises:
        ValueError: the shapes are no RNN's, GRU's or LSTM's, or do not go together.
    """
    return _to_pytorch(_from_onnx(W, R, B), layer)


def keras_to_onnx(weights: Sequence[ArrayLike]) -> tuple[Array, Array, Array | None]:
    """Turn Keras' ``get_weights`` into ONNX's W, R and B (None without biases).

    For a GRU, ``linear_before_reset`` is Keras' ``reset_after``.

    Raises:
        ValueError: the shapes are no RNN's, GRU's or LSTM's.
    """
    return _to_onnx(_from_keras(weights))


def onnx_to_keras(
    W: ArrayLike, R: ArrayLike, B: ArrayLike | None = None, linear_before_reset: int = 1
) -> list[Array]:
    """Turn ONNX's W, R and B into the list for Keras' ``set_weights``.

    ``linear_before_reset`` matters for a GRU only, whose bias it shapes: Keras' ``reset_after``.

    Raises:
        ValueError: the shapes are no RNN's, GRU's or LSTM's, or do not go together.
    """
    return _to_keras(_from_onnx(W, R, B), reset_after=bool(linear_before_reset))


class _Direction(NamedTuple):
    """One direction of one layer, blocks in PyTorch's order: what all conversions pass through."""

    cell: str
    W_ih: Array
    W_hh: Array
    b_ih: Array | None
    b_hh: Array | None


def _direction(
    source: str, W_ih: Array, W_hh: Array, b_ih: Array | None, b_hh: Array | None
) -> _Direction:
    """Check shapes, tell the cell by them, and bring the blocks from ``source``'s order."""
    blocks = W_hh.shape[0] // max(W_hh.shape[-1], 1) if W_hh.ndim == 2 else 0
    cell = _CELLS.get(blocks)
    if cell is None or W_hh.shape[0] != blocks * W_hh.shape[1]:
        raise ValueError(
            "the recurrent weights should be 4H by H (LSTM), 3H by H (GRU) or H by H (RNN), "
            f"got {' by '.join(map(str, W_hh.shape))}"
        )
    rows = len(W_hh)
    if W_ih.ndim != 2 or len(W_ih) != rows:
        raise ValueError(
            f"the input weights should have {rows} rows, as the recurrent ones have, "
            f"got {' by '.join(map(str, W_ih.shape))}"
        )
    for b in (b_ih, b_hh):
        if b is not None and b.shape != (rows,):
            raise ValueError(f"a bias should have {rows} entries, got shape {b.shape}")
    parts = [None if a is None else reorder(a, source, "pytorch", gates=cell) for a in (b_ih, b_hh)]
    W_ih, W_hh = (reorder(a, source, "pytorch", gates=cell) for a in (W_ih, W_hh))
    return _Direction(cell, W_ih, W_hh, *parts)


def _from_pytorch(state_dict: Mapping[str, Any], layer: int) -> list[_Direction]:
    if f"weight_hr_l{layer}" in state_dict:
        raise ValueError(
            f"layer {layer} has a projection (proj_size), which Keras and ONNX do not have"
        )
    if f"weight_ih_l{layer}" not in state_dict:
        raise ValueError(
            f"the state_dict has no weight_ih_l{layer}; its names are: {', '.join(state_dict)}"
        )
    directions = []
    for suffix in (f"l{layer}", f"l{layer}_reverse"):
        names = [f"{name}_{suffix}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        if names[0] in state_dict:
            W_ih, W_hh = (np.asarray(state_dict[name]) for name in names[:2])
            b_ih, b_hh = (
                np.asarray(state_dict[name]) if name in state_dict else None for name in names[2:]
            )
            directions.append(_direction("pytorch", W_ih, W_hh, b_ih, b_hh))
    return directions


def _to_pytorch(directions: list[_Direction], layer: int) -> dict[str, Array]:
    state_dict = {}
    for direction, suffix in zip(directions, (f"l{layer}", f"l{layer}_reverse"), strict=False):
        names = [f"{name}_{suffix}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        for name, array in zip(names, direction[1:], strict=True):
            if array is not None:
                state_dict[name] = array
    return state_dict


def _from_keras(weights: Sequence[ArrayLike]) -> list[_Direction]:
    arrays = [np.asarray(w) for w in weights]
    if len(arrays) not in (2, 3, 4, 6):
        raise ValueError(
            "Keras' weights should be kernel, recurrent_kernel and, if there is one, bias, once "
            f"or for two directions; got {len(arrays)} arrays"
        )
    size = len(arrays) if len(arrays) < 4 else len(arrays) // 2
    directions = []
    for start in range(0, len(arrays), size):
        kernel, recurrent_kernel, *biases = arrays[start : start + size]
        b_ih = b_hh = None
        if biases and biases[0].ndim == 2:
            b_ih, b_hh = biases[0]
        elif biases:
            b_ih, b_hh = biases[0], np.zeros_like(biases[0])
        directions.append(_direction("keras", kernel.T, recurrent_kernel.T, b_ih, b_hh))
    return directions


def _to_keras(directions: list[_Direction], reset_after: bool) -> list[Array]:
    weights = []
    for cell, W_ih, W_hh, b_ih, b_hh in directions:
        kernels = [reorder(W, "pytorch", "keras", gates=cell).T for W in (W_ih, W_hh)]
        weights += [np.ascontiguousarray(kernel) for kernel in kernels]
        if b_ih is not None and b_hh is not None:
            both = [reorder(b, "pytorch", "keras", gates=cell) for b in (b_ih, b_hh)]
            weights.append(np.stack(both) if cell == "gru" and reset_after else both[0] + both[1])
    return weights


def _from_onnx(W: ArrayLike, R: ArrayLike, B: ArrayLike | None) -> list[_Direction]:
    W, R = np.asarray(W), np.asarray(R)
    if W.ndim != 3 or R.ndim != 3 or len(W) != len(R) or len(W) not in (1, 2):
        raise ValueError(
            "W and R should have three axes, the first for one direction or two, "
            f"got {W.shape} and {R.shape}"
        )
    halves: list[Any] = [(None, None)] * len(W)
    if B is not None:
        B = np.asarray(B)
        if B.shape != (len(W), 2 * W.shape[1]):
            raise ValueError(f"B should have shape {(len(W), 2 * W.shape[1])}, got {B.shape}")
        halves = [np.split(b, 2) for b in B]
    return [_direction("onnx", *weights, *b) for *weights, b in zip(W, R, halves, strict=True)]


def _to_onnx(directions: list[_Direction]) -> tuple[Array, Array, Array | None]:
    def stacked(arrays: list[Array]) -> Array:
        return np.stack([reorder(a, "pytorch", "onnx", gates=directions[0].cell) for a in arrays])

    W = stacked([direction.W_ih for direction in directions])
    R = stacked([direction.W_hh for direction in directions])
    b_ih = [direction.b_ih for direction in directions if direction.b_ih is not None]
    b_hh = [direction.b_hh for direction in directions if direction.b_hh is not None]
    return W, R, np.concatenate([stacked(b_ih), stacked(b_hh)], axis=1) if b_ih else None


def _order(name: str, gates: str) -> str:
    """Look an order up by its framework's name, or take it in letters."""
    if gates not in ORDERS:
        raise ValueError(f"gates should be one of {', '.join(ORDERS)}, got {gates!r}")
    orders = ORDERS[gates]
    order = orders.get(name, name)
    if sorted(order) != sorted(orders["pytorch"]):
        raise ValueError(
            f"an order should be one of {', '.join(orders)}, or the letters "
            f"{orders['pytorch']} in some order, got {name!r}"
        )
    return order
