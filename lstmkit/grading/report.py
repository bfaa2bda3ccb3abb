"""`lstmkit grade`: a progress bar, then the table, the CSV file and where the feedback lies."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import warnings
from typing import Any

from .course import Course, CourseError, load_course
from .marks import Mark, table, write_csv


def run_grade(arguments: argparse.Namespace) -> int:
    """Grade, print, write; the exit status says whether every submission has a mark."""
    # SQLAlchemy 2.1 warns about the way that nbgrader 0.9 adds rows.
    warnings.filterwarnings("ignore", module="nbgrader")
    settings: dict[str, dict[str, Any]] = {}
    if arguments.time_limit:
        settings["ExecutePreprocessor"] = {"timeout": arguments.time_limit}
    try:
        course = load_course(arguments.course, settings)
        graded = {name: _grade(course, name, arguments) for name in arguments.assignment}
    except CourseError as error:
        print(f"lstmkit: {error}", file=sys.stderr)
        return 2
    marks = [mark for rows in graded.values() for mark in rows]
    written = write_csv(arguments.csv or course.root / "grades.csv", marks)
    if arguments.json:
        print(json.dumps([mark.as_dict() for mark in marks], ensure_ascii=False))
    else:
        for name, rows in graded.items():
            print(table(rows) if rows else f"{name}: nobody has handed in anything")
            print(f"feedback: {course.folder('feedback', '*', name)}/{name}.html\n")
        print(f"marks: {written}")
    return 1 if any(mark.status == "failed" for mark in marks) else 0


def _grade(course: Course, name: str, arguments: argparse.Namespace) -> list[Mark]:
    from tqdm import tqdm

    from .assignment import grade_assignment

    # No monitor thread: the batch forks. No bar where nobody watches.
    tqdm.monitor_interval = 0
    columns, lines = shutil.get_terminal_size()
    size = {"ncols": min(100, columns), "nrows": lines}  # a terminal may say 0 by 0
    with tqdm(desc=name, unit="", file=sys.stderr, disable=None, leave=False, **size) as bar:

        def progress(done: int, total: int, student: str) -> None:
            bar.total = total
            bar.set_postfix_str(student)
            bar.update(done - bar.n)

        return grade_assignment(
            course, name, arguments.only, arguments.force, arguments.jobs, progress
        )
