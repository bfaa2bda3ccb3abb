"""Data sets: synthetic tasks with a documented generator."""
