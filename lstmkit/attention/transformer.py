"""The Transformer, encoder and decoder: attention, then a small network for each item, repeated.

Pre-norm blocks (Xiong et al., 2020):

    x = x + attention(LN(x))
    x = x + attention(LN(x), memory)       in a decoder that looks at an encoder's output
    y = x + feed_forward(LN(x))

Additions alone lie between a block's input and its output, as on the cell state of an LSTM. The
equations are those of ``lstmkit.attention.block``; names of parameters are those of
``torch.nn.TransformerEncoder`` and ``TransformerDecoder`` with ``norm_first=True`` and a norm at
the end, so a ``state_dict`` goes both ways.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lstmkit.attention.cache import BlockCache, DecoderCache
from lstmkit.attention.layer import MultiHeadAttention, causal_mask, check_mask, padding_mask
from lstmkit.attention.positions import Positions
from lstmkit.packing import check_lengths, real_steps

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "gelu": lambda a: F.gelu(a, approximate="tanh"),
}


class AttentionTrace(NamedTuple):
    """One block's attention weights: on its own items, (B, heads, T, T), and on the memory's."""

    own: Tensor | None
    memory: Tensor | None


class TransformerBlock(nn.Module):
    """One block, pre-norm; with ``memory=True`` the decoder's, which has a second attention.

    Args:
        width: D, entries of an item; a multiple of ``heads``.
        heads: of each attention.
        feed_forward: F, units of the network; 4 · width if None.
        dropout: probability with which an entry is dropped, in training, where torch has it.
        activation: "relu", or "gelu" (Hendrycks and Gimpel, 2016, the form with tanh).
        memory: whether the block also looks at an encoder's output.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        feed_forward: int | None = None,
        dropout: float = 0.0,
        activation: str = "relu",
        memory: bool = False,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if activation not in ACTIVATIONS:
            raise ValueError(f'activation should be "relu" or "gelu", got {activation!r}')
        where = {"device": device, "dtype": dtype}
        inner = 4 * width if feed_forward is None else feed_forward
        self.dropout, self.activation = dropout, activation
        self.self_attn = MultiHeadAttention(width, heads, dropout, **where)
        if memory:
            self.multihead_attn = MultiHeadAttention(width, heads, dropout, **where)
        self.linear1 = nn.Linear(width, inner, **where)
        self.linear2 = nn.Linear(inner, width, **where)
        self.norm1 = nn.LayerNorm(width, **where)
        self.norm2 = nn.LayerNorm(width, **where)
        if memory:
            self.norm3 = nn.LayerNorm(width, **where)

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None = None,
        bias: Tensor | None = None,
        memory: Tensor | None = None,
        memory_mask: Tensor | None = None,
        cache: BlockCache | None = None,
        trace: bool = False,
    ) -> tuple[Tensor, AttentionTrace]:
        """Attention, attention to the memory if there is one, and the network.

        Shapes: x (T, B, D), mask and bias to (B, heads, T, keys), memory (S, B, D), memory_mask to
        (B, heads, T, S); with a cache, keys = the items in it and the T new ones. Returns (T, B, D)
        and, with ``trace``, the attention weights.
        """
        y = self.norm1(x)
        k, v = self.self_attn.keys_and_values(y, y)
        if cache is not None:
            k, v = cache.own.append(k, v)
        output, own = self.self_attn.look(y, k, v, mask, bias, trace)
        x = x + self._drop(output)

        seen = None
        if memory is not None:
            output, seen = self._look_at(memory, self.norm2(x), memory_mask, cache, trace)
            x = x + self._drop(output)

        y = self.norm2(x) if memory is None else self.norm3(x)
        inner = self._drop(ACTIVATIONS[self.activation](self.linear1(y)))
        return x + self._drop(self.linear2(inner)), AttentionTrace(own, seen)

    def _look_at(
        self,
        memory: Tensor,
        y: Tensor,
        mask: Tensor | None,
        cache: BlockCache | None,
        trace: bool,
    ) -> tuple[Tensor, Tensor | None]:
        """Attention to the memory, whose keys and values are made once if there is a cache."""
        attention = self.multihead_attn
        if cache is None:
            k, v = attention.keys_and_values(memory, memory)
        elif cache.memory.length == 0:
            k, v = cache.memory.append(*attention.keys_and_values(memory, memory))
        else:
            k, v = cache.memory.all()
        return attention.look(y, k, v, mask, trace=trace)

    def _drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout) if self.training and self.dropout else x


