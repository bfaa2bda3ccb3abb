"""One step after n items: an LSTM's stays what it was, a Transformer's grows with its KV cache.

Two layers and about 390,000 parameters each, B = 1, one thread. The stream on torch is the peer in
like manner: the Transformer runs on torch too.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from measure import Case, main
from torch import nn

from lstmkit.attention.transformer import TransformerDecoder
from lstmkit.costs import count_parameters, flops_per_step, state_bytes
from lstmkit.streaming import stream

UNITS, WIDTH, HEADS, LAYERS = 156, 128, 8, 2


def step_of_decoder(decoder: TransformerDecoder, position: int) -> Callable[[], Any]:
    """A step with ``position`` items in the cache; what they are does not change its time."""
    cache = decoder.cache()
    for block in cache.blocks:
        block.own.append(*torch.randn(2, 1, HEADS, position, decoder.width // HEADS))
    item = torch.randn(1, 1, decoder.width)

    def step() -> None:
        with torch.inference_mode():
            decoder(item, cache=cache)
        cache.cut(position)

    return step


def cases(quick: bool) -> Iterator[Case]:
    torch.manual_seed(0)
    units, width = (8, 8) if quick else (UNITS, WIDTH)
    lstm = nn.LSTM(units, units, LAYERS)
    decoder = TransformerDecoder(width, HEADS, LAYERS).eval()
    x = torch.randn(units)
    live, on_torch, item = stream(lstm), stream(lstm, "torch"), x.numpy()
    for position in (2, 40) if quick else (16, 128, 512, 2048, 8192, 32768):
        contestants = {
            "LSTM, stream": lambda: live.step(item),
            "LSTM, stream on torch": lambda: on_torch.step(x),
            "Transformer": step_of_decoder(decoder, position),
        }
        models = {"LSTM": lstm, "Transformer": decoder}
        facts = {
            "parameters": {name: count_parameters(model) for name, model in models.items()},
            "flops": {name: flops_per_step(model, position) for name, model in models.items()},
            "state_bytes": {name: state_bytes(model, position) for name, model in models.items()},
        }
        yield Case({"position": position}, contestants, facts)


if __name__ == "__main__":
    main("an LSTM's step and state stay as they are, a Transformer's grow with position", cases)
