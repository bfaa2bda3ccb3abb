"""From a source to what students get: solutions/NN/NN.md → solutions/NN/NN.ipynb → notebooks/NN/.

The same sources give the same bytes on every machine: cell ids, kernel and metadata are fixed here,
and nbgrader's `generate_assignment` does the rest.
"""

from __future__ import annotations

import filecmp
import json
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from .course import Course, CourseError, load_course, quiet_log

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def source_notebook(path: Path) -> str:
    """The .ipynb text of a MyST Markdown source.

    Each cell's id is its nbgrader `grade_id`, else its ordinal ("cell-07"); Jupytext would draw
    random ones. Raises CourseError when two cells share an id, or an id cannot be one.
    """
    import jupytext
    import nbformat

    notebook = jupytext.read(path, fmt="md:myst")
    for number, cell in enumerate(notebook.cells, 1):
        cell["id"] = cell.metadata.get("nbgrader", {}).get("grade_id") or f"cell-{number:02d}"
    twice = [name for name, n in Counter(cell.id for cell in notebook.cells).items() if n > 1]
    if twice:
        raise CourseError(f"{path.name}: several cells have the grade_id {', '.join(twice)}.")
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        raise CourseError(f"{path.name} does not make a valid notebook: {error.message}") from None
    return str(nbformat.writes(notebook)) + "\n"


def release(names: list[str], course: Course, force: bool = False) -> list[str]:
    """Make the release of the named assignments (all, when empty) and enter them into the
    gradebook.

    A release notebook in which somebody has filled in answers is kept, unless `force`. Files that
    the sources do not yield are left alone. Returns sentences about what was kept. Raises
    CourseError.
    """
    kept = []
    for name in chosen(names, course):
        source = course.notebook("source", ".", name)
        with tempfile.TemporaryDirectory(prefix="lstmkit-") as scratch:
            write_source(course, name, source)
            made = generate(course, name, Path(scratch))
            target = course.folder("release", ".", name)
            mine = [] if force else [path for path in target.glob("*.ipynb") if filled_in(path)]
            if mine:
                kept.append(f"{mine[0]} holds answers and was kept; --force replaces it.")
                continue
            for line in differences(made, target):
                file = line.partition(": ")[0]
                if (made / file).exists():
                    (target / file).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(made / file, target / file)
                else:
                    kept.append(f"{target / file} is not made from the sources and was kept.")
    return kept


def check_release(names: list[str], course: Course) -> list[str]:
    """The files of the release that are not what the sources yield; nothing is changed."""
    found = []
    with tempfile.TemporaryDirectory(prefix="lstmkit-") as scratch:
        # A copy of the sources, and no gradebook: the course stays as it is.
        root = Path(scratch)
        settings: dict[str, dict[str, Any]] = {
            "CourseDirectory": {"root": str(root), "source_directory": str(root / "source")},
            "GenerateAssignment": {"no_database": True},
            "SaveCells": {"enabled": False},
        }
        trial = load_course(course.root, settings)
        for name in chosen(names, course):
            shutil.copytree(course.folder("source", ".", name), root / "source" / name)
            write_source(trial, name, trial.notebook("source", ".", name))
            made = generate(trial, name, root / "release")
            target = course.folder("release", ".", name)
            found += [f"{name}/{line}" for line in differences(made, target)]
    return found


def chosen(names: list[str], course: Course) -> list[str]:
    """The names, or all assignments; raises CourseError for a name without a source."""
    known = course.assignments()
    for name in names:
        if name not in known:
            raise CourseError(f"There is no assignment {name!r}; there are: {', '.join(known)}.")
    return names or known


def write_source(course: Course, name: str, target: Path) -> None:
    """Write the generated .ipynb beside its Markdown source."""
    text = source_notebook(target.with_suffix(".md"))
    if not target.exists() or target.read_text(encoding="utf-8") != text:
        target.write_text(text, encoding="utf-8", newline="\n")


def generate(course: Course, name: str, into: Path) -> Path:
    """Run generate_assignment with `into` as its release folder; returns the assignment's."""
    from nbgrader.converters import GenerateAssignment
    from nbgrader.converters.base import NbGraderException

    lines: list[str] = []
    where = course.directory(assignment_id=name)
    where.release_directory = str(into)
    converter = GenerateAssignment(
        coursedir=where, config=course.config, log=quiet_log(lines), force=True
    )
    try:
        converter.start()
    except NbGraderException as error:
        raise CourseError(f"nbgrader could not release {name}: {reason(lines, error)}") from None
    return into / name


def reason(lines: list[str], error: Exception) -> str:
    """What went wrong: the last line of the last traceback in nbgrader's log, else the error."""
    said = [line for text in lines if "Traceback" in text for line in text.strip().splitlines()]
    return said[-1] if said else " ".join(str(error).split()) or type(error).__name__


def differences(made: Path, target: Path) -> list[str]:
    """What a folder lacks, has too much, or has with other bytes, as lines "path: what"."""
    want = {path.relative_to(made) for path in made.rglob("*") if path.is_file()}
    have = {path.relative_to(target) for path in target.rglob("*") if path.is_file()}
    have = {path for path in have if ".ipynb_checkpoints" not in path.parts}
    lines = [f"{path}: missing" for path in want - have]
    lines += [f"{path}: not made from the sources" for path in have - want]
    lines += [
        f"{path}: differs"
        for path in want & have
        if not filecmp.cmp(made / path, target / path, shallow=False)
    ]
    return sorted(lines)


def filled_in(path: Path) -> bool:
    """Whether a marked cell of a release notebook was written in (see its checksum)."""
    from .checksum import changed

    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return any(changed(cell) for cell in cells)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
