"""Fonts reduced to what the pages show: a few dozen icons, the characters of the equations."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

FACE = re.compile(r"@font-face\s*\{[^}]*\}")
MATH = re.compile(r'<span class="katex-html".*?(?=<span class="katex-mathml"|</p>|</div>|$)', re.S)


def characters_of_equations(pages: Iterable[str]) -> set[str]:
    """Every character in an equation's visible part."""
    found: set[str] = set()
    for page in pages:
        for equation in MATH.findall(page):
            found.update(html.unescape(re.sub(r"<[^>]*>", "", equation)))
    return found


def icons(css: str) -> set[str]:
    """The private-use characters that the style sheet shows as icons."""
    escaped = {chr(int(code, 16)) for code in re.findall(r"\\([ef][0-9a-f]{3})\b", css)}
    return escaped | {c for c in css if "\ue000" <= c <= "\uf8ff"}


def reduce_fonts(static: Path, css: str, pages: list[str]) -> str:
    """Subset every woff2 that the style sheet names, in place; return the style sheet.

    Other formats leave the `src` lists, fonts without any needed character leave the sheet.
    """
    needed = {"katex": characters_of_equations(pages), "fontawesome": icons(css)}

    def face(match: re.Match[str]) -> str:
        found = re.search(r'url\("?([^")]+\.woff2)"?\)', match[0])
        if not found:
            return match[0]
        path = static / found[1]
        wanted = needed["fontawesome" if "fontawesome" in found[1] else "katex"]
        if not _subset(path, wanted):
            path.unlink()
            return ""
        return re.sub(r"src:[^;}]*", f'src:url("{found[1]}")format("woff2")', match[0])

    return FACE.sub(face, css)


def _subset(path: Path, wanted: set[str]) -> bool:
    """Keep only the wanted characters; False when the font has none of them."""
    with TTFont(path) as font:
        has = {c for c in wanted if ord(c) in font.getBestCmap() and not c.isspace()}
        if not has:
            return False
        options = subset.Options(flavor="woff2", layout_features=["*"], notdef_outline=True)
        options.hinting = False
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=[*map(ord, has), 0x20, 0xA0, 0x200B])
        subsetter.subset(font)
        subset.save_font(font, path, options)
    return True
