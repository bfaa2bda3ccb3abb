"""The judge of most parts: every answer beside the reference's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .compare import difference
from .model import Trial


def parity(trials: Sequence[Trial], answers: Sequence[Any]) -> str | None:
    """Compare each answer with its trial's expected value; None when all agree."""
    for trial, answer in zip(trials, answers, strict=True):
        problem = difference(answer, trial.expected)
        if problem:
            return f"{problem} Called with {trial.what}." if trial.what else problem
    return None
