"""The book's Sphinx extensions, each on its own."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).parents[2]
FIGURES = ROOT / "book" / "figures"

SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10">
<title>A belt</title><desc>Two lines.</desc>
<defs><marker id="tip"><path d="M0 0"/></marker></defs>
<path id="line" class="lk-c" d="M0 0H9" marker-end="url(#tip)"/><use href="#line"/></svg>"""


@pytest.fixture
def katex():
    from lk_math import Katex

    process = Katex()
    yield process
    process.close()


def test_katex_renders_and_reports(katex):
    good = katex.render(r"h_t = \tanh(x)", False)["html"]
    assert "<math" in good
    assert 'aria-hidden="true"' in good
    assert "katex-display" in katex.render("x", True)["html"]
    assert "undefined control sequence" in katex.render(r"\nonsense", False)["error"].lower()
    assert "error" in katex.render("ä", False)
    assert katex.render("x", True)["html"] != katex.render("x", False)["html"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"a = b", r"a = b"),
        (r"a &= b \\ c &= d", r"\begin{aligned}a &= b \\ c &= d\end{aligned}"),
        (
            r"\begin{align} a &= b \\ c &= d \end{align}",
            r"\begin{align*} a &= b \\ c &= d \end{align*}",
        ),
        ("a\n\nb", r"\begin{gathered}a \\ b\end{gathered}"),
        (r"\begin{cases} a \\ b \end{cases}", r"\begin{cases} a \\ b \end{cases}"),
    ],
)
def test_display_equations_are_wrapped(text, expected, katex):
    from lk_math import display_source

    assert display_source(text) == expected
    assert "html" in katex.render(expected, True)


@pytest.mark.parametrize(
    ("tex", "expected"),
    [
        ("f_t", r"\htmlClass{lk-f}{\htmlData{sym=f}{f_t}}"),
        ("h_{t-1}", r"\htmlClass{lk-h}{\htmlData{sym=h_prev}{h_{t-1}}}"),
        ("c_0", r"\htmlClass{lk-c}{c_0}"),
        ("W_{xf}", r"\htmlData{sym=W_xf}{W_{xf}}"),
        ("b_f", r"\htmlData{sym=b_f}{b_f}"),
        (r"W_{hh}^\top", r"\htmlData{sym=W_hh}{W_{hh}^\top}"),
        (r"h_t^{(n)}", r"\htmlClass{lk-h}{\htmlData{sym=h}{h_t^{(n)}}}"),
        (r"\delta^f_t", r"\delta^f_t"),
        ("x_{t+1}y", r"\htmlClass{lk-x}{x_{t+1}}y"),
        ("x_{ij} x_tau", "x_{ij} x_tau"),
        (r"\sum_i \phi_t m_t \sigma(b)", r"\sum_i \phi_t m_t \sigma(b)"),
    ],
)
def test_symbols_are_marked(tex, expected, katex):
    from lk_symbols import mark

    assert mark(tex) == expected
    assert "html" in katex.render(expected, True)


def test_symbols_are_tied_to_code_that_has_them():
    from lk_symbols import tie

    equation = (
        '<div class="math notranslate nohighlight">'
        '<i data-sym="h">h</i><i data-sym="W_hh">W</i><i data-sym="b_f">b</i></div>\n'
    )
    code = '<span class="n">h_next</span><span class="n">W_hh</span><span class="n">other</span>'
    page = tie(equation + code + equation)
    assert '<span class="n" data-sym="h">h_next</span>' in page
    assert '<span class="n" data-sym="W_hh">W_hh</span>' in page
    assert '<span class="n">other</span>' in page
    # offered once, where they come in; what the code does not have is not offered
    assert re.findall(r'<button type="button" data-sym="(\w+)"', page) == ["h", "W_hh"]


def test_diagram_ids_are_its_own():
    from lk_diagram import inline_svg

    root = ET.fromstring(inline_svg(SVG, "one", css_class="lk-wide"))
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert sorted(ids) == ["one-desc", "one-line", "one-tip", "one-title"]
    text = ET.tostring(root, encoding="unicode")
    assert "url(#one-tip)" in text
    assert 'href="#one-line"' in text
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "one-title"
    assert root.get("class") == "lk-diagram lk-wide"
    changed = ET.fromstring(inline_svg(SVG, "two", alt="Another text."))
    assert changed.find("{http://www.w3.org/2000/svg}desc").text == "Another text."


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (SVG.replace("<title>A belt</title>", ""), "no <title>"),
        (SVG.replace("Two lines.", " "), "no <desc>"),
        (SVG.replace("viewBox", "box"), "no viewBox"),
        (SVG.replace("</svg>", ""), "not well-formed"),
        ("<html/>", "not <svg>"),
    ],
)
def test_diagrams_without_a_text_are_refused(source, message):
    from lk_diagram import DiagramError, inline_svg

    with pytest.raises(DiagramError, match=message):
        inline_svg(source, "x")


