"""The directive `{instrument}`: what it puts into pages and other formats, and its messages."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.book.instrument_pages import BOOK, ROOT, install_node_packages, sphinx


@pytest.fixture(scope="module", autouse=True)
def node_packages():
    install_node_packages()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    out, done = sphinx(tmp_path_factory.mktemp("instruments"), "html")
    assert done.returncode == 0, done.stderr
    return out


def test_scripts_only_where_they_are_used(site):
    html = (site / "index.html").read_text(encoding="utf-8")
    for name in ("loop", "gate-playground"):
        assert len(re.findall(rf'<script defer[^>]*src="_static/lk-{name}\.js', html)) == 1
        script = (site / "_static" / f"lk-{name}.js").read_text(encoding="utf-8")
        assert len(script.encode()) < 14_500
        assert "http" not in script
        assert "console" not in script
    assert html.count("<style>") == 1
    other = (site / "genindex.html").read_text(encoding="utf-8")
    assert "lk-loop" not in other
    assert "<style>" not in other
    assert not list((site / "_static").glob("instruments*"))


def test_other_formats_get_the_picture(tmp_path):
    out, done = sphinx(tmp_path, "text")
    assert done.returncode == 0, done.stderr
    text = " ".join((out / "index.txt").read_text(encoding="utf-8").split())
    assert "The input gate & the <belt>" in text
    assert "Press *Play*." in text
    (picture, *_) = (out / ".doctrees" / "instruments").glob("loop-*.svg")
    svg = picture.read_text(encoding="utf-8")
    assert 'xmlns="http://www.w3.org/2000/svg"' in svg
    assert "var(" not in svg
    assert "#00508f" in svg


@pytest.mark.parametrize(
    ("directive", "message"),
    [
        ("```{instrument} piano\n```", "no instrument piano; there are loop, gate-playground"),
        ("```{instrument} loop\n:preset: loud\n```", "no preset 'loud'; there are no loop, fades"),
        ("```{instrument} loop\n:gates: f\n```", "unexpected keyword argument 'gates'"),
        (
            "```{instrument} gate-playground\n:gates: o\n```",
            "gates are 'f', 'f i', 'f i o', not 'o'",
        ),
        ("```{instrument} gate-playground\n:preset: read once\n```", "needs the gate o"),
    ],
)
def test_mistakes_in_the_directive_are_named(tmp_path, directive, message):
    _, done = sphinx(tmp_path, "text", f"# Page\n\n{directive}\n")
    assert done.returncode
    assert message in done.stderr


def test_missing_tools_are_named(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(BOOK / "extensions"))
    import lk_instruments
    from sphinx.errors import ExtensionError

    monkeypatch.setattr(lk_instruments, "ESBUILD", tmp_path / "esbuild")
    with pytest.raises(ExtensionError, match="esbuild is missing; run `npm ci` in book/"):
        lk_instruments.bundle(tmp_path / "loop.js")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ExtensionError, match="node is missing; install Node"):
        lk_instruments.draw([])


BUILT = Path(os.environ.get("LK_SITE", ROOT / "_build" / "html"))


@pytest.mark.parametrize(
    ("page", "name"), [("01-the-loop", "loop"), ("06-forget-gate", "gate-playground")]
)
def test_built_chapters_have_their_instruments(page, name):
    source, built = BOOK / f"{page}.md", BUILT / "book" / f"{page}.html"
    if "{instrument} " + name not in source.read_text(encoding="utf-8"):
        pytest.skip(f"{page} has no instrument yet")
    if not built.exists() or built.stat().st_mtime < source.stat().st_mtime:
        pytest.skip("the book is not built, or older than the chapter: make book")
    html = built.read_text(encoding="utf-8")
    assert f"<lk-{name} " in html
    assert f"_static/lk-{name}.js" in html
