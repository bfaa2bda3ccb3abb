"""The built site: no warning, no dead link, no request to other sites, nothing without a text."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def soups(built):
    return {page: BeautifulSoup(built.html(page), "html.parser") for page in built.pages}


def test_builds_without_a_warning(built):
    assert built.returncode == 0, built.output
    assert "WARNING" not in built.output
    assert str(built.site / "index.html") in built.output


def test_links_within_the_site_resolve(built):
    from finish import links, prefix_of

    assert links.broken(built.site, prefix_of(built.config)) == []


def test_dead_links_are_found(tmp_path):
    from finish import links

    (tmp_path / "a.html").write_text(
        '<a href="b.html#there">1</a><a href="b.html#gone">2</a><a href="c.html">3</a>'
        '<img src="/site/a.html"><img src="/site/no.png"><a href="https://example.org/x">4</a>'
    )
    (tmp_path / "b.html").write_text('<p id="there"></p>')
    assert links.broken(tmp_path, "/site/") == [
        "a.html: /site/no.png",
        "a.html: b.html#gone (no such anchor)",
        "a.html: c.html",
    ]


def test_pages_ask_no_other_site(built, soups):
    asking = []
    for page, soup in soups.items():
        for tag in soup.select("[src], [srcset], [poster], [data], link[href]"):
            if tag.name == "link" and tag.get("rel") == ["canonical"]:
                continue
            for name in ("src", "srcset", "poster", "data", "href"):
                if re.match(r"(https?:)?//", tag.get(name) or ""):
                    asking.append((page, str(tag)))
        styles = [tag.get_text() for tag in soup.find_all("style")]
        styles += [tag["style"] for tag in soup.select("[style]")]
        asking += [(page, s) for s in styles if re.search(r"@import|url\(['\"]?(https?:)?//", s)]
    for sheet in built.site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        asking += [(sheet.name, m) for m in re.findall(r"url\([\"']?(?:https?:)?//[^)]*", text)]
    assert asking == []


def test_images_have_a_text(soups):
    nameless = []
    for page, soup in soups.items():
        nameless += [(page, str(image)) for image in soup.find_all("img") if not image.get("alt")]
        for svg in soup.find_all("svg"):
            hidden = svg.find_parent(attrs={"aria-hidden": "true"})  # a root sign of KaTeX's
            if (
                svg.get("aria-hidden") == "true"
                or hidden
                or svg.find_parent(class_="sd-summary-icon")
            ):
                continue
            texts = [svg.find(tag, recursive=False) for tag in ("title", "desc")]
            if svg.get("role") != "img" or not all(t and t.get_text().strip() for t in texts):
                nameless.append((page, str(svg)[:200]))
    assert nameless == []


def test_ids_are_unique(soups):
    for page, soup in soups.items():
        ids = [tag["id"] for tag in soup.select("[id]")]
        assert sorted(ids) == sorted(set(ids)), page


def test_pages_are_described(built, soups):
    seen = {}
    for page in built.chapters:
        described = soups[page].select_one('meta[name="description"]')["content"]
        shared = soups[page].select_one('meta[property="og:description"]')["content"]
        assert described == shared, page
        assert 20 <= len(described) <= 200, page
        assert described not in seen, (page, seen[described])
        seen[described] = page


def test_equations_are_rendered(soups):
    count = 0
    for page, soup in soups.items():
        for equation in soup.select(".math"):
            count += 1
            assert equation.select_one(".katex-html"), (page, equation.get_text())
        assert not soup.select(".katex-error"), page
    assert count > 20


def test_every_icon_is_in_the_fonts(built, soups):
    css = (built.site / "_static" / "site.css").read_text(encoding="utf-8")
    fonts = {}
    for path in built.site.glob("_static/vendor/fontawesome/webfonts/*.woff2"):
        with TTFont(path) as font:
            fonts[path.stem] = set(font.getBestCmap())
        assert path.stat().st_size < 8_000
    shown = {
        name
        for soup in soups.values()
        for tag in soup.select("[class*='fa-']")
        for name in tag["class"]
        if name.startswith("fa-") and name not in {"fa-solid", "fa-brands", "fa-regular", "fa-lg"}
    }
    assert {"fa-bars", "fa-rocket", "fa-github", "fa-circle-half-stroke"} <= shown
    for name in shown:
        rule = re.search(rf"\.{name}:before[^{{]*\{{content:\"\\?([^\"]+)\"", css)
        assert rule, name
        code = ord(rule[1]) if len(rule[1]) == 1 else int(rule[1], 16)
        assert any(code in codes for codes in fonts.values()), name


def test_one_stylesheet_and_one_script_for_all(built, soups):
    for page, soup in soups.items():
        sheets = [tag["href"] for tag in soup.select('link[rel="stylesheet"]')]
        assert [Path(s).name.split("?")[0] for s in sheets] == ["site.css"], page
        sources = [Path(tag["src"]).name.split("?")[0] for tag in soup.select("script[src]")]
        assert sources.count("site.js") == 1, page
        assert all(tag.has_attr("defer") for tag in soup.select("script[src]")), page
        searching = {"searchtools.js", "searchindex.js"} & set(sources)
        assert bool(searching) == (page == "search.html"), page


def test_addresses_come_from_the_configuration(built, soups):
    base, repository = built.config["html"]["baseurl"], built.config["repository"]["url"]
    sitemap = (built.site / "sitemap.xml").read_text(encoding="utf-8")
    llms = (built.site / "llms.txt").read_text(encoding="utf-8")
    for page in built.chapters:
        assert f"<loc>{base}{page}</loc>" in sitemap
        assert f"{base}{page}" in llms or page.removesuffix(".html") in llms
        assert soups[page].select_one('link[rel="canonical"]')["href"] == base + page
        assert soups[page].select_one(f'a[href="{repository}"]'), page
        edit = f"{repository}/edit/main/{page.removesuffix('.html')}.md"
        assert soups[page].select_one(f'a[href="{edit}"]'), page
    assert "search.html" not in sitemap
    assert "404.html" not in sitemap


@pytest.mark.parametrize("name", ["01-the-loop", "06-forget-gate"])
def test_chapters_open_their_notebook(built, soups, name):
    notebook = f"notebooks/{name}/{name}.ipynb"
    owner = built.config["repository"]["url"].removeprefix("https://github.com/")
    for page in (f"book/{name}.html", f"book/{name[:2]}-exercises.html"):
        hrefs = {tag["href"] for tag in soups[page].select("a[href]")}
        assert f"https://mybinder.org/v2/gh/{owner}/main?urlpath=lab/tree/{notebook}" in hrefs
        colab = f"https://colab.research.google.com/github/{owner}/blob/main/{notebook}"
        assert colab in hrefs
    assert "Binder" not in built.html("book/00-setting-out.html")


def test_footer_names_version_and_date(built, soups):
    import lstmkit

    for page, soup in soups.items():
        text = soup.select_one(".lk-footer").get_text(" ")
        assert f"Version {lstmkit.__version__}," in text, page
        assert re.search(r"20\d\d-\d\d-\d\d", text), page


def test_not_found_page_works_at_any_depth(built):
    html = built.html("404.html")
    prefix = "/" + built.config["html"]["baseurl"].split("/", 3)[3]
    for address in re.findall(r'(?:href|src)="([^"#]+)"', html):
        assert address.startswith((prefix, "http")), address


def test_lock_file_names_no_registry():
    text = (ROOT / "book" / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in text
    # One package asks for the "latest" of two others. A lock without addresses cannot hold that, so
    # after `npm install` write the versions that it has put there in place of "latest".
    assert '"latest"' not in text
    packages = json.loads(text)["packages"]
    assert packages["node_modules/katex"]["version"] == "0.16.47"
    assert packages["node_modules/lighthouse"]["version"] == "12.8.2"
    assert all("integrity" in p for name, p in packages.items() if name)


def test_serve_prints_the_live_address(built):
    command = [sys.executable, str(ROOT / "book" / "build.py"), "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            address = re.search(r"http://127\.0\.0\.1:\d+/\S*", process.stdout.readline())[0]
            with urllib.request.urlopen(address) as answer:
                assert built.config["title"] in answer.read().decode()
        finally:
            process.terminate()
