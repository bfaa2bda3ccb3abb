"""Tasks with one thing to remember, checked by reading what was drawn."""

import numpy as np
import pytest

from lstmkit.data import adding, copying, parity, recall


@pytest.fixture
def rng():
    return np.random.default_rng(20)


@pytest.mark.parametrize("T", [2, 3, 50])
def test_adding_has_a_mark_in_each_half_and_their_sum(rng, T):
    x, y = adding(rng, T, 200)
    assert x.shape == (T, 200, 2)
    assert x.dtype == y.dtype == np.float32
    for b in range(200):
        marked = [t for t in range(T) if x[t, b, 1] == 1]
        assert len(marked) == 2
        assert marked[0] < T // 2 <= marked[1]
        assert y[b] == pytest.approx(x[marked[0], b, 0] + x[marked[1], b, 0], abs=1e-6)
    with pytest.raises(ValueError, match="two steps"):
        adding(rng, 1, 2)


def test_answering_one_to_adding_costs_a_sixth(rng):
    _, y = adding(rng, 20, 20_000)
    assert np.mean((y - 1) ** 2) == pytest.approx(1 / 6, rel=0.05)


def test_copying_asks_for_the_word_after_the_gap(rng):
    x, y = copying(rng, 30, 50, length=6, symbols=5)
    assert x.shape == y.shape == (42, 50)
    for b in range(50):
        row, wanted = x[:, b].tolist(), y[:, b].tolist()
        cue = row.index(1)
        assert row.count(1) == 1
        assert cue == 42 - 6 - 1
        assert all(2 <= s <= 6 for s in row[:6])
        assert row[6:cue] == [0] * (cue - 6)
        assert row[cue + 1 :] == [0] * 6
        assert wanted == [0] * 36 + row[:6]
    assert set(np.unique(x)) == set(range(7))
    with pytest.raises(ValueError, match="at least 1"):
        copying(rng, 0, 1)


def test_parity_counts_ones(rng):
    x, y = parity(rng, 40, 30)
    assert x.shape == (40, 30, 1)
    for b in range(30):
        ones = 0
        for t in range(40):
            ones += int(x[t, b, 0])
            assert y[t, b] == ones % 2
    assert abs(x.mean() - 0.5) < 0.05


@pytest.mark.parametrize("gap", [0, 1, 20])
def test_recall_names_one_colour_then_noise_then_the_cue(rng, gap):
    x, y = recall(rng, gap, 400, keys=8)
    assert x.shape == (gap + 2, 400, 10)
    assert np.array_equal(x[0].argmax(axis=1), y)
    assert np.array_equal(x[0].sum(axis=1), np.ones(400))
    # In the gap nothing tells the colour: every key is silent.
    assert not x[1:, :, :8].any()
    assert np.array_equal(x[:, :, 9].sum(axis=0), np.ones(400))
    assert x[-1, :, 9].all()
    if gap:
        assert abs(x[1:-1, :, 8].mean()) < 0.1
        assert 0.9 < np.abs(x[1:-1, :, 8]).max() <= 1
    assert np.bincount(y, minlength=8).min() > 20


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng: adding(rng, 9, 4),
        lambda rng: copying(rng, 9, 4),
        lambda rng: parity(rng, 9, 4),
        lambda rng: recall(rng, 9, 4),
    ],
)
def test_the_same_seed_draws_the_same_and_another_does_not(draw):
    one, two, other = (draw(np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert np.array_equal(one[0], two[0])
    assert np.array_equal(one[1], two[1])
    assert not np.array_equal(one[0], other[0])
