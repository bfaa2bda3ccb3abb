"""Chapter 06, The forget gate: the exercises of the assignment ``06-forget-gate``."""

from . import bias, bias_for, cell, gate, remaining, reset

EXERCISES = (
    gate.EXERCISE,
    cell.EXERCISE,
    bias_for.EXERCISE,
    bias.EXERCISE,
    remaining.EXERCISE,
    reset.EXERCISE,
)
