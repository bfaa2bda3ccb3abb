"""The instruments: their formulas against NumPy, and a reader's hands on a page in Chromium.

Every number that the page computes is compared with `lstmkit` on the same inputs, to 1e-6. The
inputs are set by keyboard or finger, and what they must have become is written down here.
"""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lstmkit.lstm.equations import (
    candidate,
    forget_gate,
    hidden_state,
    input_gate,
    lstm_step,
    output_gate,
    sigmoid,
    update_cell,
)
from lstmkit.lstm.stages import forget_cell_step
from lstmkit.rnn.equations import rnn_forward

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "book"
DRIVER = Path(__file__).with_name("instruments.mjs")
GATES = {"f": forget_gate, "i": input_gate, "g": candidate, "o": output_gate}
WORDS = {"yes": 1, "um": 0, "no": -1}

PAGE = """# Instruments

````{instrument} loop
:preset: fades
:name: loop

Press *Play*.
````

````{instrument} gate-playground
:gates: f
:name: forget
````

````{instrument} gate-playground
:gates: f i
:name: write
:preset: write once
:alt: The input gate & the <belt>
````

````{instrument} gate-playground
:gates: f i o
:name: whole
````

````{instrument} loop
:name: loop-two
````
"""
CONFIGURATION = f"""
import sys
sys.path[:0] = [{str(BOOK / "extensions")!r}, {str(ROOT)!r}]
extensions = ["myst_parser", "lk_instruments"]
html_theme = "basic"
html_static_path = [{str(BOOK / "assets")!r}, "style"]
html_css_files = ["lk.css", "page.css"]
exclude_patterns = ["build"]
"""
STYLE = """
body { margin: 8px; background: var(--lk-paper); color: var(--lk-ink); font-family: sans-serif; }
:is(.related, .footer, .sphinxsidebar) { display: none; }
div.body { min-width: 0; }
"""


