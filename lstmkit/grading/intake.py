"""What a student handed in, looked at before anything reads it: nothing is believed, nothing is
followed.

A submission that cannot be graded gets a sentence that says why, for the student and the
instructor.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LARGEST = 20_000_000  # bytes of a notebook file
TIMESTAMP = "timestamp.txt"


class Unusable(Exception):
    """The submission cannot be graded; the text is the reason."""


@dataclass(frozen=True)
class Test:
    """A marked cell as the gradebook knows it; `points` is None for one that is not a test."""

    name: str
    source: str
    checksum: str
    points: float | None

    def cell(self) -> dict[str, Any]:
        """The cell as it stands in a release, without an id."""
        mark = {"cell_type": "code", "grade": True, "grade_id": self.name, "locked": True}
        mark |= {"points": self.points, "schema_version": 3, "solution": False, "task": False}
        mark |= {"checksum": self.checksum}
        code: dict[str, Any] = {
            "cell_type": "code",
            "execution_count": None,
            "outputs": [],
            "source": self.source,
        }
        return code | {"metadata": {"nbgrader": mark}}


@dataclass
class Submission:
    """One student's notebook as it came in.

    notebook: the parsed file, None when it cannot be graded; then `reason` says why. notes: what
    was odd. timestamp: the text of timestamp.txt, if any.
    """

    student: str
    assignment: str
    notebook: dict[str, Any] | None = None
    reason: str = ""
    notes: list[str] = field(default_factory=list)
    timestamp: str = ""


def read_submission(
    folder: Path, student: str, assignment: str, tests: Sequence[Test] = ()
) -> Submission:
    """Look at submitted/<student>/<assignment>; never raises for what a student did.

    tests: the assignment's marked cells, in order; those that are missing are put back.
    """
    submission = Submission(student, assignment)
    try:
        submission.notebook = parse(read_file(locate(folder, f"{assignment}.ipynb")))
        submission.notes = uncopied(submission.notebook["cells"])
        submission.notes += put_back(submission.notebook, tests)
    except Unusable as unusable:
        submission.notebook, submission.reason = None, str(unusable)
    submission.timestamp = read_timestamp(folder)
    return submission


def read_timestamp(folder: Path) -> str:
    """The text of timestamp.txt, which nbgrader's exchange writes; "" where there is none."""
    try:
        return read_file(folder / TIMESTAMP, 1_000).decode("utf-8")
    except (Unusable, UnicodeDecodeError):
        return ""


def fingerprint(folder: Path, assignment: str) -> str:
    """What tells whether a submission has changed: the hash of its bytes, else why it has none."""
    try:
        seen = hashlib.sha256(read_file(locate(folder, f"{assignment}.ipynb"))).hexdigest()
    except Unusable as unusable:
        seen = str(unusable)
    return f"{seen}\0{read_timestamp(folder)}"


def locate(folder: Path, name: str) -> Path:
    """The notebook's path; raises Unusable when it is not there or lies behind a link."""
    for part in (folder.parent, folder):
        if part.is_symlink():
            raise Unusable(f"The folder {part.name} is a link: hand in the files themselves.")
    if not folder.is_dir():
        astray = sorted(p.name for p in folder.parent.glob("*.ipynb"))
        raise Unusable(
            f"The notebook must lie in a folder {folder.name}; there is {', '.join(astray[:5])}."
            if astray
            else "Nothing was handed in."
        )
    path = folder / name
    if path.is_symlink():
        raise Unusable(f"{name} is a link: hand in the file itself.")
    if path.is_dir():
        raise Unusable(f"{name} is a folder: hand in the notebook file.")
    if not path.exists():
        found = sorted(p.name for p in folder.iterdir() if p.name != TIMESTAMP)
        seen = f"there is {', '.join(found[:5])}" if found else "the folder is empty"
        raise Unusable(f"The notebook must be named {name}; {seen}.")
    return path


