"""Of all one-place changes to the solutions, at least 97 in a hundred are caught."""

from __future__ import annotations

import pytest

from lstmkit.exercises import EXERCISES, check

from .sources import ASSIGNMENTS, mutants, namespace, solution_cells


def survives(assignment: str, grade_id: str, source: str) -> bool:
    """Whether a notebook with this cell changed still gets all points of the exercise."""
    exercise = next(e for e in EXERCISES.values() if e.chapter == assignment and grade_id in e.asks)
    try:
        names = namespace(assignment, {grade_id: source})
        answers = [names[name] for name in exercise.asks]
        for seed in (None, 7):
            check(exercise.name, *answers, seed=seed)
    except Exception:
        return False
    return True


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_mutants_of_the_solutions_are_caught(assignment):
    tried, alive = 0, []
    for grade_id, source in solution_cells(assignment).items():
        for mutant in mutants(source):
            tried += 1
            if survives(assignment, grade_id, mutant):
                alive.append(f"{grade_id}:\n{mutant}")
    print(f"{assignment}: {tried - len(alive)} of {tried} mutants caught")
    assert tried > 60
    assert len(alive) <= 0.03 * tried, "\n\n".join(alive)