@pytest.mark.parametrize("path", sorted(FIGURES.glob("*.svg")), ids=lambda path: path.stem)
def test_our_diagrams_use_the_palette(path):
    """Colours come from the page, so that a diagram follows light and dark."""
    text = path.read_text(encoding="utf-8")
    bare = re.sub(r"var\(--lk-\w+,\s*#[0-9a-fA-F]+\)", "", text)
    assert re.findall(r"#[0-9a-fA-F]{6}\b|#[0-9a-fA-F]{3}\b", bare) == []
    assert "<image" not in text


ASSIGNMENT = '''---
kernelspec: {name: python3, display_name: Python 3}
---

# An assignment

Opening words.

## Exercise 1 ★ Twice (2 points)

Write `twice`.

```{code-cell} ipython3
import numpy as np
```

Some more text.

```{code-cell} ipython3
---
nbgrader: {grade: false, grade_id: twice, locked: false, schema_version: 3, solution: true}
---
def twice(x):
    """Twice x."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION
```

```{code-cell} ipython3
---
nbgrader: {grade: true, grade_id: check, locked: true, points: 2, schema_version: 3}
---
### BEGIN HIDDEN TESTS
assert twice(2) == 4
### END HIDDEN TESTS
```

Words after the solution.

## The end

Nothing to solve.
'''


def test_solutions_come_with_their_text_and_without_checks():
    from lk_solutions import exercises

    (exercise,) = exercises(ASSIGNMENT)
    assert exercise.title == "Exercise 1 ★ Twice (2 points)"
    assert exercise.solutions == ['def twice(x):\n    """Twice x."""\n    return 2 * x']
    text = exercise.markdown()
    order = ["Write `twice`.", "import numpy", "Some more text.", "{dropdown} Solution", "return 2"]
    assert [text.index(part) for part in order] == sorted(text.index(part) for part in order)
    for absent in ("HIDDEN", "assert", "BEGIN", "Words after", "Opening"):
        assert absent not in text


@pytest.mark.parametrize("name", ["01-the-loop", "06-forget-gate"])
def test_our_assignments_are_shown_whole(name):
    from lk_solutions import exercises

    source = (ROOT / "solutions" / name / f"{name}.md").read_text(encoding="utf-8")
    found = exercises(source)
    assert len(found) >= 4
    assert sum(len(e.solutions) for e in found) == source.count("### BEGIN SOLUTION")
    for exercise in found:
        assert exercise.title.startswith("Exercise ")
        assert "HIDDEN" not in exercise.markdown()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("np.float64(0.97)", "0.97"),
        ("np.int64(-3)", "-3"),
        ("0.5", "0.5"),
        ("'np.float64'", "'np.float64'"),
    ],
)
def test_numpy_scalars_are_numbers(text, expected):
    from lk_numbers import plain

    assert plain(text) == expected


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("book/01-the-loop", "01-the-loop"),
        ("book/01-exercises", "01-the-loop"),
        ("book/00-setting-out", None),
        ("book/glossary", None),
        ("search", None),
    ],
)
def test_pages_know_their_assignment(page, name, tmp_path):
    from lk_launch import assignment_of

    (tmp_path / "solutions" / "01-the-loop").mkdir(parents=True)
    assert assignment_of(page, tmp_path) == name


def test_palette_is_that_of_the_plots():
    from lstmkit.plotting import COLOURS

    css = (ROOT / "book" / "assets" / "lk.css").read_text(encoding="utf-8")
    blocks = {"light": css.split(":root {")[1], "dark": css.split('html[data-theme="dark"] {')[1]}
    for theme, block in blocks.items():
        found = dict(re.findall(r"--lk-(\w+): (#[0-9a-f]{6});", block.split("}")[0]))
        assert found == COLOURS[theme]
