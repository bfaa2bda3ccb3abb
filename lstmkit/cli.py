"""`lstmkit …`: check a notebook, list the exercises, make the release, grade submissions."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from lstmkit import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status: 0 well, 1 something failed, 2 could not start."""
    # A Windows console may not know ✓: print something else rather than stop.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    arguments = parser().parse_args(argv)
    try:
        status: int = arguments.run(arguments)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    return status


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="lstmkit", description="The course's command.")
    top.add_argument("--version", action="version", version=f"lstmkit {__version__}")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _check(commands)
    _exercises(commands)
    _release(commands)
    _grade(commands)
    return top


def _check(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    sub = commands.add_parser(
        "check",
        help="run a notebook and say what its visible checks give",
        description="Run a notebook in a fresh kernel and say, for each check, whether it passed. "
        "The file is not changed. Exit status: 0 all visible checks passed, 1 some did not, 2 it "
        "could not be run.",
    )
    sub.add_argument(
        "notebook", type=Path, help="for example notebooks/01-the-loop/01-the-loop.ipynb"
    )
    sub.add_argument(
        "--time-limit",
        type=_seconds,
        default=60,
        metavar="S",
        help="stop a cell after S seconds (60)",
    )
    sub.add_argument("--json", action="store_true", help="print the report for programs")
    sub.set_defaults(run=run_check)


def _exercises(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    sub = commands.add_parser(
        "exercises", help="list all exercises, with points and known wrong and right answers"
    )
    sub.add_argument("--json", action="store_true", help="print the list for programs")
    sub.set_defaults(run=run_exercises)


def _release(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    sub = commands.add_parser(
        "release",
        help="make notebooks/ (what students get) from solutions/",
        description="Make notebooks/NAME from solutions/NAME/NAME.md, for all assignments or those "
        "named. A notebook in which answers were filled in is kept.",
    )
    sub.add_argument(
        "name", nargs="*", metavar="NAME", help="an assignment, for example 01-the-loop"
    )
    sub.add_argument(
        "--check",
        action="store_true",
        help="change nothing; list what differs and exit with 1 if so",
    )
    sub.add_argument(
        "--force", action="store_true", help="replace notebooks that hold answers, too"
    )
    _course(sub)
    sub.set_defaults(run=run_release)


def _grade(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    sub = commands.add_parser(
        "grade",
        help="grade the submissions of an assignment",
        description="Grade submitted/<student>/ASSIGNMENT/ASSIGNMENT.ipynb of every student: marks "
        "into the gradebook and a CSV file, feedback pages, a table. Exit status: 0 every "
        "submission has a mark (zero with a reason, too), 1 some could not be graded, 2 nothing "
        "was done.",
    )
    sub.add_argument(
        "assignment", nargs="+", metavar="ASSIGNMENT", help="for example 06-forget-gate"
    )
    sub.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="STUDENT",
        help="this student alone (repeatable)",
    )
    sub.add_argument("--force", action="store_true", help="grade again what has not changed, too")
    sub.add_argument("--json", action="store_true", help="print the marks for programs")
    sub.add_argument(
        "--csv", type=Path, metavar="FILE", help="where the marks go (grades.csv of the course)"
    )
    sub.add_argument(
        "--jobs", type=int, metavar="N", help="submissions at a time (processors, at most 4)"
    )
    sub.add_argument(
        "--time-limit",
        type=_seconds,
        metavar="S",
        help="stop a cell after S seconds (nbgrader_config.py)",
    )
    _course(sub)
    sub.set_defaults(run=run_grade)


def _course(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "--course",
        type=Path,
        metavar="DIR",
        help="the folder with nbgrader_config.py (default: this one, or one above it)",
    )


def _seconds(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("at least one second")
    return value


def fail(error: Exception) -> int:
    """Print an error's sentence; exit status 2."""
    print(f"lstmkit: {error}", file=sys.stderr)
    return 2


def run_check(arguments: argparse.Namespace) -> int:
    """`lstmkit check NOTEBOOK`"""
    from lstmkit.grading.check import CheckError, as_dict, check_notebook, show

    try:
        report = check_notebook(arguments.notebook, arguments.time_limit)
    except CheckError as error:
        return fail(error)
    print(json.dumps(as_dict(report), ensure_ascii=False) if arguments.json else show(report))
    return 0 if report.passed else 1


def run_exercises(arguments: argparse.Namespace) -> int:
    """`lstmkit exercises`"""
    from lstmkit.exercises import EXERCISES

    rows = [
        {
            "name": exercise.name,
            "chapter": exercise.chapter,
            "points": exercise.points,
            "known_wrong": len(exercise.known_wrong),
            "right": len(exercise.right),
            "asks": list(exercise.asks),
            "withheld": list(exercise.withheld),
        }
        for exercise in sorted(EXERCISES.values(), key=lambda exercise: exercise.name)
    ]
    if arguments.json:
        print(json.dumps(rows, indent=1))
        return 0
    width = max([len(str(row["name"])) for row in rows] + [8])
    print(f"{'exercise'.ljust(width)}  points  known wrong  right")
    for row in rows:
        name, points = str(row["name"]).ljust(width), f"{row['points']:g}"
        print(f"{name}  {points:>6}  {row['known_wrong']:>11}  {row['right']:>5}")
    return 0


def run_release(arguments: argparse.Namespace) -> int:
    """`lstmkit release`"""
    from lstmkit.grading.course import CourseError, lead_here, load_course
    from lstmkit.grading.release import check_release, release

    try:
        course = load_course(arguments.course)
        if arguments.check:
            found = check_release(arguments.name, course)
            print("\n".join(found) or "The release is what the sources yield.")
            return 1 if found else 0
        kept = release(arguments.name, course, arguments.force)
        lead_here(course.root)
    except CourseError as error:
        return fail(error)
    for line in kept:
        print(line, file=sys.stderr)
    print(f"Release: {course.folder('release', '.', '.')}")
    return 0


def run_grade(arguments: argparse.Namespace) -> int:
    """`lstmkit grade ASSIGNMENT`"""
    from lstmkit.grading.report import run_grade as run

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
