"""Weights for the exercises on the forget gate."""

from __future__ import annotations

import numpy as np

from ..sizes import Sizes, normal


def gate_weights(rng: np.random.Generator, s: Sizes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One gate's ``W_x`` (H, I), ``W_h`` (H, H), ``b`` (H,)."""
    W_x = normal(rng, s.H, s.I, scale=1.2 / np.sqrt(s.I), dtype=s.dtype)
    W_h = normal(rng, s.H, s.H, scale=1.2 / np.sqrt(s.H), dtype=s.dtype)
    b = normal(rng, s.H, scale=0.8, dtype=s.dtype)
    return W_x, W_h, b
