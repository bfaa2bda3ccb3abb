"""A name that an exercise withholds does not work while it is checked, under any alias."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
import torch

from lstmkit.exercises import EXERCISES, CheckFailed, check
from lstmkit.exercises.errors import Withheld
from lstmkit.exercises.withheld import withhold

from .sources import cells


def load(dotted):
    module, _, name = dotted.rpartition(".")
    return getattr(importlib.import_module(module), name)


CASES = [
    pytest.param(exercise, name, id=f"{exercise.name}-{name}")
    for exercise in EXERCISES.values()
    for name in exercise.withheld
]


@pytest.mark.parametrize(("exercise", "name"), CASES)
def test_using_a_withheld_name_is_told_and_gets_no_points(exercise, name):
    kept = load(name)  # imported before the check, as a notebook's cell would

    def answer(*args):
        return kept(3, 2) if isinstance(kept, type) else kept(*args)

    with pytest.raises(CheckFailed, match=r"is withheld in this exercise: write the computation"):
        check(exercise.name, answer)


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda e: e.name)
def test_the_right_answers_of_the_package_are_withheld_too(exercise):
    with pytest.raises(CheckFailed, match="is withheld"):
        check(exercise.name, exercise.right[0])


def test_a_layer_made_before_the_check_does_not_work_either():
    layer = torch.nn.RNN(3, 4)

    def answer(x, h_prev, W_ih, W_hh, b):
        return layer(torch.zeros(2, 3))

    with pytest.raises(CheckFailed, match=r"torch\.nn\.RNN is withheld"):
        check("01.rnn_step", answer)


def test_everything_works_again_afterwards():
    from lstmkit.rnn.equations import rnn_step

    x = np.ones((1, 1))
    with withhold(EXERCISES["01.rnn_step"].withheld):
        with pytest.raises(Withheld):
            rnn_step(x, x, x, x, x[0])
        with pytest.raises(Withheld):
            torch.nn.RNN(1, 1)
    assert rnn_step(x, x, x, x, x[0]) == pytest.approx(np.tanh(3.0))
    assert torch.nn.RNN(1, 1)(torch.zeros(1, 1, 1))[0].shape == (1, 1, 1)


def test_a_package_that_is_not_loaded_cannot_be_imported_meanwhile(monkeypatch):
    import sys

    monkeypatch.delitem(sys.modules, "torch")

    def answer(*args):
        import torch  # noqa: F401

    with pytest.raises(CheckFailed, match="torch is withheld"):
        check("01.rnn_step", answer)
    assert "torch" not in sys.modules


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda e: e.name)
def test_the_points_are_those_of_the_grade_cells(exercise):
    graded = [
        cell.metadata
        for cell in cells(exercise.chapter)
        if cell.metadata.get("nbgrader", {}).get("grade")
        and cell.metadata["asks"] == list(exercise.asks)
    ]
    assert sum(meta["nbgrader"]["points"] for meta in graded) == exercise.points
    assert len(graded) == 2
