"""What every page of the site shares: addresses from `_config.yml`, a version, a description."""

from __future__ import annotations

import datetime
import os
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging

logger = logging.getLogger(__name__)

NOT_FOUND = """
<h1>There is no such page</h1>
<p>The address may be old, or mistyped. <a href="{home}">Start at the course's first page</a>,
or use the search.</p>
"""


def version_of(root: Path) -> str:
    """The version of the package, which is the version of the course."""
    source = root / "lstmkit" / "__init__.py"
    text = source.read_text(encoding="utf-8") if source.exists() else ""
    found = re.search(r'^__version__\s*=\s*"([^"]+)"', text, re.MULTILINE)
    return found[1] if found else "unversioned"


def date_of(root: Path) -> str:
    """The day of the last commit (or of SOURCE_DATE_EPOCH): a rebuild does not change it."""
    if epoch := os.environ.get("SOURCE_DATE_EPOCH"):
        return datetime.datetime.fromtimestamp(int(epoch), datetime.UTC).date().isoformat()
    command = ["git", "-C", str(root), "log", "-1", "--format=%cs"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return datetime.date.today().isoformat()
    return done.stdout.strip() or datetime.date.today().isoformat()


def derive(app: Sphinx, config: Config) -> None:
    """Everything that names the site's address follows from `html: baseurl`."""
    prefix = urlsplit(config.html_baseurl).path or "/"
    config.ogp_site_url = config.html_baseurl
    config.ogp_site_name = config.html_title
    config.notfound_urls_prefix = prefix
    config.notfound_context = {
        "title": "There is no such page",
        "body": NOT_FOUND.format(home=f"{prefix}{config.root_doc}.html"),
    }
    config.llms_txt_title = config.html_title
    root = Path(app.srcdir)
    config.html_context["lk_version"] = version_of(root)
    config.html_context["lk_date"] = date_of(root)


def describe(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Give Open Graph the description that the page's own front matter states."""
    if doctree is None:
        return
    for meta in doctree.findall(nodes.meta):
        if meta.get("name") == "description":
            context["meta"] = {**(context["meta"] or {}), "og:description": meta["content"]}
            return
    logger.warning(
        "no description: add `myst: {html_meta: {description: …}}` to the page's front matter",
        location=pagename,
        type="lk",
    )


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_js_file("lk.js", loading_method="defer")
    app.add_css_file("print.css", priority=900)
    app.connect("config-inited", derive, priority=100)
    app.connect("html-page-context", describe, priority=100)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
