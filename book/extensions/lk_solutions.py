"""`{worked-solutions} 01-the-loop`: the assignment's exercises, each with its solution folded.

Reads the nbgrader source `solutions/NN-name/NN-name.md` when the book is built, so the page cannot
drift from the assignment: the text of an exercise, the cells it gives, and what stands in a
solution cell, without nbgrader's markers. Checks and hidden tests do not appear.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from myst_nb.core.read import read_myst_markdown_notebook
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
MARKER = re.compile(r"^[ \t]*### (BEGIN|END) SOLUTION[^\n]*\n?", re.MULTILINE)
FENCE = "``````"


@dataclass
class Exercise:
    """Title of one exercise, its text as Markdown, and the sources of its solution cells."""

    title: str
    text: list[str] = field(default_factory=list)
    solutions: list[str] = field(default_factory=list)

    def markdown(self) -> str:
        folded = (
            f"{FENCE}{{dropdown}} Solution\n```python\n{source}\n```\n{FENCE}"
            for source in self.solutions
        )
        return "\n\n".join([*self.text, *folded])


def exercises(source: str) -> list[Exercise]:
    """The exercises of an assignment's source that have a solution, in their order."""
    found: list[Exercise] = []
    for cell in read_myst_markdown_notebook(source).cells:
        if cell.cell_type == "markdown":
            _add_text(found, cell.source)
        elif not found:
            continue
        elif MARKER.search(cell.source):
            found[-1].solutions.append(MARKER.sub("", cell.source).strip("\n"))
        elif "nbgrader" not in cell.metadata and not found[-1].solutions:
            found[-1].text.append(f"```python\n{cell.source}\n```")
    return [exercise for exercise in found if exercise.solutions]


def _add_text(found: list[Exercise], markdown: str) -> None:
    """Text before a heading belongs to the exercise above; after its solution it is left out."""
    before, *rest = HEADING.split(markdown)
    if found and before.strip() and not found[-1].solutions:
        found[-1].text.append(before.strip())
    for title, text in zip(rest[::2], rest[1::2], strict=True):
        found.append(Exercise(title.strip(), [text.strip()] if text.strip() else []))


class WorkedSolutions(SphinxDirective):
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        path = Path(self.env.srcdir) / "solutions" / name / f"{name}.md"
        self.env.note_dependency(str(path))
        if not path.exists():
            raise self.error(f"no assignment {name}: solutions/{name}/{name}.md does not exist")
        found = exercises(path.read_text(encoding="utf-8"))
        if not found:
            raise self.error(f"solutions/{name}/{name}.md has no exercise with a solution")
        return [self.section(exercise) for exercise in found]

    def section(self, exercise: Exercise) -> nodes.section:
        """One exercise as a section of its own: it has an address and a place in the menu."""
        section = nodes.section(names=[nodes.fully_normalize_name(exercise.title)])
        section += nodes.title(exercise.title, exercise.title)
        self.set_source_info(section)
        self.state.document.note_implicit_target(section, section)
        body = StringList(exercise.markdown().splitlines(), source=str(self.get_source_info()[0]))
        self.state.nested_parse(body, self.content_offset, section)
        return section


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("worked-solutions", WorkedSolutions)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
