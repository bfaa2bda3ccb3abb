"""The layer-normalised LSTM against a loop in torch, finite differences and its invariances."""

import numpy as np
import pytest
import torch

from lstmkit.lstm.normalised import (
    Gains,
    d_normalised_hidden_state,
    normalised_backward,
    normalised_forward,
    normalised_hidden_state,
    normalised_step,
    start_gains,
)
from tests.differences import assert_gradient, finite_differences

SIZES = [(1, 1, 1, 1), (2, 3, 2, 5), (9, 3, 1, 7), (9, 1, 4, 5), (2, 1, 3, 1), (1, 3, 6, 7)]


def arguments(T, B, I, H, dtype=np.float64):  # noqa: E741
    draw = np.random.default_rng([T, B, I, H]).normal
    shapes = {
        "x": (T, B, I),
        "h0": (B, H),
        "c0": (B, H),
        "W_ih": (4 * H, I),
        "W_hh": (4 * H, H),
        "b": (4 * H,),
    }
    given = {name: draw(size=shape).astype(dtype) for name, shape in shapes.items()}
    gains = [draw(1, 0.3, size).astype(dtype) for size in (4 * H, 4 * H, H, H)]
    return {**given, "gains": Gains(*gains)}


def outer_gradients(T, B, H):
    """Some dL/dh[t] and dL/dc[last]."""
    draw = np.random.default_rng([7, T, B, H]).normal
    return draw(size=(T, B, H)), draw(size=(B, H))


def torch_loop(x, h0, c0, W_ih, W_hh, b, gain_x, gain_h, gain_c, bias_c, lengths, eps):
    """The cell in torch, written line by line."""

    def norm(z, gain, bias=None):
        return torch.nn.functional.layer_norm(z, z.shape[-1:], gain, bias, eps)

    h, c, hs, cs = h0, c0, [], []
    for t, x_t in enumerate(x):
        a = norm(x_t @ W_ih.T, gain_x) + norm(h @ W_hh.T, gain_h) + b
        a_i, a_f, a_g, a_o = a.chunk(4, dim=1)
        c_next = torch.sigmoid(a_f) * c + torch.sigmoid(a_i) * torch.tanh(a_g)
        h_next = torch.sigmoid(a_o) * torch.tanh(norm(c_next, gain_c, bias_c))
        going = (t < lengths)[:, None]
        h, c = torch.where(going, h_next, h), torch.where(going, c_next, c)
        hs.append(h)
        cs.append(c)
    return torch.stack(hs), torch.stack(cs)


def flat(given):
    """Arguments or gradients as one list, the gains last."""
    *arrays, gains = given
    return [*arrays, *gains]


def run_torch(dh, dc_last, given, lengths, eps=1e-5):
    tensors = [torch.tensor(array, requires_grad=True) for array in flat(given.values())]
    h, c = torch_loop(*tensors, torch.tensor(lengths), eps)
    ((h * torch.tensor(dh)).sum() + (c[-1] * torch.tensor(dc_last)).sum()).backward()
    return h.detach().numpy(), c.detach().numpy(), [tensor.grad.numpy() for tensor in tensors]


def run_ours(dh, dc_last, given, lengths, **options):
    trace = normalised_forward(**given, lengths=lengths, **options)
    x, h0, c0, W_ih, W_hh, _, gains = given.values()
    found = normalised_backward(
        dh, dc_last, x, h0, c0, trace, W_ih, W_hh, gains, lengths, **options
    )
    assert found._fields == tuple(given)
    return trace, found


