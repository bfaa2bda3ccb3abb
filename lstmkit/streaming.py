"""One item at a time, as they come: a recurrent layer as a running process with its state.

``stream(layer)`` gives an object that takes an item and returns what the layer says to it. The
state stays inside, of the same size after a million items as after one. Item by item it says what
the layer says over the whole sequence, to rounding.

    live = stream(layer)
    for x in microphone:      # each (I,)
        h = live.step(x)      # (H,)

``torch.nn``'s layers are made for whole sequences: called for one item, they spend most of the time
on what surrounds the arithmetic. Here the weights are laid out once, and a step is a dozen calls
into NumPy (``lstmkit.streaming_cells``). ``benchmarks/streaming.py`` compares the two.

Products this small gain nothing from a second thread and lose much where the cores are busy: set
``OPENBLAS_NUM_THREADS=1`` before NumPy is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lstmkit.streaming_cells import CELLS, Ops, Weights, numpy_ops, torch_ops

BACKENDS = {"numpy": numpy_ops, "torch": torch_ops}


class Stream:
    """A stack of recurrent layers and its state, one item at a time; made by ``stream``.

    It can be copied and pickled. A pickled stream of the NumPy backend runs where there is no
    torch.

    Attributes:
        mode: "RNN_TANH", "RNN_RELU", "LSTM" or "GRU", as torch.nn's layers have it.
        backend: "numpy" or "torch".
        batch_size: how many rows run side by side, or None: one, without an axis for it.
        shape: the shape of an item, (I,) or (B, I).
    """

    def __init__(
        self,
        mode: str,
        prepared: list[tuple[Any, ...]],
        sizes: tuple[int, int],
        backend: str,
        batch_size: int | None,
    ) -> None:
        self.mode, self.backend, self.batch_size = mode, backend, batch_size
        self.input_size, self.hidden_size = sizes
        self.num_layers = len(prepared)
        self.shape = sizes[:1] if batch_size is None else (batch_size, sizes[0])
        self._prepared = prepared
        self._lay_out()

    def step(self, x: Any) -> Any:
        """Take one item, return the last layer's h.

        Args:
            x: (I,), or (B, I) with a batch size: an array or a tensor, cast to the layer's dtype.

        Returns:
            h (H,) or (B, H), new, of the layer's dtype: an array, or a tensor without a gradient.

        Raises:
            ValueError: x has another shape.
        """
        if getattr(x, "shape", None) != self.shape:
            found = f"shape {tuple(x.shape)}" if hasattr(x, "shape") else type(x).__name__
            raise ValueError(f"an item should have shape {self.shape}, got {found}")
        self._x[...] = x if self._cast is None else self._cast(x)
        for advance in self._advance:
            advance()
        return self._copy_of_h()

    @property
    def state(self) -> Any:
        """A copy of what the stream remembers, in the form that the layer takes and returns.

        h, or (h, c) for an LSTM, each (num_layers, H) or (num_layers, B, H). Set it, and the
        stream goes on from there; a shape that does not fit is a ValueError.
        """
        copies = tuple(self._ops.copier(s)() for s in self._states)
        return copies if len(copies) > 1 else copies[0]

    @state.setter
    def state(self, state: Any) -> None:
        names = CELLS[self.mode].states
        given = (state,) if len(names) == 1 else tuple(state)
        if len(given) != len(names):
            raise ValueError(f"the state should be ({', '.join(names)}), got {len(given)} arrays")
        for name, own, new in zip(names, self._states, given, strict=True):
            found = tuple(getattr(new, "shape", ()))
            if found != tuple(own.shape):
                raise ValueError(f"{name} should have shape {tuple(own.shape)}, got {found}")
        for own, new in zip(self._states, given, strict=True):
            own[...] = new.detach().cpu() if hasattr(new, "detach") else self._ops.array(new)

    @property
    def state_bytes(self) -> int:
        """The size of the state: what has to be kept from one item to the next."""
        return sum(int(s.nbytes) for s in self._states)

    def reset(self, rows: Any = None) -> None:
        """Forget: the state becomes zero, in all rows or, with a batch size, in ``rows``.

        ``rows`` is an index into the batch: a number, a list of numbers, a slice or a mask.
        """
        if rows is not None and self.batch_size is None:
            raise ValueError("this stream has one row and no batch: reset() takes no rows here")
        for s in self._states:
            s[:, slice(None) if rows is None else rows] = 0

    def copy(self) -> Stream:
        """Another stream that stands where this one stands. The weights are shared."""
        sizes = (self.input_size, self.hidden_size)
        twin = Stream(self.mode, self._prepared, sizes, self.backend, self.batch_size)
        twin.state = self.state
        return twin

    __copy__ = copy

    def __repr__(self) -> str:
        return (
            f"Stream({self.mode}, {self.input_size}, {self.hidden_size}, "
            f"num_layers={self.num_layers}, backend={self.backend!r}, "
            f"batch_size={self.batch_size})"
        )

    def __reduce__(self) -> Any:
        """For pickling and deep copies: the numbers. The views of them are made anew."""
        sizes = (self.input_size, self.hidden_size)
        arguments = (self.mode, self._prepared, sizes, self.backend, self.batch_size)
        return Stream, arguments, self.state

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def _lay_out(self) -> None:
        """Set up the memory, and one function for each layer's step.

        The vector is v = [x; h of layer 0; h of layer 1; …]. What a layer reads, [what comes from
        below; its own h], is one piece of it, and no h has to be handed on.
        """
        cell, ops = CELLS[self.mode], BACKENDS[self.backend]()
        I, H, L = self.input_size, self.hidden_size, self.num_layers  # noqa: E741
        B = self.batch_size
        wide = () if B in (None, 1) else (B,)
        v = ops.zeros((I + L * H, *wide), like=self._prepared[0][0])
        work = ops.zeros((L, cell.work * H, *wide), like=v)

        self._ops, self._advance = ops, []
        for k, prepared in enumerate(self._prepared):
            start, end = 0 if k == 0 else I + (k - 1) * H, I + (k + 1) * H
            self._advance.append(cell.advance(ops, prepared, v[start:end], work[k]))

        def rows_first(features: Any) -> Any:
            """A view of features, (L, H) or (L, H, B), as the state has it."""
            return features if B is None else features.reshape(L, H, B).swapaxes(1, 2)

        h = rows_first(v[I:].reshape(L, H, *wide))
        self._states = (h, rows_first(work[:, :H]))[: len(cell.states)]
        self._x = v[:I] if B is None else v[:I].reshape(I, B).T
        self._copy_of_h = ops.copier(h[-1])
        self._cast = ops.cast


def stream(
    layer: Any,
    backend: str = "numpy",
    *,
    batch_size: int | None = None,
    mode: str | None = None,
) -> Stream:
    """A stream that runs ``layer`` one item at a time, from a state of zeros.

    The weights are copied: what the layer learns afterwards does not reach the stream. There is no
    dropout in it, as in a layer after ``eval()``.

    Args:
        layer: an RNN, LSTM or GRU of lstmkit or of torch.nn, in one direction, stacked or not,
            with biases or without. Or its weights alone, a dict from the names in the layer's
            ``state_dict`` to arrays; torch is not needed then.
        backend: "numpy", the fast one on a CPU, for float32 and float64; or "torch", on the
            layer's device and in its dtype.
        batch_size: how many rows run side by side; None for one item (I,) without a batch.
        mode: with weights alone, what they are of: "RNN_TANH", "RNN_RELU", "LSTM" or "GRU".

    Raises:
        ValueError: the layer needs the future (bidirectional), has an option that a stream does
            not have (``proj_size``, layer normalisation, zoneout), or an argument is not known.
        TypeError: ``layer`` is no recurrent layer, or NumPy does not have its dtype.
    """
    if backend not in BACKENDS:
        raise ValueError(f'backend should be "numpy" or "torch", got {backend!r}')
    if batch_size is not None and (not isinstance(batch_size, int) or batch_size < 1):
        raise ValueError(f"batch_size should be a whole number from 1 on, or None: {batch_size!r}")
    if isinstance(layer, Mapping):
        if mode not in CELLS:
            raise ValueError(f"mode should be one of {', '.join(CELLS)}, got {mode!r}")
        named = dict(layer)
    else:
        mode, named = _mode_and_weights(layer)
    _refuse_what_a_stream_lacks(named)
    ops = BACKENDS[backend]()
    layers = _layers(named, CELLS[mode].gates, ops)
    prepared = [CELLS[mode].prepare(ops, w) for w in layers]
    H, I = layers[0].W_hh.shape[1], layers[0].W_ih.shape[1]  # noqa: E741
    return Stream(mode, prepared, (I, H), backend, batch_size)


def _mode_and_weights(layer: Any) -> tuple[str, dict[str, Any]]:
    from torch import nn

    if not isinstance(layer, nn.RNNBase):
        raise TypeError(
            "layer should be an RNN, LSTM or GRU of lstmkit or torch.nn, or a dict of its "
            f"weights, got {type(layer).__name__}"
        )
    zoneout = getattr(layer, "zoneout", 0.0)
    if any(np.atleast_1d(zoneout)):
        raise ValueError(f"a stream has no zoneout, and this layer has zoneout={zoneout}")
    return layer.mode, {name: getattr(layer, name) for name in layer.state_dict()}


def _refuse_what_a_stream_lacks(named: Mapping[str, Any]) -> None:
    if any(name.endswith("_reverse") for name in named):
        raise ValueError(
            "a bidirectional layer reads the sequence from its end as well, and a stream does not "
            "know the end: train one with bidirectional=False"
        )
    if any(name.startswith("weight_hr") for name in named):
        raise ValueError("a stream has no proj_size: train a layer with proj_size=0")
    if any(name.startswith("norm_") for name in named):
        raise ValueError("a stream has no layer normalisation: train with layer_norm=False")


def _layers(named: Mapping[str, Any], gates: int, ops: Ops) -> list[Weights]:
    """Each layer's weights, without gradients; zeros for biases that are not there."""
    layers: list[Weights] = []
    while f"weight_ih_l{len(layers)}" in named:
        k = len(layers)
        W_ih, W_hh = (ops.array(named[f"weight_{end}_l{k}"]) for end in ("ih", "hh"))
        none = ops.zeros(len(W_hh), like=W_hh)
        b_ih, b_hh = (
            none if named.get(name) is None else ops.array(named[name])
            for name in (f"bias_ih_l{k}", f"bias_hh_l{k}")
        )
        H = W_hh.shape[-1]
        columns = H if layers else W_ih.shape[-1]
        wanted = [(gates * H, columns), (gates * H, H), (gates * H,), (gates * H,)]
        for name, w, shape in zip(Weights._fields, (W_ih, W_hh, b_ih, b_hh), wanted, strict=True):
            if tuple(w.shape) != shape:
                raise ValueError(
                    f"{name} of layer {k} should have shape {shape}, got {tuple(w.shape)}"
                )
        layers.append(Weights(W_ih, W_hh, b_ih, b_hh))
    if not layers:
        raise ValueError(f"there is no weight_ih_l0 among the weights: {', '.join(named)}")
    return layers
