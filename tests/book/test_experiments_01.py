"""The experiment behind chapter 01: its stored result, and its short form run again."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

EXPERIMENTS = Path(__file__).parents[2] / "book" / "experiments"
COMMON = {"seeds", "sizes", "versions", "device", "seconds", "date"}


@pytest.fixture(scope="module")
def experiment():
    path = EXPERIMENTS / "01_loop.py"
    spec = importlib.util.spec_from_file_location("experiment_01", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def short(experiment):
    return experiment.run(short=True)


@pytest.fixture(scope="module")
def stored():
    return json.loads((EXPERIMENTS / "01_loop.json").read_text(encoding="utf-8"))


def test_stored_result_says_how_it_was_made(stored):
    assert stored.keys() >= COMMON
    assert stored["seeds"] == list(range(10))
    assert stored["seconds"] > 0
    assert {"python", "torch", "numpy"} <= stored["versions"].keys()


def test_stored_result_is_one_grid_of_rates_and_ten_seeds_for_every_model(stored):
    for name, model in stored["models"].items():
        assert np.shape(model["validation"]) == (len(stored["rates"]), 10), name
        best = np.mean(model["validation"], axis=1).argmax()
        assert model["rate"] == stored["rates"][best], name
        assert np.shape(model["by distance"]) == (10, len(stored["distances"])), name


def test_short_form_has_the_stored_result_s_schema(short, stored):
    assert short.keys() == stored.keys() - {"longer"}
    for name, model in short["models"].items():
        assert model.keys() == stored["models"][name].keys()
    assert short["sizes"].items() <= stored["sizes"].items()


def test_loop_beats_the_others_beyond_the_spread_of_the_seeds(short, stored):
    for result in (short, stored):
        for name, difference in result["differences"].items():
            assert difference["low"] > 0, name
            loop, other = (result["models"][k]["test"] for k in ("loop", name))
            assert min(loop) > max(other) or name == "output loop"


def test_one_step_network_is_at_chance(short):
    assert np.allclose(short["models"]["one-step"]["test"], short["chance"], atol=0.03)


def test_loop_trained_on_far_questions_only_stays_behind(short):
    (far,) = short["far"]
    assert max(far["test"]) < min(short["models"]["loop"]["test"])


def test_intervals_are_student_s(experiment):
    # the mean of 1, 2, 3 is 2, its standard error 1/sqrt(3), and t is 4.303 for two degrees
    interval = experiment.paired([2.0, 4.0, 6.0], [1.0, 2.0, 3.0])
    assert interval == {"mean": 2.0, "low": -0.4843, "high": 4.4843}


def test_sentences_end_with_the_question_and_the_colour_stands_at_its_distance(experiment):
    distance = np.array([1, 4, 10] * 50)
    words, answers = experiment.sentences(np.random.default_rng(5), 150, 12, distance)
    colours = len(experiment.COLOURS)
    assert (words[:, -1] == experiment.QUESTION).all()
    for row, d, right in zip(words, distance, answers, strict=True):
        named = [t for t, word in enumerate(row) if word < colours]
        assert named[-1] == 11 - d
        assert row[named[-1]] == right
