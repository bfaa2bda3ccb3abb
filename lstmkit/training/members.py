"""Train many seeds at once: the seed is one more batch axis.

Small recurrent cells spend their time in the overhead of many small operations. Ten or sixty of
them cost little more than one when every array gets a leading axis of M *members*. They share
nothing but the loop: each has its own data, its own rate and its own gradient norm.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

__all__ = ["one_cycle", "train_members"]


def one_cycle(progress: float, rise: float = 0.3) -> float:
    """Share of the peak rate at ``progress`` in [0, 1]: up along a cosine, then down to zero."""
    if progress < rise:
        return (1 - math.cos(math.pi * progress / rise)) / 2
    return (1 + math.cos(math.pi * (progress - rise) / (1 - rise))) / 2


def train_members(
    parameters: Sequence[Tensor],
    loss: Callable[[int], Tensor],
    steps: int,
    rates: Tensor | float,
    *,
    clip: float = 1.0,
) -> Tensor:
    """Adam (Kingma and Ba, 2015) with a one-cycle rate, for M members side by side.

    ``parameters`` are tensors with a leading axis M, changed in place. ``loss(step)`` returns the
    members' losses, shape (M,). ``rates`` is the peak rate, one number or shape (M,). Each
    member's gradient is scaled down to norm ``clip`` when it is longer. Returns the losses,
    shape (steps, M), dtype of the loss.

    Raises:
        ValueError: a loss or a rate has not one number a member.
    """
    members = len(parameters[0])
    rate = torch.as_tensor(rates, dtype=parameters[0].dtype).expand(members)
    means = [torch.zeros_like(p) for p in parameters]
    squares = [torch.zeros_like(p) for p in parameters]
    for p in parameters:
        p.requires_grad_(True)
    history = []
    for step in range(steps):
        losses = loss(step)
        if losses.shape != (members,):
            raise ValueError(f"the loss has shape {tuple(losses.shape)}; expected ({members},)")
        history.append(losses.detach())
        gradients = torch.autograd.grad(losses.sum(), parameters)
        norm = torch.stack([g.flatten(1).square().sum(1) for g in gradients]).sum(0).sqrt()
        shrink = clip / norm.clamp(min=clip)
        now = rate * one_cycle((step + 1) / steps)
        with torch.no_grad():
            for p, g, mean, square in zip(parameters, gradients, means, squares, strict=True):
                shape = (members,) + (1,) * (p.dim() - 1)
                g = g * shrink.view(shape)
                mean.lerp_(g, 0.1)
                square.lerp_(g * g, 0.001)
                m = mean / (1 - 0.9 ** (step + 1))
                v = square / (1 - 0.999 ** (step + 1))
                p -= now.view(shape) * m / (v.sqrt() + 1e-8)
    return torch.stack(history)
