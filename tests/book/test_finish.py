"""From Sphinx's pages to small ones: what is dropped is unused, and what is joined still works."""

from __future__ import annotations

import subprocess

import pytest


def css(text: str) -> str:
    return "".join(text.split())


def purged(sheet: str, page: str, script: str = "") -> str:
    from finish import styles

    used = styles.names_in_pages([page]) | styles.names_in_scripts([script])
    return css(styles.purge(sheet, used, set()))


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        (".a{color:red}", ".a{color:red;}"),
        (".b{color:red}", ""),
        (".a,.b{color:red}", ".a{color:red;}"),
        ("p .a > #c:hover::before{color:red}", "p.a>#c:hover::before{color:red;}"),
        ("p:not(.b){color:red}", "p:not(.b){color:red;}"),
        (":is(.b,.z) .a{color:red}", ":is(.b,.z).a{color:red;}"),
        ("table{color:red}", ""),
        ("[data-x=y] p{color:red}", "[data-x=y]p{color:red;}"),
        ("@media print{.b{color:red}.a{color:red}}", "@mediaprint{.a{color:red;}}"),
        ("@media print{.b{color:red}}", ""),
        (".made-by-script{color:red}", ".made-by-script{color:red;}"),
        (
            '.a{--x:1;--y:url("data:a;b}");color:var(--y)}',
            '.a{--y:url("data:a;b}");color:var(--y);}',
        ),
    ],
)
def test_purge(rule, kept):
    page = '<p class="a" id="c">'
    assert purged(rule, page, 'e.classList.add("made-by-script")') == css(kept)


def test_purge_drops_unused_fonts_and_animations():
    sheet = """@font-face{font-family:Kept;src:url(a)} @font-face{font-family:Gone;src:url(b)}
    @keyframes used{from{top:0}} @keyframes unused{from{top:0}}
    p{font-family:Kept;animation:used 1s}"""
    text = purged(sheet, "<p>")
    assert "Kept" in text
    assert "@keyframesused" in text
    assert "Gone" not in text
    assert "unused" not in text


def test_join_resolves_imports_and_addresses(tmp_path):
    from finish import styles

    (tmp_path / "_static" / "styles").mkdir(parents=True)
    (tmp_path / "_static" / "basic.css").write_text("p{background:url(file.png)}")
    (tmp_path / "_static" / "styles" / "theme.css").write_text(
        '@import "../basic.css";a{background:url("../fonts/x.woff2?v=1")}b{src:url(data:x)}'
    )
    text = css(styles.join(tmp_path, ["_static/styles/theme.css"]))
    assert (
        text == 'p{background:url("file.png")}a{background:url("fonts/x.woff2")}b{src:url(data:x)}'
    )


def run_javascript(source: str) -> str:
    done = subprocess.run(["node", "-e", source], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_join_keeps_globals_and_order(tmp_path):
    from finish import scripts

    (tmp_path / "a.js").write_text('"use strict"; function first() { return setting + 1; }')
    (tmp_path / "b.js").write_text(
        "undeclared = first(); console.log(`[PST]: at (${f(')')})`); console.log(undeclared);\n"
        "//# sourceMappingURL=b.js.map"
    )
    text = scripts.join(tmp_path, ["a.js", "b.js", "var setting = 41;"])
    assert "sourceMappingURL" not in text
    # sloppy mode in spite of the first file, the setting known to both, only our own line printed
    assert run_javascript(text) == "42"


def test_silence_leaves_the_rest():
    from finish.scripts import silence

    source = 'a();console.log("[PST]: x)",g(1));b(console.error("[PST]"));console.log("mine")'
    assert silence(source) == 'a();void 0;b(console.error("[PST]"));console.log("mine")'


def test_theme_is_mended():
    from finish.pages import MENDS

    broken = (
        '<html lang="en" data-theme="auto"><summary class="x" aria-label="Toggle hidden content">'
        '<summary><span class="toctree-toggle"><a target="_blank" href="x"></a>'
        '<div class="citation" id="id2" role="doc-biblioentry">'
    )
    for pattern, better in MENDS:
        broken = pattern.sub(better, broken)
    assert 'data-theme="light"' in broken
    assert "Toggle hidden" not in broken
    assert '<summary aria-label="Show or hide the pages of this chapter">' in broken
    assert 'target="_blank" rel="noopener"' in broken
    assert "doc-biblioentry" not in broken


def test_server_compresses_and_answers_404(tmp_path):
    import gzip
    import urllib.error
    import urllib.request

    import serve

    (tmp_path / "index.html").write_text("front")
    (tmp_path / "404.html").write_text("lost")
    server = serve.start(tmp_path, "/course/")
    base = serve.address(server, "/course/")
    try:
        request = urllib.request.Request(base, headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(request) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            assert answer.headers["Content-Type"].startswith("text/html")
            assert gzip.decompress(answer.read()) == b"front"
        root = base.removesuffix("course/")
        with urllib.request.urlopen(root) as answer:
            assert answer.url == base
        for address in (base + "no", root + "elsewhere", base + "../../etc/passwd"):
            with pytest.raises(urllib.error.HTTPError) as missing:
                urllib.request.urlopen(address)
            assert (missing.value.code, missing.value.read()) == (404, b"lost")
    finally:
        server.shutdown()
