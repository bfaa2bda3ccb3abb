"""Verdicts on the claims that the course examines.

A page measures a claim and ends with ``verdict("C4", ...)``. The box that the reader sees and
the record for the ledger of all claims are two faces of one object, so they cannot disagree.
The rules were fixed before anything was measured; a page cannot restate them.
"""

from __future__ import annotations

import html
import math
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["MIME", "OUTCOMES", "RULES", "Verdict", "verdict"]

MIME = "application/vnd.lstmkit.verdict+json"
OUTCOMES = ("holds", "holds under a condition", "does not hold")

RULES: dict[str, str] = {
    "R1": "loop at least 0.95 accurate, a one-step feed-forward net of equal size at most "
    "chance + 0.05",
    "R2": "interval below the best of persistence, seasonal, ridge, bigram, use by use",
    "R3": "at least 0.9 at gap 2 and at most 0.2 at gap 80, at the best rate",
    "R4": "slope under −0.1 a step; learned gap rises with the slope, rank correlation at least "
    "0.8",
    "R5": "area that learns, LSTM over RNN, interval above 1.25",
    "R6": "finite differences within 1e-6, autograd within 1e-10",
    "C1": "linear probe of the stored value inside the gap: from c R² at least 0.9, from h at "
    "most 0.5",
    "C2": "bit-equal over 10,000 steps with f = 1, i = 0",
    "C3": "mean forget opening at least 0.9 at the start and after training",
    "C4": "opening at most 0.1 at stops and at least 0.9 elsewhere, in 9 of 10 seeds",
    "C5": "mean of |i·g|, marked over unmarked, at least 10",
    "C6": "residual under 0.05 in 9 of 10 seeds",
    "C7": "each removal raises the error, interval above zero, in two of three tasks, at 1 and at "
    "8 units",
    "C8": "one gate clamped at one step changes the output as predicted in at least 90 %",
    "G1": "parameters and multiply-adds at most 0.76 of the LSTM's at equal H",
    "G2": "interval within ± 2 points or ± 0.05 bit",
    "G3": "step within the item's period on one core; int8 loses at most 1 point; fewer bytes "
    "than the LSTM",
    "T1": "permutation and future checks; training time a token flatter in length",
    "T2": "lower loss, interval below zero, at the longest context",
    "T3": "state bytes constant, slope of latency includes zero",
    "T4": "FLOPs a token at equal parameters, ratio above 1.2",
    "T5": "no model is best in every row",
}


@dataclass(frozen=True)
class Verdict:
    """One claim's outcome, the number behind it and the rule that turned one into the other."""

    id: str
    outcome: str
    number: float
    measured: str
    interval: tuple[float, float] | None
    condition: str | None
    rule: str

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/html": self._html(), "text/plain": str(self), MIME: asdict(self)}

    def __str__(self) -> str:
        parts = [f"{self.id} {self._headline()}: {self._evidence()}", f"Rule: {self.rule}."]
        return "\n".join(parts)

    def _headline(self) -> str:
        return self.outcome + (f" ({self.condition})" if self.condition else "")

    def _evidence(self) -> str:
        text = f"{self.measured} {self.number:g}" if self.measured else f"{self.number:g}"
        if self.interval is not None:
            low, high = (f"{bound:.3f}" for bound in self.interval)
            text += f" (95 % interval {low} to {high})"
        return text + "."

    def _html(self) -> str:
        kind = self.outcome.replace(" ", "-")
        headline, evidence, rule = (
            html.escape(text) for text in (self._headline(), self._evidence(), self.rule)
        )
        return (
            f'<div class="lk-verdict lk-verdict-{kind}" role="note"'
            ' style="border-left:4px solid var(--lk-muted, #5a6069);padding:.4em 1em">'
            f'<p><strong class="lk-verdict-id">{self.id}</strong> {headline}. {evidence}</p>'
            f'<p class="lk-verdict-rule">Rule, fixed before measuring: {rule}.</p></div>'
        )


def verdict(
    id: str,
    outcome: str,
    number: float,
    interval: tuple[float, float] | None = None,
    condition: str | None = None,
    rule: str | None = None,
    measured: str = "",
) -> Verdict:
    """State what a measurement says about a claim.

    ``number`` is what was measured and ``measured`` the words that stand before it.
    ``condition`` names the condition, and is needed for, and only for, the outcome "holds
    under a condition". ``rule`` may repeat the fixed rule; another one is an error.
    Raises ``ValueError`` on an unknown claim or outcome, on a number or interval that is not
    finite, and on an interval that is out of order.
    """
    if id not in RULES:
        raise ValueError(f"unknown claim {id!r}; known are {', '.join(RULES)}")
    if outcome not in OUTCOMES:
        raise ValueError(f"outcome is {outcome!r}; it must be one of {OUTCOMES}")
    if rule not in (None, RULES[id]):
        raise ValueError(f"the rule of {id} was fixed before measuring: {RULES[id]}")
    if (outcome == OUTCOMES[1]) != bool(condition):
        raise ValueError("name a condition with 'holds under a condition', and only then")
    ends = tuple(float(end) for end in interval) if interval is not None else None
    if not all(map(math.isfinite, (float(number), *(ends or ())))):
        raise ValueError(f"number {number} and interval {interval} must be finite")
    if ends is not None and (len(ends) != 2 or ends[0] > ends[1]):
        raise ValueError(f"interval {interval} must be two numbers, the lower first")
    pair = None if ends is None else (ends[0], ends[1])
    return Verdict(id, outcome, float(number), measured, pair, condition, RULES[id])
