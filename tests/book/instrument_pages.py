"""What the instruments' tests share: a small page with five of them, NumPy's numbers, a browser."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from lstmkit.lstm.equations import (
    candidate,
    forget_gate,
    hidden_state,
    input_gate,
    output_gate,
    update_cell,
)
from lstmkit.rnn.equations import rnn_forward

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "book"
DRIVER = Path(__file__).with_name("instruments.mjs")
GATES = {"f": forget_gate, "i": input_gate, "g": candidate, "o": output_gate}

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


def install_node_packages():
    """What book/package.json asks for, installed as the book's build does it."""
    install = "import build; build.install_node_packages()"
    subprocess.run([sys.executable, "-c", install], cwd=BOOK, check=True)


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


def close(found, expected):
    np.testing.assert_allclose(np.array(found, dtype=float), expected, rtol=0, atol=1e-6)


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
