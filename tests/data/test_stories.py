"""The running sum, against a plain loop, and the generator's promises."""

import numpy as np

from lstmkit.data.stories import running_sum, stories


def test_sum_starts_again_at_every_stop():
    amounts = [1.0, 2.0, 0.0, 4.0, 5.0, 0.0, 0.0, 8.0]
    stops = [0, 0, 1, 0, 0, 1, 1, 0]
    x = np.array(list(zip(amounts, stops, strict=True)), dtype=np.float32)[:, None]
    assert running_sum(x)[:, 0].tolist() == [1, 3, 0, 4, 9, 0, 0, 8]
    assert running_sum(x, before=[10.0])[:, 0].tolist() == [11, 13, 0, 4, 9, 0, 0, 8]


def test_stories_have_shapes_ranges_and_the_chance_of_a_stop():
    x, y = stories(np.random.default_rng(1), 500, 40, stop=0.2)
    assert x.shape == (500, 40, 2)
    assert y.shape == (500, 40)
    assert x.dtype == y.dtype == np.float32
    stop = x[..., 1]
    assert set(np.unique(stop)) == {0.0, 1.0}
    assert abs(stop.mean() - 0.2) < 0.01
    assert np.abs(x[..., 0]).max() <= 1
    assert not x[..., 0][stop == 1].any()
    assert not y[stop == 1].any()


def test_targets_are_the_sums_of_what_stands_since_the_stop():
    x, y = stories(np.random.default_rng(2), 60, 3)
    for b in range(3):
        for t in range(60):
            since = [k for k in range(t + 1) if x[k, b, 1]]
            first = since[-1] if since else 0
            np.testing.assert_allclose(y[t, b], x[first : t + 1, b, 0].sum(), atol=1e-5)


def test_the_same_seed_draws_the_same_stories():
    one, two = (stories(np.random.default_rng(7), 20, 4)[0] for _ in range(2))
    assert np.array_equal(one, two)
