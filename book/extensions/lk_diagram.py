"""`{diagram} name`: inline `book/figures/name.svg`, so that it follows the page's colours.

The SVG carries its own text alternative: a `<title>` (what it is) and a `<desc>` (what it shows).
Ids inside it are made unique on the page. With `:name:` the diagram is a numbered figure.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

SVG = "http://www.w3.org/2000/svg"
FIGURES = Path(__file__).parent.parent / "figures"
ET.register_namespace("", SVG)


class DiagramError(ValueError):
    """The SVG cannot be inlined as it is."""


def inline_svg(source: str, prefix: str, alt: str | None = None) -> str:
    """Return the SVG ready to stand in a page: one image with a name, a description, own ids.

    Raises `DiagramError` when it is no SVG, or has no title, description or viewBox.
    """
    try:
        root = ET.fromstring(source)
    except ET.ParseError as error:
        raise DiagramError(f"not well-formed XML: {error}") from error
    if root.tag != f"{{{SVG}}}svg":
        raise DiagramError("the root element is not <svg>")
    if "viewBox" not in root.attrib:
        raise DiagramError("<svg> has no viewBox, so it cannot shrink on a phone")
    labels = {}
    for tag in ("title", "desc"):
        child = root.find(f"{{{SVG}}}{tag}")
        if child is None or not (child.text or "").strip():
            raise DiagramError(f"no <{tag}> directly inside <svg>: readers who do not see it need one")
        child.set("id", f"{prefix}-{tag}")
        labels[tag] = child
    if alt:
        labels["desc"].text = alt
    _unique_ids(root, prefix)
    root.set("role", "img")
    root.set("aria-labelledby", f"{prefix}-title")
    root.set("aria-describedby", f"{prefix}-desc")
    root.set("class", " ".join([root.get("class", ""), "lk-diagram"]).strip())
    return re.sub(r">\s*\n\s*<", "><", ET.tostring(root, encoding="unicode"))


def _unique_ids(root: ET.Element, prefix: str) -> None:
    """Prefix ids and every reference to them (`#id`, `url(#id)`, aria lists)."""
    own = {e.get("id"): f"{prefix}-{e.get('id')}" for e in root.iter() if e.get("id")}
    own = {k: v for k, v in own.items() if k not in (f"{prefix}-title", f"{prefix}-desc")}
    for element in root.iter():
        for key, value in list(element.attrib.items()):
            if key == "id" and value in own:
                element.set(key, own[value])
            elif "#" in value:
                fresh = re.sub(r"#([\w.-]+)", lambda m: "#" + own.get(m[1], m[1]), value)
                element.set(key, fresh)


class Diagram(SphinxDirective):
    required_arguments = 1
    option_spec = {
        "caption": directives.unchanged,
        "name": directives.unchanged,
        "alt": directives.unchanged,
        "class": directives.class_option,
    }

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        path = FIGURES / f"{name}.svg"
        self.env.note_dependency(str(path))
        prefix = f"dg-{name}-{self.env.new_serialno('lk-diagram')}"
        try:
            svg = inline_svg(path.read_text(encoding="utf-8"), prefix, self.options.get("alt"))
        except FileNotFoundError:
            raise self.error(f"no diagram {name}: book/figures/{name}.svg does not exist") from None
        except DiagramError as error:
            raise self.error(f"book/figures/{name}.svg: {error}") from None
        figure = nodes.figure("", nodes.raw("", svg, format="html"))
        figure["classes"] += ["lk-figure", *self.options.get("class", [])]
        if caption := self.options.get("caption"):
            text, messages = self.parse_inline(caption)
            figure += nodes.caption(caption, "", *text)
            figure += messages
        if "name" in self.options:
            self.options.setdefault("caption", "")
            self.add_name(figure)
        self.set_source_info(figure)
        return [figure]


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("diagram", Diagram)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
