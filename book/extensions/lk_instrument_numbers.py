"""The numbers of the instruments' still pictures, computed by `lstmkit`.

A model is what the drawing functions of `book/assets/instruments/src` want, and `attributes`, what
the custom element says in the page. Settings and presets come from the files that the page reads.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lstmkit.lstm import equations as lstm
from lstmkit.rnn.equations import rnn_forward

SOURCES = Path(__file__).parent.parent / "assets" / "instruments" / "src"
GATES = ("f", "f i", "f i o")
SILENCE = 20


class UnknownSetting(ValueError):
    """The directive names a preset or a gate that the instrument does not have."""


def settings(name: str) -> dict[str, Any]:
    return json.loads((SOURCES / f"{name}.json").read_text(encoding="utf-8"))


def _row(*values: float) -> np.ndarray:
    """One row, (1, n)."""
    return np.array([values], dtype=np.float64)


def _preset(presets: dict[str, Any], name: str) -> dict[str, Any]:
    if name not in presets:
        raise UnknownSetting(f"no preset {name!r}; there are {', '.join(presets)}")
    return presets[name]


def loop(preset: str = "holds") -> dict[str, Any]:
    """The loop after its last word: the states of a network of one unit, the start included."""
    given = settings("loop")
    weights = _preset(given["presets"], preset)
    x = np.array([given["words"][word] for word in given["sentence"]], dtype=np.float64)
    h = rnn_forward(
        x.reshape(-1, 1, 1),
        _row(0),
        _row(weights["W_ih"]),
        _row(weights["W_hh"]),
        np.array([float(weights["b"])]),
    )
    return {
        **weights,
        "x": x.tolist(),
        "words": given["sentence"],
        "h": [0.0, *h[:, 0, 0].tolist()],
        "t": len(x),
        "progress": 1,
        "unrolled": 1,
        "before": None,
        "attributes": {"preset": preset},
    }


def cell(
    x: np.ndarray,
    h_prev: np.ndarray,
    c_prev: np.ndarray,
    weights: dict[str, list[float]],
    gates: str,
) -> dict[str, np.ndarray]:
    """One step of a cell of one unit, (1, 1) each; gates that are not open are held at one."""

    def gate(name: str, function: Callable[..., np.ndarray]) -> np.ndarray:
        if name not in gates and name != "g":
            return _row(1)
        value, signal, W_h, b = (float(w) for w in weights[name])
        return function(x, h_prev, _row(value, signal), _row(W_h), np.array([b]))

    f = gate("f", lstm.forget_gate)
    i = gate("i", lstm.input_gate)
    g = gate("g", lstm.candidate)
    o = gate("o", lstm.output_gate)
    c = lstm.update_cell(c_prev, f, i, g)
    return {"f": f, "i": i, "g": g, "o": o, "c": c, "h": lstm.hidden_state(o, c)}


def gate_playground(gates: str = "f", preset: str = "keep and add") -> dict[str, Any]:
    """One step of the cell, and what becomes of c and h in the silence after it."""
    given = settings("gate-playground")
    if gates not in GATES:
        raise UnknownSetting(f"gates are {', '.join(map(repr, GATES))}, not {gates!r}")
    now = {**given["start"], **_preset(given["presets"], preset)}
    needs = now.pop("needs", None)
    if needs and needs not in gates:
        raise UnknownSetting(f"preset {preset!r} needs the gate {needs}")
    step = cell(_row(*now["x"]), _row(now["h_prev"]), _row(now["c_prev"]), now, gates)
    after = [step]
    for _ in range(SILENCE):
        after.append(cell(_row(0, 0), after[-1]["h"], after[-1]["c"], now, gates))
    open_gates = gates.replace(" ", "")
    return {
        **now,
        "cell": {name: value.item() for name, value in step.items()},
        "after": {name: [state[name].item() for state in after] for name in ("c", "h")},
        "open": open_gates,
        "chosen": open_gates[-1],
        "signal": given["signals"][open_gates],
        "attributes": {"gates": gates, "preset": preset},
    }


MODELS: dict[str, Callable[..., dict[str, Any]]] = {
    "loop": loop,
    "gate-playground": gate_playground,
}
