"""One stylesheet for the whole site: joined, without what no page uses, minified."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
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


def purge(css: str, used: set[str], properties: set[str]) -> str:
    """Drop rules whose selectors name a tag, class or id that no page or script mentions.

    Then drop fonts, animations and custom properties that nothing refers to any more;
    `properties` are those that pages and scripts read themselves.
    """
    rules = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    text = "\n".join(_kept(rules, used))
    text = _drop_unused_named(text, used)
    return _drop_unused_properties(text, properties)


def _kept(rules: Iterable[Node], used: set[str]) -> list[str]:
    out = []
    for rule in rules:
        if isinstance(rule, QualifiedRule):
            selectors = _split(tinycss2.serialize(rule.prelude))
            alive = [s for s in selectors if _alive(s, used)]
            if alive:
                out.append(f"{','.join(alive)}{{{tinycss2.serialize(rule.content)}}}")
        elif isinstance(rule, AtRule) and rule.lower_at_keyword in GROUPING and rule.content:
            inside = _kept(
                tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True),
                used,
            )
            if inside:
                prelude = tinycss2.serialize(rule.prelude)
                out.append(f"@{rule.at_keyword}{prelude}{{{''.join(inside)}}}")
        elif isinstance(rule, AtRule):
            out.append(rule.serialize())
    return out


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
    """Whether something could match; what stands in brackets and in `:is()`, `:not()` is not asked."""
    plain = re.sub(r"\[[^\]]*\]", "", selector)
    while (shorter := re.sub(r"::?[\w-]+\([^()]*\)", "", plain)) != plain:
        plain = shorter
    plain = re.sub(r"::?[\w-]+", "", plain).replace("\\", "")
    return all(name in used for name in re.findall(NAME, plain))


def _drop_unused_named(css: str, used: set[str]) -> str:
    """Drop `@font-face` of families and `@keyframes` of animations that nobody names."""

    def font(match: re.Match[str]) -> str:
        family = re.search(r"font-family:\s*['\"]?([^;'\"}]+)", match[0])
        name = re.sub(r"\\(.)", r"\1", family[1]).strip() if family else ""
        rest = re.sub(r"\\(.)", r"\1", re.sub(r"@font-face\s*\{[^}]*\}", "", css))
        return match[0] if name and name in rest else ""

    def keyframes(match: re.Match[str]) -> str:
        return match[0] if len(re.findall(rf"\b{match[1]}\b", css)) > 1 or match[1] in used else ""

    css = re.sub(r"@font-face\s*\{[^}]*\}", font, css)
    return re.sub(
        rf"@(?:-webkit-)?keyframes\s+({NAME})\s*\{{(?:[^{{}}]*\{{[^}}]*\}})*\s*\}}", keyframes, css
    )


def _drop_unused_properties(css: str, inline: set[str]) -> str:
    """Drop custom properties that are set and never read, until none is left."""
    while True:
        read = set(re.findall(r"var\(\s*(--[\w-]+)", css)) | inline
        fresh = re.sub(
            r"(?<=[{;])\s*(--[\w-]+)\s*:[^;{}]*(?:;|(?=\}))",
            lambda m: m[0] if m[1] in read else "",
            css,
        )
        fresh = re.sub(r"[^{};]+\{\s*\}", "", fresh)
        if fresh == css:
            return css
        css = fresh


def build(site: Path, styles: Iterable[str], pages: list[str], scripts: list[str]) -> str:
    """The site's stylesheet, minified, from the stylesheets that all pages share."""
    used = names_in_pages(pages) | names_in_scripts(scripts)
    read = {name for text in [*pages, *scripts] for name in re.findall(r"--[\w-]+", text)}
    return minify(purge(join(site, styles), used, read), "css")
