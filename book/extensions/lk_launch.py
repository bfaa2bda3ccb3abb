"""The buttons above a page: open its assignment on Binder or Colab, or download it.

Colab opens only `.ipynb`, and a chapter is Markdown, so the buttons name the release notebook of
the chapter's assignment. A page without an assignment has none.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util.fileutil import copy_asset

THEME_GROUPS = {"launch-buttons", "download-buttons"}


def assignment_of(pagename: str, root: Path) -> str | None:
    """Name of the assignment that belongs to a page, by the chapter's number; None if none does."""
    number = re.match(r"book/(\d\d)-", pagename)
    found = sorted((root / "solutions").glob(f"{number[1]}-*")) if number else []
    return found[0].name if found else None


def launch_links(options: dict[str, Any], path: str) -> dict[str, str]:
    """Addresses that open a notebook of the repository, from the addresses in `_config.yml`."""
    repository, branch = options["repository_url"], options.get("repository_branch") or "main"
    owner = "/".join(repository.rstrip("/").split("/")[-2:])
    launch = options.get("launch_buttons", {})
    links = {}
    if hub := launch.get("binderhub_url"):
        links["Binder"] = f"{hub}/v2/gh/{owner}/{branch}?urlpath=lab/tree/{path}"
    if colab := launch.get("colab_url"):
        links["Colab"] = f"{colab}/github/{owner}/blob/{branch}/{path}"
    return links


def _link(text: str, url: str, icon: str, tooltip: str) -> dict[str, str]:
    return {"type": "link", "text": text, "url": url, "icon": icon, "tooltip": tooltip}


def set_buttons(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Put our launch and download groups where the theme has put its own."""
    rest = [b for b in context["header_buttons"] if b.get("label") not in THEME_GROUPS]
    context["header_buttons"] = rest
    if doctree is None:
        return
    source = f"{context['pathto']('_sources', 1)}/{context['sourcename']}"
    downloads = [
        _link("Page as Markdown", source, "fas fa-file", "Download the source of this page"),
        {
            "type": "javascript",
            "javascript": "window.print()",
            "text": "Page as PDF",
            "icon": "fas fa-file-pdf",
            "tooltip": "Print this page",
        },
    ]
    if notebook := context.get("ipynb_source"):
        url = f"{context['pathto']('_sources', 1)}/{notebook}"
        downloads.append(_link("Page as notebook", url, "fas fa-code", "Download as a notebook"))
    groups = []
    if name := assignment_of(pagename, Path(app.srcdir)):
        path = f"notebooks/{name}/{name}.ipynb"
        launch = [
            _link(site, url, "fas fa-rocket", f"Open the exercises on {site}")
            for site, url in launch_links(app.config.html_theme_options, path).items()
        ]
        groups.append(_group("Open the exercises", "fas fa-rocket", launch))
        if (Path(app.srcdir) / path).exists():
            url = context["pathto"](f"_static/notebooks/{name}.ipynb", 1)
            downloads.insert(0, _link("Exercises", url, "fas fa-code", "Download the notebook"))
    groups.append(_group("Download", "fas fa-download", downloads))
    context["header_buttons"] = [*groups, *rest]


def _group(tooltip: str, icon: str, buttons: list[dict[str, str]]) -> dict[str, Any]:
    return {"type": "group", "tooltip": tooltip, "icon": icon, "buttons": buttons}


def copy_notebooks(app: Sphinx) -> None:
    """The release notebooks can be downloaded from the site itself."""
    if app.builder.format == "html":
        for notebook in (Path(app.srcdir) / "notebooks").glob("[0-9]*/[0-9]*.ipynb"):
            copy_asset(notebook, Path(app.outdir) / "_static" / "notebooks")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", copy_notebooks)
    # The theme sets its buttons at 501.
    app.connect("html-page-context", set_buttons, priority=510)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
