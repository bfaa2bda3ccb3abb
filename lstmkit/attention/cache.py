"""The KV cache: keys and values of the items that have gone by, kept so as not to make them again.

It is a Transformer's state, and it grows with every item, where a recurrent layer's does not.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class KVCache:
    """One attention's keys and values, (B, heads, length, D / heads) each.

    The memory doubles when it is full: on the average an item is moved about once, and not again
    for each one that follows.
    """

    def __init__(self) -> None:
        self.length = 0
        self._k: Tensor | None = None
        self._v: Tensor | None = None

    def append(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Keep the keys and values of new items; return all of them, views of the memory.

        Shapes: k and v (B, heads, new, D / heads); returns (B, heads, length, D / heads) each.

        Raises:
            RuntimeError: they belong to a gradient's graph, or to another batch than those before.
        """
        if torch.is_grad_enabled() and (k.requires_grad or v.requires_grad):
            raise RuntimeError(
                "a KV cache is for inference, no gradient goes through it: "
                "write `with torch.no_grad():` around the calls that use it"
            )
        start, self.length = self.length, self.length + k.shape[2]
        self._k, self._v = self._with_room(self._k, k), self._with_room(self._v, v)
        self._k[:, :, start : self.length] = k
        self._v[:, :, start : self.length] = v
        return self.all()

    def all(self) -> tuple[Tensor, Tensor]:
        """Keys and values so far."""
        if self._k is None or self._v is None:
            raise RuntimeError("this cache holds nothing yet")
        return self._k[:, :, : self.length], self._v[:, :, : self.length]

    def cut(self, length: int) -> None:
        """Forget all but the first ``length`` items.

        Raises:
            ValueError: there are not so many.
        """
        if not 0 <= length <= self.length:
            raise ValueError(f"the cache holds {self.length} items, it cannot be cut to {length}")
        self.length = length

    def copy(self) -> KVCache:
        """Another cache with the same content."""
        twin = KVCache()
        if self.length:
            twin.append(*(part.detach() for part in self.all()))
        return twin

    @property
    def nbytes(self) -> int:
        """Bytes of the keys and values kept; the memory held may be twice that."""
        return sum(part.nbytes for part in self.all()) if self.length else 0

    def _with_room(self, memory: Tensor | None, new: Tensor) -> Tensor:
        """Memory for ``length`` items and at least as many again if it has to be made."""
        if memory is not None and memory.shape[2] >= self.length:
            return memory
        B, heads, _, width = new.shape
        larger = new.new_empty(B, heads, max(16, 2 * self.length), width)
        if memory is not None:
            old = memory.shape[2]
            larger[:, :, :old] = memory
        return larger


class BlockCache(NamedTuple):
    """What one block keeps: its own items, and the encoder's output if it looks at one."""

    own: KVCache
    memory: KVCache


class DecoderCache:
    """The caches of all blocks of a decoder, and with them its place in the sequence."""

    def __init__(self, blocks: int) -> None:
        self.blocks = [BlockCache(KVCache(), KVCache()) for _ in range(blocks)]

    @property
    def length(self) -> int:
        """How many items have gone by."""
        return self.blocks[0].own.length

    @property
    def nbytes(self) -> int:
        """Bytes of all keys and values."""
        return sum(part.nbytes for block in self.blocks for part in block)

    def cut(self, length: int) -> None:
        """Go back to where ``length`` items had gone by.

        Raises:
            ValueError: not so many have.
        """
        for block in self.blocks:
            block.own.cut(length)

    def copy(self) -> DecoderCache:
        """Another cache that stands where this one stands."""
        twin = DecoderCache(0)
        twin.blocks = [BlockCache(*(part.copy() for part in block)) for block in self.blocks]
        return twin
