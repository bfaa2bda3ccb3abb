"""Links within the site: every page, file and anchor that a page names must exist."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

TARGET = re.compile(r"""(?:href|src)="([^"]*)\"""")
ANCHOR = re.compile(r"""\b(?:id|name)="([^"]+)\"""")


def broken(site: Path, prefix: str = "/") -> list[str]:
    """Return "page: link" for each link of the site that leads nowhere."""
    anchors: dict[Path, set[str]] = {}
    failures = []
    pages = [p for p in site.rglob("*.html") if "_static" not in p.relative_to(site).parts]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for link in sorted(set(TARGET.findall(text))):
            parts = urlsplit(link.replace("&amp;", "&"))
            if parts.scheme or parts.netloc or link in ("", "#"):
                continue
            target = _file(site, page, unquote(parts.path), prefix)
            if not target.exists():
                failures.append(f"{page.relative_to(site)}: {link}")
            elif parts.fragment and target.suffix == ".html":
                if target not in anchors:
                    anchors[target] = set(ANCHOR.findall(target.read_text(encoding="utf-8")))
                if unquote(parts.fragment) not in anchors[target]:
                    failures.append(f"{page.relative_to(site)}: {link} (no such anchor)")
    return failures


def _file(site: Path, page: Path, path: str, prefix: str) -> Path:
    if not path:
        return page
    if path.startswith("/"):
        target = site / path.removeprefix(prefix).lstrip("/")
    else:
        target = page.parent / path
    target = target.resolve()
    return target / "index.html" if target.is_dir() else target
