"""The instruments' formulas, run by Node.js, against NumPy on the same inputs."""

from __future__ import annotations

import json
import math

import numpy as np

from lstmkit.lstm.equations import lstm_step, sigmoid
from lstmkit.lstm.stages import forget_cell_step
from lstmkit.rnn.equations import rnn_forward
from tests.book.instrument_pages import GATES, cell, close, node


def random_gates(rng, inputs, hidden, scale):
    return {
        name: {
            "W_x": scale * rng.standard_normal((hidden, inputs)),
            "W_h": scale * rng.standard_normal((hidden, hidden)),
            "b": scale * rng.standard_normal(hidden),
        }
        for name in GATES
    }


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
