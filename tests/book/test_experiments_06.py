"""The experiment behind chapter 06: its stored result, and its short form run again."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

EXPERIMENTS = Path(__file__).parents[2] / "book" / "experiments"
COMMON = {"seeds", "sizes", "versions", "device", "seconds", "date"}


@pytest.fixture(scope="module")
def experiment():
    path = EXPERIMENTS / "06_stream.py"
    spec = importlib.util.spec_from_file_location("experiment_06", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def short(experiment):
    torch.set_num_threads(1)
    return experiment.run(short=True)


@pytest.fixture(scope="module")
def stored():
    return json.loads((EXPERIMENTS / "06_stream.json").read_text(encoding="utf-8"))


def test_stored_result_says_how_it_was_made(stored, experiment):
    assert stored.keys() >= COMMON
    assert stored["seeds"] == list(range(20))
    assert stored["seconds"] > 0
    assert {"python", "torch", "numpy"} <= stored["versions"].keys()
    assert stored["cells"].keys() == stored["sizes"].keys() == experiment.RUNS.keys()
    for name, size in stored["sizes"].items():
        assert size == experiment.RUNS[name]._asdict()


def test_stored_result_is_one_grid_of_rates_and_twenty_seeds_for_every_cell(stored):
    for name, cell in stored["cells"].items():
        assert np.shape(cell["validation"]) == (len(stored["rates"]), 20), name
        best = np.median(cell["validation"], axis=1).argmin()
        assert cell["rate"] == stored["rates"][best], name
        assert cell["late"] == cell["late at every rate"][best], name
        assert cell["failed"] == sum(late > stored["fails"] for late in cell["late"]), name
        assert np.shape(cell["by position"]) == (20, len(stored["edges"]) - 1), name
        for row in ("largest", "saturated"):
            assert np.shape(cell["belt"][row]) == (20, len(stored["stretches"]) - 1), name
        assert np.isfinite(cell["by position"]).all(), name
        weights = cell["typical"]["weights"]
        blocks = len(stored["sizes"][name]["gates"]) + 1
        units = stored["sizes"][name]["units"]
        assert np.shape(weights["W_hh"]) == (units, blocks * units), name


def test_short_form_has_the_stored_result_s_schema(short, stored):
    assert short.keys() == stored.keys()
    for name, cell in short["cells"].items():
        assert cell.keys() == stored["cells"][name].keys()
        assert short["sizes"][name] == stored["sizes"][name]


def test_the_gate_wins_in_the_stream_beyond_the_spread_of_the_seeds(short, stored):
    for result in (short, stored):
        for without, difference in result["differences"].items():
            assert difference["low"] > 0, without
            late = [result["cells"][name]["late"] for name in (without, without + " with f")]
            assert min(late[0]) > np.median(late[1])
            assert np.median(late[0]) > max(late[1])


def test_belts_run_away_without_the_gate_only(short, stored):
    for result in (short, stored):
        without, with_gate = (
            np.array(result["cells"][name]["belt"]["largest"]) for name in ("1997", "1997 with f")
        )
        assert np.median(without[:, -1] / without[:, 0]) > 5
        assert np.max(with_gate[:, -1] / with_gate[:, 0]) < 3


def test_wiping_the_belt_by_hand_mends_the_same_weights(short, stored):
    for result in (short, stored):
        cell = result["cells"]["1997"]
        gain = np.array(cell["late"]) / cell["late, wiped"]
        assert gain.min() > 1
        assert np.median(gain) > 3


def test_variance_of_the_sums_is_that_of_a_long_stream(experiment):
    sums = experiment.stories(np.random.default_rng(5), 4000, 64, experiment.STOP)[1]
    assert sums[500:].var() == pytest.approx(experiment.VARIANCE, rel=0.05)


@pytest.mark.parametrize("gates", ["", "f", "io", "ifo"])
def test_read_is_the_reference_with_missing_gates_held_at_one(experiment, gates):
    """Against lstmkit's NumPy equations; a gate that is held gets a bias of 50."""
    from lstmkit.lstm.equations import lstm_forward

    units, x = 3, np.random.default_rng(0).normal(size=(9, 1, 2, 2))
    p = experiment.start(experiment.Run(gates, units), range(4, 5), 1)
    p = {name: value.double() for name, value in p.items()}
    answers, belts, openings, _ = experiment.read(
        experiment.Run(gates, units), p, torch.from_numpy(x)
    )
    W_ih, W_hh, b = np.zeros((12, 2)), np.zeros((12, 3)), np.full(12, 50.0)
    for place, gate in enumerate("ifgo"):
        here = slice(place * units, (place + 1) * units)
        order = gates + "g"
        if gate in order:
            block = slice(order.index(gate) * units, (order.index(gate) + 1) * units)
            W_ih[here], W_hh[here] = p["W_ih"][0, :, block].T, p["W_hh"][0, :, block].T
            b[here] = p["b"][0, 0, block]
    zero = np.zeros((2, units))
    trace = lstm_forward(x[:, 0], zero, zero, W_ih, W_hh, b)
    np.testing.assert_allclose(belts[:, 0], trace.c, atol=1e-12)
    np.testing.assert_allclose(openings[:, 0], trace.f, atol=1e-12)
    said = trace.h @ p["W_hy"][0].numpy()[:, 0] + p["b_y"][0, 0, 0].item()
    np.testing.assert_allclose(answers[:, 0], said, atol=1e-12)
