"""nbgrader's checksum of a marked cell, without nbgrader."""

from __future__ import annotations

import hashlib
from typing import Any


def source_of(cell: dict[str, Any]) -> str:
    """A cell's source as one text; in files it is a text or a list of lines."""
    source = cell.get("source", "")
    return "".join(source) if isinstance(source, list) else str(source)


def checksum(cell: dict[str, Any]) -> str:
    """As `nbgrader.utils.compute_checksum`: source, type, kind, id and points of the cell."""
    marked = cell["metadata"]["nbgrader"]
    grade, solution = marked.get("grade", False), marked.get("solution", False)
    locked = False if solution else True if grade else marked.get("locked", False)
    texts = [source_of(cell), cell["cell_type"], grade, solution, locked, marked["grade_id"]]
    if grade:
        texts.append(float(marked["points"]))
    return hashlib.md5("".join(map(str, texts)).encode(), usedforsecurity=False).hexdigest()


def changed(cell: dict[str, Any]) -> bool:
    """Whether a marked cell is no longer what the release made it."""
    marked = cell.get("metadata", {}).get("nbgrader", {})
    return bool(marked.get("checksum")) and marked["checksum"] != checksum(cell)
