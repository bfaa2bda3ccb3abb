"""`lstmkit check`, the students' command."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from lstmkit import cli
from lstmkit.grading.check import verdict
from lstmkit.grading.course import Course

from .conftest import SMALL
from .make_submissions import NOTEBOOKS, answer_cells, marked


@pytest.fixture
def given(small: Course) -> tuple[dict, dict]:
    """The small course's release and source."""
    paths = (small.notebook(step, ".", SMALL) for step in ("release", "source"))
    release, source = (json.loads(path.read_text()) for path in paths)
    return release, source


def check(path: Path, *arguments: str) -> int:
    return cli.main(["check", str(path), *arguments])


def saved(path: Path, notebook: dict[str, Any]) -> Path:
    path.write_text(json.dumps(notebook))
    return path


def test_all_passed(given: tuple, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = saved(tmp_path / "a.ipynb", NOTEBOOKS["warns-but-right"](*given))
    before = path.read_bytes()
    assert check(path) == 0
    assert capsys.readouterr().out.splitlines() == [
        str(path),
        "✓ passed  twice-visible  (1 of 1)",
        "· hidden  twice-hidden  (marked when graded)",
        "✓ passed  sums-visible  (1 of 1)",
        "Visible checks: 2 of 2 points; 2 more when it is graded.",
    ]
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_some_failed(given: tuple, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notebook = NOTEBOOKS["right"](*given)
    list(answer_cells(notebook).values())[-1]["source"] = "def running_sum(xs):\n    return xs"
    notebook["cells"][1]["source"] = "print(1 / 0)"
    marked(notebook, "grade")[0]["source"] = "print('easy')"
    assert check(saved(tmp_path / "a.ipynb", notebook)) == 1
    out = capsys.readouterr().out
    assert (
        "✗ failed  sums-visible  (0 of 1)\n      AssertionError: running_sum([1, 2, 3]) is" in out
    )
    assert "This check cell was changed; grading uses the original." in out
    assert "Cell 2 raised ZeroDivisionError: division by zero" in out
    assert "Visible checks: 1 of 2 points" in out
    assert "Traceback" not in out


def test_an_endless_loop_is_stopped(
    given: tuple, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved(tmp_path / "a.ipynb", NOTEBOOKS["endless-loop"](*given))
    assert check(path, "--time-limit", "2") == 1
    out = capsys.readouterr().out
    assert "✓ passed  twice-visible" in out
    assert "TimeLimit: stopped after 2 seconds (an endless loop?)" in out


def test_a_kernel_that_ends(
    given: tuple, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(saved(tmp_path / "a.ipynb", NOTEBOOKS["exits"](*given))) == 1
    out = capsys.readouterr().out
    assert "✓ passed  twice-visible" in out
    assert "✗ not run  sums-visible" in out
    assert "The Python process ended before the notebook was done." in out


def test_a_cell_that_the_kernel_died_in_did_not_pass(given: tuple) -> None:
    # Its count may have arrived before the kernel died.
    cell = marked(given[0], "grade")[0] | {"execution_count": 5, "outputs": []}
    assert verdict(cell, ended=False, stopped="gone").outcome == "not run"
    assert verdict(cell, ended=True, stopped="").outcome == "passed"


def test_the_report_for_programs(
    given: tuple, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(saved(tmp_path / "a.ipynb", NOTEBOOKS["partly-right"](*given)), "--json") == 1
    report = json.loads(capsys.readouterr().out)
    assert [v["outcome"] for v in report["verdicts"]] == ["passed", "hidden", "failed"]
    assert (report["score"], report["visible_points"]) == (1, 2)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "does not exist."),
        (b"", "The notebook file is empty."),
        (b"{", "not valid JSON (line 1: "),
        (b"[]", "JSON, but not a notebook."),
        (b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}', "no check cells"),
    ],
)
def test_what_cannot_be_read(
    content: bytes | None, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.ipynb"
    if content is not None:
        path.write_bytes(content)
    assert check(path) == 2
    err = capsys.readouterr().err
    assert words in err
    assert len(err.splitlines()) == 1


def test_without_nbclient_and_without_nbgrader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "nbclient", None)
    assert check(tmp_path / "a.ipynb") == 2
    assert 'pip install "lstmkit[notebooks]"' in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "nbgrader", None)
    for command in (["release"], ["grade", "01-the-loop"]):
        assert cli.main(command) == 2
        assert 'pip install "lstmkit[grading]"' in capsys.readouterr().err
