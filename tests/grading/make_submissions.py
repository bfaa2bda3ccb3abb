"""Sample submissions, made from a release notebook and its source.

Each is what some student hands in. `expected` says what each is worth, from the points and the
declared `asks` of the test cells alone: nothing here runs a check.
"""

from __future__ import annotations

import ast
import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Notebook = dict[str, Any]
UNDONE = "raise NotImplementedError()"

# A right answer that complains at every call, on both of the ways there are.
COMPLAIN = """

def complaining(answer):
    def call(*args, **kwargs):
        import sys
        import warnings
        warnings.warn("this may take a while", stacklevel=1)
        print("working on it", file=sys.stderr)
        return answer(*args, **kwargs)
    return call

"""


def text(cell: dict[str, Any]) -> str:
    """A cell's source as one text."""
    return "".join(cell["source"])


def marked(notebook: Notebook, kind: str) -> list[dict[str, Any]]:
    """The cells with nbgrader's mark `kind`: "solution" or "grade"."""
    return [c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get(kind)]


def answer_cells(notebook: Notebook) -> dict[str, dict[str, Any]]:
    """{grade_id: cell} of the cells that students fill."""
    return {c["metadata"]["nbgrader"]["grade_id"]: c for c in marked(notebook, "solution")}


def names(source: str) -> set[str]:
    """The functions that a cell defines."""
    return {node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}


def without_markers(source: str) -> str:
    """A solution cell as a student would have it."""
    lines = [line for line in source.splitlines() if "### BEGIN SOL" not in line]
    return "\n".join(line for line in lines if "### END SOL" not in line)


def solved(release: Notebook, source: Notebook, count: int | None = None) -> Notebook:
    """The release with its first `count` answers (default: all) filled in."""
    notebook = copy.deepcopy(release)
    answers = answer_cells(source)
    for name, cell in list(answer_cells(notebook).items())[:count]:
        cell["source"] = without_markers(text(answers[name]))
    return notebook


def with_last(release: Notebook, source: Notebook, body: str) -> Notebook:
    """All answers right but the last, whose function does `body`."""
    notebook = solved(release, source, len(answer_cells(release)) - 1)
    last = list(answer_cells(notebook).values())[-1]
    if UNDONE not in text(last):
        raise ValueError(f"the last answer cell has no {UNDONE!r}")
    last["source"] = text(last).replace(UNDONE, body)
    return notebook


def complaining(release: Notebook, source: Notebook) -> Notebook:
    """All answers right, and each warns."""
    notebook = solved(release, source)
    for cell in answer_cells(notebook).values():
        wrapped = "\n".join(f"{n} = complaining({n})" for n in sorted(names(text(cell))))
        cell["source"] = text(cell) + COMPLAIN + wrapped
    return notebook


NOTEBOOKS: dict[str, Callable[[Notebook, Notebook], Notebook]] = {
    "right": solved,
    "warns-but-right": complaining,
    "partly-right": lambda release, source: solved(release, source, 1),
    "untouched": lambda release, source: copy.deepcopy(release),
    "raises": lambda release, source: with_last(release, source, 'raise RuntimeError("lost")'),
    "exits": lambda release, source: with_last(release, source, "import os; os._exit(1)"),
    "endless-loop": lambda release, source: with_last(release, source, "while True: pass"),
}
UNREADABLE = ("broken-json", "wrong-name")
KINDS = (*NOTEBOOKS, *UNREADABLE)


def expected(release: Notebook, kind: str) -> float:
    """The points of a sample submission."""
    answers = [names(text(cell)) for cell in answer_cells(release).values()]
    tests = [
        (set(cell["metadata"]["asks"]), float(cell["metadata"]["nbgrader"]["points"]))
        for cell in marked(release, "grade")
    ]
    if kind in ("right", "warns-but-right"):
        return sum(points for _, points in tests)
    if kind == "partly-right":
        return sum(points for asks, points in tests if asks <= answers[0])
    if kind in ("raises", "exits", "endless-loop"):
        return sum(points for asks, points in tests if not asks & answers[-1])
    return 0.0


def make_submissions(submitted: Path, assignment: str, release: Path, source: Path) -> None:
    """Write submitted/<kind>/<assignment>/ for every kind, from two .ipynb files."""
    given, solution = (json.loads(path.read_text(encoding="utf-8")) for path in (release, source))
    for kind in KINDS:
        folder = submitted / kind / assignment
        folder.mkdir(parents=True)
        notebook = NOTEBOOKS.get(kind, solved)(given, solution)
        data = json.dumps(notebook, indent=1)
        if kind == "broken-json":
            data = data[: len(data) // 2]
        name = "homework" if kind == "wrong-name" else assignment
        (folder / f"{name}.ipynb").write_text(data, encoding="utf-8")
