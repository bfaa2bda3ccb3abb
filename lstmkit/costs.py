"""What a model costs: parameters, FLOPs for one item, bytes of state from one item to the next.

By formula, from sizes alone; ``tests/test_costs.py`` counts them again while the models run. FLOPs
are those of matrix products, two for a multiply-add, as torch's own counter has them. What is done
entry by entry (gates, norms, softmax) grows with H where the products grow with H², and is left
out. Everything is for one row; a batch of B costs B times the FLOPs and the state.

    recurrent, gates G     G·H·(I + H) multiply-adds a layer     H numbers of state (LSTM: 2H)
    Transformer, item n    4D² + 2nD + 2DF a block               2nD numbers in the KV cache
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

# Blocks of rows in the stacked weights; whether the hidden state meets a matrix; states kept.
_CELLS = {
    "RNN": (1, True, 1),
    "GRU": (3, True, 1),
    "LSTM": (4, True, 2),
    "minGRU": (2, False, 1),
    "minLSTM": (3, False, 1),
}


@dataclass(frozen=True)
class RecurrentSizes:
    """A stack of recurrent layers as far as its costs go.

    ``kind`` is "RNN", "GRU", "LSTM", "minGRU" or "minLSTM". The first three have two biases a
    layer, as in torch; minGRU and minLSTM (Feng et al., 2024) one, and no matrix for the state.
    """

    kind: str
    input_size: int
    hidden_size: int
    num_layers: int = 1
    bias: bool = True
    bidirectional: bool = False
    proj_size: int = 0

    def __post_init__(self) -> None:
        if self.kind not in _CELLS:
            raise ValueError(f"kind should be one of {', '.join(_CELLS)}, got {self.kind!r}")
        if self.proj_size and self.kind != "LSTM":
            raise ValueError(f"proj_size is for an LSTM, got kind={self.kind!r}")

    def parameters(self) -> int:
        """Weights and biases."""
        gates, looped, _ = _CELLS[self.kind]
        biases = (2 if looped else 1) * gates * self.hidden_size * self.bias
        return self.multiply_adds() + biases * self.num_layers * self._directions

    def multiply_adds(self, position: int = 0, memory_length: int = 0) -> int:
        """For one item: every weight of a matrix is used once, whatever has gone by."""
        gates, looped, _ = _CELLS[self.kind]
        H, shown = self.hidden_size, self.proj_size or self.hidden_size
        total = 0
        for layer in range(self.num_layers):
            comes_in = self.input_size if layer == 0 else self._directions * shown
            total += gates * H * (comes_in + shown * looped) + H * self.proj_size
        return total * self._directions

    def state(self, position: int = 0, memory_length: int = 0) -> int:
        """Numbers kept: the same after a million items as after one.

        Raises:
            ValueError: it is bidirectional, and waits for the end of the sequence.
        """
        if self.bidirectional:
            raise ValueError("a bidirectional layer has no state to go on from: it needs the end")
        _, _, states = _CELLS[self.kind]
        shown = self.proj_size or self.hidden_size
        return self.num_layers * (shown + (states - 1) * self.hidden_size)

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1


@dataclass(frozen=True)
class AttentionSizes:
    """Multi-head attention; how many heads there are changes nothing here.

    ``memory`` says that it looks at an encoder's output and not at the items gone by.
    """

    width: int
    bias: bool = True
    memory: bool = False

    def parameters(self) -> int:
        """Projections for queries, keys, values and output."""
        return 4 * self.width**2 + 4 * self.width * self.bias

    def multiply_adds(self, position: int = 0, memory_length: int = 0) -> int:
        """For one item with ``position`` items before it: projections, scores, weighted mean.

        The keys and values of a memory are made once, before the first item, and not counted.
        """
        looked_at = memory_length if self.memory else position + 1
        projections = 2 if self.memory else 4
        return projections * self.width**2 + 2 * looked_at * self.width

    def state(self, position: int = 0, memory_length: int = 0) -> int:
        """Numbers in the KV cache after ``position`` items."""
        return 2 * self.width * (memory_length if self.memory else position)


@dataclass(frozen=True)
class TransformerSizes:
    """A Transformer's stack as far as its costs go, with a norm at the end.

    ``memory`` says that its blocks have a second attention, to an encoder's output; ``max_length``
    is for learned positions.
    """

    width: int
    num_layers: int
    feed_forward: int | None = None
    memory: bool = False
    max_length: int = 0

    def parameters(self) -> int:
        """Attention, network and norms of all blocks, the last norm, learned positions."""
        D, F = self.width, self._inner
        attention = sum(part.parameters() for part in self._attention)
        norms = (2 + self.memory) * 2 * D
        block = attention + 2 * D * F + F + D + norms
        return self.num_layers * block + 2 * D + self.max_length * D

    def multiply_adds(self, position: int = 0, memory_length: int = 0) -> int:
        """For one item with ``position`` items before it."""
        attention = sum(part.multiply_adds(position, memory_length) for part in self._attention)
        return self.num_layers * (attention + 2 * self.width * self._inner)

    def state(self, position: int = 0, memory_length: int = 0) -> int:
        """Numbers in the KV cache after ``position`` items."""
        return self.num_layers * sum(p.state(position, memory_length) for p in self._attention)

    @property
    def _inner(self) -> int:
        return 4 * self.width if self.feed_forward is None else self.feed_forward

    @property
    def _attention(self) -> list[AttentionSizes]:
        own = AttentionSizes(self.width)
        return [own, AttentionSizes(self.width, memory=True)] if self.memory else [own]


Sizes = RecurrentSizes | AttentionSizes | TransformerSizes


def count_parameters(model: nn.Module | Sizes) -> int:
    """How many numbers the model learns: by formula from sizes, by looking at a module."""
    if isinstance(model, Sizes):
        return model.parameters()
    return sum(parameter.numel() for parameter in model.parameters())


def flops_per_step(model: nn.Module | Sizes, position: int = 0, memory_length: int = 0) -> int:
    """FLOPs of the matrix products for one item of one row.

    Args:
        model: sizes, or a module made of parts that are known: recurrent layers and cells,
            attention, Transformers, linear layers, of lstmkit or torch.nn, and what has no
            products. Each part is taken to be used once an item.
        position: how many items have gone by; attention looks at them and at the new one. For an
            encoder over T items, T - 1.
        memory_length: items of the encoder's output that a decoder looks at.

    Raises:
        TypeError: the module has a part with parameters that is not known.
    """
    return 2 * sum(part.multiply_adds(position, memory_length) for part in _parts(model))


def state_bytes(
    model: nn.Module | Sizes, position: int = 0, memory_length: int = 0, itemsize: int | None = None
) -> int:
    """Bytes to be kept, for one row, between ``position`` items gone by and the next.

    Args:
        model, position, memory_length: as in ``flops_per_step``.
        itemsize: bytes of a number; 4 for sizes, and that of the parameters for a module, if None.

    Raises:
        TypeError: the module has a part with parameters that is not known.
        ValueError: it cannot go on item by item: it is bidirectional, or an encoder.
    """
    if itemsize is None:
        itemsize = 4
        if not isinstance(model, Sizes):
            itemsize = next((p.element_size() for p in model.parameters()), 4)
    return itemsize * sum(part.state(position, memory_length) for part in _parts(model, True))


def sizes_of(module: nn.Module) -> Sizes | None:
    """The sizes of a module that is one of those counted here, else None."""
    from torch import nn

    from lstmkit.attention.layer import MultiHeadAttention
    from lstmkit.attention.transformer import Transformer

    if isinstance(module, nn.RNNBase):
        return RecurrentSizes(
            module.mode.split("_")[0],
            module.input_size,
            module.hidden_size,
            module.num_layers,
            module.bias,
            module.bidirectional,
            module.proj_size,
        )
    if isinstance(module, nn.RNNCellBase):
        kind = {nn.RNNCell: "RNN", nn.LSTMCell: "LSTM", nn.GRUCell: "GRU"}
        name = next(name for cell, name in kind.items() if isinstance(module, cell))
        return RecurrentSizes(name, module.input_size, module.hidden_size, bias=module.bias)
    if isinstance(module, MultiHeadAttention):
        return AttentionSizes(module.width, module.in_proj_bias is not None)
    if isinstance(module, nn.MultiheadAttention) and module._qkv_same_embed_dim:
        return AttentionSizes(module.embed_dim, module.in_proj_bias is not None)
    if isinstance(module, Transformer):
        block: Any = module.layers[0]
        places = getattr(module.positions, "places", ())
        return TransformerSizes(
            module.width,
            len(module.layers),
            block.linear1.out_features,
            module.memory,
            len(places),
        )
    return None


@dataclass(frozen=True)
class _Linear:
    """A product without a state."""

    inputs: int
    outputs: int

    def multiply_adds(self, position: int = 0, memory_length: int = 0) -> int:
        return self.inputs * self.outputs

    def state(self, position: int = 0, memory_length: int = 0) -> int:
        return 0


def _parts(model: nn.Module | Sizes, streaming: bool = False, name: str = "") -> list[Any]:
    """The parts of a model that have products or a state; ``name`` is the one its owner gave it."""
    if isinstance(model, Sizes):
        return [model]
    from torch import nn

    from lstmkit.attention.transformer import TransformerEncoder

    if streaming and isinstance(model, TransformerEncoder):
        raise ValueError("an encoder has no state to go on from: it looks at items yet to come")
    sizes = sizes_of(model)
    if isinstance(sizes, AttentionSizes) and name == "multihead_attn":
        return [AttentionSizes(sizes.width, sizes.bias, memory=True)]
    if sizes is not None:
        return [sizes]
    if isinstance(model, nn.Linear):
        return [_Linear(model.in_features, model.out_features)]
    if isinstance(model, nn.Embedding | nn.LayerNorm):
        return []
    if any(True for _ in model.parameters(recurse=False)):
        raise TypeError(f"the costs of {type(model).__name__} are not known here")
    return [
        part
        for child_name, child in model.named_children()
        for part in _parts(child, streaming, child_name)
    ]
