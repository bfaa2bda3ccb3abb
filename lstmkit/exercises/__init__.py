"""The exercises of the course: fresh inputs, checks that explain, known wrong answers.

NumPy alone is enough: these modules also run in the reader's browser.
"""

from __future__ import annotations

from . import forget_gate, the_loop
from .errors import CheckFailed, Withheld
from .model import Exercise
from .run import check

EXERCISES: dict[str, Exercise] = {
    exercise.name: exercise for exercise in (*the_loop.EXERCISES, *forget_gate.EXERCISES)
}

__all__ = ["EXERCISES", "CheckFailed", "Exercise", "Withheld", "check"]
