"""The plain network's equations against torch, finite differences and hand-worked numbers."""

import numpy as np
import pytest
import torch

from lstmkit.rnn.equations import (
    activation,
    d_h_prev,
    d_preactivation,
    d_weights,
    d_x,
    rnn_backward,
    rnn_forward,
    rnn_step,
)
from tests.differences import assert_gradient, finite_differences

SIZES = [(1, 1, 1, 1), (2, 3, 2, 5), (17, 3, 1, 7), (17, 1, 4, 5), (2, 1, 3, 1), (1, 3, 6, 7)]
NONLINEARITIES = ["tanh", "relu"]


def arguments(T, B, I, H, dtype=np.float64):  # noqa: E741
    draw = np.random.default_rng([T, B, I, H]).normal
    shapes = {"x": (T, B, I), "h0": (B, H), "W_ih": (H, I), "W_hh": (H, H), "b": (H,)}
    return {
        name: draw(scale=0.4 if name == "W_hh" else 1, size=shape).astype(dtype)
        for name, shape in shapes.items()
    }


def run_torch(dh, x, h0, W_ih, W_hh, b, nonlinearity="tanh", lengths=None):
    """torch.nn.RNN on the same numbers: its outputs and autograd's gradients."""
    layer = torch.nn.RNN(x.shape[2], h0.shape[1], nonlinearity=nonlinearity).double()
    layer.load_state_dict(
        {
            "weight_ih_l0": torch.tensor(W_ih),
            "weight_hh_l0": torch.tensor(W_hh),
            "bias_ih_l0": torch.tensor(b),
            "bias_hh_l0": torch.zeros(len(b), dtype=torch.float64),
        }
    )
    x_, h0_ = (torch.tensor(a, requires_grad=True) for a in (x, h0[None]))
    if lengths is None:
        h, _ = layer(x_, h0_)
    else:
        pack = torch.nn.utils.rnn.pack_padded_sequence
        unpack = torch.nn.utils.rnn.pad_packed_sequence
        packed, _ = layer(pack(x_, torch.tensor(lengths), enforce_sorted=False), h0_)
        h, _ = unpack(packed, total_length=len(x))
        last = torch.tensor(lengths) - 1
        steps = torch.minimum(torch.arange(len(x))[:, None], last[None])
        h = h.gather(0, steps[..., None].expand_as(h))
    (h * torch.tensor(dh)).sum().backward()
    weights = (layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0)
    gradients = [x_.grad, h0_.grad[0], *(weight.grad for weight in weights)]
    return h.detach().numpy(), [gradient.numpy() for gradient in gradients]


def test_step_by_hand():
    """One unit whose numbers fit on a line: tanh(2·0.5 - 0.5·1 + 0.25) = tanh(0.75)."""
    h = rnn_step(
        np.array([[0.5]]),
        np.array([[1.0]]),
        np.array([[2.0]]),
        np.array([[-0.5]]),
        np.array([0.25]),
    )
    assert h == pytest.approx(0.6351489523872873, abs=1e-15)


@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
@pytest.mark.parametrize("sizes", SIZES)
def test_forward_and_backward_as_torch(sizes, nonlinearity):
    T, B, _, H = sizes
    given = arguments(*sizes)
    dh = np.random.default_rng(1).normal(size=(T, B, H))
    expected, gradients = run_torch(dh, **given, nonlinearity=nonlinearity)

    h = rnn_forward(**given, nonlinearity=nonlinearity)
    np.testing.assert_allclose(h, expected, rtol=1e-12, atol=1e-12)

    x, h0, W_ih, W_hh, _ = given.values()
    found = rnn_backward(dh, x, h0, h, W_ih, W_hh, nonlinearity=nonlinearity)
    assert found._fields == ("x", "h0", "W_ih", "W_hh", "b")
    for gradient, by_autograd in zip(found, gradients, strict=True):
        assert_gradient(gradient, by_autograd, rtol=1e-10)


@pytest.mark.parametrize("lengths", [[5, 2, 1], [3, 5, 4], [5, 5, 5]])
def test_lengths_as_packed_in_torch(lengths):
    given = arguments(5, 3, 2, 7)
    dh = np.random.default_rng(1).normal(size=(5, 3, 7))
    expected, gradients = run_torch(dh, **given, lengths=lengths)

    h = rnn_forward(**given, lengths=lengths)
    np.testing.assert_allclose(h, expected, rtol=1e-12, atol=1e-12)

    x, h0, W_ih, W_hh, _ = given.values()
    found = rnn_backward(dh, x, h0, h, W_ih, W_hh, lengths)
    for gradient, by_autograd in zip(found, gradients, strict=True):
        assert_gradient(gradient, by_autograd, rtol=1e-10)


