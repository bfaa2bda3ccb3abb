"""The linear recurrence: loop, doubling and logarithms against exact numbers and torch."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from lstmkit.scan.recurrence import linear_backward, linear_doubling, linear_log, linear_loop
from tests.differences import assert_gradient, finite_differences

LENGTHS = [1, 2, 3, 5, 8, 17, 64]
SCANS = [linear_loop, linear_doubling]


def log_form(a, u, h0):
    return linear_log(np.log(a), np.log(u), np.log(h0))


def draws(T, *shape, positive=False):
    rng = np.random.default_rng([T, *shape])
    a = rng.uniform(0.1, 1, size=(T, *shape))
    u, h0 = rng.normal(size=(T, *shape)), rng.normal(size=shape)
    return (a, abs(u), abs(h0)) if positive else (a, u, h0)


def exactly(a, u, h0):
    """h for one row of numbers in fractions, without rounding."""
    h, states = Fraction(float(h0)), []
    for a_t, u_t in zip(a, u, strict=True):
        h = Fraction(float(a_t)) * h + Fraction(float(u_t))
        states.append(float(h))
    return states


def by_torch(a, u, h0):
    h, states = h0, []
    for a_t, u_t in zip(a, u, strict=True):
        h = a_t * h + u_t
        states.append(h)
    return torch.stack(states)


@pytest.mark.parametrize("scan", [*SCANS, log_form])
def test_by_hand(scan):
    """Halve what there is and add 1, 2, 3, 4, from 8 on."""
    h = scan(np.full((4, 1), 0.5), np.array([[1.0], [2], [3], [4]]), np.array([8.0]))
    np.testing.assert_allclose(h[:, 0], [5, 4.5, 5.25, 6.625], rtol=1e-15)


@pytest.mark.parametrize("T", LENGTHS)
@pytest.mark.parametrize("scan", [*SCANS, log_form])
def test_as_fractions_have_it(T, scan):
    a, u, h0 = draws(T, 3, positive=scan is log_form)
    h = scan(a, u, h0)
    assert h.shape == (T, 3)
    for row in range(3):
        expected = exactly(a[:, row], u[:, row], h0[row])
        np.testing.assert_allclose(h[:, row], expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("T", LENGTHS)
@pytest.mark.parametrize("scan", SCANS)
def test_backward_as_torch(T, scan):
    a, u, h0 = draws(T, 2, 3)
    dh = np.random.default_rng(1).normal(size=a.shape)
    tensors = [torch.tensor(array, requires_grad=True) for array in (a, u, h0)]
    (by_torch(*tensors) * torch.tensor(dh)).sum().backward()
    found = linear_backward(dh, a, h0, linear_loop(a, u, h0), scan)
    for gradient, tensor in zip(found, tensors, strict=True):
        assert_gradient(gradient, tensor.grad.numpy(), rtol=1e-10)


@pytest.mark.parametrize("scan", SCANS)
def test_backward_by_finite_differences(scan):
    a, u, h0 = draws(6, 2, 3)
    dh = np.random.default_rng(1).normal(size=a.shape)

    def loss():
        return float((dh * scan(a, u, h0)).sum())

    found = linear_backward(dh, a, h0, scan(a, u, h0), scan)
    for gradient, argument in zip(found, (a, u, h0), strict=True):
        assert_gradient(gradient, finite_differences(loss, argument), rtol=1e-6)


def test_errors_are_what_the_docstring_says():
    """float32 against float64, gates around one half: worst relative error, by form and length."""
    worst = {}
    for T in (16, 256, 4096):
        rng = np.random.default_rng(0)
        a_z = rng.normal(size=(T, 64)).astype(np.float32)
        n = (np.abs(rng.normal(size=(T, 64))) + 0.1).astype(np.float32)
        h0 = np.ones(64, np.float32)
        z = 1 / (1 + np.exp(-a_z.astype(np.float64)))
        exact = linear_loop(1 - z, z * n, h0.astype(np.float64))
        given = (1 - z).astype(np.float32), (z * n).astype(np.float32), h0
        logs = -np.logaddexp(0, a_z), -np.logaddexp(0, -a_z) + np.log(n), np.log(h0)
        runs = {"loop": linear_loop(*given), "doubling": linear_doubling(*given)}
        for form, h in {**runs, "log": linear_log(*logs)}.items():
            assert h.dtype == np.float32
            worst[form, T] = float((np.abs(h - exact) / exact).max())
    for T in (16, 256, 4096):
        assert worst["loop", T] < 5e-7
        assert worst["doubling", T] < 5e-7
    assert 3e-7 < worst["log", 16] < 5e-6
    assert 5e-6 < worst["log", 256] < 1e-4
    assert 1e-4 < worst["log", 4096] < 2e-3


def test_the_log_form_takes_zeros_and_long_decay():
    """A zero is minus infinity; e^-5000 would underflow, its logarithm does not."""
    log_a, log_u = np.full((1000, 2), -5.0), np.full((1000, 2), -np.inf)
    log_u[-1] = 0
    h = linear_log(log_a, log_u, np.array([-np.inf, 3.0]))
    np.testing.assert_allclose(h[0], [0, np.exp(-2)], rtol=1e-12)
    np.testing.assert_allclose(h[-1], 1, rtol=1e-12)


@pytest.mark.parametrize("scan", SCANS)
def test_no_steps_and_arguments_untouched(scan):
    a, u, h0 = draws(5, 2)
    kept = [array.copy() for array in (a, u, h0)]
    h = scan(a, u, h0)
    linear_backward(u, a, h0, h, scan)
    for array, before in zip((a, u, h0), kept, strict=True):
        np.testing.assert_array_equal(array, before)
    assert scan(a[:0], u[:0], h0).shape == (0, 2)
    da, du, dh0 = linear_backward(u[:0], a[:0], h0, h[:0], scan)
    assert (da.shape, du.shape) == ((0, 2), (0, 2))
    np.testing.assert_array_equal(dh0, [0, 0])


@pytest.mark.parametrize("scan", [*SCANS, linear_log])
def test_a_wrong_argument_is_named(scan):
    a, u, h0 = draws(5, 2)
    with pytest.raises(ValueError, match=r"u should have shape \(5, 2\), as a has, got \(4, 2\)"):
        scan(a, u[1:], h0)
    with pytest.raises(ValueError, match=r"h0 should have shape \(2,\), that of one step, got"):
        scan(a, u, h0[:1])
    with pytest.raises(ValueError, match=r"h should have shape \(5, 2\), as a has, got \(1, 2\)"):
        linear_backward(u, a, h0, u[:1])
