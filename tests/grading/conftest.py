"""Courses of the tests: a small one with odd submissions, and the real assignments' samples."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lstmkit.grading.course import Course

from .make_submissions import make_submissions
from .odd_submissions import make_odd_submissions
from .sample_course import CHECKOUT, make_course, make_samples

SMALL = "00-small"
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if name not in ("LSTMKIT_SECRET", "LSTMKIT_DB_URL", "LSTMKIT_SEED")
} | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def lstmkit(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run `lstmkit` in a process of its own."""
    command = [sys.executable, "-m", "lstmkit.cli", *arguments]
    return subprocess.run(
        command, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, timeout=600, check=False
    )


@dataclass
class Graded:
    """A course after `lstmkit grade --json`: {student: row} of each assignment."""

    course: Course
    run: subprocess.CompletedProcess[str]
    rows: dict[str, dict[str, dict[str, Any]]]


def grade(course: Course, *arguments: str) -> Graded:
    """Grade a course; the arguments are those of `lstmkit grade`."""
    run = lstmkit("grade", *arguments, "--json", "--course", str(course.root))
    rows: dict[str, dict[str, dict[str, Any]]] = {}
    for row in json.loads(run.stdout) if run.stdout.strip() else ():
        rows.setdefault(row["assignment"], {})[row["student"]] = row
    return Graded(course, run, rows)


def small_course(root: Path) -> Course:
    """The small course in `root`, released, without submissions."""
    shutil.copytree(Path(__file__).parent / "course" / "solutions", root / "solutions")
    course = make_course(root, root / "solutions")
    released = lstmkit("release", "--course", str(root))
    assert released.returncode == 0, released.stderr
    return course


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The small course without submissions: for reading."""
    return small_course(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """The small course with every sample submission and every odd one, graded."""
    course = small_course(tmp_path_factory.mktemp("odd"))
    release = course.notebook("release", ".", SMALL)
    source = course.notebook("source", ".", SMALL)
    make_submissions(course.root / "submitted", SMALL, release, source)
    make_odd_submissions(course.root / "submitted", SMALL, release, source)
    return grade(course, SMALL, "--time-limit", "4", "--jobs", "2")


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """What `make course` grades: the samples of the real assignments."""
    course = make_course(tmp_path_factory.mktemp("samples"), CHECKOUT / "solutions")
    names = course.assignments()
    make_samples(course, names)
    return grade(course, *names, "--time-limit", "10", "--jobs", "2")
