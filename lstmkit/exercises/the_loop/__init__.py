"""Chapter 01, The loop: the exercises of the assignment ``01-the-loop``."""

from . import chunks, forward, latch, padding, step

EXERCISES = (
    step.EXERCISE,
    forward.EXERCISE,
    chunks.EXERCISE,
    padding.EXERCISE,
    latch.EXERCISE,
)
