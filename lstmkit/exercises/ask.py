"""Call what the student wrote: every touch of their work goes through this file."""

from __future__ import annotations

import copy
import traceback
from collections.abc import Sequence
from typing import Any

import numpy as np

from .errors import CheckFailed, Withheld
from .model import Trial
from .withheld import withhold

_HERE = __file__.rpartition("/")[0] or __file__.rpartition("\\")[0]


def ask(
    function: Any,
    trials: Sequence[Trial],
    withheld: Sequence[str] = (),
    changed: set[int] | None = None,
) -> list[Any]:
    """The answers of ``function`` to all trials, in order.

    All calls are made before the first answer is looked at. Arguments are copies; the positions
    of those that a call changes are added to ``changed``.

    Raises:
        CheckFailed: the function is not callable, raised an error, or used a withheld name.
    """
    if not callable(function):
        raise CheckFailed(
            f"A function is expected, but this is of type {type(function).__name__}. "
            "Pass its name without parentheses."
        )
    answers = []
    with withhold(withheld):
        for trial in trials:
            arguments = copy.deepcopy(trial.args)
            try:
                answers.append(function(*arguments))
            except Exception as error:
                raise CheckFailed(_explain(error, trial)) from None
            if changed is not None:
                changed |= _changed(trial.args, arguments)
    return answers


def _changed(before: Sequence[Any], after: Sequence[Any]) -> set[int]:
    return {
        position
        for position, (one, other) in enumerate(zip(before, after, strict=True))
        if isinstance(one, np.ndarray) and not np.array_equal(one, other, equal_nan=True)
    }


def _explain(error: Exception, trial: Trial) -> str:
    """What went wrong inside the student's function, in one or two sentences."""
    if isinstance(error, Withheld):
        return str(error)
    if isinstance(error, ImportError) and "None in sys.modules" in str(error):
        package = (error.name or "that package").split(".")[0]
        return f"{package} is withheld in this exercise: write the computation out yourself."
    if type(error).__name__ == "NotImplementedError":
        return (
            "This exercise is still untouched: replace `raise NotImplementedError()` by your code."
        )
    where = _last_own_line(error)
    sizes = f" Called with {trial.what}." if trial.what else ""
    return f"Your function raised {type(error).__name__}: {error}{where}{sizes}"


def _last_own_line(error: Exception) -> str:
    """The student's line that was running, where it can be had."""
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "site-packages" not in frame.filename and not frame.filename.startswith(_HERE)
    ]
    if not own or not own[-1].line:
        return ""
    return f"\n    in {own[-1].name}, line {own[-1].lineno}: {own[-1].line.strip()}"