def test_a_row_that_has_ended_is_held_and_its_padding_unread():
    given = arguments(4, 3, 2, 5)
    x, h0, W_ih, W_hh, b = given.values()
    lengths = np.array([2, 0, 4])
    x[2:, 0] = x[:, 1] = np.nan
    h = rnn_forward(x, h0, W_ih, W_hh, b, lengths)

    alone = rnn_forward(x[:2, :1], h0[:1], W_ih, W_hh, b)
    np.testing.assert_allclose(h[:2, :1], alone, rtol=1e-14)
    np.testing.assert_array_equal(h[2:, 0], h[[1, 1], 0])
    np.testing.assert_array_equal(h[:, 1], h0[[1, 1, 1, 1]])

    dh = np.ones_like(h)
    gradients = rnn_backward(dh, x, h0, h, W_ih, W_hh, lengths)
    assert all(np.isfinite(gradient).all() for gradient in gradients)
    assert not gradients.x[2:, 0].any()
    np.testing.assert_array_equal(gradients.h0[1], np.full(5, 4.0))


@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
def test_backward_by_finite_differences(nonlinearity):
    given = arguments(5, 3, 2, 4)
    lengths = [5, 3, 0]
    dh = np.random.default_rng(1).normal(size=(5, 3, 4))

    def loss():
        return float((dh * rnn_forward(**given, lengths=lengths, nonlinearity=nonlinearity)).sum())

    h = rnn_forward(**given, lengths=lengths, nonlinearity=nonlinearity)
    x, h0, W_ih, W_hh, _ = given.values()
    found = rnn_backward(dh, x, h0, h, W_ih, W_hh, lengths, nonlinearity)
    for name, gradient in found._asdict().items():
        assert_gradient(gradient, finite_differences(loss, given[name]), rtol=1e-6)


@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
def test_each_derivative_by_finite_differences(nonlinearity):
    x, h_prev, W_ih, W_hh, b = arguments(1, 3, 2, 4).values()
    x = x[0]
    a = x @ W_ih.T + h_prev @ W_hh.T + b
    weight = np.random.default_rng(2).normal(size=a.shape)
    da = d_preactivation(weight, activation(a, nonlinearity), nonlinearity)
    curve = {"tanh": np.tanh, "relu": lambda a: a * (a > 0)}[nonlinearity]

    expected = finite_differences(lambda: float((weight * curve(a)).sum()), a)
    assert_gradient(da, expected, rtol=1e-6)

    def linear():
        return float((da * (x @ W_ih.T + h_prev @ W_hh.T + b)).sum())

    dW_ih, dW_hh, db = d_weights(da, x, h_prev)
    pairs = [(d_x(da, W_ih), x), (d_h_prev(da, W_hh), h_prev)]
    pairs += [(dW_ih, W_ih), (dW_hh, W_hh), (db, b)]
    for found, argument in pairs:
        assert_gradient(found, finite_differences(linear, argument), rtol=1e-6)


def test_the_future_does_not_reach_the_past():
    given = arguments(6, 3, 2, 5)
    before = rnn_forward(**given)
    given["x"][4:] += 1
    after = rnn_forward(**given)
    np.testing.assert_array_equal(after[:4], before[:4])
    assert (after[4:] != before[4:]).all()


def test_arguments_are_left_as_they_were():
    given = arguments(3, 3, 2, 5)
    kept = {name: array.copy() for name, array in given.items()}
    h = rnn_forward(**given)
    dh = np.ones_like(h)
    rnn_backward(dh, given["x"], given["h0"], h, given["W_ih"], given["W_hh"])
    for name, array in kept.items():
        np.testing.assert_array_equal(given[name], array)
    np.testing.assert_array_equal(dh, np.ones_like(h))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
def test_dtype_is_kept(dtype, nonlinearity):
    given = arguments(3, 2, 2, 5, dtype)
    x, h0, W_ih, W_hh, b = given.values()
    assert rnn_step(x[0], h0, W_ih, W_hh, b, nonlinearity).dtype == dtype
    h = rnn_forward(**given, nonlinearity=nonlinearity)
    assert h.dtype == dtype
    found = rnn_backward(h, x, h0, h, W_ih, W_hh, [3, 1], nonlinearity)
    assert all(gradient.dtype == dtype for gradient in found)


