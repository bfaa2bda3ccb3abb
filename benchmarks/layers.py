"""lstmkit's layers, with their default backend, against torch.nn's with the same weights, CPU.

Goal: never slower. ``lengths`` is compared with packing, the layer, and padding again.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from measure import Case, main
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import lstmkit

SIZES = [  # T, B, I, H
    (1, 1, 64, 64),
    (100, 1, 64, 64),
    (50, 32, 32, 64),
    (30, 16, 256, 256),
]
OPTIONS: list[dict[str, Any]] = [{}, {"num_layers": 2, "bidirectional": True}]


def inference(call: Callable[[Tensor], Any], x: Tensor) -> Callable[[], Any]:
    def run() -> None:
        with torch.inference_mode():
            call(x)

    return run


def training(call: Callable[[Tensor], Any], x: Tensor) -> Callable[[], Any]:
    x = x.clone().requires_grad_()

    def run() -> None:
        call(x)[0].sum().backward()

    return run


def packed(layer: nn.RNNBase, lengths: Tensor) -> Callable[[Tensor], Any]:
    """What torch's layer needs for rows of unequal lengths."""

    def call(x: Tensor) -> Any:
        inputs = pack_padded_sequence(x, lengths, enforce_sorted=False)
        output, last = layer(inputs)
        return pad_packed_sequence(output, total_length=len(x))[0], last

    return call


def cases(quick: bool) -> Iterator[Case]:
    sizes = [(3, 2, 4, 5)] if quick else SIZES
    for kind in ("LSTM", "GRU", "RNN"):
        for T, B, I, H in sizes:  # noqa: E741
            x = torch.randn(T, B, I, generator=torch.Generator().manual_seed(0))
            for options in OPTIONS:
                ours = getattr(lstmkit, kind)(I, H, **options)
                theirs = getattr(nn, kind)(I, H, **options)
                theirs.load_state_dict(ours.state_dict())
                shape = {"kind": kind, "T": T, "B": B, "I": I, "H": H, **options}
                for what in (inference, training):
                    contestants = {"lstmkit": what(ours, x), "torch.nn": what(theirs, x)}
                    yield Case({**shape, "what": what.__name__}, contestants)
            if B == 1:
                continue
            lengths = torch.randint(1, T + 1, (B,), generator=torch.Generator().manual_seed(1))
            ours, theirs = getattr(lstmkit, kind)(I, H), getattr(nn, kind)(I, H)
            theirs.load_state_dict(ours.state_dict())
            for what in (inference, training):
                contestants = {
                    "lstmkit": what(lambda x, f=ours, n=lengths: f(x, lengths=n), x),
                    "torch.nn": what(packed(theirs, lengths), x),
                }
                sizes_ = {"kind": kind, "T": T, "B": B, "I": I, "H": H, "lengths": "1 … T"}
                yield Case({**sizes_, "what": what.__name__}, contestants)


if __name__ == "__main__":
    main("lstmkit's layers are not slower than torch.nn's on a CPU", cases)
