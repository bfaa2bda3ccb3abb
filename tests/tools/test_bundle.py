"""The students' zip: complete, installable, and without solutions."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import bundle  # noqa: E402


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    target = tmp_path_factory.mktemp("bundle")
    with zipfile.ZipFile(bundle.write(target / "course.zip")) as packed:
        packed.extractall(target)
    return target / bundle.FOLDER


def test_it_has_the_notebooks_and_no_solution(folder):
    names = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    released = {p.relative_to(ROOT).as_posix() for p in (ROOT / "notebooks").glob("*/*.ipynb")}
    assert released
    assert released <= names
    assert "START-HERE.md" in names
    assert not [n for n in names if n.startswith(("solutions/", "book/", "tests/"))]
    for path in folder.glob("notebooks/*/*.ipynb"):
        text = path.read_text(encoding="utf-8")
        assert "BEGIN SOLUTION" not in text
        assert "BEGIN HIDDEN" not in text
        assert "YOUR CODE HERE" in text
        assert json.loads(text)["nbformat"] == 4


def test_its_package_installs_and_checks_an_answer(folder, tmp_path):
    target = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(target), str(folder)], check=True)
    code = (
        "import numpy as np, lstmkit\nfrom lstmkit.exercises import check\n"
        "check('06.bias_for', lambda n: -np.log(2 ** (1 / n) - 1))\nprint(lstmkit.__file__)"
    )
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(target)!r})\n{code}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.splitlines()[-1].startswith(str(target))


def test_the_same_content_gives_the_same_zip(tmp_path):
    one, two = bundle.write(tmp_path / "1.zip"), bundle.write(tmp_path / "2.zip")
    assert one.read_bytes() == two.read_bytes()
