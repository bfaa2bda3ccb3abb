"""All submissions of one assignment: intake, autograding, feedback, marks."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from .batch import Done, run_each
from .course import Course, CourseError
from .grade import (
    FAILED,
    GRADED,
    KEPT,
    ZERO,
    Outcome,
    grade_submission,
    noted,
    submission_key,
)
from .intake import Submission, Test, fingerprint, read_submission
from .marks import Mark, read_mark
from .release import generate, write_source

ABSENT = "absent"


def grade_assignment(
    course: Course,
    name: str,
    only: Sequence[str] = (),
    force: bool = False,
    jobs: int | None = None,
    progress: Callable[[int, int, str], None] = lambda done, total, student: None,
) -> list[Mark]:
    """Grade everything in submitted/*/<name>; one row a student, sorted by name.

    only: grade these students alone. force: also those whose file and tests have not changed since.
    jobs: how many at a time.
    progress: called with the number done, the number of all, and the student.

    Raises CourseError when there is no such assignment, or nobody of `only`.
    """
    tests = enter(course, name)
    found = students(course, only)
    marked = entered(course, name)
    outcomes: dict[str, Outcome] = {}
    tasks: list[tuple[str, str]] = []
    for student in found:
        folder = course.folder("submitted", student, name)
        key = submission_key(fingerprint(folder, name), tests)
        before = noted(course, student, name)
        page = course.notebook("feedback", student, name, ".html")
        if not os.path.lexists(folder):
            absent = read_submission(folder, student, name)
            outcomes[student] = Outcome(student, ABSENT, absent.reason)
        elif before.key == key and student in marked and page.exists() and not force:
            outcomes[student] = Outcome(student, KEPT, before.reason, before.notes)
        else:
            tasks.append((student, key))
    limit = float(course.config.CourseExecute.get("notebook_timeout", 300)) + 120
    work = partial(grade_task, course, name, tests)
    progress(len(outcomes), len(found), "")
    for done in run_each(work, tasks, jobs or default_jobs(), limit):
        outcome = outcome_of(course, name, done)
        outcomes[outcome.student] = outcome
        progress(len(outcomes), len(found), outcome.student)
    return [row(course, name, outcomes[student]) for student in found]


def row(course: Course, name: str, outcome: Outcome) -> Mark:
    """The outcome with the marks that the gradebook holds."""
    mark = read_mark(course, name, outcome.student)
    # "kept" is about this run; the row says what the mark is.
    status = outcome.status
    if status == KEPT:
        status = ZERO if outcome.reason else GRADED
    return replace(
        mark,
        status=status,
        reason=outcome.reason,
        notes=outcome.notes,
        seconds=outcome.seconds,
    )


def grade_task(course: Course, name: str, tests: Sequence[Test], task: tuple[str, str]) -> Outcome:
    """Intake and grading of one student's folder; `task` is the student and the key."""
    student, key = task
    folder = course.folder("submitted", student, name)
    return grade_submission(course, read_submission(folder, student, name, tests), key)


def outcome_of(course: Course, name: str, done: Done) -> Outcome:
    """A lost process is zero with the reason; an exception is the grader's own trouble."""
    student, key = done.task
    if done.lost:
        return grade_submission(course, Submission(student, name, reason=done.lost), key)
    return done.result or Outcome(student, FAILED, done.error)


def enter(course: Course, name: str) -> list[Test]:
    """See that the gradebook knows the assignment; returns its marked cells."""
    from nbgrader.api import MissingEntry

    with course.gradebook() as gradebook:
        try:
            known = bool(gradebook.find_assignment(name).notebooks)
        except MissingEntry:
            known = False
    if not known:
        if name not in course.assignments():
            known_names = ", ".join(course.assignments()) or "none"
            raise CourseError(f"There is no assignment {name!r}; there are: {known_names}.")
        write_source(course, name, course.notebook("source", ".", name))
        with tempfile.TemporaryDirectory(prefix="lstmkit-") as scratch:
            generate(course, name, Path(scratch))
    with course.gradebook() as gradebook:
        return [
            test for book in gradebook.find_assignment(name).notebooks for test in tests_of(book)
        ]


def tests_of(notebook: Any) -> list[Test]:
    """The marked cells of one of the gradebook's notebooks, in order."""
    answers = {cell.name for cell in notebook.solution_cells}
    points = {
        cell.name: cell.max_score for cell in notebook.grade_cells if cell.name not in answers
    }
    return [
        Test(cell.name, cell.source, cell.checksum, points.get(cell.name))
        for cell in notebook.source_cells
    ]


def entered(course: Course, name: str) -> set[str]:
    """The students whose marks for the assignment are in the gradebook."""
    with course.gradebook() as gradebook:
        return {entry.student.id for entry in gradebook.assignment_submissions(name)}


def default_jobs() -> int:
    """One submission a processor, four at most: the gradebook is one file."""
    return min(4, os.cpu_count() or 1)


def students(course: Course, only: Sequence[str]) -> list[str]:
    """The folders in submitted/, and those students of the gradebook who have none."""
    where = course.directory()
    submitted = Path(where.format_path(where.submitted_directory, ".", "."))
    folders = {p.name for p in submitted.iterdir() if p.is_dir()} if submitted.is_dir() else set()
    with course.gradebook() as gradebook:
        folders |= {student.id for student in gradebook.students}
    found = sorted(name for name in folders if not name.startswith("."))
    for name in only:
        if name not in found:
            raise CourseError(f"There is no student {name!r} in {submitted}.")
    return list(only) or found