@pytest.mark.parametrize("sizes", SIZES)
def test_forward_and_backward_as_torch(sizes):
    T, B, _, H = sizes
    given = arguments(*sizes)
    dh, dc_last = outer_gradients(T, B, H)
    h, c, gradients = run_torch(dh, dc_last, given, [T] * B)
    trace, found = run_ours(dh, dc_last, given, None)
    np.testing.assert_allclose(trace.h, h, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(trace.c, c, rtol=1e-11, atol=1e-11)
    for gradient, by_autograd in zip(flat(found), gradients, strict=True):
        assert_gradient(gradient, by_autograd, rtol=1e-10)


@pytest.mark.parametrize("lengths", [[5, 2, 0], [3, 5, 4]])
@pytest.mark.parametrize("eps", [1e-5, 1e-2])
def test_lengths_and_another_epsilon_as_torch(lengths, eps):
    given = arguments(5, 3, 2, 7)
    dh, dc_last = outer_gradients(5, 3, 7)
    h, c, gradients = run_torch(dh, dc_last, given, lengths, eps)
    trace, found = run_ours(dh, dc_last, given, lengths, eps=eps)
    np.testing.assert_allclose(trace.h, h, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(trace.c, c, rtol=1e-12, atol=1e-12)
    for gradient, by_autograd in zip(flat(found), gradients, strict=True):
        assert_gradient(gradient, by_autograd, rtol=1e-10)


def test_backward_by_finite_differences():
    given = arguments(5, 3, 2, 3)
    lengths = [5, 3, 0]
    dh, dc_last = outer_gradients(5, 3, 3)

    def loss():
        trace = normalised_forward(**given, lengths=lengths)
        return float((dh * trace.h).sum() + (dc_last * trace.c[-1]).sum())

    _, found = run_ours(dh, dc_last, given, lengths)
    for gradient, argument in zip(flat(found), flat(given.values()), strict=True):
        assert_gradient(gradient, finite_differences(loss, argument), rtol=1e-6)


def test_the_reading_by_finite_differences():
    draw = np.random.default_rng(3).uniform
    o, c, dh = draw(0.1, 0.9, size=(3, 5)), draw(-1, 1, size=(3, 5)), draw(-1, 1, size=(3, 5))
    gains = arguments(1, 3, 2, 5)["gains"]

    def shown():
        return float((dh * normalised_hidden_state(o, c, gains)).sum())

    found = d_normalised_hidden_state(dh, o, c, gains)
    for gradient, argument in zip(found, (o, c, gains.c, gains.c_bias), strict=True):
        assert_gradient(gradient, finite_differences(shown, argument), rtol=1e-6)


def test_the_size_of_the_weights_does_not_matter():
    """What layer normalisation is for: W and 3W make the same states, but for epsilon."""
    given = arguments(6, 3, 2, 5)
    small = normalised_forward(**given, eps=1e-15)
    given["W_ih"] *= 3
    given["W_hh"] *= 7
    large = normalised_forward(**given, eps=1e-15)
    np.testing.assert_allclose(small.h, large.h, rtol=1e-9)


def test_the_cell_itself_is_not_normalised():
    """f = 1 and i = 0: the belt carries c on to the last bit, and its gradient as well."""
    T, B, H = 50, 2, 3
    given = arguments(T, B, 2, H)
    given["b"][:H], given["b"][H : 2 * H] = -1e4, 1e4
    dc_last = np.random.default_rng(5).normal(size=(B, H))
    trace, found = run_ours(np.zeros((T, B, H)), dc_last, given, None)
    np.testing.assert_array_equal(trace.c, np.broadcast_to(given["c0"], (T, B, H)))
    np.testing.assert_array_equal(found.c0, dc_last)


def test_step_as_torch_and_gains_to_start_with():
    given = arguments(1, 3, 2, 5)
    given["gains"] = start_gains(5)
    h, c, _ = run_torch(*outer_gradients(1, 3, 5), given, [1, 1, 1])
    x, *others = given.values()
    h_next, c_next = normalised_step(x[0], *others)
    np.testing.assert_allclose(h_next, h[0], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(c_next, c[0], rtol=1e-12, atol=1e-12)
    assert [gain.sum() for gain in given["gains"]] == [20, 20, 5, 0]
    assert all(gain.dtype == np.float32 for gain in start_gains(5, np.float32))


def test_a_row_that_has_ended_is_held_and_its_padding_unread():
    given = arguments(4, 3, 2, 5)
    given["x"][2:, 0] = given["x"][:, 1] = np.nan
    lengths = np.array([2, 0, 4])
    trace, found = run_ours(np.ones((4, 3, 5)), np.full((3, 5), 2.0), given, lengths)
    for state, start in ((trace.h, given["h0"]), (trace.c, given["c0"])):
        np.testing.assert_array_equal(state[2:, 0], state[[1, 1], 0])
        np.testing.assert_array_equal(state[:, 1], start[[1, 1, 1, 1]])
    for letter, held in {"f": 1, "i": 0, "g": 0, "o": 0}.items():
        np.testing.assert_array_equal(getattr(trace, letter)[2:, 0], held)
    assert all(np.isfinite(gradient).all() for gradient in flat(found))
    assert not found.x[2:, 0].any()
    np.testing.assert_array_equal(found.h0[1], np.full(5, 4.0))


def test_arguments_are_left_as_they_were():
    given = arguments(3, 3, 2, 5)
    dh, dc_last = outer_gradients(3, 3, 5)
    everything = [*flat(given.values()), dh, dc_last]
    kept = [array.copy() for array in everything]
    run_ours(dh, dc_last, given, [3, 1, 2])
    for array, before in zip(everything, kept, strict=True):
        np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept(dtype):
    given = arguments(3, 2, 2, 5, dtype)
    x, *others = given.values()
    assert all(state.dtype == dtype for state in normalised_step(x[0], *others))
    dh, dc_last = (array.astype(dtype) for array in outer_gradients(3, 2, 5))
    trace, found = run_ours(dh, dc_last, given, [3, 1])
    assert all(array.dtype == dtype for array in [*trace, *flat(found)])


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("x", np.zeros((4, 3, 9)), r"x should have shape \(T, B, I\) = \(4, 3, 2\), got"),
        ("W_hh", np.zeros((15, 5)), r"W_hh should have shape \(4H, H\), got \(15, 5\)"),
        ("b", np.zeros(5), r"b should have shape \(4H,\) = \(20,\), got \(5,\)"),
        ("gains", start_gains(4), r"gains.x should have shape \(4H,\) = \(20,\), got \(16,\)"),
        ("lengths", [1, 2, 5], "lengths should lie in 0 … T = 4, got 1 … 5"),
    ],
)
def test_a_wrong_argument_is_named(name, wrong, message):
    given = arguments(4, 3, 2, 5)
    with pytest.raises(ValueError, match=message):
        normalised_forward(**{**given, name: wrong})


def test_wrong_arguments_of_the_other_functions():
    x, h0, c0, W_ih, W_hh, b, gains = arguments(4, 3, 2, 5).values()
    with pytest.raises(ValueError, match=r"c_prev should have shape \(3, 5\), as h_prev has, got"):
        normalised_step(x[0], h0, c0[:1], W_ih, W_hh, b, gains)
    with pytest.raises(ValueError, match=r"o should have shape \(3, 5\), as c has, got \(1, 5\)"):
        normalised_hidden_state(h0[:1], c0, gains)
    trace = normalised_forward(x, h0, c0, W_ih, W_hh, b, gains)
    with pytest.raises(ValueError, match=r"dc_last should have shape \(B, H\) = \(3, 5\), got"):
        normalised_backward(trace.h, c0[0], x, h0, c0, trace, W_ih, W_hh, gains)
