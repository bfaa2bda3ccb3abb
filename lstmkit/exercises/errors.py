"""The errors that a check raises, shown without frames of the library."""

from __future__ import annotations


class CheckFailed(AssertionError):
    """An answer did not pass; the text says what was tested and what differs."""

    def _render_traceback_(self) -> list[str]:
        # IPython asks an exception for its own rendering: the sentence is all a student needs.
        return [f"CheckFailed: {self}"]


class Withheld(RuntimeError):
    """A name was used that the exercise asks the student to write out."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is withheld in this exercise: write the computation out yourself."
        )
