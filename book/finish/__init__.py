"""From what Sphinx writes to what is published: the same pages, a fraction of the bytes.

`finish(raw, site)` copies and never changes `raw`, so it can run after every build.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

from finish import fonts, links, pages, scripts, styles

# Kept by the theme's package for other themes and languages, or joined into one file.
DROPPED = (
    "locales",
    "webpack-macros.html",
    "sbt-webpack-macros.html",
    "vendor/fontawesome/webfonts/*.ttf",
)
PRELOAD = ("katex/fonts/KaTeX_Main-Regular.woff2", "katex/fonts/KaTeX_Math-Italic.woff2")

FIRST_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<meta name="description" content="{description}">
<link rel="canonical" href="{base}{first}">
<link rel="icon" href="_static/favicon.svg">
<meta http-equiv="refresh" content="0; url={first}">
</head>
<body><p><a href="{first}">{title}</a></p></body>
</html>
"""


class SiteError(Exception):
    """The finished site is not as it should be; the message lists what is wrong."""


def finish(raw: Path, site: Path, assets: Path, config: dict[str, Any]) -> None:
    """Write the finished site; raise `SiteError` when a link within it leads nowhere."""
    shutil.rmtree(site, ignore_errors=True)
    leave_out = shutil.ignore_patterns("*.map", ".buildinfo", "*.LICENSE.txt")
    shutil.copytree(raw, site, ignore=leave_out)
    # Sphinx copies assets only when a page has changed as well.
    shutil.copytree(assets, site / "_static", dirs_exist_ok=True)
    read = pages.read(site)
    common_styles = pages.shared(page.styles for page in read)
    common_scripts = [
        script
        for script in pages.shared(page.scripts for page in read)
        if not pages.stays_inline(script) and not script.endswith(pages.UNWANTED)
    ]
    static = site / "_static"
    script = scripts.join(site, common_scripts)
    files = [path for path in site.rglob("*.js") if path.name != "fontawesome.js"]
    own = [path.read_text(encoding="utf-8") for path in files]
    texts = [page.html for page in read]
    style = styles.build(site, common_styles, texts, [script, *own])
    style = fonts.reduce_fonts(static, style, texts)
    fresh = {
        "css": _write(static, "site.css", style),
        "js": _write(static, "site.js", script),
        "fonts": " ".join(f"_static/{font}" for font in PRELOAD if (static / font).exists()),
    }
    for page in read:
        html = pages.rewrite(page, set(common_styles), set(common_scripts), fresh)
        page.path.write_text(html, encoding="utf-8")
    shutil.rmtree(static / "instruments", ignore_errors=True)  # sources; the bundles are elsewhere
    _tidy(static, [*common_styles, *common_scripts])
    _first_page(site, config)
    if failures := links.broken(site, prefix_of(config)):
        raise SiteError("links that lead nowhere:\n  " + "\n  ".join(failures))


def prefix_of(config: dict[str, Any]) -> str:
    """The path under which the site is published: `/lstm-course/` on GitHub Pages."""
    return "/" + config["html"]["baseurl"].split("/", 3)[-1]


def _first_page(site: Path, config: dict[str, Any]) -> None:
    """The site's root leads to the book's first page."""
    text = FIRST_PAGE.format(
        title=config["title"],
        description=config["description"],
        base=config["html"]["baseurl"],
        first="book/index.html",
    )
    (site / "index.html").write_text(text, encoding="utf-8")


def _write(static: Path, name: str, text: str) -> str:
    (static / name).write_text(text, encoding="utf-8")
    return f"_static/{name}?v={hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _tidy(static: Path, joined: list[str]) -> None:
    """Remove what was joined and what nobody asks for."""
    for pattern in DROPPED:
        for path in static.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name in [*joined, "_static/scripts/fontawesome.js", "_static/basic.css"]:
        path = static.parent / name if len(name) < 200 else None
        if path and path.is_file() and path.parent.is_relative_to(static):
            path.unlink()
