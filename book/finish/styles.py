"""One stylesheet for the whole site: joined, without what no page uses, minified."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import tinycss2
from tinycss2.ast import AtRule, Node, QualifiedRule

from finish.scripts import minify

URL = re.compile(r"""url\(\s*(['"]?)([^'")]+)\1\s*\)""")
IMPORT = re.compile(r"""@import\s+(?:url\()?['"]?([^'")]+)['"]?\)?\s*;""")
NAME = r"-?[A-Za-z_][\w-]*"
GROUPING = {"media", "supports", "container", "layer"}


def join(site: Path, styles: Iterable[str]) -> str:
    """Concatenate stylesheets, imports resolved, every `url()` relative to `_static/`."""
    return "\n".join(_load(site, style) for style in styles)


def _load(site: Path, style: str) -> str:
    text = (site / style).read_text(encoding="utf-8").replace('@charset "UTF-8";', "")
    folder = posixpath.dirname(style)

    def imported(match: re.Match[str]) -> str:
        return _load(site, posixpath.normpath(posixpath.join(folder, match[1])))

    def moved(match: re.Match[str]) -> str:
        url = match[2]
        if url.startswith(("data:", "#", "http:", "https:", "//")):
            return match[0]
        path = posixpath.normpath(posixpath.join(folder, url.split("?")[0]))
        return f'url("{posixpath.relpath(path, "_static")}")'

    # Imported text has its own folder: mend our own addresses before it comes in.
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    pieces, position = [], 0
    for match in IMPORT.finditer(text):
        pieces += [URL.sub(moved, text[position : match.start()]), imported(match)]
        position = match.end()
    return "".join([*pieces, URL.sub(moved, text[position:])])


def names_in_pages(pages: Iterable[str]) -> set[str]:
    """Every tag, class and id of the pages."""
    found: set[str] = set()
    for page in pages:
        found.update(re.findall(r"<([a-z][\w-]*)", page))
        for value in re.findall(r"""\b(?:class|id)=["']([^"']*)["']""", page):
            found.update(value.split())
    return found


def names_in_scripts(scripts: Iterable[str]) -> set[str]:
    """Every name in a string of the scripts: they add classes and elements by name."""
    found: set[str] = set()
    for script in scripts:
        for literal in re.findall(r"""\"[^"\n]*"|'[^'\n]*'|`[^`]*`""", script):
            found.update(re.findall(NAME, literal))
    return found


@dataclass
class Rule:
    """Selectors and declarations; or a group (`@media …`) and the rules in it; or raw text."""

    prelude: str = ""
    declarations: list[tuple[str, str]] = field(default_factory=list)
    inside: list[Rule] | None = None
    raw: str = ""

    def text(self) -> str:
        if self.raw:
            return self.raw
        if self.inside is not None:
            inside = "".join(rule.text() for rule in self.inside)
            return f"{self.prelude}{{{inside}}}" if inside else ""
        body = "".join(declaration for _, declaration in self.declarations)
        return f"{self.prelude}{{{body}}}" if body else ""


def purge(css: str, used: set[str], read: set[str]) -> str:
    """Drop rules whose selectors name a tag, class or id that no page or script mentions.

    Then drop fonts, animations and custom properties that nothing refers to any more; `read` are
    the properties that pages and scripts read themselves.
    """
    nodes = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    rules = _kept(nodes, used)
    _drop_unused_properties(rules, read)
    return _drop_unused_named("\n".join(rule.text() for rule in rules))


def _kept(nodes: Iterable[Node], used: set[str]) -> list[Rule]:
    out = []
    for node in nodes:
        if isinstance(node, QualifiedRule):
            alive = [s for s in _split(tinycss2.serialize(node.prelude)) if _alive(s, used)]
            if alive:
                out.append(Rule(",".join(alive), _declarations(node)))
        elif isinstance(node, AtRule) and node.lower_at_keyword in GROUPING and node.content:
            nodes_inside = tinycss2.parse_rule_list(node.content, True, True)
            prelude = f"@{node.at_keyword}{tinycss2.serialize(node.prelude)}"
            out.append(Rule(prelude, inside=_kept(nodes_inside, used)))
        elif isinstance(node, AtRule):
            out.append(Rule(raw=node.serialize()))
    return out


def _declarations(node: QualifiedRule) -> list[tuple[str, str]]:
    found = tinycss2.parse_blocks_contents(node.content, skip_comments=True, skip_whitespace=True)
    return [(getattr(d, "name", ""), d.serialize() + ";") for d in found if d.type != "error"]


def _split(selectors: str) -> list[str]:
    """Split a selector list at its top-level commas."""
    parts, depth, current = [], 0, ""
    for char in selectors:
        depth += (char in "([") - (char in ")]")
        if char == "," and depth == 0:
            parts.append(current.strip())
            current = ""
        else:
            current += char
    return [*parts, current.strip()]


def _alive(selector: str, used: set[str]) -> bool:
    """Whether something could match; brackets and `:is()`, `:not()` and such are not asked."""
    plain = re.sub(r"\[[^\]]*\]", "", selector)
    while (shorter := re.sub(r"::?[\w-]+\([^()]*\)", "", plain)) != plain:
        plain = shorter
    plain = re.sub(r"::?[\w-]+", "", plain).replace("\\", "")
    return all(name in used for name in re.findall(NAME, plain))


def _drop_unused_named(css: str) -> str:
    """Drop `@font-face` of families and `@keyframes` of animations that no rule names."""
    face = re.compile(r"@font-face\s*\{[^}]*\}")
    frames = re.compile(rf"@(?:-webkit-)?keyframes\s+({NAME})\s*\{{(?:[^{{}}]*\{{[^}}]*\}})*\s*\}}")
    rules = re.sub(r"\\(.)", r"\1", frames.sub("", face.sub("", css)))

    def font(match: re.Match[str]) -> str:
        family = re.search(r"font-family:\s*['\"]?([^;'\"}]+)", match[0])
        name = re.sub(r"\\(.)", r"\1", family[1]).strip() if family else ""
        return match[0] if name and name in rules else ""

    css = face.sub(font, css)
    return frames.sub(lambda match: match[0] if match[1] in rules else "", css)


def _flat(rules: Iterable[Rule]) -> Iterable[Rule]:
    for rule in rules:
        yield rule
        yield from _flat(rule.inside or ())


def _drop_unused_properties(rules: list[Rule], read: set[str]) -> None:
    """Drop custom properties that are set and never read, until none is left."""
    while True:
        text = "".join(rule.text() for rule in rules)
        alive = read | set(re.findall(r"var\(\s*(--[\w-]+)", text))
        dropped = 0
        for rule in _flat(rules):
            kept = [d for d in rule.declarations if not d[0].startswith("--") or d[0] in alive]
            dropped += len(rule.declarations) - len(kept)
            rule.declarations = kept
        if not dropped:
            return


def build(site: Path, styles: Iterable[str], pages: list[str], scripts: list[str]) -> str:
    """The site's stylesheet, minified, from the stylesheets that all pages share."""
    used = names_in_pages(pages) | names_in_scripts(scripts)
    read = {name for text in [*pages, *scripts] for name in re.findall(r"--[\w-]+", text)}
    return minify(purge(join(site, styles), used, read), "css")
