"""Weights for the exercises on the loop."""

from __future__ import annotations

import numpy as np

from ..sizes import Sizes, normal


def weights(rng: np.random.Generator, s: Sizes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``W_ih`` (H, I), ``W_hh`` (H, H), ``b`` (H,): scaled so that tanh is bent, not saturated."""
    W_ih = normal(rng, s.H, s.I, scale=0.8 / np.sqrt(s.I), dtype=s.dtype)
    W_hh = normal(rng, s.H, s.H, scale=0.9 / np.sqrt(s.H), dtype=s.dtype)
    b = normal(rng, s.H, scale=0.5, dtype=s.dtype)
    return W_ih, W_hh, b
