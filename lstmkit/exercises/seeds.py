"""Where the inputs of a check come from: a public seed, a secret one, or one that you name."""

from __future__ import annotations

import hashlib
import os
import secrets

import numpy as np

VARIABLE = "LSTMKIT_SEED"


def generator(name: str, seed: int | str | None) -> tuple[np.random.Generator, str]:
    """A random generator for the exercise ``name`` and the seed in words.

    seed: None for the public inputs, the same for everybody; ``"hidden"`` for those of grading,
        taken from the environment variable ``LSTMKIT_SEED`` or, where it is not set, drawn
        afresh; any other number or text for inputs that can be repeated.
    """
    if seed is None:
        seed = "public"
    elif seed == "hidden":
        seed = os.environ.get(VARIABLE) or secrets.token_hex(8)
    digest = hashlib.sha256(f"{name}:{seed}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "little")), str(seed)