def node(*arguments):
    done = subprocess.run(
        ["node", str(DRIVER), *map(str, arguments)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def sphinx(folder, builder, page=PAGE):
    (folder / "conf.py").write_text(CONFIGURATION, encoding="utf-8")
    (folder / "index.md").write_text(page, encoding="utf-8")
    (folder / "style").mkdir()
    (folder / "style" / "page.css").write_text(STYLE, encoding="utf-8")
    out = folder / "build" / builder
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-b", builder, str(folder), str(out)]
    return out, subprocess.run(command, capture_output=True, text=True)


@pytest.fixture(scope="module")
def node_packages():
    """What book/package.json asks for, installed as the book's build does it."""
    install = "import build; build.install_node_packages()"
    subprocess.run([sys.executable, "-c", install], cwd=BOOK, check=True)


@pytest.fixture(scope="module")
def site(node_packages, tmp_path_factory):
    out, done = sphinx(tmp_path_factory.mktemp("instruments"), "html")
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def seen(site):
    return node("page", site / "index.html")


# The formulas -----------------------------------------------------------------------------------


def close(found, expected):
    np.testing.assert_allclose(np.array(found, dtype=float), expected, rtol=0, atol=1e-6)


def random_gates(rng, inputs, hidden, scale):
    return {
        name: {
            "W_x": scale * rng.standard_normal((hidden, inputs)),
            "W_h": scale * rng.standard_normal((hidden, hidden)),
            "b": scale * rng.standard_normal(hidden),
        }
        for name in GATES
    }


def cell(x, h, c, weights, open_gates):
    """One step with NumPy; gates that are not open are one. Weights as the page has them."""
    values = {
        name: function(
            x, h, *(np.array(weights[name][k], dtype=float) for k in ("W_x", "W_h", "b"))
        )
        if name == "g" or name in open_gates
        else np.ones_like(c)
        for name, function in GATES.items()
    }
    values["c"] = update_cell(c, values["f"], values["i"], values["g"])
    values["h"] = hidden_state(values["o"], values["c"])
    return values


def test_formulas_equal_numpy(tmp_path):
    rng = np.random.default_rng(20)
    rnn, lstm = [], []
    for inputs, hidden, scale in [(1, 1, 1.0), (3, 2, 0.5), (4, 3, 3.0), (2, 1, 30.0)]:
        shape = {"x": (7, inputs), "h0": hidden, "W_ih": (hidden, inputs), "b": hidden}
        shape["W_hh"] = (hidden, hidden)
        rnn.append({name: scale * rng.standard_normal(size) for name, size in shape.items()})
        for open_gates in ("f", "fi", "fio", ""):
            lstm.append(
                {
                    "x": rng.standard_normal(inputs),
                    "h": rng.uniform(-1, 1, hidden),
                    "c": 2 * rng.standard_normal(hidden),
                    "weights": random_gates(rng, inputs, hidden, scale),
                    "open": open_gates,
                }
            )
    numbers = [-700.0, -40.0, -3.0, -0.5, 0.0, 1.0, 5.0, 30.0]
    fixtures = tmp_path / "fixtures.json"
    fixtures.write_text(
        json.dumps({"rnn": rnn, "lstm": lstm, "numbers": numbers}, default=np.ndarray.tolist)
    )
    found = node("maths", fixtures)

    for case, states in zip(rnn, found["rnn"], strict=True):
        h = rnn_forward(case["x"][:, None], case["h0"][None], case["W_ih"], case["W_hh"], case["b"])
        close(states, np.vstack([case["h0"][None], h[:, 0]]))
    for case, result in zip(lstm, found["lstm"], strict=True):
        state = {"h": case["h"][None], "c": case["c"][None]}
        step = cell(case["x"][None], state["h"], state["c"], case["weights"], case["open"])
        for name, value in step.items():
            close(result["step"][name], value[0])
        for after in range(6):
            close(result["silence"]["h"][after], state["h"][0])
            close(result["silence"]["c"][after], state["c"][0])
            nothing = np.zeros((1, len(case["x"])))
            state = cell(nothing, state["h"], state["c"], case["weights"], case["open"])
    close(found["sigmoid"], sigmoid(np.array(numbers)))
    # σ(0) is one half: one step. The others are ln ½ / ln σ(b), worked out by hand.
    halves = dict(zip(numbers, found["halfLife"], strict=True))
    assert halves[0.0] == 1
    assert math.isclose(halves[1.0], 2.2127, abs_tol=1e-4)
    assert math.isclose(halves[5.0], 103.2, abs_tol=0.1)


def test_formulas_equal_the_cells_of_the_chapters(tmp_path):
    rng = np.random.default_rng(6)
    weights = random_gates(rng, 3, 2, 1.0)
    case = {"x": rng.standard_normal(3), "h": rng.uniform(-1, 1, 2), "c": rng.standard_normal(2)}
    row = [case[name][None] for name in "xhc"]
    flat = [weights[name][key] for name in "fg" for key in ("W_x", "W_h", "b")]
    stacked = (
        np.concatenate([weights[name][key] for name in "ifgo"]) for key in ("W_x", "W_h", "b")
    )
    fixtures = tmp_path / "fixtures.json"
    lstm = [{**case, "weights": weights, "open": gates} for gates in ("f", "fio")]
    fixtures.write_text(
        json.dumps({"rnn": [], "numbers": [], "lstm": lstm}, default=np.ndarray.tolist)
    )
    for result, (h, c) in zip(
        node("maths", fixtures)["lstm"],
        [forget_cell_step(*row, *flat), lstm_step(*row, *stacked)],
        strict=True,
    ):
        close(result["step"]["h"], h[0])
        close(result["step"]["c"], c[0])


# What the page computes, and what it shows ------------------------------------------------------


def shown(value, digits=2):
    """A number as the page prints it."""
    return f"{value:.{digits}f}".replace("-", "−")


def loop_states(values):
    h = rnn_forward(
        np.array(values["x"], dtype=float).reshape(-1, 1, 1),
        np.zeros((1, 1)),
        np.array([[values["W_ih"]]], dtype=float),
        np.array([[values["W_hh"]]], dtype=float),
        np.array([values["b"]], dtype=float),
    )
    return [0.0, *h[:, 0, 0]]


def check_loop(view, sentence, W_ih, W_hh, b, t=6):
    values = view["values"]
    assert values["words"] == sentence.split()
    assert values["x"] == [WORDS[word] for word in sentence.split()]
    close([values["W_ih"], values["W_hh"], values["b"]], [W_ih, W_hh, b])
    assert values["t"] == t
    states = loop_states({"x": values["x"], "W_ih": W_ih, "W_hh": W_hh, "b": b})
    close(values["h"], states)
    assert [view["outputs"][key] for key in ("W_ih", "W_hh", "b")] == [
        shown(value) for value in (W_ih, W_hh, b)
    ]
    # each state up to step t stands in the picture, and in its description
    for word, state in list(zip(values["words"], states[1:], strict=True))[:t]:
        assert shown(state) in view["texts"]
        assert re.search(rf"{word}: h_\d = {shown(state)}\b", view["desc"])


def test_loop_by_keyboard(seen):
    loop = seen["loop"]
    first, swapped = "yes um um um no um", "um um um um no um"
    check_loop(loop["start"], first, 2, 0.7, 0)
    check_loop(loop["word"], swapped, 2, 0.7, 0)
    check_loop(loop["rolled"], swapped, 2, 0.7, 0)
    assert loop["rolled"]["values"]["view"] == "rolled"
    check_loop(loop["back"], swapped, 2, 0.7, 0, t=4)
    check_loop(loop["step"], swapped, 2, 0.7, 0, t=5)
    check_loop(loop["sliders"], swapped, 1.6, 0.85, 0.25, t=5)
    h5 = loop_states(loop["sliders"]["values"])[5]
    assert loop["sliders"]["status"].startswith(f"Step 5, no: h is {shown(h5)}.")
    check_loop(loop["untouched"], first, 2, 1.6, 0)
    check_loop(loop["reset"], first, 2, 0.7, 0)
    assert loop["reset"]["values"]["view"] == "unrolled"
    check_loop(loop["paused"], first, 2, 0.7, 0, t=2)


def test_loop_presets(seen):
    weights = {"no loop": 0, "fades": 0.7, "holds": 1.6, "flips": -1.2}
    assert list(seen["loop presets"]) == list(weights)
    for name, view in seen["loop presets"].items():
        check_loop(view, "yes um um um no um", 2, weights[name], 0)
        assert view["pressed"] == [name]
    last = {name: view["values"]["h"] for name, view in seen["loop presets"].items()}
    assert abs(last["no loop"][4]) < 1e-12  # without the loop "um" is nothing
    assert 0 < last["fades"][4] < 0.3 < 0.8 < last["holds"][4]
    assert last["flips"][1] > 0 > last["flips"][2]


def check_cell(view, now, open_gates):
    """The inputs are as written here, the results are NumPy's, and the picture has them."""
    values = view["values"]
    for key, expected in now.items():
        close(values[key], expected)
    row = {
        name: np.array([np.ravel(values[name])], dtype=float) for name in ("x", "h_prev", "c_prev")
    }
    for name in GATES:
        flat = values[name]
        assert values["weights"][name] == {"W_x": [flat[:2]], "W_h": [[flat[2]]], "b": [flat[3]]}
    state = cell(row["x"], row["h_prev"], row["c_prev"], values["weights"], open_gates)
    for name, value in state.items():
        close(values["cell"][name], value.item())
    for name in "ch":
        assert shown(state[name].item()) in view["texts"]
        assert f"{name} = {shown(state[name].item())}" in view["desc"]
    f = state["f"].item()
    digits = 4 if f > 0.99 or f < 0.01 else 2
    assert shown(f, digits) in view["texts"]
    assert view["outputs"]["c_prev"] == shown(row["c_prev"].item())
    for step in range(21):
        close(values["after"]["c"][step], state["c"].item())
        close(values["after"]["h"][step], state["h"].item())
        state = cell(np.zeros((1, 2)), state["h"], state["c"], values["weights"], open_gates)


def test_playground_by_keyboard(seen):
    forget = seen["forget"]
    start = {"x": [0.8, 0], "h_prev": 0.5, "c_prev": 1.5, "f": [0, -8, 0, 4], "g": [1, 0, 0, 0]}
    check_cell(forget["start"], start, "f")
    inputs = {**start, "x": [0.5, 1], "h_prev": 0.4, "c_prev": 1.9}
    check_cell(forget["inputs"], inputs, "f")
    weights = {**inputs, "f": [0.5, -6.5, -1.25, 3.75]}
    check_cell(forget["weights"], weights, "f")
    asked = {**weights, "g": [1, 0, 0, 0.5]}
    check_cell(forget["candidate"], asked, "f")
    before = forget["candidate"]["values"]["cell"]
    check_cell(
        forget["step"], {**asked, "x": [0, 0], "h_prev": before["h"], "c_prev": before["c"]}, "f"
    )
    check_cell(forget["reset"], start, "f")


PRESETS = {
    "forget": ["keep and add", "forget now", "keep for ever", "bias 0"],
    "write": ["keep and add", "forget now", "keep for ever", "bias 0", "write once"],
    "whole": ["keep and add", "forget now", "keep for ever", "bias 0", "write once", "read once"],
}


@pytest.mark.parametrize(
    ("instrument", "open_gates"), [("forget", "f"), ("write", "fi"), ("whole", "fio")]
)
def test_playground_presets(seen, instrument, open_gates):
    views = seen[f"{instrument} presets"]
    assert list(views) == PRESETS[instrument]
    for name, view in views.items():
        check_cell(view, {}, open_gates)
        assert view["pressed"] == [name]
        assert view["values"]["gates"] == open_gates


def test_presets_do_what_their_names_say(seen):
    kept = seen["forget presets"]["keep for ever"]["values"]
    assert min(kept["after"]["c"]) > 0.99 * kept["c_prev"]
    forgot = seen["forget presets"]["forget now"]["values"]
    assert abs(forgot["cell"]["f"] * forgot["c_prev"]) < 0.03
    halved = seen["forget presets"]["bias 0"]
    assert halved["values"]["cell"]["f"] == 0.5
    assert "1.0 steps" in halved["texts"]
    wrote = seen["write presets"]["write once"]["values"]
    assert wrote["c_prev"] == 0
    assert min(wrote["after"]["c"]) > 0.98 * wrote["cell"]["c"] > 0.6
    spoke = seen["whole presets"]["read once"]["values"]
    assert spoke["cell"]["h"] > 0.85
    assert max(spoke["after"]["h"][1:]) < 0.02
    assert spoke["after"]["c"][-1] > 0.98 * spoke["c_prev"]


def test_fingers(seen):
    touch = seen["touch"]
    values = touch["loop"]["values"]
    assert values["words"][4] == "yes"  # "no" was the last of the three
    assert values["W_hh"] > 1
    close(values["h"], loop_states(values))
    now = touch["forget"]["values"]
    assert now["x"] == [0.8, 0]
    assert now["f"][3] < 0
    check_cell(touch["forget"], {}, "f")
    assert touch["width"] <= 360
    small = [t for t in touch["targets"] if min(t["width"], t["height"]) < 24]
    assert not small
    low = {t["what"] for t in touch["targets"] if t["height"] < 38}
    assert not low


# How it behaves ---------------------------------------------------------------------------------


def rgb(colour):
    return "rgb({}, {}, {})".format(*(int(colour[k : k + 2], 16) for k in (1, 3, 5)))


def test_colours_follow_the_theme_at_once(seen):
    themes = seen["themes"]
    light = {"h": "#00508f", "c": "#946200", "f": "#a3160f", "text": "#a3160f", "paper": "#ffffff"}
    dark = {"h": "#4aa3f0", "c": "#f5c04a", "f": "#ff7b6b", "text": "#ff7b6b", "paper": "#14181e"}
    assert themes["light"] == {name: rgb(colour) for name, colour in light.items()}
    assert themes["dark"] == {name: rgb(colour) for name, colour in dark.items()}


def test_reduced_motion_jumps_to_the_result(seen):
    calm = seen["calm"]
    assert calm["usual"]
    assert not calm["reduced"]
    assert calm["loop"]["values"]["t"] == 2
    assert calm["forget"]["values"]["cell"]["f"] == 0.5


def test_nothing_in_the_console_and_no_request_elsewhere(seen):
    assert seen["complaints"] == []


@pytest.mark.parametrize("where", ["axe", "axe on a phone"])
def test_axe_finds_nothing(seen, where):
    assert seen[where] == []


@pytest.mark.parametrize("where", ["arrival", "arrival on a phone"])
def test_the_script_s_arrival_moves_nothing(seen, where):
    arrival = seen[where]
    assert arrival["shifts"] == []
    assert len(arrival["still"]) == 10  # five instruments, two layouts
    # the builder's numbers come from lstmkit, the page's from its own formulas: one picture
    described = re.compile("<desc>.*?</desc>")
    for still, live in zip(arrival["still"], arrival["live"], strict=True):
        assert described.sub("", still) == described.sub("", live)
    assert len(set(arrival["ids"])) == len(arrival["ids"])
    assert len(set(arrival["radios"])) == len(arrival["radios"]) == 5
    assert arrival["unnamed"] == 0


def test_still_picture_without_scripts(seen):
    stills = seen["without scripts"]
    assert [still["pictures"] for still in stills] == [1] * 5
    assert all(still["title"] and still["desc"] and not still["controls"] for still in stills)
    assert all(still["empty"] < 40 for still in stills)  # padding and border; no room for controls
    assert stills[2]["desc"] == "The input gate & the <belt>"
    fades = loop_states({"x": [1, 0, 0, 0, -1, 0], "W_ih": 2, "W_hh": 0.7, "b": 0})
    assert f"h_6 = {shown(fades[6])}" in stills[0]["desc"]


def test_paper_has_the_picture_and_no_buttons(seen):
    assert seen["on paper"] == {"controls": 0, "pictures": 5}


# The extension ----------------------------------------------------------------------------------


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


def test_other_formats_get_the_picture(node_packages, tmp_path):
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
def test_mistakes_in_the_directive_are_named(node_packages, tmp_path, directive, message):
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
