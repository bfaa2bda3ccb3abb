"""The assignments' sources: their cells, their solutions, and mutants of them."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jupytext

ROOT = Path(__file__).parents[2]
ASSIGNMENTS = sorted(p.name for p in (ROOT / "solutions").iterdir() if p.is_dir())


def cells(assignment: str) -> list[Any]:
    """The cells of an assignment's source."""
    return jupytext.read(ROOT / "solutions" / assignment / f"{assignment}.md").cells


def solution_cells(assignment: str) -> dict[str, str]:
    """Source of each solution cell by its grade_id, markers left out."""
    return {
        cell.metadata["nbgrader"]["grade_id"]: re.sub(
            r" *### (BEGIN|END) SOLUTION\n?", "", cell.source
        )
        for cell in cells(assignment)
        if cell.metadata.get("nbgrader", {}).get("solution")
    }


def preamble(assignment: str) -> str:
    """The first code cell: imports and given functions."""
    return next(cell.source for cell in cells(assignment) if cell.cell_type == "code")


def namespace(assignment: str, changed: dict[str, str] | None = None) -> dict[str, Any]:
    """What a notebook with these solutions has defined; ``changed`` replaces some cells."""
    names: dict[str, Any] = {"__name__": "student"}
    exec(compile(preamble(assignment), "<notebook>", "exec"), names)
    for grade_id, source in (solution_cells(assignment) | (changed or {})).items():
        exec(compile(source, f"<{grade_id}>", "exec"), names)
    return names


SWAPS: dict[type, tuple[type, ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult,),
    ast.MatMult: (ast.Mult,),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.LtE: (ast.Lt,),
    ast.GtE: (ast.Gt,),
}


def _variants(node: ast.AST) -> Iterator[ast.AST]:
    """What a slip of one place can make of this node."""
    if isinstance(node, ast.BinOp):
        for op in SWAPS.get(type(node.op), ()):
            yield ast.BinOp(node.left, op(), node.right)
        yield node.left
        yield node.right
    elif isinstance(node, ast.Compare):
        for op in SWAPS.get(type(node.ops[0]), ()):
            yield ast.Compare(node.left, [op()], node.comparators)
    elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        yield ast.Constant(node.value + 1)
        yield ast.Constant(-node.value if node.value else node.value - 1)
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield node.value
    elif isinstance(node, ast.Call) and node.args:
        yield node.args[0]
        for n in range(len(node.args) - 1):
            args = [*node.args]
            args[n], args[n + 1] = args[n + 1], args[n]
            yield ast.Call(node.func, args, node.keywords)
    elif isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Load) and len(node.elts) > 1:
        for n in range(len(node.elts) - 1):
            elts = [*node.elts]
            elts[n], elts[n + 1] = elts[n + 1], elts[n]
            yield ast.Tuple(elts, node.ctx)
    elif isinstance(node, ast.Slice) and (node.lower or node.upper):
        yield ast.Slice(None, node.upper) if node.lower else ast.Slice(node.lower, None)
    elif isinstance(node, ast.UnaryOp):
        yield node.operand


def mutants(source: str) -> Iterator[str]:
    """``source`` with one place changed, once for every place and change; docstrings stay."""
    tree = ast.parse(source)
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    start = 1 if ast.get_docstring(function) else 0
    count = sum(1 for statement in function.body[start:] for _ in ast.walk(statement))
    original = ast.unparse(tree)
    for place in range(count):
        variants = len(list(_variants(_nodes(tree)[place])))
        for choice in range(variants):
            mutant = _replaced(copy.deepcopy(tree), place, choice)
            if mutant != original:
                yield mutant
    for n in range(start, len(function.body) - 1):
        shorter = copy.deepcopy(tree)
        del shorter.body[0].body[n]  # type: ignore[attr-defined]
        yield ast.unparse(shorter)


def _nodes(tree: ast.Module) -> list[ast.AST]:
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    start = 1 if ast.get_docstring(function) else 0
    return [node for statement in function.body[start:] for node in ast.walk(statement)]


def _replaced(tree: ast.Module, place: int, choice: int) -> str:
    node = _nodes(tree)[place]
    new = list(_variants(node))[choice]

    class Replace(ast.NodeTransformer):
        def visit(self, current: ast.AST) -> ast.AST:
            return new if current is node else self.generic_visit(current)

    return ast.unparse(ast.fix_missing_locations(Replace().visit(tree)))


__all__ = ["ASSIGNMENTS", "cells", "mutants", "namespace", "preamble", "solution_cells"]
