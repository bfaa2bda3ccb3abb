"""Figures as a page gets them: themed, labelled, small, and safe beside one another."""

import gzip
import re
import subprocess
import sys
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

from lstmkit import plotting
from lstmkit.plotting import COLOURS, ThemedFigure

SVG = "{http://www.w3.org/2000/svg}"


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def ids(self) -> list[str]:
        return [a["id"] for _, a in self.tags if a.get("id")]


def lines(width: str = "full", points: int = 50) -> ThemedFigure:
    fig, ax = plotting.figure(width)
    x = np.linspace(0, 1, points)
    for k, name in enumerate("hcf"):
        (line,) = ax.plot(x, x + 0.001 * k, color=COLOURS["light"][name])
        plotting.label_end(ax, line, f"line {name}")
    plotting.name_axes(ax, x="time (steps)", y="error")
    return plotting.show(fig, title="Three lines", desc="They rise & nearly touch.")


def label_heights(svg: str) -> dict[str, float]:
    root = ElementTree.fromstring(svg)
    return {
        "".join(t.itertext()): float(t.get("y", "nan"))
        for t in root.iter(f"{SVG}text")
        if "".join(t.itertext()).startswith("line ")
    }


def contrast(one: str, two: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(two)))
    return (high + 0.05) / (low + 0.05)


def test_importing_the_package_does_not_import_matplotlib():
    code = "import lstmkit, sys; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_ink_stands_out_from_its_paper(theme):
    palette = COLOURS[theme]
    for name in ("x", "h", "c", "f", "i", "g", "o", "ink", "muted"):
        assert contrast(palette[name], palette["paper"]) >= 4.5, name


def test_palettes_name_the_same_things_and_no_colour_twice():
    assert COLOURS["light"].keys() == COLOURS["dark"].keys()
    for palette in COLOURS.values():
        assert len(set(palette.values())) == len(palette)


@pytest.mark.parametrize(("width", "size"), [("full", ("720", "320")), ("half", ("350", "260"))])
def test_sizes(width, size):
    root = ElementTree.fromstring(lines(width)._repr_svg_())
    assert (root.get("width"), root.get("height")) == size


def test_several_figures_in_one_page_share_no_identifier():
    same = lines()
    page = "".join(f._repr_html_() for f in (same, lines(), lines("half"), lines(points=9)))
    tags = Tags(page)
    assert len(tags.ids()) == len(set(tags.ids())) >= 14
    for name, attrs in tags.tags:
        for value in attrs.values():
            for target in re.findall(r"url\(#([^)]+)\)", value or ""):
                assert target in tags.ids()
        if name == "use":
            assert (attrs["href"] or "").removeprefix("#") in tags.ids()
        if attrs.get("aria-labelledby"):
            assert set((attrs["aria-labelledby"] or "").split()) <= set(tags.ids())


def test_the_text_alternative_is_there_and_escaped():
    root = ElementTree.fromstring(lines()._repr_svg_())
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == "Three lines"
    assert root.findtext(f"{SVG}desc") == "They rise & nearly touch."
    assert lines().alt == "They rise & nearly touch."


@pytest.mark.parametrize(("title", "desc"), [("", "d"), ("t", ""), ("t", "  ")])
def test_a_figure_without_a_text_alternative_is_refused(title, desc):
    fig, _ = plotting.figure()
    with pytest.raises(ValueError, match="title and a desc"):
        plotting.show(fig, title=title, desc=desc)


def test_palette_colours_become_variables_with_the_light_colour_as_fallback():
    page = lines()._repr_html_()
    for name in ("h", "c", "f", "muted", "grid", "paper"):
        assert f"var(--lk-{name}, {COLOURS['light'][name]})" in page
    bare = re.sub(r"var\(--lk-\w+, #[0-9a-f]{6}\)", "", page)
    assert not re.search(r"#[0-9a-f]{6}\b", re.sub(r"(?:url\(|id=\"|href=\")#?\w+", "", bare))


def test_letters_stay_text_and_no_rule_reaches_beyond_the_figure():
    page = lines()._repr_html_()
    assert ">time (steps)</text>" in page
    assert ">line h</text>" in page
    for style in re.findall(r"<style>(.*?)</style>", page):
        selectors = re.findall(r"([^{}]+)\{(?=[^{}]*\})", style)
        assert selectors
        assert all(s.strip().startswith(".lk-figure") for s in selectors)
    assert "DejaVu" not in page
    assert "<metadata" not in page


