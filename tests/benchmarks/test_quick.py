"""Every benchmark runs, and what is committed has its form. No time is tested here."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
SCRIPTS = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "measure")
RATIO = {"median", "low", "high"}


def check_form(found, script):
    """The keys that a reader of the file relies on, and numbers that can be times."""
    assert found["script"] == f"{script}.py"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", found["date"])
    assert found["threads"] == 1
    assert set(found["device"]) == {"processor", "cores", "system"}
    assert set(found["versions"]) == {"python", "numpy", "torch", "lstmkit"}
    assert found["rounds"] >= 2
    assert found["cases"]
    for case in found["cases"]:
        ours, *peers = case["microseconds"]
        assert peers
        assert set(case["wall_microseconds"]) == {ours, *peers}
        assert set(case["ratios"]) == set(peers)
        assert all(value > 0 for value in case["microseconds"].values())
        for ratio in case["ratios"].values():
            assert set(ratio) == RATIO
            assert 0 < ratio["low"] <= ratio["median"] <= ratio["high"]


@pytest.mark.parametrize("script", SCRIPTS)
def test_it_runs(script, tmp_path):
    out = tmp_path / "out.json"
    command = [sys.executable, str(FOLDER / f"{script}.py"), "--quick", "--out", str(out)]
    # Without the variables of one thread: the script sets them by itself.
    rest = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    run = subprocess.run(command, capture_output=True, text=True, env=rest, check=False)
    assert run.returncode == 0, run.stderr
    found = json.loads(out.read_text())
    check_form(found, script)
    for name in found["cases"][0]["ratios"]:
        assert re.search(rf"{re.escape(name)} .*µs.* times", run.stdout)
    committed = json.loads((FOLDER / "results" / f"{script}.json").read_text())
    assert found.keys() == committed.keys()
    assert found["cases"][0].keys() == committed["cases"][0].keys()


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_committed_results_have_the_form(script):
    check_form(json.loads((FOLDER / "results" / f"{script}.json").read_text()), script)


def test_every_script_has_results_and_a_line_in_the_readme():
    assert sorted(path.stem for path in (FOLDER / "results").glob("*.json")) == SCRIPTS
    readme = (FOLDER / "README.md").read_text()
    for script in SCRIPTS:
        assert f"`{script}.py`" in readme
