"""`{diagram} name`: inline `book/figures/name.svg`, so that it follows the page's colours.

The SVG carries its own text alternative: a `<title>` (what it is) and a `<desc>` (what it shows).
Ids inside it are made unique on the page. With `:caption:` the diagram is a numbered figure, and
with `:name:` it can be referred to. Where `name.narrow.svg` exists, narrow columns show that one.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar
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


def inline_svg(source: str, prefix: str, alt: str | None = None, css_class: str = "") -> str:
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
            raise DiagramError(
                f"no <{tag}> directly inside <svg>: readers who do not see it need one"
            )
        child.set("id", f"{prefix}-{tag}")
        labels[tag] = child
    if alt:
        labels["desc"].text = alt
    _unique_ids(root, prefix)
    root.set("role", "img")
    root.set("aria-labelledby", f"{prefix}-title")
    root.set("aria-describedby", f"{prefix}-desc")
    root.set("class", " ".join(filter(None, [root.get("class"), "lk-diagram", css_class])))
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
    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {
        "caption": directives.unchanged,
        "name": directives.unchanged,
        "alt": directives.unchanged,
        "class": directives.class_option,
    }

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        drawings = [self.drawing(name, "lk-wide")]
        if (FIGURES / f"{name}.narrow.svg").exists():
            drawings.append(self.drawing(f"{name}.narrow", "lk-narrow"))
        both = len(drawings) > 1
        html = f'<div class="lk-two">{"".join(drawings)}</div>' if both else drawings[0]
        figure = nodes.figure("", nodes.raw("", html, format="html"))
        figure["classes"] += ["lk-figure", *self.options.get("class", [])]
        # A caption may go on in further lines, or stand as the directive's text.
        if caption := " ".join([self.options.get("caption", ""), *self.content]).strip():
            text, messages = self.parse_inline(caption)
            figure += nodes.caption(caption, "", *text)
            figure += messages
        self.add_name(figure)
        self.set_source_info(figure)
        return [figure]

    def drawing(self, name: str, css_class: str) -> str:
        """One SVG file, inlined; what is wrong with it becomes an error of this line."""
        path = FIGURES / f"{name}.svg"
        self.env.note_dependency(str(path))
        number = self.env.new_serialno("lk-diagram")
        prefix = f"dg{number}-{name.replace('.', '-')}"
        try:
            source = path.read_text(encoding="utf-8")
            return inline_svg(source, prefix, self.options.get("alt"), css_class)
        except FileNotFoundError:
            raise self.error(f"no diagram {name}: book/figures/{name}.svg does not exist") from None
        except DiagramError as error:
            raise self.error(f"book/figures/{name}.svg: {error}") from None


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("diagram", Diagram)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
