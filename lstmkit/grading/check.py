"""For students: run a notebook, say what its visible checks give. Needs nbclient, not nbgrader."""

from __future__ import annotations

import ast
import os
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .checksum import changed, source_of
from .intake import LARGEST, Unusable, parse, read_file

NEEDS_NOTEBOOKS = 'nbclient is missing here. Install it with: pip install "lstmkit[notebooks]"'
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class CheckError(Exception):
    """The notebook cannot be checked; the text is a sentence."""


@dataclass
class Verdict:
    """One check cell after the run.

    outcome: "passed", "failed", "hidden" (nothing to run before grading) or "not run". printed:
    what the student should read. edited: the cell is not as it was released.
    """

    name: str
    points: float
    outcome: str
    printed: str = ""
    edited: bool = False


@dataclass
class Report:
    """The verdicts of a notebook, and the errors of its other cells."""

    path: Path
    verdicts: list[Verdict] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every visible check passed."""
        return all(v.outcome in ("passed", "hidden") for v in self.verdicts)

    def score(self) -> tuple[float, float]:
        """Points reached, and points on visible checks."""
        visible = [v for v in self.verdicts if v.outcome != "hidden"]
        return sum(v.points for v in visible if v.outcome == "passed"), sum(
            v.points for v in visible
        )


def check_notebook(path: Path, time_limit: int = 60) -> Report:
    """Run the notebook in a fresh kernel, each cell for at most `time_limit` seconds.

    The file is not changed. Raises CheckError when it cannot be read or holds no check, or when
    nbclient is missing.
    """
    notebook = load(path)
    cells = notebook["cells"]
    if not any(is_check(cell) for cell in cells):
        raise CheckError(f"{path} has no check cells: is it one of the course's notebooks?")
    ended: set[int] = set()
    stopped = run(notebook, path.resolve().parent, time_limit, ended)
    report = Report(path)
    for index, cell in enumerate(cells):
        if is_check(cell):
            report.verdicts.append(verdict(cell, index in ended, stopped))
        elif cell["cell_type"] == "code" and (error := error_of(cell)):
            report.errors.append(f"Cell {index + 1} raised {error}")
    if stopped:
        report.errors.append(stopped)
    return report


def load(path: Path) -> Any:
    """The notebook as nbformat's node, tags and old outputs taken off; raises CheckError."""
    try:
        import nbclient  # noqa: F401
        import nbformat
    except ImportError:
        raise CheckError(NEEDS_NOTEBOOKS) from None
    if path.is_dir() or not path.exists():
        raise CheckError(f"{path} {'is a folder' if path.is_dir() else 'does not exist'}.")
    try:
        notebook = parse(read_file(path.resolve(), LARGEST))
    except Unusable as unusable:
        raise CheckError(f"{path}: {unusable}") from None
    for cell in notebook["cells"]:
        cell["metadata"].pop("tags", None)
    return nbformat.from_dict(notebook)


def run(notebook: Any, folder: Path, time_limit: int, ended: set[int]) -> str:
    """Run all cells in place; returns why the run ended early, or "".

    ended: gets the places of the cells that came to an end. (A cell that the kernel died in has an
    execution count, too.)
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    def on_end(cell: Any, cell_index: int, execute_reply: Any) -> None:
        ended.add(cell_index)
        _note_timeout(cell, execute_reply)

    client = NotebookClient(
        notebook,
        timeout=time_limit,
        interrupt_on_timeout=True,
        error_on_timeout=_timeout(time_limit),
        allow_errors=True,
        kernel_name="python3",
        extra_arguments=["--log-level=40"],
        resources={"metadata": {"path": str(folder)}},
        on_cell_executed=on_end,
    )
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        client.execute(env={**os.environ, **one_thread})
    except DeadKernelError:
        return "The Python process ended before the notebook was done."
    except CellTimeoutError:
        return f"A cell ran longer than {time_limit} seconds and could not be stopped."
    return ""


def _timeout(time_limit: int) -> dict[str, Any]:
    text = f"stopped after {time_limit} seconds (an endless loop?)"
    return {"ename": "TimeLimit", "evalue": text, "traceback": [f"TimeLimit: {text}"]}


def _note_timeout(cell: Any, execute_reply: Any) -> None:
    content = execute_reply["content"]
    if content.get("ename") == "TimeLimit":
        cell.outputs = [out for out in cell.outputs if out.get("ename") != "KeyboardInterrupt"]
        cell.outputs.append({"output_type": "error", **{k: content[k] for k in _timeout(0)}})


def is_check(cell: Any) -> bool:
    """Whether the cell is marked by running it."""
    marked = cell["metadata"].get("nbgrader", {})
    return bool(
        cell["cell_type"] == "code" and marked.get("grade") and not marked.get("solution", False)
    )


def verdict(cell: Any, ended: bool, stopped: str) -> Verdict:
    """What a check cell's run says."""
    marked = cell["metadata"]["nbgrader"]
    result = Verdict(
        marked["grade_id"], float(marked.get("points", 0)), "passed", edited=changed(cell)
    )
    if not shows(source_of(cell)):
        result.outcome = "hidden"
        return result
    error = error_of(cell)
    texts = [out["text"] for out in cell["outputs"] if out["output_type"] == "stream"]
    if error:
        result.outcome, result.printed = "failed", "".join([*texts, error])
    elif not ended:
        result.outcome, result.printed = "not run", stopped
    else:
        result.printed = "".join(texts)
    return result


def shows(source: str) -> bool:
    """Whether a check cell has something to run: a hidden one is left with imports and comments."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return True
    return any(not isinstance(node, (ast.Import, ast.ImportFrom)) for node in body)


def error_of(cell: Any) -> str:
    """The error that a cell ended with, as one text: a check's own words, else type and message."""
    for out in cell["outputs"]:
        if out["output_type"] == "error":
            text = COLOUR.sub("", f"{out['ename']}: {out['evalue']}")
            return text.removeprefix("CheckFailed: ")
    return ""


def show(report: Report) -> str:
    """The report as text."""
    signs = {
        "passed": "✓ passed",
        "failed": "✗ failed",
        "hidden": "· hidden",
        "not run": "✗ not run",
    }
    lines = [str(report.path)]
    for v in report.verdicts:
        got = v.points if v.outcome == "passed" else 0
        mark = "marked when graded" if v.outcome == "hidden" else f"{got:g} of {v.points:g}"
        lines.append(f"{signs[v.outcome]}  {v.name}  ({mark})")
        if v.outcome in ("failed", "not run"):
            lines += [f"      {line}" for line in v.printed.strip().splitlines()]
        if v.edited:
            lines.append("      This check cell was changed; grading uses the original.")
    lines += report.errors
    got, visible = report.score()
    hidden = sum(v.points for v in report.verdicts if v.outcome == "hidden")
    more = f"; {hidden:g} more when it is graded" if hidden else ""
    lines.append(f"Visible checks: {got:g} of {visible:g} points{more}.")
    return "\n".join(lines)


def as_dict(report: Report) -> dict[str, Any]:
    """The report for programs."""
    got, visible = report.score()
    return asdict(report) | {"path": str(report.path), "score": got, "visible_points": visible}
