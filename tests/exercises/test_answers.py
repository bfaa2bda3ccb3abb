"""Known wrong answers fail, each with its own message; right answers written differently pass."""

from __future__ import annotations

import numpy as np
import pytest

from lstmkit.exercises import EXERCISES, CheckFailed, check
from lstmkit.exercises.compare import same

from .answers import copied

SEEDS = (None, 1, 2, 3)
WRONG = [
    pytest.param(e.name, w, id=f"{e.name}-{w.key}")
    for e in EXERCISES.values()
    for w in e.known_wrong
]
RIGHT = [
    pytest.param(e.name, r, id=f"{e.name}-{r.__name__}")
    for e in EXERCISES.values()
    for r in e.right
]


@pytest.mark.parametrize(("name", "wrong"), WRONG)
def test_a_known_wrong_answer_fails_with_its_own_message(name, wrong):
    for seed in SEEDS:
        with pytest.raises(CheckFailed) as failure:
            check(name, copied(wrong.answer), seed=seed)
        assert wrong.message in str(failure.value), f"seed {seed}: {failure.value}"


@pytest.mark.parametrize(("name", "right"), RIGHT)
def test_a_right_answer_written_differently_passes(name, right):
    for seed in (*SEEDS, *range(10, 30)):
        check(name, copied(right), seed=seed)


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda e: e.name)
def test_every_exercise_has_enough_answers(exercise):
    assert len(exercise.known_wrong) >= 8
    assert len(exercise.right) >= 3
    assert len({wrong.message for wrong in exercise.known_wrong}) == len(exercise.known_wrong)
    assert exercise.withheld


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda e: e.name)
def test_known_wrong_answers_are_finite_and_distinct(exercise):
    rng = np.random.default_rng(5)
    trials = [
        trial
        for part in exercise.parts(rng, True)
        for trial in part.trials
        if all(np.isfinite(value).all() for value in trial.args)
    ]
    answers = {}
    for wrong in exercise.known_wrong:
        with np.errstate(all="ignore"):
            answers[wrong.key] = [_plain(wrong.answer(*trial.args)) for trial in trials]
        for value in answers[wrong.key]:
            for array in value if type(value) is tuple else (value,):
                assert array.dtype.kind == "f", wrong.key
                assert np.isfinite(array).all(), wrong.key
    keys = sorted(answers)
    for n, one in enumerate(keys):
        for other in keys[n + 1 :]:
            pairs = zip(answers[one], answers[other], strict=True)
            assert not all(same(a, b) for a, b in pairs), f"{one} and {other} look alike"


def _plain(value):
    return tuple(np.asarray(v) for v in value) if type(value) is tuple else np.asarray(value)
