"""`{instrument} NAME`: something to play with, and its still picture for readers without scripts.

    ```{instrument} gate-playground
    :gates: f
    :preset: keep and add
    Things to try, as the caption.
    ```

The picture is drawn when the book is built, from numbers that `lstmkit` computes, by the same
functions that draw it in the page (`book/assets/instruments/src`). A page that has an instrument
gets that instrument's script, deferred, and the style that reserves its room; other pages get
neither. Builders of other formats get the picture as an image.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import lk_instrument_numbers as numbers
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

BOOK = Path(__file__).parent.parent
SOURCES = BOOK / "assets" / "instruments" / "src"
ESBUILD = BOOK / "node_modules" / ".bin" / "esbuild"
NAMES = tuple(numbers.MODELS)
LAYOUTS = ("wide", "narrow")
COLOUR = re.compile(r"var\(--lk-(\w+)\)")
DESCRIPTION = re.compile("<desc>(.*?)</desc>", re.S)


class lk_instrument(nodes.General, nodes.Element):
    """The custom element, its still picture inside; every builder of HTML shows it."""


class lk_still(nodes.General, nodes.Element):
    """The still picture as an image file; every other builder shows it."""


def run_node(command: Sequence[str | Path], text: str = "") -> str:
    """Run a Node.js program and return what it prints; say what is missing where it cannot run."""
    if shutil.which("node") is None:
        raise ExtensionError("instruments: node is missing; install Node.js 18 or newer")
    done = subprocess.run(
        [str(part) for part in command],
        input=text,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    if done.returncode:
        raise ExtensionError(f"instruments: {Path(command[0]).name} failed:\n{done.stderr.strip()}")
    return done.stdout


def bundle(entry: Path, *options: str) -> str:
    """One script or stylesheet with all it imports, minified; raise where esbuild is missing."""
    if not ESBUILD.exists():
        raise ExtensionError(
            "instruments: esbuild is missing; run `npm ci` in book/ (`make book` does it by itself)"
        )
    common = ("--bundle", "--minify", "--legal-comments=none", "--charset=utf8", "--target=es2020")
    return run_node([ESBUILD, entry, *common, *options])


def draw(models: list[dict[str, Any]]) -> list[str]:
    """The pictures of some models, each an SVG."""
    return json.loads(run_node(["node", SOURCES / "still.js"], json.dumps(models)))


@cache
def style(name: str) -> str:
    """`instruments.css` for a page, `picture.css` for a picture alone, minified."""
    return bundle(SOURCES / name).strip()


def standalone(svg: str) -> str:
    """The picture as a file of its own: its style inside, its colours written out (light)."""
    from lstmkit.plotting import COLOURS

    css = COLOUR.sub(lambda match: COLOURS["light"][match[1]], style("picture.css"))
    svg = svg.replace(
        "<svg ",
        '<svg xmlns="http://www.w3.org/2000/svg" class="lk-stage" font-family="sans-serif" ',
        1,
    )
    return svg.replace("<title>", f"<style>{css}</style><title>", 1)


def described(svg: str, alt: str) -> str:
    """The picture with the chapter's own description."""
    safe = alt.replace("&", "&amp;").replace("<", "&lt;")
    return DESCRIPTION.sub(lambda _: f"<desc>{safe}</desc>", svg)


