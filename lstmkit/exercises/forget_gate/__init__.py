"""Chapter 06, The forget gate: the exercises of the assignment ``06-forget-gate``."""

from . import bias, cell, gate, half_life, remaining, reset

EXERCISES = (
    gate.EXERCISE,
    cell.EXERCISE,
    half_life.EXERCISE,
    bias.EXERCISE,
    remaining.EXERCISE,
    reset.EXERCISE,
)
