"""Submissions out of the ordinary, and what each is worth in the small course of four points."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path

from .make_submissions import Notebook, answer_cells, marked, solved, text, with_last

STUBBORN = """while True:
        try:
            while True:
                pass
        except KeyboardInterrupt:
            pass"""


def deleted_test(release: Notebook, source: Notebook) -> Notebook:
    """A right answer without one of its test cells."""
    notebook = solved(release, source)
    notebook["cells"].remove(marked(notebook, "grade")[1])
    return notebook


def deleted_exercise(release: Notebook, source: Notebook) -> Notebook:
    """A right answer to the first exercise, without a cell of the second."""
    notebook = solved(release, source)
    place = notebook["cells"].index(list(answer_cells(notebook).values())[-1])
    del notebook["cells"][place:]
    return notebook


def copied_answer(release: Notebook, source: Notebook) -> Notebook:
    """A right answer whose last answer cell is there twice, the first time undone."""
    notebook = solved(release, source)
    undone = list(answer_cells(release).values())[-1]
    place = notebook["cells"].index(list(answer_cells(notebook).values())[-1])
    notebook["cells"].insert(place, copy.deepcopy(undone) | {"id": "copied"})
    return notebook


def tagged_tests(release: Notebook, source: Notebook) -> Notebook:
    """Nothing done, and tests that ask not to be run."""
    notebook = copy.deepcopy(release)
    for cell in marked(notebook, "grade"):
        cell["metadata"]["tags"] = ["skip-execution"]
    return notebook


def edited_tests(release: Notebook, source: Notebook) -> Notebook:
    """Nothing done, and tests that test nothing for a hundred points each."""
    notebook = copy.deepcopy(release)
    for cell in marked(notebook, "grade"):
        cell["source"] = "pass"
        cell["metadata"]["nbgrader"]["points"] = 100
    return notebook


def damaged_marks(release: Notebook, source: Notebook) -> Notebook:
    """A right answer with a mark that is no mark."""
    notebook = solved(release, source)
    marked(notebook, "grade")[0]["metadata"]["nbgrader"].pop("schema_version")
    return notebook


def without_ids(release: Notebook, source: Notebook) -> Notebook:
    """A right answer from an editor that writes no cell ids, and lines in place of texts."""
    notebook = solved(release, source) | {"nbformat_minor": 4}
    for cell in notebook["cells"]:
        cell.pop("id")
        cell["source"] = text(cell).splitlines(keepends=True)
    return notebook


def does(body: str) -> Callable[[Notebook, Notebook], Notebook]:
    """All right but the last function, which does `body`."""
    return lambda release, source: with_last(release, source, body)


# The points follow from the small course's cells: 1 + 2 for the first exercise, 1 for the second.
NOTEBOOKS: dict[str, tuple[Callable[[Notebook, Notebook], Notebook], float]] = {
    "deleted-test": (deleted_test, 4),
    "deleted-exercise": (deleted_exercise, 3),
    "copied-answer": (copied_answer, 4),
    "tagged-tests": (tagged_tests, 0),
    "edited-tests": (edited_tests, 0),
    "damaged-marks": (damaged_marks, 0),
    "without-ids": (without_ids, 4),
    "a strange name": (solved, 4),
    "late": (solved, 4),
    "odd-time": (solved, 4),
    "value-then-error": (does("import sys; sys.displayhook(5.0); raise ValueError"), 3),
    "stubborn-loop": (does(STUBBORN), 3),
    "endless-print": (does("while True: print('x' * 1000)"), 3),
    "kills-the-grader": (does("import os; os.kill(os.getppid(), 9)"), 0),
}
# What the reason of a submission that cannot be graded has to name.
REASONS = {
    "broken-json": "not valid JSON (line",
    "wrong-name": "must be named 00-small.ipynb; there is homework.ipynb",
    "damaged-marks": "marks of its cells are damaged",
    "kills-the-grader": "ended before it was done",
    "a-link": "00-small.ipynb is a link",
    "a-linked-folder": "The folder 00-small is a link",
    "a-folder": "00-small.ipynb is a folder",
    "a-pipe": "not a regular file",
    "too-large": "larger than 20 MB",
    "nothing-in-it": "file is empty",
    "not-text": "not text in UTF-8",
    "not-a-notebook": "not a notebook",
    "format-3": "format 3",
    "no-cells": "not a valid notebook",
    "not-a-number": "NaN is not a number",
}
ABSENT, ASTRAY = "handed-in-nothing", "without-a-folder"


def make_odd_submissions(submitted: Path, assignment: str, release: Path, source: Path) -> None:
    """Write submitted/<kind>/<assignment>/ for every kind."""
    given, solution = (json.loads(path.read_text(encoding="utf-8")) for path in (release, source))

    def path(student: str) -> Path:
        (submitted / student / assignment).mkdir(parents=True)
        return submitted / student / assignment / f"{assignment}.ipynb"

    for student, (make, _) in NOTEBOOKS.items():
        path(student).write_text(json.dumps(make(given, solution)), encoding="utf-8")
    right = json.dumps(solved(given, solution))
    path("a-link").symlink_to(source)
    (submitted / "a-linked-folder").mkdir()
    (submitted / "a-linked-folder" / assignment).symlink_to(submitted / "right" / assignment)
    path("a-folder").mkdir()
    os.mkfifo(path("a-pipe"))
    path("too-large").write_bytes(right.encode() + b" " * 20_000_000)
    path("nothing-in-it").write_bytes(b"\n")
    path("not-text").write_bytes(b"\xff\xfe" + right.encode("utf-16-le"))
    path("not-a-notebook").write_text("[1, 2]")
    path("format-3").write_text('{"nbformat": 3, "nbformat_minor": 0, "worksheets": []}')
    path("no-cells").write_text('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}')
    path("not-a-number").write_text(right.replace('"nbformat": 4', '"nbformat": NaN'))
    (submitted / ABSENT / "another-assignment").mkdir(parents=True)
    (submitted / ASTRAY).mkdir()
    (submitted / ASTRAY / f"{assignment}.ipynb").write_text(right)
    (submitted / "late" / assignment / "timestamp.txt").write_text("2026-01-31 23:59:00 UTC")
    (submitted / "odd-time" / assignment / "timestamp.txt").write_text("yesterday")
