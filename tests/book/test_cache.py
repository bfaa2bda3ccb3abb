"""A second build executes nothing, and a changed package or result never shows an old number."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "book"

PAGE = """---
jupytext: {text_representation: {extension: .md, format_name: myst}}
kernelspec: {name: python3, display_name: Python 3}
myst: {html_meta: {description: A page with two numbers.}}
---

# Two numbers

```{code-cell} ipython3
import pathlib
from lstmkit.answer import ANSWER
print("answer", ANSWER, pathlib.Path("experiments/a.json").read_text())
```
"""
CHANGELOG = """---
myst: {html_meta: {description: What changed in it.}}
---

# Changelog
"""


@pytest.fixture
def small(tmp_path):
    """The real build on a book of two pages, with a copy of the package that knows one number."""
    book = tmp_path / "book"
    for name in ("finish", "extensions", "templates", "assets"):
        shutil.copytree(BOOK / name, book / name)
    for name in ("build.py", "package.json", "package-lock.json"):
        shutil.copy(BOOK / name, book)
    (book / "node_modules").symlink_to(BOOK / "node_modules")
    (book / "experiments").mkdir()
    (book / "experiments" / "a.json").write_text("7")
    (book / "references.bib").touch()
    (book / "index.md").write_text(PAGE)
    (book / "changelog.md").write_text(CHANGELOG)
    shutil.copy(ROOT / "_config.yml", tmp_path)
    (tmp_path / "_toc.yml").write_text(
        "format: jb-book\nroot: book/index\nchapters: [{file: book/changelog}]\n"
    )
    (tmp_path / "constraints.txt").write_text("numpy==2.0\n")
    shutil.copytree(ROOT / "lstmkit", tmp_path / "lstmkit")
    (tmp_path / "lstmkit" / "answer.py").write_text("ANSWER = 41\n")
    return tmp_path


def build(root: Path) -> tuple[str, str]:
    """Build the small book; return what its page printed and what the build printed."""
    done = subprocess.run(
        [sys.executable, str(root / "book" / "build.py")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    html = (root / "_build" / "html" / "book" / "index.html").read_text(encoding="utf-8")
    return re.search(r"answer (\d+ \d+)", re.sub("<[^>]*>", "", html))[1], done.stdout


def test_second_build_executes_nothing_and_numbers_stay_fresh(small):
    assert build(small)[0] == "41 7"
    number, said = build(small)
    assert number == "41 7"
    assert "Execut" not in said
    (small / "lstmkit" / "answer.py").write_text("ANSWER = 42\n")
    number, said = build(small)
    assert number == "42 7"
    assert "Executed notebook" in said
    (small / "book" / "experiments" / "a.json").write_text("8")
    assert build(small)[0] == "42 8"


def test_key_follows_package_data_results_and_versions(small):
    import build as command

    keys = [command.cache_key(small)]
    for path in ("lstmkit/lstm/equations.py", "book/experiments/a.json", "constraints.txt"):
        with (small / path).open("a") as file:
            file.write("\n")
        keys.append(command.cache_key(small))
    (small / "lstmkit" / "new_data.csv").write_text("1,2\n")
    keys.append(command.cache_key(small))
    assert len(set(keys)) == len(keys)
    (small / "lstmkit" / "__pycache__").mkdir(exist_ok=True)
    (small / "lstmkit" / "__pycache__" / "x.pyc").write_text("")
    (small / "README.md").write_text("")
    assert command.cache_key(small) == keys[-1]


def test_a_warning_fails_the_build(small):
    with (small / "book" / "index.md").open("a") as page:
        page.write("\n$$\\frac{1}{$$\n\n```{diagram} nowhere\n```\n\n[](gone.md)\n")
    done = subprocess.run(
        [sys.executable, str(small / "book" / "build.py")], capture_output=True, text=True
    )
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "KaTeX parse error" in said
    assert "book/figures/nowhere.svg does not exist" in said
    assert "gone.md" in said


def test_missing_programs_are_named(small):
    (small / "bin").mkdir()
    done = subprocess.run(
        [sys.executable, str(small / "book" / "build.py")],
        capture_output=True,
        text=True,
        env={"PATH": str(small / "bin")},
    )
    assert done.returncode != 0
    assert "node is missing" in done.stderr
    assert "apt-get install nodejs npm" in done.stderr
