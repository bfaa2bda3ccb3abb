"""Where a training loop gets its batches from: N examples in a new order, or a task's generator."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

__all__ = ["Batch", "Drawn", "Sequences", "Source"]


class Batch(NamedTuple):
    """``x (T, B, …)``, ``y (B, …)`` or ``(T, B, …)``, ``lengths (B,)`` or None if all are T."""

    x: Tensor
    y: Tensor
    lengths: Tensor | None = None

    @property
    def mask(self) -> Tensor:
        """True at the real steps and False in the padding, ``(T, B)``, bool."""
        T, B = self.x.shape[:2]
        if self.lengths is None:
            return torch.ones(T, B, dtype=torch.bool, device=self.x.device)
        return torch.arange(T, device=self.x.device)[:, None] < self.lengths[None]

    def to(self, device: torch.device) -> Batch:
        """The same batch on another device."""
        lengths = None if self.lengths is None else self.lengths.to(device)
        return Batch(self.x.to(device), self.y.to(device), lengths)


class Source(Protocol):
    """What :func:`lstmkit.training.fit` draws an epoch from."""

    def __len__(self) -> int:
        """Batches in an epoch."""
        ...

    def epoch(self, rng: np.random.Generator) -> Iterator[Batch]:
        """The batches of one epoch; all that is random in them comes from ``rng``."""
        ...


class Sequences:
    """N examples, each once in an epoch, in an order drawn anew for every epoch.

    ``inputs`` is one array ``(T, N, …)``, time-major, or a list of N arrays ``(T_n, …)`` of mixed
    lengths, which are padded with zeros to the longest of their batch. ``targets`` is an array
    ``(N, …)``, one for each sequence; with ``per_step`` there is one for each step: an array
    ``(T, N, …)``, or a list of N arrays ``(T_n, …)`` padded like the inputs. The last batch may be
    smaller than ``size``.

    Raises:
        ValueError: there are no examples, or not as many targets as inputs.
    """

    def __init__(
        self,
        inputs: ArrayLike | Sequence[Any],
        targets: ArrayLike | Sequence[Any],
        size: int = 32,
        per_step: bool = False,
    ) -> None:
        self.size = size
        self.inputs = _tensors(inputs)
        self.targets = _tensors(targets) if per_step else torch.as_tensor(np.asarray(targets))
        self.per_step = per_step
        self.count = _examples(self.inputs)
        given = _examples(self.targets) if per_step else len(self.targets)
        if not self.count or given != self.count or size < 1:
            raise ValueError(
                f"{self.count} inputs and {given} targets in batches of {size}; "
                "expected as many of both, and at least one"
            )

    def __len__(self) -> int:
        return -(-self.count // self.size)

    def epoch(self, rng: np.random.Generator) -> Iterator[Batch]:
        """All examples once, in the order that ``rng`` draws."""
        order = torch.from_numpy(rng.permutation(self.count))
        for rows in order.split(self.size):
            x, lengths = _take(self.inputs, rows)
            if self.per_step:
                y = _take(self.targets, rows)[0]
            else:
                assert isinstance(self.targets, Tensor)
                y = self.targets[rows]
            yield Batch(x, y, lengths)


def _tensors(arrays: Any) -> Tensor | list[Tensor]:
    if isinstance(arrays, list | tuple):
        return [torch.as_tensor(np.asarray(array)) for array in arrays]
    return torch.as_tensor(arrays)


def _examples(arrays: Tensor | list[Tensor]) -> int:
    return arrays.shape[1] if isinstance(arrays, Tensor) else len(arrays)


def _take(arrays: Tensor | list[Tensor], rows: Tensor) -> tuple[Tensor, Tensor | None]:
    if isinstance(arrays, Tensor):
        return arrays[:, rows], None
    chosen = [arrays[row] for row in rows.tolist()]
    lengths = torch.tensor([len(sequence) for sequence in chosen])
    return torch.nn.utils.rnn.pad_sequence(chosen), lengths


class Drawn:
    """A task without end: ``batches`` fresh batches an epoch, from a seeded generator.

    ``draw(rng)`` returns ``(x, y)`` or ``(x, y, lengths)``, arrays, time-major:
    ``Drawn(lambda rng: adding(rng, T=50, B=32), batches=100)``.
    """

    def __init__(
        self, draw: Callable[[np.random.Generator], tuple[ArrayLike, ...]], batches: int
    ) -> None:
        self.draw = draw
        self.batches = batches

    def __len__(self) -> int:
        return self.batches

    def epoch(self, rng: np.random.Generator) -> Iterator[Batch]:
        """``batches`` batches that were never seen before."""
        for _ in range(self.batches):
            yield Batch(*(torch.as_tensor(array) for array in self.draw(rng)))
