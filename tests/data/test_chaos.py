"""Mackey–Glass: the values obey the equation, wander, and part ways."""

import numpy as np
import pytest

from lstmkit.data import mackey_glass


def test_values_obey_the_equation():
    x = mackey_glass(np.random.default_rng(1), 3000, tau=17, every=0.1, settle=100)
    t = np.arange(172, 2998)
    # Fourth-order central difference, against the right-hand side at the same moment.
    slope = (x[t - 2] - 8 * x[t - 1] + 8 * x[t + 1] - x[t + 2]) / (12 * 0.1)
    past = x[t - 170]
    np.testing.assert_allclose(slope, 0.2 * past / (1 + past**10) - 0.1 * x[t], atol=2e-6)


def test_a_coarser_series_is_the_finer_one_thinned():
    fine = mackey_glass(np.random.default_rng(2), 401, every=0.5, settle=20)
    coarse = mackey_glass(np.random.default_rng(2), 81, every=2.5, settle=20)
    np.testing.assert_array_equal(coarse, fine[::5])


def test_it_stays_in_its_range_and_does_not_settle():
    x = mackey_glass(np.random.default_rng(3), 2000)
    assert x.shape == (2000,)
    assert 0.2 < x.min() < 0.6
    assert 1.1 < x.max() < 1.5
    assert x[-500:].std() > 0.15


def test_short_delays_come_to_rest():
    x = mackey_glass(np.random.default_rng(3), 200, tau=2, settle=1000)
    np.testing.assert_allclose(x, 1.0, atol=1e-6)  # 0.2 / (1 + 1) = 0.1


def test_neighbours_part_ways():
    class Near:
        def __init__(self, start):
            self.start = start

        def uniform(self, low, high):
            return self.start

    one, two = (mackey_glass(Near(s), 1500, settle=0) for s in (0.9, 0.9 + 1e-4))
    assert np.abs(one - two)[:50].max() < 1e-2
    assert np.abs(one - two)[-500:].max() > 0.1


@pytest.mark.parametrize("wrong", [{"tau": 17.03}, {"tau": 0}, {"every": 0.05}, {"settle": -1}])
def test_steps_that_do_not_fit_are_refused(wrong):
    with pytest.raises(ValueError, match="multiples of"):
        mackey_glass(np.random.default_rng(0), 5, **wrong)
