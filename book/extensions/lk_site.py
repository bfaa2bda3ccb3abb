"""What every page of the site shares: addresses taken from `_config.yml`, and a description."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging

logger = logging.getLogger(__name__)


def derive_addresses(app: Sphinx, config: Config) -> None:
    """Everything that names the site's address follows from `html: baseurl`."""
    config.ogp_site_url = config.html_baseurl
    config.ogp_site_name = config.html_title
    config.notfound_urls_prefix = urlsplit(config.html_baseurl).path or "/"
    config.llms_txt_title = config.html_title


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
    app.connect("config-inited", derive_addresses, priority=100)
    app.connect("html-page-context", describe, priority=100)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
