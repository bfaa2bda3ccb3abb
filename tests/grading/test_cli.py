"""The command line: version, list of exercises, mistakes, and what it imports."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import lstmkit
from lstmkit import cli
from lstmkit.exercises import EXERCISES


def test_exercises_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["exercises", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows) == set(EXERCISES)
    for name, row in rows.items():
        assert row["chapter"].startswith(name[:2])
        assert row["points"] > 0
        assert row["known_wrong"] >= 5
        assert row["right"] >= 3


def test_exercises_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["exercises"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["exercise", "points", "known", "wrong", "right"]
    assert [line.split()[0] for line in lines] == sorted(EXERCISES)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"lstmkit {lstmkit.__version__}\n"


@pytest.mark.parametrize(
    "arguments", [[], ["unknown"], ["check"], ["grade"], ["check", "a.ipynb", "--time-limit", "0"]]
)
def test_mistakes_end_with_a_sentence(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments)
    assert stop.value.code == 2
    assert "usage: lstmkit" in capsys.readouterr().err


def test_nothing_heavy_is_imported_before_it_is_used() -> None:
    code = (
        "import sys, lstmkit.cli as c; c.main(['exercises']);"
        "print([m for m in ('torch', 'nbgrader', 'nbclient', 'matplotlib', 'jupytext')"
        " if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"