class Transformer(nn.Module):
    """Positions, blocks and a norm at the end: what encoder and decoder share.

    Args:
        width: D, entries of an item; a multiple of ``heads``.
        heads, num_layers: of the attention in a block, and how many blocks.
        feed_forward: units of each block's network; 4 · width if None.
        dropout: in training, where torch has it.
        activation: "relu" or "gelu".
        positions: "sinusoidal", "learned" (needs ``max_length``), "alibi" or "none"; see
            ``lstmkit.attention.positions``.
        batch_first: sequences are (B, T, D) in place of (T, B, D).

    Raises:
        ValueError: sizes that do not fit, or an option that is not known.
    """

    memory = False
    """Whether the blocks also look at an encoder's output."""

    def __init__(
        self,
        width: int,
        heads: int,
        num_layers: int,
        feed_forward: int | None = None,
        *,
        dropout: float = 0.0,
        activation: str = "relu",
        positions: str = "sinusoidal",
        max_length: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if num_layers < 1:
            raise ValueError(f"num_layers should be at least 1, got {num_layers}")
        self.width, self.heads, self.batch_first = width, heads, batch_first
        self.positions = Positions(positions, width, heads, max_length, device, dtype)
        options = (feed_forward, dropout, activation, self.memory, device, dtype)
        self.layers = nn.ModuleList(
            TransformerBlock(width, heads, *options) for _ in range(num_layers)
        )
        self.norm = nn.LayerNorm(width, device=device, dtype=dtype)

    def _time_first(self, x: Tensor, name: str = "x") -> Tensor:
        if x.dim() != 3 or x.shape[-1] != self.width:
            raise ValueError(
                f"{name} should have three axes and {self.width} entries an item, "
                f"got shape {tuple(x.shape)}"
            )
        return x.transpose(0, 1) if self.batch_first else x

    def _finish(self, x: Tensor, real: Tensor | None) -> Tensor:
        """The last norm, zeros where a row has ended, and the axes of the input."""
        x = self.norm(x)
        if real is not None:
            x = x.masked_fill(~real, 0)
        return x.transpose(0, 1) if self.batch_first else x


class TransformerEncoder(Transformer):
    """Every item looks at every item, or at those that a mask allows (Vaswani et al., 2017)."""

    def forward(
        self, x: Tensor, lengths: Any = None, mask: Tensor | None = None, trace: bool = False
    ) -> Any:
        """Run the blocks over ``x``.

        Args:
            x: (T, B, D), or (B, T, D) with ``batch_first``: embedded items.
            lengths: how many items each row has, (B,). The output is 0 after a row's end, and
                nothing behind it, NaN included, reaches a result or a gradient.
            mask: boolean, True where a query may look; broadcasts to (B, heads, T, T).
            trace: return the attention weights too.

        Returns:
            The output, shaped as x; with ``trace``, also a list of ``AttentionTrace``.

        Raises:
            ValueError: a shape or a length does not fit.
            TypeError: the mask is not boolean.
        """
        x = self._time_first(x)
        T, B, _ = x.shape
        real = None
        if lengths is not None:
            real = real_steps(check_lengths(lengths, T, B, x.device), T)
            x = x.masked_fill(~real, 0)
            keys = real.permute(1, 2, 0)[:, None]
            mask = keys if mask is None else check_mask(mask) & keys
        x, bias = self.positions(x), self.positions.bias(T, T, x)
        traces = []
        for block in self.layers:
            x, seen = block(x, mask, bias, trace=trace)
            traces.append(seen)
        output = self._finish(x, real)
        return (output, traces) if trace else output


class TransformerDecoder(Transformer):
    """Every item looks at itself and those before it (Vaswani et al., 2017).

    Without ``memory``, the stack of a language model such as GPT (Radford et al., 2018). Item by
    item with a cache it gives what it gives for the whole sequence:

        cache = decoder.cache()
        with torch.no_grad():
            for item in x:
                y = decoder(item[None], cache=cache)

    Args:
        memory: whether the blocks also look at an encoder's output.
        sizes, options: as in ``Transformer``.
    """

    def __init__(self, *sizes: Any, memory: bool = False, **options: Any) -> None:
        self.memory = memory
        super().__init__(*sizes, **options)

    def cache(self) -> DecoderCache:
        """An empty KV cache, for a sequence that comes piece by piece."""
        return DecoderCache(len(self.layers))

    def forward(
        self,
        x: Tensor,
        memory: Tensor | None = None,
        *,
        lengths: Any = None,
        memory_lengths: Any = None,
        cache: DecoderCache | None = None,
        trace: bool = False,
    ) -> Any:
        """Run the blocks over ``x``, the whole sequence or, with a cache, its next items.

        Args:
            x: (T, B, D), or (B, T, D) with ``batch_first``: embedded items.
            memory: an encoder's output, (S, B, D), axes as in x. With a cache its keys and values
                are made at the first call, and kept.
            lengths, memory_lengths: how many items each row has, (B,); as in the encoder. Not
                with a cache, in which all rows have come equally far (``memory_lengths`` may be).
            cache: what has gone by, from ``cache()``; the new items are put into it.
            trace: return the attention weights too.

        Returns:
            The output, shaped as x; with ``trace``, also a list of ``AttentionTrace``.

        Raises:
            ValueError: a shape or a length does not fit, or memory for a decoder without it.
            RuntimeError: a cache under autograd.
        """
        self._check_memory(memory, memory_lengths, lengths, cache)
        x = self._time_first(x)
        T, B, _ = x.shape
        real = memory_mask = None
        if lengths is not None:
            real = real_steps(check_lengths(lengths, T, B, x.device), T)
            x = x.masked_fill(~real, 0)
        if memory is not None:
            memory = self._time_first(memory, "memory")
            if memory_lengths is not None:
                memory_mask = padding_mask(memory_lengths, len(memory), x.device)
                memory = memory.masked_fill(~memory_mask.permute(3, 0, 1, 2)[..., 0], 0)

        start = 0 if cache is None else cache.length
        keys = start + T
        # One new item may look at all that there is. The padding comes after every item that is
        # not padding, so that the causal mask hides it.
        mask = causal_mask(T, keys, x.device) if T > 1 else None
        x, bias = self.positions(x, start), self.positions.bias(T, keys, x)
        traces = []
        for k, block in enumerate(self.layers):
            kept = None if cache is None else cache.blocks[k]
            x, seen = block(x, mask, bias, memory, memory_mask, kept, trace)
            traces.append(seen)
        output = self._finish(x, real)
        return (output, traces) if trace else output

    def _check_memory(
        self,
        memory: Tensor | None,
        memory_lengths: Any,
        lengths: Any,
        cache: DecoderCache | None,
    ) -> None:
        if self.memory != (memory is not None):
            has = "has a memory and needs one" if self.memory else "was made without memory=True"
            raise ValueError(f"this decoder {has}")
        if memory is None and memory_lengths is not None:
            raise ValueError("memory_lengths without a memory")
        if cache is not None and lengths is not None:
            raise ValueError("lengths cannot go with a cache: its rows have come equally far")
