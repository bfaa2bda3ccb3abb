"""nbgrader's own commands in the course, from several working folders, and the formgrader."""

from __future__ import annotations

import csv
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from lstmkit.grading.course import CONFIG, Course, find_course, lead_here, load_course

from .conftest import ENVIRONMENT, SMALL
from .make_submissions import NOTEBOOKS, expected
from .sample_course import CHECKOUT, make_course

BIN = Path(sys.executable).parent
KINDS = ("right", "warns-but-right", "raises", "exits", "untouched")


def nbgrader(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run nbgrader as from a shell in which the virtual environment is not active."""
    plain = {**ENVIRONMENT, "PATH": "/usr/bin:/bin", **environment}
    command = [sys.executable, "-m", "nbgrader", *arguments]
    run = subprocess.run(
        command, cwd=cwd, env=plain, capture_output=True, text=True, timeout=300, check=False
    )
    assert run.returncode == 0, run.stderr
    return run


@pytest.fixture(scope="module")
def course(small: Course, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The small course released by nbgrader alone, with five submissions, autograded."""
    root = tmp_path_factory.mktemp("plain")
    shutil.copytree(small.root / "solutions", root / "solutions")
    course = make_course(root, root / "solutions")
    nbgrader("generate_assignment", SMALL, cwd=root)
    given, solution = (
        json.loads(course.notebook(s, ".", SMALL).read_text()) for s in ("release", "source")
    )
    for kind in KINDS:
        path = course.notebook("submitted", kind, SMALL)
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(NOTEBOOKS[kind](given, solution)))
    nbgrader("autograde", SMALL, cwd=root)
    return course


def test_generate_assignment_makes_our_release(course: Course, small: Course) -> None:
    ours = small.notebook("release", ".", SMALL).read_bytes()
    assert course.notebook("release", ".", SMALL).read_bytes() == ours
    assert [p.name for p in course.folder("release", ".", SMALL).iterdir()] == [f"{SMALL}.ipynb"]


def test_autograde_gives_the_same_marks(course: Course) -> None:
    release = json.loads(course.notebook("release", ".", SMALL).read_text())
    with course.gradebook() as gradebook:
        marks = {s.student.id: s.score for s in gradebook.assignment_submissions(SMALL)}
    assert marks == {kind: expected(release, kind) for kind in KINDS}
    for kind in KINDS:
        noted = json.loads(course.notebook("autograded", kind, SMALL).read_text())["metadata"]
        assert len(noted["lstmkit"]["seed"]) == 64
        # The sources hold the solutions: none may lie beside a student's work.
        assert [p.name for p in course.folder("autograded", kind, SMALL).iterdir()] == [
            f"{SMALL}.ipynb"
        ]


def test_feedback_from_another_folder(course: Course, tmp_path: Path) -> None:
    nbgrader("generate_feedback", SMALL, f"--course-dir={course.root}", cwd=tmp_path)
    page = course.notebook("feedback", "raises", SMALL, ".html").read_text(encoding="utf-8")
    assert "Score: 3.0 / 4.0" in page
    assert list(tmp_path.iterdir()) == []


def test_export_from_a_folder_below(course: Course, tmp_path: Path) -> None:
    # What `make notebooks` puts into the environment's etc/jupyter leads up to the course.
    pointer = environment_of(tmp_path)
    target = tmp_path / "marks.csv"
    nbgrader("export", f"--to={target}", cwd=course.root / "solutions", JUPYTER_CONFIG_PATH=pointer)
    with target.open(newline="") as file:
        rows = {row["student_id"]: row["score"] for row in csv.DictReader(file)}
    assert rows == {k: v for k, v in rows.items() if k in KINDS}
    assert (rows["right"], rows["exits"], rows["untouched"]) == ("4.0", "3.0", "0.0")


def environment_of(folder: Path) -> str:
    """The etc/jupyter of an environment in `folder` in which the checkout's release was made."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "prefix", str(folder / "env"))
        patch.setattr(sys, "base_prefix", "/usr")
        lead_here(CHECKOUT)
    return str(folder / "env" / "etc" / "jupyter")


def test_from_anywhere_the_environment_leads_to_the_checkout(tmp_path: Path) -> None:
    pointer = environment_of(tmp_path)
    command = [sys.executable, "-m", "nbgrader", "autograde", "99-no-such-assignment"]
    environment = {**ENVIRONMENT, "JUPYTER_CONFIG_PATH": pointer}
    run = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert f"'{CHECKOUT}/submitted/*/99-no-such-assignment'" in run.stderr


def test_no_environment_is_led_to_a_course_that_it_does_not_belong_to(
    small: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    lead_here(small.root)
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path))
    lead_here(CHECKOUT)
    assert list(tmp_path.iterdir()) == []


def test_validate(course: Course) -> None:
    for step, words in (
        ("source", "Success! Your notebook passes all"),
        ("release", "FAILED ON 2"),
    ):
        path = course.notebook(step, ".", SMALL)
        assert words in nbgrader("validate", str(path), cwd=course.root).stdout


def test_the_database_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTMKIT_DB_URL", "postgresql+psycopg://course@localhost/marks")
    assert load_course(CHECKOUT).directory().db_url == os.environ["LSTMKIT_DB_URL"]
    monkeypatch.delenv("LSTMKIT_DB_URL")
    assert load_course(CHECKOUT).directory().db_url == f"sqlite:///{CHECKOUT}/gradebook.db"


def test_settings_that_the_course_rests_on() -> None:
    from nbgrader.coursedir import CourseDirectory

    where = load_course(CHECKOUT).directory()
    default = CourseDirectory.class_traits()["ignore"].default()
    assert where.ignore == [*default, "*.md"]
    assert (where.source_directory, where.release_directory) == ("solutions", "notebooks")
    assert where.root == str(CHECKOUT)


def test_the_course_is_found_from_below(course: Course, tmp_path: Path) -> None:
    assert find_course(course.root / "submitted" / "right") == course.root
    assert find_course(tmp_path) == CHECKOUT
    assert (CHECKOUT / CONFIG).is_file()


@pytest.fixture
def server(course: Course) -> Iterator[str]:
    """A Jupyter server in the course's folder; yields its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = ["--no-browser", f"--port={port}", "--ServerApp.token=t", "--allow-root"]
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyter_server", *arguments],
        cwd=course.root,
        env={**ENVIRONMENT, "PATH": f"{BIN}:/usr/bin:/bin"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def test_formgrader_lists_the_assignment_and_the_marks(server: str) -> None:
    def get(path: str) -> str:
        request = urllib.request.Request(server + path, headers={"Authorization": "token t"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read().decode()

    for _ in range(120):
        try:
            get("/api")
            break
        except OSError:
            time.sleep(0.5)
    assignments = json.loads(get("/formgrader/api/assignments"))
    found = {a["name"]: (a["max_score"], a["num_submissions"]) for a in assignments}
    assert found == {SMALL: (4, len(KINDS))}
    marks = json.loads(get(f"/formgrader/api/submissions/{SMALL}"))
    assert {m["student"]: m["score"] for m in marks}["raises"] == 3
    assert "formgrader" in get("/formgrader/manage_assignments")
