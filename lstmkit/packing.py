"""Sequences of unequal lengths: from packed to padded and back, and which steps are real."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence


def unpack(packed: PackedSequence) -> tuple[Tensor, Tensor]:
    """The padded sequences, (T, B, I), in the order in which they were packed, and lengths (B,)."""
    x, lengths = pad_packed_sequence(packed)
    return x, lengths.to(x.device)


def repack(x: Tensor, lengths: Tensor, like: PackedSequence) -> PackedSequence:
    """Pack x (T, B, H) into the form of ``like``, whose lengths (B,) these are."""
    order = like.sorted_indices
    if order is not None:
        x, lengths = x.index_select(1, order), lengths.index_select(0, order)
    data = pack_padded_sequence(x, lengths.cpu()).data
    return PackedSequence(data, like.batch_sizes, like.sorted_indices, like.unsorted_indices)


def check_lengths(lengths: Any, T: int, B: int, device: torch.device) -> Tensor:
    """``lengths`` as whole numbers (B,) on ``device``.

    Numbers that already lie on a GPU are not looked at: that would make it wait. There, less than 0
    counts as 0 and more than T as T.

    Raises:
        ValueError: not B whole numbers from 0 to T.
    """
    found = torch.as_tensor(lengths)
    if found.shape != (B,):
        raise ValueError(f"lengths should have shape (B,) = ({B},), got {tuple(found.shape)}")
    if B and (found.is_floating_point() or found.is_complex() or found.dtype == torch.bool):
        raise ValueError(f"lengths should be whole numbers, got {found.dtype}")
    if B and found.device.type == "cpu" and (int(found.min()) < 0 or int(found.max()) > T):
        raise ValueError(
            f"lengths should lie in 0 … T = {T}, got {int(found.min())} … {int(found.max())}"
        )
    return found.to(device, torch.int64)


def real_steps(lengths: Tensor, T: int) -> Tensor:
    """(T, B, 1), True where a row has an item: t < lengths[row]."""
    return (torch.arange(T, device=lengths.device)[:, None] < lengths)[..., None]
