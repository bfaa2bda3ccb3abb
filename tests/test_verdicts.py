"""A verdict's box and its record say the same, and the rules cannot be moved."""

import json
import re

import pytest

from lstmkit.verdicts import MIME, RULES, verdict


def test_box_and_record_say_the_same():
    bundle = verdict(
        "C4", "holds", 10, measured="Seeds within the rule, of 10:"
    )._repr_mimebundle_()
    record = json.loads(json.dumps(bundle[MIME]))
    assert record == {
        "id": "C4",
        "outcome": "holds",
        "number": 10.0,
        "measured": "Seeds within the rule, of 10:",
        "interval": None,
        "condition": None,
        "rule": RULES["C4"],
    }
    words = re.sub(r"<[^>]+>", " ", bundle["text/html"])
    for part in ("C4", "holds", "Seeds within the rule, of 10: 10.", RULES["C4"]):
        assert part in words
        assert part in bundle["text/plain"]


def test_condition_and_interval_are_shown_and_escaped():
    shown = verdict(
        "R5", "holds under a condition", 1.4, (1.3, 1.5), condition="bias < 4 & rate 1e-3"
    )
    box = shown._repr_mimebundle_()["text/html"]
    assert "bias &lt; 4 &amp; rate 1e-3" in box
    assert "1.300 to 1.500" in box


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"id": "C99", "outcome": "holds", "number": 1}, "unknown claim"),
        ({"id": "C4", "outcome": "true", "number": 1}, "must be one of"),
        ({"id": "C4", "outcome": "holds", "number": float("nan")}, "finite"),
        ({"id": "C4", "outcome": "holds", "number": 1, "interval": (2, 1)}, "lower first"),
        ({"id": "C4", "outcome": "holds", "number": 1, "condition": "H = 1"}, "only then"),
        ({"id": "C4", "outcome": "holds under a condition", "number": 1}, "only then"),
        ({"id": "C4", "outcome": "holds", "number": 1, "rule": "easier"}, "fixed before"),
    ],
)
def test_what_is_not_a_verdict(kwargs, message):
    with pytest.raises(ValueError, match=message):
        verdict(**kwargs)


def test_every_claim_of_the_syllabus_has_a_rule():
    assert set(RULES) == {
        *(f"R{k}" for k in range(1, 7)),
        *(f"C{k}" for k in range(1, 9)),
        *(f"G{k}" for k in range(1, 4)),
        *(f"T{k}" for k in range(1, 6)),
    }
