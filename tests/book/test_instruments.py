"""A reader's hands on the instruments, in Chromium.

Every number that the page computes is compared with `lstmkit` on the same inputs, to 1e-6. The
inputs are set by keyboard or finger, and what they must have become is written down here.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.book.instrument_pages import (
    GATES,
    cell,
    close,
    install_node_packages,
    loop_states,
    node,
    shown,
    sphinx,
)

WORDS = {"yes": 1, "um": 0, "no": -1}


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """Everything that instruments.mjs did and saw on the page; one browser for all tests."""
    install_node_packages()
    out, done = sphinx(tmp_path_factory.mktemp("instruments"), "html")
    assert done.returncode == 0, done.stderr
    return node("page", out / "index.html")


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
