"""The HTML of each page: one stylesheet, one script, the theme's accessibility mended."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from finish.scripts import silence

STYLESHEET = re.compile(r"""<link (?=[^>]*rel="stylesheet")[^>]*href="([^"]+)"[^>]*>\s*""")
SCRIPT = re.compile(
    r"""<script(?![^>]*type="(?:application|module))([^>]*)>(.*?)</script>\s*""", re.S
)
SOURCE = re.compile(r"""src="([^"]+)\"""")
PRELOADED = re.compile(r"""<link rel="preload" as="script"[^>]*>\s*""")
# Set on each page by the theme, for a version switcher and a search-as-you-type that we lack.
PER_PAGE = re.compile(r"DOCUMENTATION_OPTIONS\.(pagename|search_as_you_type) ")
UNWANTED = ("scripts/fontawesome.js",)

MENDS = [
    # Every folded part is named "Toggle hidden content", whatever its title says.
    (re.compile(r'(<summary[^>]*?) aria-label="Toggle hidden content"'), r"\1"),
    # The arrow beside a chapter in the sidebar has no name.
    (
        re.compile(r'<summary>(<span class="toctree-toggle")'),
        r'<summary aria-label="Show or hide the pages of this chapter">\1',
    ),
    # The sidebar's title stands outside every landmark.
    (
        re.compile(r'<div id="pst-primary-sidebar"'),
        '<div id="pst-primary-sidebar" role="navigation" aria-label="Course"',
    ),
    (re.compile(r'(<nav class="bd-links bd-docs-nav" aria-label=)"Main"'), r'\1"Chapters"'),
    # The browser shows titles by itself; Bootstrap's tooltips cost a phone a tenth of a second.
    (re.compile(r'\s+data-bs-placement="[a-z]+"|\s+data-bs-toggle="tooltip"'), ""),
    (re.compile(r"\bdata-bs-title="), "title="),
    # Docutils marks the bibliography with a role that is no more, in a list that is none.
    (re.compile(r'(<div class="citation"[^>]*) role="doc-biblioentry"'), r"\1"),
    (re.compile(r'<div role="list" class="citation-list">'), '<div class="citation-list">'),
    # Without scripts the page is light; "auto" would leave it without colours.
    (re.compile(r'(<html[^>]*) data-theme="auto"'), r'\1 data-theme="light"'),
    # A page that opens in a new tab has no business with the one that opened it.
    (re.compile(r'target="_blank"(?![^>]*rel=)'), 'target="_blank" rel="noopener"'),
]


@dataclass
class Page:
    """One page: its path in the site, its text, and the assets that it asks for."""

    path: Path
    html: str
    prefix: str  # how the page reaches the site's root: "", "../", or an absolute path
    styles: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)  # "path", or the text of an inline script


def read(site: Path) -> list[Page]:
    """Every page of the theme, with its stylesheets and scripts in order."""
    pages = []
    for path in sorted(site.rglob("*.html")):
        if "_static" in path.relative_to(site).parts:
            continue
        html = path.read_text(encoding="utf-8")
        found = re.search(r'href="([^"]*)_static/', html)
        if not found:
            continue
        page = Page(path, html, found[1])
        page.styles = [_from_root(page, href) for href in STYLESHEET.findall(html)]
        page.scripts = [s for s in _scripts(page) if s]
        pages.append(page)
    return pages


def _from_root(page: Page, url: str) -> str:
    """The asset's path from the site's root, without the version that Sphinx appends."""
    return url.removeprefix(page.prefix).split("?")[0]


def _scripts(page: Page) -> Iterable[str]:
    for attributes, body in SCRIPT.findall(page.html):
        yield _script_key(page, attributes, body)


def _script_key(page: Page, attributes: str, body: str) -> str:
    if source := SOURCE.search(attributes):
        return _from_root(page, source[1])
    return body.strip()


def stays_inline(script: str) -> bool:
    """The theme must be set before the first paint; the per-page settings are not wanted at all."""
    return "dataset.theme" in script or bool(PER_PAGE.match(script))


def shared(lists: Iterable[list[str]]) -> list[str]:
    """What stands in every list, once, in the order of the first."""
    first, *others = list(lists)
    return list(dict.fromkeys(x for x in first if all(x in other for other in others)))


def _first_part(html: str) -> str:
    """What is laid out at once: the article up to its first section within the section."""
    parts = html.split("<section", 2)
    return parts[1] if len(parts) > 1 else ""


def _preload(fonts: Iterable[str]) -> str:
    """Fetch fonts early. From a file a browser refuses, aloud, so there it is not asked."""
    links = ",".join(f'"{font}"' for font in fonts)
    return (
        f'<script>if(location.protocol!=="file:")for(const href of [{links}])document.head.append('
        'Object.assign(document.createElement("link"),'
        '{rel:"preload",as:"font",type:"font/woff2",crossOrigin:"",href}))</script>\n'
    )


def rewrite(page: Page, styles: set[str], scripts: set[str], fresh: Mapping[str, str]) -> str:
    """Return the page with the shared assets replaced by `fresh["css"]` and `fresh["js"]`.

    The theme-setting script stays inline at its place: it must run before the first paint.
    """
    head = f'<link rel="stylesheet" href="{page.prefix}{fresh["css"]}">\n'
    if 'class="katex"' in _first_part(page.html):
        # Before the style sheet, which would make the script wait.
        head = _preload(f"{page.prefix}{font}" for font in fresh["fonts"].split()) + head
    pending = {
        "style": head,
        "script": f'<script defer src="{page.prefix}{fresh["js"]}"></script>\n',
    }

    def style(match: re.Match[str]) -> str:
        if _from_root(page, match[1]) not in styles:
            return match[0]
        return pending.pop("style", "")

    def script(match: re.Match[str]) -> str:
        key = _script_key(page, match[1], match[2])
        if key.endswith(UNWANTED) or PER_PAGE.match(key):
            return ""
        if key not in scripts:
            # Whatever follows the joined script in the page must also run after it.
            late = "src=" in match[1] and "defer" not in match[1] and "async" not in match[1]
            kept = match[0].replace("<script", "<script defer", 1) if late else match[0]
            return silence(kept)
        return pending.pop("script", "")

    html = STYLESHEET.sub(style, page.html)
    html = SCRIPT.sub(script, PRELOADED.sub("", html))
    for pattern, better in MENDS:
        html = pattern.sub(better, html)
    return html
