"""One submission: nbgrader's autograding and feedback for it, or zero with a reason."""

from __future__ import annotations

import glob
import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .course import Course, quiet_log
from .intake import TIMESTAMP, Submission, Test
from .release import reason

GRADED, ZERO, KEPT, FAILED = "graded", "zero", "kept", "failed"
# What nbgrader raises when the marks in a notebook's metadata do not make sense.
STUDENTS_FAULT = ("ValidationError", "NotJSONError", "use an old version", "use an newer version")


@dataclass
class Outcome:
    """What became of one submission.

    status: "graded"; "zero" (not gradable, see `reason`); "kept" (nothing changed since the last
    time); "failed" (the grader's own trouble, see `reason`: no mark was given).
    """

    student: str
    status: str
    reason: str = ""
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0


def grade_submission(course: Course, submission: Submission, key: str) -> Outcome:
    """Run, mark and write feedback for one submission; leaves marks in the gradebook."""
    start = time.monotonic()
    outcome = Outcome(submission.student, GRADED, submission.reason, submission.notes)
    if glob.escape(submission.student) != submission.student:
        outcome.status = FAILED
        outcome.reason = "nbgrader cannot read a folder with [, * or ? in its name: rename it."
        return outcome
    if not outcome.reason:
        outcome.reason, ours = autograde(course, submission, key)
        outcome.status = FAILED if ours else GRADED
    if outcome.reason and outcome.status != FAILED:
        outcome.status = ZERO
        give_zero(course, submission, key, outcome.reason)
    if outcome.status != FAILED:
        write_feedback(course, submission)
        outcome.notes = noted(course, submission.student, submission.assignment).notes
    outcome.seconds = round(time.monotonic() - start, 2)
    return outcome


def autograde(course: Course, submission: Submission, key: str) -> tuple[str, bool]:
    """nbgrader's Autograde on a copy of what intake let through.

    Returns why it could not be graded ("" when it was), and whether the trouble is the grader's
    own.
    """
    from nbgrader.converters import Autograde

    assert submission.notebook is not None
    name = submission.assignment
    lines: list[str] = []
    with tempfile.TemporaryDirectory(prefix="lstmkit-") as scratch:
        folder = Path(scratch) / submission.student / name
        folder.mkdir(parents=True)
        if when := when_of(submission):
            (folder / TIMESTAMP).write_text(when, encoding="utf-8")
        submission.notebook["metadata"]["lstmkit"] = {"submission": key, "intake": submission.notes}
        text = json.dumps(submission.notebook)
        (folder / f"{name}.ipynb").write_text(text, encoding="utf-8")
        where = course.directory(assignment_id=name, student_id=submission.student)
        where.submitted_directory = scratch
        converter = Autograde(
            coursedir=where, config=course.config, log=quiet_log(lines), force=True
        )
        try:
            converter.start()
        except Exception as error:
            why = reason(lines, error)
            theirs = any(word in why for word in STUDENTS_FAULT)
            return (f"The marks of its cells are damaged: {why}" if theirs else why), not theirs
    return "", False


def give_zero(course: Course, submission: Submission, key: str, why: str) -> None:
    """Zero for every test, and a page that says why. Marks given by hand stay."""
    import nbformat
    from nbformat.v4 import new_markdown_cell, new_notebook

    name, student = submission.assignment, submission.student
    with course.gradebook() as gradebook:
        gradebook.update_or_create_student(student)
        entry = gradebook.update_or_create_submission(name, student)
        for notebook in entry.notebooks:
            for grade in notebook.grades:
                grade.auto_score, grade.needs_manual_grade = 0.0, False
        gradebook.db.commit()
    path = course.notebook("autograded", student, name)
    shutil.rmtree(path.parent, ignore_errors=True)
    path.parent.mkdir(parents=True)
    page = new_notebook(metadata={"lstmkit": {"submission": key, "reason": why}})
    page.cells = [new_markdown_cell(f"**This submission could not be graded.**\n\n{escape(why)}")]
    nbformat.write(page, path)


def escape(text: str) -> str:
    """Text for a Markdown cell that shows it as it is: names of files come from students."""
    return "".join(f"&#{ord(ch)};" if ch in "<>&*_[]`$\\!|#" else ch for ch in text)


def write_feedback(course: Course, submission: Submission) -> None:
    """nbgrader's feedback page of a submission that has its marks."""
    from nbgrader.converters import GenerateFeedback

    where = course.directory(assignment_id=submission.assignment, student_id=submission.student)
    GenerateFeedback(coursedir=where, config=course.config, log=quiet_log([]), force=True).start()


def when_of(submission: Submission) -> str:
    """The time of handing in, "" (with a note) where nbgrader could not read it."""
    from nbgrader.utils import parse_utc

    try:
        return submission.timestamp if parse_utc(submission.timestamp.strip() or None) else ""
    except (ValueError, OverflowError, TypeError):
        submission.notes.append(f"{TIMESTAMP} holds no time and was left out.")
        return ""


def submission_key(fingerprint: str, tests: Sequence[Test]) -> str:
    """What a mark was given for: the file, the time it was handed in, and the tests it met."""
    met = [f"{test.name} {test.checksum} {test.points}" for test in tests]
    return hashlib.sha256("\0".join([fingerprint, *met]).encode()).hexdigest()


@dataclass
class Noted:
    """What the last grading left in an autograded notebook."""

    key: str = ""
    reason: str = ""
    notes: list[str] = field(default_factory=list)


def noted(course: Course, student: str, assignment: str) -> Noted:
    """What the last grading left, empty when there was none, or it was not ours."""
    path = course.notebook("autograded", student, assignment)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["metadata"]["lstmkit"]
        notes = [*found.get("intake", []), *found.get("notes", [])]
        return Noted(found["submission"], found.get("reason", ""), notes)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Noted()
