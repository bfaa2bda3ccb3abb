"""The rules for test cells, so that a cell gives the same verdict in a notebook and in grading."""

from __future__ import annotations

import ast
import builtins
import json
import symtable
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from lstmkit.exercises import EXERCISES
from lstmkit.grading.release import source_notebook

from .make_submissions import answer_cells, marked, names, text
from .sample_course import CHECKOUT

SOURCES = sorted((CHECKOUT / "solutions").glob("*/*.md"))
every_source = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)


@cache
def notebook_of(source: Path) -> dict[str, Any]:
    return json.loads(source_notebook(source))


def checks(source: Path) -> list[dict[str, Any]]:
    """The cells that are marked by running them."""
    solutions = marked(notebook_of(source), "solution")
    return [cell for cell in marked(notebook_of(source), "grade") if cell not in solutions]


def free_names(code: str) -> set[str]:
    """The names that a cell reads and does not bind itself, built-in ones left out."""

    def tables(table: symtable.SymbolTable) -> list[symtable.SymbolTable]:
        return [table, *(t for child in table.get_children() for t in tables(child))]

    top = symtable.symtable(code, "cell", "exec")
    bound = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    used = {
        s.get_name()
        for table in tables(top)
        for s in table.get_symbols()
        if s.is_referenced() and (s.is_global() or table is top)
    }
    return {name for name in used - bound if not hasattr(builtins, name)}


def test_free_names_are_found() -> None:
    code = "import a\nx = 1\ndef f(y):\n    return y + x + z + len(w)\n[f(i) + q for i in a.b]"
    assert free_names(code) == {"z", "w", "q"}


@every_source
def test_a_test_cell_reads_the_names_it_asks_for_and_no_others(source: Path) -> None:
    for cell in checks(source):
        assert free_names(text(cell)) == set(cell["metadata"]["asks"]), text(cell)


@every_source
def test_what_is_asked_for_is_defined_in_an_answer_cell(source: Path) -> None:
    defined = {n for cell in answer_cells(notebook_of(source)).values() for n in names(text(cell))}
    asked = {name for cell in checks(source) for name in cell["metadata"]["asks"]}
    assert asked == defined


@every_source
def test_no_test_cell_looks_at_types_or_identity(source: Path) -> None:
    for cell in checks(source):
        tree = ast.parse(text(cell))
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert not used & {"isinstance", "issubclass", "type", "id", "globals", "get_ipython"}
        compared = [op for n in ast.walk(tree) if isinstance(n, ast.Compare) for op in n.ops]
        assert not any(isinstance(op, (ast.Is, ast.IsNot)) for op in compared)


@every_source
def test_a_test_cell_does_not_end_in_a_value(source: Path) -> None:
    # nbgrader takes the value that a cell ends in for a partial mark; check returns None.
    for cell in checks(source):
        last = ast.parse(text(cell)).body[-1]
        if isinstance(last, ast.Expr):
            assert isinstance(last.value, ast.Call)
            assert ast.unparse(last.value.func) in ("check", "print")


@every_source
def test_ids_are_unique_and_marks_complete(source: Path) -> None:
    marks = [
        c["metadata"]["nbgrader"]
        for c in notebook_of(source)["cells"]
        if "nbgrader" in c["metadata"]
    ]
    assert max(Counter(mark["grade_id"] for mark in marks).values()) == 1
    for mark in marks:
        assert mark["schema_version"] == 3
        assert mark["grade"] != mark["solution"]
        assert mark["locked"] == mark["grade"]
    for cell in checks(source):
        assert cell["metadata"]["nbgrader"]["points"] > 0


@every_source
def test_points_sum_to_those_of_the_exercises_and_of_the_text(source: Path) -> None:
    cells = notebook_of(source)["cells"]
    total = sum(cell["metadata"]["nbgrader"]["points"] for cell in checks(source))
    chapter = [e for e in EXERCISES.values() if e.chapter == source.stem]
    assert sum(exercise.points for exercise in chapter) == total
    assert f"**Total: {total} points.**" in text(cells[-1])
    for exercise in chapter:
        own = [c for c in checks(source) if f'check("{exercise.name}"' in text(c)]
        assert sum(c["metadata"]["nbgrader"]["points"] for c in own) == exercise.points
        assert all(c["metadata"]["asks"] == list(exercise.asks) for c in own)


@every_source
def test_each_exercise_has_a_visible_and_a_hidden_check(source: Path) -> None:
    for exercise in (e for e in EXERCISES.values() if e.chapter == source.stem):
        own = [text(c) for c in checks(source) if f'check("{exercise.name}"' in text(c)]
        hidden = [code for code in own if "### BEGIN HIDDEN TESTS" in code]
        assert len(own) - len(hidden) >= 1
        assert len(hidden) >= 1
        assert all('seed="hidden"' in code for code in hidden)
