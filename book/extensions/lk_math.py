"""KaTeX at build time: equations reach the reader as HTML and MathML, without a script.

One `node` process serves a whole build, a JSON line for each equation. An equation that KaTeX
refuses is a Sphinx warning, so a build with `-W` fails on it.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from docutils import nodes
from lk_symbols import mark
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.util.fileutil import copy_asset
from sphinx.util.math import get_node_equation_number

logger = logging.getLogger(__name__)
HERE = Path(__file__).parent
KATEX = HERE.parent / "node_modules" / "katex" / "dist"

NUMBERED = re.compile(r"\\(begin|end)\{(equation|align|gather|alignat)\}")


class Katex:
    """A long-lived `node` process that renders equations; started when the first one comes."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._known: dict[tuple[str, bool], dict[str, str]] = {}

    def render(self, tex: str, display: bool) -> dict[str, str]:
        """Return `{"html": …}`, or `{"error": …}` with KaTeX's own message."""
        key = (tex, display)
        if key not in self._known:
            self._known[key] = self._ask(json.dumps({"tex": tex, "display": display}))
        return self._known[key]

    def _ask(self, line: str) -> dict[str, str]:
        if self._process is None:
            self._process = self._start()
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise ExtensionError("the KaTeX process ended; its message stands above")
        return json.loads(answer)

    @staticmethod
    def _start() -> subprocess.Popen[str]:
        node = shutil.which("node")
        if node is None:
            raise ExtensionError("equations need Node.js (apt-get install nodejs npm)")
        if not KATEX.is_dir():
            raise ExtensionError("KaTeX is not installed: run `make book`, or `npm ci` in book/")
        return subprocess.Popen(
            [node, str(HERE / "katex_server.mjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def close(self) -> None:
        if self._process is not None:
            assert self._process.stdin
            self._process.stdin.close()
            self._process.wait(timeout=10)
            self._process = None


katex = Katex()


def display_source(text: str) -> str:
    """Wrap the lines of a bare multi-line equation, which KaTeX does not accept as they are."""
    # Numbers are Sphinx's, so that references work; KaTeX would count each line anew.
    text = NUMBERED.sub(r"\\\1{\2*}", text)
    parts = [part.strip() for part in text.split("\n\n") if part.strip()]
    if len(parts) > 1:
        return r"\begin{gathered}" + r" \\ ".join(parts) + r"\end{gathered}"
    source = parts[0] if parts else ""
    if r"\\" in source and r"\begin{" not in source:
        return r"\begin{aligned}" + source + r"\end{aligned}"
    return source


def _html(translator: Any, node: nodes.Element, tex: str, display: bool) -> str:
    answer = katex.render(mark(tex), display)
    if "error" in answer:
        logger.warning("%s in: %s", answer["error"], tex, location=node, type="katex")
        return f"<code>{translator.encode(tex)}</code>"
    return answer["html"]


def visit_math(self: Any, node: nodes.math) -> None:
    self.body.append(self.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    self.body.append(_html(self, node, node.astext(), display=False) + "</span>")
    raise nodes.SkipNode


def visit_math_block(self: Any, node: nodes.math_block) -> None:
    self.body.append(self.starttag(node, "div", CLASS="math notranslate nohighlight"))
    # The theme lays the parts out from right to left, so the number comes first.
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    source = display_source(node.astext())
    self.body.append(_html(self, node, source, display=True) + "</div>\n")
    raise nodes.SkipNode


def copy_katex(app: Sphinx) -> None:
    """Put KaTeX's style and its woff2 fonts beside the other static files."""
    if app.builder.format != "html":
        return
    target = Path(app.outdir) / "_static" / "katex"
    target.mkdir(parents=True, exist_ok=True)
    if not KATEX.is_dir():
        raise ExtensionError("KaTeX is not installed: run `make book`, or `npm ci` in book/")
    copy_asset(KATEX / "katex.min.css", target)
    for font in (KATEX / "fonts").glob("*.woff2"):
        copy_asset(font, target / "fonts")


def finish(app: Sphinx, exception: Exception | None) -> None:
    katex.close()


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_html_math_renderer("lk_katex", (visit_math, None), (visit_math_block, None))
    app.add_css_file("katex/katex.min.css", priority=300)
    app.connect("builder-inited", copy_katex)
    app.connect("build-finished", finish)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
