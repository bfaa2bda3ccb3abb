"""What a reader's browser finds: Lighthouse, axe-core, a phone, and the console.

Accessibility, best practices, SEO, bytes and requests are gates. Performance depends on the machine
and on what else runs on it: it is printed and recorded in `_build/audit.json`, and never a gate.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUNS = 3
KIB = 1024
BUDGET_BYTES = 300 * KIB
BUDGET_REQUESTS = 16


@pytest.fixture(scope="module")
def record():
    """Figures of this run, written down at the end."""
    figures: dict[str, object] = {}
    yield figures
    path = ROOT / "_build" / "audit.json"
    path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def heaviest_chapter(built):
    """The page with the most bytes as they are sent."""
    chapters = [page for page in built.chapters if "/0" in page and "exercises" not in page]
    return max(chapters, key=lambda page: len(gzip.compress((built.site / page).read_bytes())))


@pytest.fixture(scope="module")
def lighthouse(built, base, audit, record):
    page = heaviest_chapter(built)
    found = audit("lighthouse.mjs", base + page, str(RUNS))
    record["page"] = page
    for device, figures in found.items():
        keys = ("performance", "performances", "accessibility", "best-practices", "seo")
        keys += ("largestPaint", "blocking", "shift", "benchmark")
        record[device] = {key: figures[key] for key in keys}
        requests = figures["requests"]
        record[device]["requests"] = len(requests)
        record[device]["KiB"] = round(sum(r["transferSize"] for r in requests) / KIB, 1)
    return found


@pytest.mark.parametrize("device", ["phone", "desktop"])
def test_lighthouse(lighthouse, record, base, device, capsys):
    found = lighthouse[device]
    with capsys.disabled():
        print(f"\nLighthouse, {device}: {record['page']}: {json.dumps(record[device])}")
    assert found["failed"] == []
    scores = {key: found[key] for key in ("accessibility", "best-practices", "seo")}
    assert scores == {"accessibility": 100, "best-practices": 100, "seo": 100}


@pytest.mark.parametrize("device", ["phone", "desktop"])
def test_weight(lighthouse, base, device):
    requests = lighthouse[device]["requests"]
    own = "/".join(base.split("/")[:3]) + "/"
    assert [r["url"] for r in requests if not r["url"].startswith((own, "data:"))] == []
    before_images = [r for r in requests if r["resourceType"] != "Image"]
    assert sum(r["transferSize"] for r in before_images) <= BUDGET_BYTES
    assert len(requests) <= BUDGET_REQUESTS


@pytest.fixture(scope="module")
def pages(built, base, audit, record):
    found = audit("pages.mjs", base, *built.pages)
    record["pages"] = len(found)
    return found


def test_axe_finds_nothing(pages):
    assert [(page["page"], problem) for page in pages for problem in page["axe"]] == []


def test_no_sideways_scroll_on_a_phone(pages):
    assert [(page["page"], page["sideways"]) for page in pages if page["sideways"]] == []


def test_quiet_console_and_no_third_party(pages):
    assert [(page["page"], c) for page in pages for c in page["complaints"]] == []


BAD = """<!DOCTYPE html><html lang="en" data-theme="light"><head><title>Bad</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>html[data-theme="dark"] p { color: #777; background: #666; }</style></head>
<body><main><h1>Bad</h1><p>Unreadable in the dark.</p><img src="http://localhost:9/x.png">
<div style="width: 500px">Wide</div></main><script>console.log("chatter"); gone();</script></body>
</html>"""


def test_audit_sees_what_is_wrong(audit, tmp_path):
    import serve

    (tmp_path / "bad.html").write_text(BAD)
    server = serve.start(tmp_path)
    try:
        (found,) = audit("pages.mjs", serve.address(server), "bad.html")
    finally:
        server.shutdown()
    assert {"image-alt", "color-contrast"} <= {problem["rule"] for problem in found["axe"]}
    contrast = [p["theme"] for p in found["axe"] if p["rule"] == "color-contrast"]
    assert contrast == ["dark"]
    assert "page: " in found["sideways"][-1]
    kinds = {complaint["kind"] for complaint in found["complaints"]}
    assert {"third-party request", "failed request", "console log", "exception"} <= kinds
