"""The release: byte for byte what the sources yield, and nothing that students must not see."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lstmkit import cli
from lstmkit.grading import checksum
from lstmkit.grading.course import Course, CourseError, load_course
from lstmkit.grading.release import check_release, filled_in, release, source_notebook

from .conftest import SMALL
from .make_submissions import answer_cells, marked
from .sample_course import CHECKOUT, make_course

NOTEBOOKS = CHECKOUT / "notebooks"
SOURCES = sorted((CHECKOUT / "solutions").glob("*/*.md"))


def test_notebooks_are_what_the_sources_yield() -> None:
    assert check_release([], load_course(CHECKOUT)) == [], "run: lstmkit release"


def test_there_is_a_release_for_every_source_and_nothing_else() -> None:
    assert len(SOURCES) >= 2
    assert sorted(p.name for p in NOTEBOOKS.iterdir()) == [path.stem for path in SOURCES]
    files = [p for p in NOTEBOOKS.rglob("*") if p.is_file() and "checkpoints" not in str(p)]
    assert [p for p in files if p.suffix in (".md", ".py") or p.is_symlink()] == []


def texts(value: Any) -> Iterator[str]:
    """All strings in a JSON value, lists of lines also joined."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from texts(item)
    elif isinstance(value, list):
        if all(isinstance(item, str) for item in value):
            yield "".join(value)
        for item in value:
            yield from texts(item)


def secret_lines(source: str) -> set[str]:
    """The lines that stand only between the markers of solutions and hidden tests."""
    secret: set[str] = set()
    public: set[str] = set()
    inside = False
    for line in source.splitlines():
        if re.search(r"### (BEGIN|END) ", line):
            inside = "BEGIN" in line
            continue
        (secret if inside else public).add(line.strip())
    # What is left when a line is too short or too common to tell anything is not searched for.
    return {line for line in secret - public if len(line) > 12}


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_no_file_of_the_release_shows_what_is_hidden(source: Path) -> None:
    words = {"BEGIN SOLUTION", "END SOLUTION", "BEGIN HIDDEN", "END HIDDEN"}
    lines = secret_lines(source.read_text(encoding="utf-8"))
    assert len(lines) > 10
    for path in (p for p in NOTEBOOKS.rglob("*") if p.is_file()):
        raw = path.read_text(encoding="utf-8")
        everything = [raw, *(texts(json.loads(raw)) if path.suffix == ".ipynb" else ())]
        for secret in words | lines:
            assert not any(secret in text for text in everything), (path.name, secret)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_answer_cells_of_the_release_are_untouched(source: Path) -> None:
    path = NOTEBOOKS / source.stem / f"{source.stem}.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert len(answer_cells(notebook)) >= 4
    for cell in answer_cells(notebook).values():
        assert "raise NotImplementedError()" in "".join(cell["source"])
        assert '"""' in "".join(cell["source"])
    assert not filled_in(path)
    assert all(not cell.get("outputs") for cell in notebook["cells"])
    assert notebook["metadata"] == {
        "kernelspec": {
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
            "name": "python3",
        },
        "language_info": {"name": "python"},
    }


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_cell_ids_are_the_grade_id_or_the_ordinal(source: Path) -> None:
    cells = json.loads(source_notebook(source))["cells"]
    assert source_notebook(source) == source_notebook(source)
    for number, cell in enumerate(cells, 1):
        mark = cell["metadata"].get("nbgrader", {})
        assert cell["id"] == mark.get("grade_id", f"cell-{number:02d}")
    assert len({cell["id"] for cell in cells}) == len(cells)


def test_checksum_is_nbgraders(small: Course) -> None:
    cells = json.loads(small.notebook("release", ".", SMALL).read_text())["cells"]
    of_nbgrader = [c for c in cells if "nbgrader" in c["metadata"]]
    assert len(of_nbgrader) == 5
    for cell in of_nbgrader:
        assert checksum.checksum(cell) == cell["metadata"]["nbgrader"]["checksum"]
        assert not checksum.changed(cell)
        assert checksum.changed(cell | {"source": "something else"})


def test_a_duplicated_grade_id_is_refused(tmp_path: Path) -> None:
    text = (Path(__file__).parent / "course/solutions" / SMALL / f"{SMALL}.md").read_text()
    path = tmp_path / "twice.md"
    path.write_text(text.replace("grade_id: sums\n", "grade_id: twice\n"))
    with pytest.raises(CourseError, match=r"several cells have the grade_id twice"):
        source_notebook(path)


@pytest.fixture
def own(small: Course, tmp_path: Path) -> Course:
    """A copy of the small course, to change."""
    for name in ("solutions", "notebooks"):
        shutil.copytree(small.root / name, tmp_path / name)
    shutil.copy(small.root / "gradebook.db", tmp_path)
    return make_course(tmp_path, tmp_path / "solutions")


def test_check_lists_what_differs(own: Course, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["release", "--check", "--course", str(own.root)]
    assert cli.main(command) == 0
    path = own.notebook("release", ".", SMALL)
    path.write_text(path.read_text().replace("A small", "A large"))
    (path.parent / "notes.txt").write_text("mine")
    before = path.read_bytes()
    capsys.readouterr()
    assert cli.main(command) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{SMALL}/{SMALL}.ipynb: differs",
        f"{SMALL}/notes.txt: not made from the sources",
    ]
    assert path.read_bytes() == before
    path.unlink()
    assert check_release([SMALL], own)[0] == f"{SMALL}/{SMALL}.ipynb: missing"


def test_release_mends_but_keeps_answers_and_strange_files(own: Course) -> None:
    path = own.notebook("release", ".", SMALL)
    want = path.read_bytes()
    path.write_text(path.read_text().replace("A small", "A large"))
    (path.parent / "notes.txt").write_text("mine")
    assert release([SMALL], own) == [
        f"{path.parent / 'notes.txt'} is not made from the sources and was kept."
    ]
    assert path.read_bytes() == want

    notebook = json.loads(path.read_text())
    marked(notebook, "solution")[0]["source"] = "def twice(x):\n    return x + x"
    path.write_text(json.dumps(notebook))
    answered = path.read_bytes()
    assert "holds answers and was kept" in release([SMALL], own)[0]
    assert path.read_bytes() == answered
    release([SMALL], own, force=True)
    assert path.read_bytes() == want


def test_release_says_why_it_cannot(own: Course, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["release", "99-none", "--course", str(own.root)]) == 2
    assert "no assignment '99-none'; there are: 00-small" in capsys.readouterr().err
    source = own.notebook("source", ".", SMALL, ".md")
    source.write_text(source.read_text().replace("    ### END SOLUTION\n", "", 1))
    before = own.notebook("release", ".", SMALL).read_bytes()
    assert cli.main(["release", "--course", str(own.root)]) == 2
    assert "no end solution statement found" in capsys.readouterr().err
    assert own.notebook("release", ".", SMALL).read_bytes() == before


def test_git_ignores_the_generated_sources_and_the_secret() -> None:
    names = ["solutions/06-forget-gate/06-forget-gate.ipynb", ".course_secret", "gradebook.db"]
    run = subprocess.run(
        ["git", "check-ignore", *names], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert run.stdout.split() == names