def test_labels_at_line_ends_do_not_overlap_and_keep_their_order():
    shown = lines()
    for svg in (shown._wide, shown._narrow):
        heights = label_heights(svg)
        assert heights["line h"] > heights["line c"] > heights["line f"]  # y runs downwards
        gaps = -np.diff([heights[f"line {name}"] for name in "hcf"])
        assert gaps.min() >= plotting.LABEL_STEP - 0.2


def test_a_phone_gets_its_own_layout_with_letters_of_the_same_size():
    shown = lines()
    root = ElementTree.fromstring(shown._narrow)
    assert root.get("width") == "350"
    sizes = {
        re.search(r"font-size:(\d+)px", t.get("style", ""))[1] for t in root.iter(f"{SVG}text")
    }
    assert sizes <= {"12", "13"}
    assert lines("half")._narrow is None
    # a display of its own would win over the rule that hides one of the two
    assert all(
        "display" not in (ElementTree.fromstring(svg).get("style") or "")
        for svg in (shown._wide, shown._narrow)
    )
    assert ".lk-narrow{display:none}" in shown._repr_html_()


def test_a_long_noisy_stream_stays_small_and_keeps_its_extremes():
    rng = np.random.default_rng(3)
    fig, ax = plotting.figure()
    noise = rng.normal(size=(20, 3000))
    plotting.band(ax, np.arange(3000), noise.cumsum(axis=1) ** 2, "h", "a")
    plotting.band(ax, np.arange(3000), noise.cumsum(axis=1), "c", "b")
    walk = noise[0].copy()
    walk[1234] = 50.0
    (line,) = ax.plot(walk, color=COLOURS["light"]["f"])
    shown = plotting.show(fig, title="t", desc="d")
    assert len(gzip.compress(shown._repr_html_().encode())) < 12_000
    assert line.get_ydata().max() == 50.0


def test_band_draws_the_median_and_the_quartiles():
    _, ax = plotting.figure()
    values = np.array([[0.0, 1.0], [1.0, 2.0], [2.0, 6.0], [3.0, 8.0], [40.0, 90.0]])
    line = plotting.band(ax, [0, 1], values, "h", "five seeds")
    np.testing.assert_allclose(line.get_ydata(), [2.0, 6.0])
    corners = ax.patches[0].get_xy()
    np.testing.assert_allclose(corners[:4, 1], [1.0, 2.0, 8.0, 3.0])
    with pytest.raises(ValueError, match=r"expected \(seeds, 3\)"):
        plotting.band(ax, [0, 1, 2], values, "h", "")


def test_band_thins_by_averaging_neighbours():
    _, ax = plotting.figure()
    line = plotting.band(ax, np.arange(6), np.arange(6.0)[None].repeat(3, 0), "h", "", points=3)
    np.testing.assert_allclose(line.get_xdata(), [0.5, 2.5, 4.5])
    np.testing.assert_allclose(line.get_ydata(), [0.5, 2.5, 4.5])


def test_gates_over_time_labels_every_line_with_its_letter():
    steps = np.arange(12)
    shown = plotting.gates_over_time(
        {"x": steps % 3, "c": steps / 12, "h": steps / 24, "f": (steps % 4) / 4},
        stops=[4, 8],
        title="Gates",
        desc="The gate closes twice.",
        target=steps / 13,
    )
    texts = ["".join(t.itertext()) for t in ElementTree.fromstring(shown._wide).iter(f"{SVG}text")]
    assert {"x", "c", "h", "f", "target", "step"} <= set(texts)


def test_the_belt_is_double_and_thick():
    _, ax = plotting.figure()
    plotting.belt(ax, [0, 1], [0, 0])
    outer, inner = ax.lines
    assert outer.get_linewidth() > 2 * inner.get_linewidth() > 4
    assert outer.get_color() == COLOURS["light"]["c"]
    assert inner.get_color() == COLOURS["light"]["paper"]


def test_wrong_shapes_and_names_are_refused():
    with pytest.raises(ValueError, match="known are x h c i f g o"):
        plotting.gates_over_time({"z": [1.0]}, title="t", desc="d")
    with pytest.raises(ValueError, match="expected one shape"):
        plotting.gates_over_time({"f": [1.0], "c": [1.0, 2.0]}, title="t", desc="d")
    with pytest.raises(ValueError, match="expected one shape"):
        plotting.conveyor_belt([1.0, 2.0], [1.0], title="t", desc="d")
    with pytest.raises(ValueError, match="width is 'wide'"):
        plotting.figure("wide")


def test_conveyor_belt_names_the_belt_and_the_gate():
    shown = plotting.conveyor_belt([0.5, 1.0, 0.0], [1, 1, 0], stops=[2], title="t", desc="d")
    assert ">belt c</text>" in shown._wide
    assert ">f</text>" in shown._wide
