"""The judges of most parts: every answer beside the reference's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .compare import difference
from .model import Judge, Trial


def parity(trials: Sequence[Trial], answers: Sequence[Any]) -> str | None:
    """Compare each answer with its trial's expected value; None when all agree."""
    for trial, answer in zip(trials, answers, strict=True):
        problem = difference(answer, trial.expected)
        if problem:
            return f"{problem} Called with {trial.what}." if trial.what else problem
    return None


def parity_with_hint(early: Callable[[Trial, np.ndarray], np.ndarray], hint: str) -> Judge:
    """Parity that adds ``hint`` when the numbers differ before the exercise's own part begins.

    early: picks from an answer, or from the reference's, what an earlier exercise decides.
    """

    def judge(trials: Sequence[Trial], answers: Sequence[Any]) -> str | None:
        problem = parity(trials, answers)
        if problem is None or "differs" not in problem:
            return problem
        for trial, answer in zip(trials, answers, strict=True):
            if difference(early(trial, np.asarray(answer)), early(trial, trial.expected)):
                return f"{problem}\n{hint}"
        return problem

    return judge
