"""`check`: run an exercise's parts on an answer, print what was tested and what differs."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import numpy as np

from .ask import ask
from .compare import same
from .errors import CheckFailed
from .model import Exercise, Part
from .parity import parity
from .seeds import generator


def check(name: str, *answers: Any, seed: int | str | None = None) -> None:
    """Check the answers to an exercise and print, part by part, what was tested.

    Args:
        name: for example ``"06.forget_gate"``; ``lstmkit exercises`` lists them all.
        answers: the functions that the exercise asks for, in its order.
        seed: None checks on the public inputs; ``"hidden"`` or any other seed checks on more
            sizes and both float widths.

    Raises:
        CheckFailed: an answer does not do what is asked; the message says what differs.
        KeyError: there is no such exercise.
    """
    exercise = find(name)
    if len(answers) != len(exercise.asks):
        raise CheckFailed(
            f"{name} asks for {', '.join(exercise.asks)}: pass {len(exercise.asks)} in place of "
            f"{len(answers)}."
        )
    rng, words = generator(name, seed)
    thorough = seed is not None
    print(f"{exercise.name}  {exercise.title}" + (f"  (seed {words})" if thorough else ""))
    changed: set[int] = set()
    for part in exercise.parts(rng, thorough):
        problem = judge(exercise, part, answers[part.answer], changed)
        if problem:
            print(f"  ✗ {part.title}")
            raise CheckFailed(f"{part.title}.\n{problem}")
        print(f"  ✓ {part.title}")
    for position in sorted(changed):
        print(
            f"  note: argument {position + 1} is changed in place. It costs nothing here, but "
            "whoever called your function still needs it: write h = …, not h[:] = …"
        )


def find(name: str) -> Exercise:
    """The exercise called ``name``.

    Raises:
        KeyError: there is none; the message names those that come close.
    """
    from . import EXERCISES

    if name in EXERCISES:
        return EXERCISES[name]
    close = difflib.get_close_matches(name, EXERCISES, 3) or sorted(EXERCISES)[:3]
    raise KeyError(f"there is no exercise {name!r}; did you mean {' or '.join(close)}?")


def judge(
    exercise: Exercise, part: Part, answer: Any, changed: set[int] | None = None
) -> str | None:
    """None when ``answer`` passes the part, otherwise sentences for the student."""
    try:
        # The student's code may divide by zero or overflow on its way; its numbers decide.
        with np.errstate(all="ignore"):
            got = ask(answer, part.trials, withheld_names(exercise), changed)
    except CheckFailed as failure:
        return str(failure)
    problem = part.judge(part.trials, got) if part.judge else parity(part.trials, got)
    if problem is None:
        return None
    known = diagnose(exercise, part, got)
    return f"{problem}\n{known}" if known else problem


def withheld_names(exercise: Exercise) -> list[str]:
    """What the exercise withholds, and the right answers that this package keeps for its tests."""
    kept = [f"{right.__module__}.{right.__qualname__}" for right in exercise.right]
    return [*exercise.withheld, *kept]


def diagnose(exercise: Exercise, part: Part, answers: Sequence[Any]) -> str | None:
    """The message of the known wrong answer that behaves like this one, on every trial."""
    for wrong in exercise.known_wrong:
        try:
            with np.errstate(all="ignore"):
                theirs = [wrong.answer(*trial.args) for trial in part.trials]
        except Exception:
            # A wrong answer to another name of the exercise, or one that cannot take these sizes.
            continue
        if all(_alike(mine, other) for mine, other in zip(answers, theirs, strict=True)):
            return wrong.message
    return None


def _alike(mine: Any, other: Any) -> bool:
    other = tuple(np.asarray(v) for v in other) if type(other) is tuple else np.asarray(other)
    return same(mine, other)
