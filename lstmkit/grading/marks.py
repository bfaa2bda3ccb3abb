"""The marks of an assignment, read from the gradebook; as a table, as CSV, as JSON."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .course import Course

COLUMNS = ["assignment", "student", "score", "max_score", "status", "reason", "notes", "feedback"]
CALL = re.compile(r"""\bcheck\(\s*["']([\w.]+)["']""")


@dataclass
class Mark:
    """One row: a student's marks in one assignment.

    exercises: {exercise: [score, points]} in the notebook's order. tests: the same for each test
    cell.
    feedback: the path of the feedback page, "" where there is none.
    """

    assignment: str
    student: str
    status: str = ""
    reason: str = ""
    notes: list[str] = field(default_factory=list)
    score: float = 0.0
    max_score: float = 0.0
    exercises: dict[str, list[float]] = field(default_factory=dict)
    tests: dict[str, list[float]] = field(default_factory=dict)
    feedback: str = ""
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """The row for JSON."""
        return asdict(self)


def read_mark(course: Course, assignment: str, student: str) -> Mark:
    """What the gradebook holds for one student: all zero when it holds nothing."""
    from nbgrader.api import MissingEntry

    mark = Mark(assignment, student)
    with course.gradebook() as gradebook:
        for notebook in gradebook.find_assignment(assignment).notebooks:
            sources = {cell.name: cell.source for cell in notebook.source_cells}
            order = list(sources)
            cells = sorted(notebook.grade_cells, key=lambda cell: order.index(cell.name))
            for cell in cells:
                mark.tests[cell.name] = [0.0, cell.max_score]
                exercise = exercise_of(cell.name, sources[cell.name])
                mark.exercises.setdefault(exercise, [0.0, 0.0])[1] += cell.max_score
                mark.max_score += cell.max_score
        try:
            entry = gradebook.find_submission(assignment, student)
        except MissingEntry:
            return mark
        for grade in (grade for notebook in entry.notebooks for grade in notebook.grades):
            source = next(
                c.source for c in grade.notebook.notebook.source_cells if c.name == grade.name
            )
            mark.tests[grade.name][0] = grade.score
            mark.exercises[exercise_of(grade.name, source)][0] += grade.score
        mark.score = max(0.0, entry.score - (entry.late_submission_penalty or 0.0))
    page = course.notebook("feedback", student, assignment, ".html")
    mark.feedback = str(page) if page.exists() else ""
    return mark


def exercise_of(test: str, source: str) -> str:
    """The exercise that a test cell belongs to: what it gives to `check`, else its own name."""
    named = CALL.search(source)
    return named.group(1) if named else test


def table(marks: Sequence[Mark]) -> str:
    """The marks of one assignment as text: a row a student, a column an exercise, a reason."""
    if not marks:
        return "no submissions"
    names = list(marks[0].exercises)
    width = max(7, *(len(mark.student) for mark in marks))
    legend = [
        f"  {n}  {name}  ({number(marks[0].exercises[name][1])})" for n, name in enumerate(names, 1)
    ]
    head = "student".ljust(width) + "".join(f"{n:>6}" for n in range(1, len(names) + 1))
    rows = []
    for mark in marks:
        cells = "".join(f"{number(score):>6}" for score, _ in mark.exercises.values())
        total = f"{number(mark.score)}/{number(mark.max_score)}"
        words = " ".join([mark.reason, *mark.notes]).strip()
        rows.append(f"{mark.student.ljust(width)}{cells}{total:>9}  {words}".rstrip())
    return "\n".join([marks[0].assignment, *legend, "", f"{head}{'total':>9}  reason", *rows])


def number(value: float) -> str:
    """A mark without needless digits: 2, 2.5, 0.333."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


def write_csv(path: Path, marks: Sequence[Mark]) -> Path:
    """Write the marks; rows of other assignments in an earlier file of ours stay.

    A file that is not ours (`nbgrader export` also writes grades.csv) is left alone, and the marks
    go beside it. Returns the path written.
    """
    kept: list[dict[str, str]] = []
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if list(reader.fieldnames or [])[: len(COLUMNS)] != COLUMNS:
                return write_csv(path.with_name(f"lstmkit-{path.name}"), marks)
            new = {(mark.assignment, mark.student) for mark in marks}
            kept = [row for row in reader if (row["assignment"], row["student"]) not in new]
    rows = sorted([*kept, *map(_row, marks)], key=lambda row: (row["assignment"], row["student"]))
    names = {name: None for row in rows for name in row if name not in COLUMNS}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*COLUMNS, *names], restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def _row(mark: Mark) -> dict[str, str]:
    scores = {name: number(score) for name, (score, _) in mark.exercises.items()}
    own = mark.as_dict() | {
        "score": number(mark.score),
        "max_score": number(mark.max_score),
        "notes": " ".join(mark.notes),
    }
    return {name: str(own[name]) for name in COLUMNS} | scores
