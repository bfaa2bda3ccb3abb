"""From the SVG that matplotlib writes to one that can stand in a page beside others.

Standard library only. Colours become CSS variables, identifiers are made unique, fonts are
left to the page, coordinates are rounded, and what a reader cannot see is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
FONT = "var(--lk-font, system-ui, sans-serif)"

_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
_HEX = re.compile(r"#[0-9a-fA-F]{6}\b")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_FONT_FAMILY = re.compile(r"\s*font-family:[^;]*;?")
_NO_ROTATION = re.compile(r"rotate\(-?0(?:\.0+)?(?: [^)]*)?\)")


class ThemedFigure:
    """A figure ready for a page: inline SVG that follows the reader's light or dark choice."""

    def __init__(self, wide: str, narrow: str | None, title: str, desc: str) -> None:
        self.title = title
        self.alt = desc
        self._wide = wide
        self._narrow = narrow

    def _repr_html_(self) -> str:
        if self._narrow is None:
            return f'<div class="lk-figure">{self._wide}</div>'
        return (
            '<div class="lk-figure lk-figure-two" style="container-type:inline-size">'
            "<style>.lk-figure>svg{display:block;margin:auto}.lk-figure>.lk-narrow{display:none}"
            "@container (max-width:520px){.lk-figure>.lk-wide{display:none}"
            ".lk-figure>.lk-narrow{display:block;width:100%}}</style>"
            f"{self._wide}{self._narrow}</div>"
        )

    def _repr_svg_(self) -> str:
        return self._wide

    def __repr__(self) -> str:
        return f"[figure: {self.title}. {self.alt}]"


def embed(
    source: str,
    *,
    prefix: str,
    title: str,
    desc: str,
    variables: Mapping[str, str],
    css_class: str = "",
) -> str:
    """Rewrite one SVG document as an element for an HTML page.

    ``variables`` maps a colour in lower-case hex (``"#00508f"``) to the name of a CSS
    variable (``"--lk-h"``); the colour stays as the fallback. ``prefix`` starts every
    identifier. Returns the ``<svg>`` element as text, without an XML declaration.
    """
    root = ElementTree.fromstring(source)
    _drop(root)
    used = _references(root)
    for element in root.iter():
        _rewrite(element, prefix, used, variables)
    _unwrap(root)
    _frame(root, prefix, title, desc, css_class)
    ElementTree.register_namespace("", SVG)
    text = ElementTree.tostring(root, encoding="unicode", short_empty_elements=True)
    return re.sub(r">\s+<", "><", text).replace(f' xmlns:xlink="{XLINK}"', "").strip()


def _drop(root: ElementTree.Element) -> None:
    """Remove metadata and the style sheet, whose ``*`` would match the whole page."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{SVG}}}metadata", f"{{{SVG}}}style"):
                parent.remove(child)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == f"{{{SVG}}}defs" and len(child) == 0:
                parent.remove(child)


def _references(root: ElementTree.Element) -> set[str]:
    used: set[str] = set()
    for element in root.iter():
        for name, value in element.attrib.items():
            used.update(_REFERENCE.findall(value))
            if name.endswith("href") and value.startswith("#"):
                used.add(value[1:])
    return used


def _rewrite(
    element: ElementTree.Element, prefix: str, used: set[str], variables: Mapping[str, str]
) -> None:
    for name, value in list(element.attrib.items()):
        if name == "id":
            if value in used:
                element.set("id", prefix + value)
            else:
                del element.attrib["id"]
        elif name == f"{{{XLINK}}}href":
            del element.attrib[name]
            element.set("href", "#" + prefix + value.removeprefix("#"))
        elif name == "clip-path":
            element.set(name, _REFERENCE.sub(rf"url(#{prefix}\1)", value))
        elif name == "style":
            element.set(name, _style(value, variables))
        elif name == "transform" and _NO_ROTATION.fullmatch(value):
            del element.attrib[name]
        elif name in ("d", "x", "y", "width", "height", "transform"):
            element.set(name, " ".join(_NUMBER.sub(_round, value).split()))


def _round(match: re.Match[str]) -> str:
    text = f"{float(match[0]):.1f}"
    return "0" if text == "-0.0" else text.removesuffix(".0")


def _style(value: str, variables: Mapping[str, str]) -> str:
    def colour(match: re.Match[str]) -> str:
        name = variables.get(match[0].lower())
        return f"var({name}, {match[0].lower()})" if name else match[0]

    value = _HEX.sub(colour, _FONT_FAMILY.sub("", value))
    return re.sub(r"\s*([:;])\s*", r"\1", value).strip("; ")


def _unwrap(root: ElementTree.Element) -> None:
    """Put the children of groups without attributes in the group's place."""
    for parent in list(root.iter()):
        done = False
        while not done:
            done = True
            for place, child in enumerate(list(parent)):
                if child.tag == f"{{{SVG}}}g" and not child.attrib:
                    parent.remove(child)
                    for offset, grandchild in enumerate(list(child)):
                        parent.insert(place + offset, grandchild)
                    done = False
                    break


def _frame(root: ElementTree.Element, prefix: str, title: str, desc: str, css_class: str) -> None:
    """Size by the page, and the text alternative that screen readers announce."""
    _, _, width, height = root.get("viewBox", "0 0 0 0").split()
    root.attrib.pop("version", None)
    root.set("width", f"{float(width):.0f}")
    root.set("height", f"{float(height):.0f}")
    root.set("role", "img")
    root.set("aria-labelledby", f"{prefix}t {prefix}d")
    root.set(
        "style",
        f"max-width:100%;height:auto;stroke-linejoin:round;font-family:{FONT}",
    )
    if css_class:
        root.set("class", css_class)
    for place, (tag, text) in enumerate((("title", title), ("desc", desc))):
        element = ElementTree.Element(f"{{{SVG}}}{tag}", {"id": prefix + tag[0]})
        element.text = text
        root.insert(place, element)