def read_file(path: Path, largest: int = LARGEST) -> bytes:
    """The bytes of a regular file, at most `largest`; no link is followed, no pipe waited for."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise Unusable(f"{path.name} cannot be opened: {error.strerror}.") from None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Unusable(f"{path.name} is not a regular file.")
        data = file.read(largest + 1)
    if len(data) > largest:
        raise Unusable(
            f"{path.name} is larger than {largest // 1_000_000} MB: clear its outputs and save it."
        )
    return data


def parse(data: bytes) -> dict[str, Any]:
    """A notebook of format 4 from its bytes; raises Unusable with the place of the error."""
    if not data.strip():
        raise Unusable("The notebook file is empty.")
    try:
        notebook = json.loads(data.decode("utf-8"), parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise Unusable("The notebook file is not text in UTF-8.") from None
    except json.JSONDecodeError as error:
        raise Unusable(
            f"The notebook file is not valid JSON (line {error.lineno}: {error.msg})."
        ) from None
    except (ValueError, RecursionError) as error:
        raise Unusable(f"The notebook file is not valid JSON ({error}).") from None
    if not isinstance(notebook, dict) or "nbformat" not in notebook:
        raise Unusable("The file is JSON, but not a notebook.")
    if notebook["nbformat"] != 4:
        found = f"{notebook['nbformat']!s:.20}"
        raise Unusable(f"The notebook has format {found}, not 4: open and save it in JupyterLab.")
    _validate(notebook)
    return notebook


def _validate(notebook: dict[str, Any]) -> None:
    import nbformat

    tidy(notebook)
    try:
        nbformat.validate(nbformat.from_dict(notebook))
    except (nbformat.ValidationError, ValueError, KeyError, TypeError, RecursionError) as error:
        text = getattr(error, "message", str(error))
        raise Unusable(f"The file is not a valid notebook: {text:.200}.") from None


def tidy(notebook: dict[str, Any]) -> None:
    """Drop old outputs (a new run counts), join lines, number the cells (editors differ in ids)."""
    cells = notebook.get("cells")
    minor = notebook.get("nbformat_minor")
    for number, cell in enumerate(cells if isinstance(cells, list) else (), 1):
        if not isinstance(cell, dict):
            continue
        if cell.get("cell_type") == "code":
            cell["outputs"], cell["execution_count"] = [], None
        if isinstance(source := cell.get("source"), list) and all(type(x) is str for x in source):
            cell["source"] = "".join(source)
        cell.pop("id", None)
        if isinstance(minor, int) and minor >= 5:
            cell["id"] = f"in-{number:03d}"


def put_back(notebook: dict[str, Any], tests: Sequence[Test]) -> list[str]:
    """Put test cells that are missing back, each behind the marked cell that it stood behind.

    Returns a sentence for each. What the tests say does not matter here: nbgrader puts the
    original in place of what a student made of it.
    """
    notes = []
    cells, place = notebook["cells"], 0
    for test in tests:
        here = [n for n, cell in enumerate(cells) if mark_of(cell).get("grade_id") == test.name]
        if here:
            place = here[-1] + 1
        elif test.points is not None:
            named = {"id": test.name} if notebook["nbformat_minor"] >= 5 else {}
            cells.insert(place, test.cell() | named)
            place += 1
            notes.append(f"The test cell {test.name} was missing and was put back.")
    return notes


def mark_of(cell: dict[str, Any]) -> dict[str, Any]:
    """nbgrader's mark in a cell's metadata, empty when there is none."""
    mark = cell["metadata"].get("nbgrader")
    return mark if isinstance(mark, dict) else {}


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number in JSON")


def uncopied(cells: list[dict[str, Any]]) -> list[str]:
    """Take the marks off copies of marked cells: JupyterLab copies them with a cell.

    The last cell with a grade_id keeps it, as in nbgrader, which then would refuse the whole
    notebook. Returns a sentence for each id.
    """
    ids = [mark_of(cell).get("grade_id") for cell in cells]
    twice = {name for name, n in Counter(map(str, ids)).items() if n > 1 and name != "None"}
    for index, name in enumerate(ids):
        if str(name) in twice and name in ids[index + 1 :]:
            del cells[index]["metadata"]["nbgrader"]
    return [
        f"The cell {name} is there more than once; the last one counts." for name in sorted(twice)
    ]
