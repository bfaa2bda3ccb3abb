"""The API appendix: every public module of the package stands in it, and formulas stay formulas."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book" / "extensions"))
from lk_api import set_off  # noqa: E402

LISTED = set(
    re.findall(
        r"automodule:: (\S+)",
        "".join(p.read_text(encoding="utf-8") for p in (ROOT / "book").glob("api-*.md")),
    )
)


def test_every_module_named_for_readers_is_listed():
    kinds = ("equations", "layer", "stages", "variants", "normalised", "recurrence", "block")
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (ROOT / "lstmkit").glob("*/*.py")
        if path.stem in kinds
    }
    assert len(modules) > 10
    assert modules <= LISTED


def test_a_formula_set_off_by_its_indent_is_literal():
    lines = ["The step:", "", "    h = tanh(a)", "    y = |h|", "", "And so on."]
    assert set_off(lines) == [
        *("The step:", "", "", "::", "", "    h = tanh(a)", "    y = |h|", "", "", "And so on."),
    ]


def test_fields_keep_their_indent():
    lines = ["Read.", "", ":raises ValueError: a shape", "    does not fit."]
    assert set_off(lines) == lines
    assert set_off(["rate: the step", "    of Adam"]) == [":rate: the step", "    of Adam"]


def test_the_built_pages_hold_the_functions(built):
    page = (built.site / "book" / "api-equations.html").read_text(encoding="utf-8")
    for name in ("rnn_step", "forget_gate", "lstm_backward", "gru_step"):
        assert f'equations.{name}"' in page, name
    assert "Alias for field" not in page
