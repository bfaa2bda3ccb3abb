"""What an exercise is made of: trials, parts, known wrong answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Trial:
    """One call of the student's function.

    args: what the function is called with (copies are passed).
    expected: the reference's answer, an array or a tuple of arrays; None where a part judges
        by an invariant alone.
    what: the sizes in words, shown when the trial fails.
    """

    args: tuple[Any, ...]
    expected: Any = None
    what: str = ""


Judge = Callable[[Sequence[Trial], Sequence[Any]], str | None]


@dataclass(frozen=True)
class Part:
    """Several trials that are judged together.

    title: what is tested, in the student's words.
    trials: the calls; all of them are made before the first answer is looked at.
    judge: gets trials and answers, returns None or a sentence that says what differs.
        Without a judge each answer is compared with its trial's ``expected``.
    answer: which of the exercise's asked names is called.
    """

    title: str
    trials: Sequence[Trial]
    judge: Judge | None = None
    answer: int = 0


@dataclass(frozen=True)
class Wrong:
    """A known wrong answer: a misconception that somebody has, written as a function."""

    answer: Callable[..., Any]
    message: str

    @property
    def key(self) -> str:
        return self.answer.__name__


def known_wrong(*answers: Callable[..., Any]) -> tuple[Wrong, ...]:
    """Wrong answers whose docstring is what the student is told.

    Raises:
        ValueError: one of them has no docstring.
    """
    for answer in answers:
        if not answer.__doc__:
            raise ValueError(f"the wrong answer {answer.__name__} has no docstring: its message")
    return tuple(Wrong(answer, " ".join((answer.__doc__ or "").split())) for answer in answers)


@dataclass(frozen=True)
class Exercise:
    """One exercise of an assignment.

    name: ``"06.forget_gate"``; chapter: the assignment's folder; points: the sum of its grade
    cells; asks: names that the student defines; withheld: dotted names that may not be used;
    parts: makes the parts from a random generator, more of them when ``thorough``;
    known_wrong and right: answers that have to fail and to pass.
    """

    name: str
    chapter: str
    title: str
    points: float
    asks: tuple[str, ...]
    withheld: tuple[str, ...]
    parts: Callable[[np.random.Generator, bool], Sequence[Part]]
    known_wrong: Sequence[Wrong] = field(default=())
    right: Sequence[Callable[..., Any]] = field(default=())
