"""One step of a stream against one call of torch.nn's layer and cell, B = 1, one thread.

Goal: at least five times as fast as ``torch.nn.LSTM`` and 1.5 times as fast as
``torch.nn.LSTMCell``, for I = H from 64 to 512.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from measure import Case, main
from torch import nn

from lstmkit.streaming import stream

KINDS = {"LSTM": nn.LSTMCell, "GRU": nn.GRUCell, "RNN": nn.RNNCell}


def step_of_layer(layer: Any, x: torch.Tensor, onednn: bool = True) -> Callable[[], Any]:
    """A call with one item, the state carried on; with oneDNN, torch's default, or without."""
    state = None
    item = x[None, None]

    def step() -> None:
        nonlocal state
        torch.backends.mkldnn.enabled = onednn
        with torch.inference_mode():
            _, state = layer(item, state)
        torch.backends.mkldnn.enabled = True

    return step


def step_of_cell(cell: Any, x: torch.Tensor) -> Callable[[], Any]:
    state = None
    item = x[None]

    def step() -> None:
        nonlocal state
        with torch.inference_mode():
            state = cell(item, state)

    return step


def cases(quick: bool) -> Iterator[Case]:
    for kind, cell in KINDS.items():
        for size in (8,) if quick else (64, 128, 256, 512):
            torch.manual_seed(0)
            layer, x = getattr(nn, kind)(size, size), torch.randn(size)
            live, on_torch = stream(layer), stream(layer, "torch")
            item = x.numpy()
            contestants = {
                "stream": lambda live=live, item=item: live.step(item),
                "stream on torch": lambda live=on_torch, x=x: live.step(x),
                "nn layer": step_of_layer(layer, x),
                "nn layer without oneDNN": step_of_layer(layer, x, onednn=False),
                "nn cell": step_of_cell(cell(size, size), x),
            }
            yield Case({"kind": kind, "size": size}, contestants)


if __name__ == "__main__":
    main("a step of a stream is faster than a call of torch.nn's layer or cell", cases)
