"""The API appendix: docstrings of lstmkit, read by Sphinx's autodoc.

The docstrings are written for a terminal first: plain text with formulas, in Google's sections.
Here formulas that are set off by their indent become literal blocks, and what reStructuredText
would take for markup is escaped.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

ARGUMENT = re.compile(r"(\w[\w, ]*): ")


def plain(app: Sphinx, what: str, name: str, obj: object, options: Any, lines: list[str]) -> None:
    """Turn one docstring, after napoleon has read its sections, into reStructuredText."""
    lines[:] = set_off([line if "``" in line else line.replace("|", "\\|") for line in lines])


def skip(app: Sphinx, what: str, name: str, obj: Any, omit: bool, options: Any) -> bool | None:
    """Leave out the fields of named tuples: their own text is "Alias for field number 0"."""
    return True if (getattr(obj, "__doc__", "") or "").startswith("Alias for field") else None


def set_off(lines: list[str]) -> list[str]:
    """Indented formulas as literal blocks; ``name: text`` with an indent below it as a field."""
    done: list[str] = []
    before, literal = "", False
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        indented = line.startswith("  ") and not before.startswith(("  ", ":", ".. "))
        if indented and not literal:
            done += ["", "::", ""]
            literal = True
        elif line and not line.startswith("  "):
            if literal:
                done.append("")
            literal = False
            if ARGUMENT.match(line) and after.startswith("    "):
                line = f":{line}"
        done.append(line.replace("\\|", "|") if literal else line)
        if line and not literal:
            before = line
    return done


def setup(app: Sphinx) -> dict[str, Any]:
    """Load autodoc and napoleon."""
    app.setup_extension("sphinx.ext.autodoc")
    app.setup_extension("sphinx.ext.napoleon")
    app.connect("autodoc-skip-member", skip)
    app.connect("autodoc-process-docstring", plain, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