def test_no_steps_gives_no_states_and_no_gradients():
    x, h0, W_ih, W_hh, b = arguments(1, 3, 2, 5).values()
    h = rnn_forward(x[:0], h0, W_ih, W_hh, b)
    assert h.shape == (0, 3, 5)
    found = rnn_backward(h, x[:0], h0, h, W_ih, W_hh)
    assert found.x.shape == (0, 3, 2)
    assert not found.h0.any()
    assert not found.W_hh.any()


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("x", np.zeros((4, 3, 9)), r"x should have shape \(T, B, I\) = \(4, 3, 2\), got"),
        ("x", np.zeros((3, 2)), r"x should have shape \(T, B, I\) = \(T, B, 2\), got \(3, 2\)"),
        ("h0", np.zeros((2, 5)), r"h0 should have shape \(B, H\) = \(3, 5\), got \(2, 5\)"),
        ("h0", np.zeros(5), r"h0 should have shape \(B, H\) = \(3, 5\), got \(5,\)"),
        ("W_ih", np.zeros(5), r"W_ih should have shape \(H, I\), got \(5,\)"),
        ("W_hh", np.zeros((5, 4)), r"W_hh should have shape \(H, H\) = \(5, 5\), got \(5, 4\)"),
        ("b", np.zeros((1, 5)), r"b should have shape \(H,\) = \(5,\), got \(1, 5\)"),
        ("lengths", [1, 2], r"lengths should have shape \(B,\) = \(3,\), got \(2,\)"),
        ("lengths", [1.0, 2.0, 3.0], "lengths should be whole numbers, got float64"),
        ("lengths", [1, 2, 5], "lengths should lie in 0 … T = 4, got 1 … 5"),
        ("lengths", [-1, 2, 4], "lengths should lie in 0 … T = 4, got -1 … 4"),
        ("nonlinearity", "sigmoid", "nonlinearity should be \"tanh\" or \"relu\", got 'sigmoid'"),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_named(name, wrong, message):
    given = arguments(4, 3, 2, 5)
    with pytest.raises(ValueError, match=message):
        rnn_forward(**{**given, name: wrong})


def test_wrong_arguments_of_the_other_functions():
    x, h0, W_ih, W_hh, b = arguments(4, 3, 2, 5).values()
    with pytest.raises(
        ValueError, match=r"x should have shape \(B, I\) = \(B, 2\), got \(4, 3, 2\)"
    ):
        rnn_step(x, h0, W_ih, W_hh, b)
    with pytest.raises(TypeError, match="h_prev has to be a NumPy array, got list"):
        rnn_step(x[0], [[0.0] * 5] * 3, W_ih, W_hh, b)
    h = rnn_forward(x, h0, W_ih, W_hh, b)
    with pytest.raises(ValueError, match=r"dh should have shape \(T, B, H\) = \(4, 3, 5\)"):
        rnn_backward(h[-1], x, h0, h, W_ih, W_hh)
    with pytest.raises(ValueError, match=r"dh should have shape \(3, 5\), as h has, got \(3, 1\)"):
        d_preactivation(h0[:, :1], h0)


@pytest.mark.parametrize(
    ("function", "shapes", "message"),
    [
        (d_x, [(3, 5), (4, 2)], r"da should have shape \(B, G\) = \(3, 4\), got \(3, 5\)"),
        (d_h_prev, [(3, 5), (4, 5)], r"da should have shape \(B, G\) = \(3, 4\), got \(3, 5\)"),
        (d_weights, [(3, 5), (1, 2), (3, 5)], r"x should have shape \(B, I\) = \(3, I\), got"),
        (d_weights, [(3, 5), (3, 2), (1, 5)], r"h_prev should have shape \(B, H\) = \(3, H\), got"),
    ],
)
def test_wrong_arguments_of_the_linear_part(function, shapes, message):
    with pytest.raises(ValueError, match=message):
        function(*map(np.ones, shapes))


@pytest.mark.parametrize("function", [activation, d_preactivation])
def test_an_unknown_nonlinearity_is_named(function):
    arguments_ = [np.zeros((3, 5))] * (1 if function is activation else 2)
    with pytest.raises(ValueError, match=r"nonlinearity should be .* got 'softplus'"):
        function(*arguments_, nonlinearity="softplus")
