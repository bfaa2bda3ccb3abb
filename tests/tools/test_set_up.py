"""The set-up: versions are pinned, the README's commands exist, failures say what to do."""

from __future__ import annotations

import os
import re
import subprocess
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_constraints_pin_what_is_installed():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    assert pins["torch"] == "2.13.0"
    assert pins["jupyter-book"] == "1.0.4.post1"
    for name in ("numpy", "torch", "jupyter-book", "nbgrader", "matplotlib", "jupytext", "pytest"):
        assert metadata.version(name).split("+")[0] == pins[name]


def test_every_command_of_the_readme_is_a_target():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.M))
    named = set(re.findall(r"`?make ([a-z]+)\b", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert {"course", "test", "book", "serve", "notebooks", "lab", "grade", "bundle"} <= named
    assert named <= targets, named - targets


def test_help_lists_the_commands():
    done = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert re.search(r"make course +build the book", done)
    assert re.search(r"make test +lint", done)


def test_a_set_up_that_fails_names_the_step_and_what_to_do(tmp_path):
    done = subprocess.run(
        ["bash", "tools/setup.sh", str(tmp_path / "venv")],
        cwd=ROOT,
        env={**os.environ, "PYTHON": "/nonexistent/python"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "Set-up failed at: looking for Python 3.11 or newer" in done.stdout
    assert "What to do: install Python 3.11" in done.stdout


def test_missing_programs_are_named(tmp_path):
    for name in ("bash", "sh", "grep", "cat", "cksum", "cut", "make", "echo", "awk", "python3"):
        found = subprocess.run(["which", name], capture_output=True, text=True).stdout.strip()
        if found:
            (tmp_path / name).symlink_to(found)
    env = {**os.environ, "PATH": str(tmp_path)}
    env.pop("CHROMIUM", None)
    for target, package in (("need-node", "nodejs npm"), ("need-chromium", "chromium")):
        done = subprocess.run(["make", target], cwd=ROOT, env=env, capture_output=True, text=True)
        assert done.returncode != 0
        assert f"apt-get install {package}" in done.stdout
