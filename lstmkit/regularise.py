"""What torch's recurrent layers do not have: recurrent dropout, zoneout and layer normalisation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from lstmkit.normalise import EPS

Zoneout = float | Sequence[float]


def check_rate(name: str, rate: object) -> float:
    """A probability as a float.

    Raises:
        ValueError: not a number from 0 to 1.
    """
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1:
        raise ValueError(f"{name} should be a number in range [0, 1], got {rate!r}")
    return float(rate)


def zoneout_rates(zoneout: Zoneout, states: tuple[str, ...]) -> tuple[float, ...]:
    """A rate for each state, ("h", "c") or ("h",), from one number for all or one for each.

    Raises:
        ValueError: not a number from 0 to 1, or not as many of them as states.
    """
    given = tuple(zoneout) if isinstance(zoneout, Sequence) else (zoneout,) * len(states)
    if len(given) != len(states):
        raise ValueError(
            f"zoneout should be one rate, or one for each of {', '.join(states)}, got {zoneout!r}"
        )
    return tuple(check_rate("zoneout", rate) for rate in given)


def sequence_mask(h: Tensor, rate: float, training: bool) -> Tensor | None:
    """Recurrent dropout's mask (Gal and Ghahramani, 2016): one for all steps of a sequence.

    What W_hh meets is h_prev ⊙ mask; an entry is 0 with probability ``rate``, else 1 / (1 - rate).
    Shapes: h (B, H); returns (B, H), or None where nothing is dropped.
    """
    if not training or rate == 0:
        return None
    return F.dropout(torch.ones_like(h), rate)


def zone_out(new: Tensor, old: Tensor, rate: float, training: bool) -> Tensor:
    """Zoneout (Krueger et al., 2017): an entry keeps its old value with probability ``rate``.

    Drawn anew for each entry and step; outside of training, the mean of it:
    rate ⊙ old + (1 - rate) ⊙ new. Shapes: new and old (B, H); returns (B, H).
    """
    if rate == 0:
        return new
    if not training:
        return rate * old + (1 - rate) * new
    return torch.where(torch.rand_like(new) < rate, old.to(new.dtype), new)


def layer_norm(z: Tensor, gain: Tensor, bias: Tensor | None = None) -> Tensor:
    """gain ⊙ (z - mean) / √(var + ε) + bias, over the last axis (Ba, Kiros and Hinton, 2016).

    Shapes: z (…, D), gain and bias (D,); returns (…, D).
    """
    return F.layer_norm(z, z.shape[-1:], gain, bias, EPS)