class Instrument(SphinxDirective):
    required_arguments = 1
    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {
        "preset": directives.unchanged_required,
        "gates": directives.unchanged_required,
        "alt": directives.unchanged_required,
        "name": directives.unchanged,
    }

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        if name not in NAMES:
            raise self.error(f"no instrument {name}; there are {', '.join(NAMES)}")
        chosen = {key: self.options[key] for key in ("preset", "gates") if key in self.options}
        try:
            model = {"instrument": name, **numbers.MODELS[name](**chosen)}
        except (TypeError, numbers.UnknownSetting) as error:
            raise self.error(f"instrument {name}: {error}") from None
        pictures = draw([{**model, "narrow": layout == "narrow"} for layout in LAYOUTS])
        if alt := self.options.get("alt"):
            pictures = [described(picture, alt) for picture in pictures]
        element = lk_instrument(
            "", instrument=name, pictures=pictures, attributes=model["attributes"]
        )
        figure = nodes.figure("", element, self.still(name, pictures[0], alt))
        figure["classes"].append("lk-instrument")
        if self.content:
            legend = nodes.legend()
            self.state.nested_parse(self.content, self.content_offset, legend)
            figure += legend
        self.set_source_info(figure)
        self.add_name(figure)
        return [figure]

    def still(self, name: str, picture: str, alt: str | None) -> lk_still:
        """The picture as an image node, its file beside the doctrees."""
        text = standalone(picture)
        digest = hashlib.sha256(text.encode()).hexdigest()[:12]
        path = Path(self.env.app.doctreedir) / "instruments" / f"{name}-{digest}.svg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        from_source = os.path.relpath(path.resolve(), Path(self.env.srcdir).resolve())
        uri = "/" + Path(from_source).as_posix()
        alt = alt or DESCRIPTION.findall(picture)[0]
        return lk_still("", nodes.image(uri=uri, alt=alt))


def visit_html(translator: Any, node: lk_instrument) -> None:
    tag = f"lk-{node['instrument']}"
    attributes = "".join(f' {key}="{value}"' for key, value in node["attributes"].items())
    pictures = "".join(
        f'<div class="lk-{layout}">{picture}</div>'
        for layout, picture in zip(LAYOUTS, node["pictures"], strict=True)
    )
    translator.body.append(f'<{tag}{attributes}><div class="lk-stage">{pictures}</div></{tag}>\n')
    raise nodes.SkipNode


def skip(translator: Any, node: nodes.Node) -> None:
    raise nodes.SkipNode


def ignore(translator: Any, node: nodes.Node) -> None:
    pass


def fingerprint() -> str:
    """Hash of all that a picture depends on: when it changes, pages are read again."""
    import lstmkit.lstm
    import lstmkit.rnn

    files = [*SOURCES.iterdir(), Path(__file__), Path(numbers.__file__)]
    for package in (lstmkit.lstm, lstmkit.rnn):
        files.append(Path(str(package.__file__)).parent / "equations.py")
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def configure(app: Sphinx, config: Config) -> None:
    config.lk_instruments_fingerprint = fingerprint()  # type: ignore[attr-defined]
    config.exclude_patterns = [*config.exclude_patterns, "instruments"]


def build_bundles(app: Sphinx) -> None:
    """Make the scripts, one for each instrument, before any page is read."""
    if app.builder.format != "html":
        return
    folder = Path(app.doctreedir) / "instruments" / "static"
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        script = bundle(SOURCES / f"{name}.js", "--format=iife")
        (folder / f"lk-{name}.js").write_text(script, encoding="utf-8")
    app.config.html_static_path.append(str(folder))


def add_to_page(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Scripts and style for the page that has instruments, in its head."""
    found = {node["instrument"] for node in doctree.findall(lk_instrument)} if doctree else set()
    if not found:
        return
    for name in sorted(found):
        app.add_js_file(f"lk-{name}.js", loading_method="defer")
    head = f"\n<style>{style('instruments.css')}</style>"
    context["metatags"] = context.get("metatags", "") + head


def choose_form(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Keep the element for HTML and the image for everything else, before images are collected."""
    unwanted = lk_still if app.builder.format == "html" else lk_instrument
    for node in list(doctree.findall(unwanted)):
        node.parent.remove(node)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_config_value("lk_instruments_fingerprint", "", "env", str)
    app.add_directive("instrument", Instrument)
    others = {builder: (skip, None) for builder in ("latex", "text", "man", "texinfo")}
    app.add_node(lk_instrument, html=(visit_html, None), **others)
    kept = {builder: (ignore, ignore) for builder in others}
    app.add_node(lk_still, html=(skip, None), **kept)
    app.connect("config-inited", configure)
    app.connect("builder-inited", build_bundles)
    app.connect("html-page-context", add_to_page)
    app.connect("doctree-resolved", choose_form)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
