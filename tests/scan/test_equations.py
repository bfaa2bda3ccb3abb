"""minGRU and minLSTM against a loop in torch, finite differences, and their own other forms."""

import warnings

import numpy as np
import pytest
import torch

from lstmkit.scan import equations
from lstmkit.scan.equations import candidate_value, d_candidate_value, log_sigmoid, shares
from tests.differences import assert_gradient, finite_differences

SIZES = [(1, 1, 1, 1), (2, 3, 2, 5), (9, 3, 1, 7), (9, 1, 4, 5), (2, 1, 3, 1), (1, 3, 6, 7)]
BLOCKS = {"min_gru": 2, "min_lstm": 3}
CELLS = list(BLOCKS)
CANDIDATES = ["linear", "positive"]


def arguments(cell, T, B, I, H, dtype=np.float64):  # noqa: E741
    draw = np.random.default_rng([BLOCKS[cell], T, B, I, H]).normal
    G = BLOCKS[cell]
    shapes = {"x": (T, B, I), "h0": (B, H), "W_ih": (G * H, I), "b": (G * H,)}
    given = {name: draw(size=shape).astype(dtype) for name, shape in shapes.items()}
    return {**given, "h0": abs(given["h0"])}


def torch_loop(cell, x, h0, W_ih, b, lengths, candidate):
    """Both cells in torch, as the paper has them."""
    h, states = h0, []
    for t, x_t in enumerate(x):
        gates = (x_t @ W_ih.T + b).chunk(BLOCKS[cell], dim=1)
        y = gates[-1]
        n = y if candidate == "linear" else torch.where(y >= 0, y + 0.5, torch.sigmoid(y))
        if cell == "min_gru":
            z = torch.sigmoid(gates[0])
            h_next = (1 - z) * h + z * n
        else:
            i, f = torch.sigmoid(gates[0]), torch.sigmoid(gates[1])
            h_next = f / (f + i) * h + i / (f + i) * n
        h = torch.where((t < lengths)[:, None], h_next, h)
        states.append(h)
    return torch.stack(states)


def run_torch(cell, dh, given, lengths, candidate):
    tensors = [torch.tensor(array, requires_grad=True) for array in given.values()]
    h = torch_loop(cell, *tensors, torch.tensor(lengths), candidate)
    (h * torch.tensor(dh)).sum().backward()
    return h.detach().numpy(), [tensor.grad.numpy() for tensor in tensors]


def forward(cell, *arguments, **options):
    return getattr(equations, f"{cell}_forward")(*arguments, **options)


def backward(cell, dh, given, trace, *arguments):
    x, h0, W_ih, _ = given.values()
    found = getattr(equations, f"{cell}_backward")(dh, x, h0, trace, W_ih, *arguments)
    assert found._fields == tuple(given)
    return found


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("candidate", CANDIDATES)
def test_forward_and_backward_as_torch(cell, sizes, candidate):
    T, B, _, H = sizes
    given = arguments(cell, *sizes)
    dh = np.random.default_rng(1).normal(size=(T, B, H))
    expected, gradients = run_torch(cell, dh, given, [T] * B, candidate)
    for scan in ("loop", "doubling"):
        trace = forward(cell, **given, candidate=candidate, scan=scan)
        np.testing.assert_allclose(trace.h, expected, rtol=1e-12, atol=1e-12)
        found = backward(cell, dh, given, trace, None, candidate, scan)
        for gradient, by_autograd in zip(found, gradients, strict=True):
            assert_gradient(gradient, by_autograd, rtol=1e-10)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("cell", CELLS)
def test_the_log_form_as_torch(cell, sizes):
    T, B, _, _ = sizes
    given = arguments(cell, *sizes)
    tensors = map(torch.tensor, given.values())
    expected = torch_loop(cell, *tensors, torch.full((B,), T), "positive")
    trace = forward(cell, **given, candidate="positive", scan="log")
    np.testing.assert_allclose(trace.h, expected.numpy(), rtol=1e-11)


@pytest.mark.parametrize("lengths", [[5, 2, 0], [3, 5, 4]])
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("scan", ["loop", "doubling", "log"])
def test_lengths_as_torch(lengths, cell, scan):
    given = arguments(cell, 5, 3, 2, 7)
    dh = np.random.default_rng(1).normal(size=(5, 3, 7))
    expected, gradients = run_torch(cell, dh, given, lengths, "positive")
    trace = forward(cell, **given, lengths=lengths, candidate="positive", scan=scan)
    np.testing.assert_allclose(trace.h, expected, rtol=1e-12)
    back = "doubling" if scan == "log" else scan
    found = backward(cell, dh, given, trace, lengths, "positive", back)
    for gradient, by_autograd in zip(found, gradients, strict=True):
        assert_gradient(gradient, by_autograd, rtol=1e-10)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("candidate", CANDIDATES)
@pytest.mark.parametrize("scan", ["loop", "doubling"])
def test_backward_by_finite_differences(cell, candidate, scan):
    given = arguments(cell, 5, 3, 2, 3)
    lengths = [5, 3, 0]
    dh = np.random.default_rng(1).normal(size=(5, 3, 3))

    def loss():
        trace = forward(cell, **given, lengths=lengths, candidate=candidate)
        return float((dh * trace.h).sum())

    trace = forward(cell, **given, lengths=lengths, candidate=candidate, scan=scan)
    found = backward(cell, dh, given, trace, lengths, candidate, scan)
    for name, gradient in found._asdict().items():
        assert_gradient(gradient, finite_differences(loss, given[name]), rtol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("candidate", CANDIDATES)
def test_step_as_torch(cell, candidate):
    given = arguments(cell, 1, 3, 2, 5)
    tensors = map(torch.tensor, given.values())
    expected = torch_loop(cell, *tensors, torch.ones(3), candidate)
    x, h0, W_ih, b = given.values()
    found = getattr(equations, f"{cell}_step")(x[0], h0, W_ih, b, candidate)
    np.testing.assert_allclose(found, expected[0].numpy(), rtol=1e-12)


def test_traces_hold_what_each_gate_says():
    given = arguments("min_gru", 4, 3, 2, 5)
    a = torch.tensor(np.einsum("tbi,gi->tbg", given["x"], given["W_ih"]) + given["b"])
    trace = forward("min_gru", **given)
    assert trace._fields == ("h", "z", "n")
    np.testing.assert_allclose(trace.z, torch.sigmoid(a[..., :5]).numpy(), rtol=1e-12)
    np.testing.assert_allclose(trace.n, a[..., 5:].numpy(), rtol=1e-12, atol=1e-14)

    given = arguments("min_lstm", 4, 3, 2, 5)
    a = torch.tensor(np.einsum("tbi,gi->tbg", given["x"], given["W_ih"]) + given["b"])
    trace = forward("min_lstm", **given)
    assert trace._fields == ("h", "i", "f", "g", "keep", "write")
    i, f = torch.sigmoid(a[..., :5]), torch.sigmoid(a[..., 5:10])
    expected = (i, f, a[..., 10:], f / (f + i), i / (f + i))
    for found, by_torch in zip(trace[1:], expected, strict=True):
        np.testing.assert_allclose(found, by_torch.numpy(), rtol=1e-12, atol=1e-14)


def test_shares_where_both_gates_round_to_zero():
    """σ(-1000) is 0 in float64, but a gate e times as open still takes e times as much."""
    keep, write = shares(np.array([-1000.0, -1000.0, 3.0]), np.array([-1000.0, -999.0, -900.0]))
    np.testing.assert_allclose(keep, [0.5, np.e / (1 + np.e), 0], rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(write, [0.5, 1 / (1 + np.e), 1], rtol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("scan", ["loop", "doubling", "log"])
def test_wide_open_and_shut_gates_stay_finite(cell, scan):
    given = arguments(cell, 6, 2, 1, 3)
    given["W_ih"] *= 1e3
    with warnings.catch_warnings(), np.errstate(over="raise", invalid="raise"):
        warnings.simplefilter("error")
        trace = forward(cell, **given, candidate="positive", scan=scan)
    assert all(np.isfinite(array).all() for array in trace)


def test_log_sigmoid_by_hand():
    found = log_sigmoid(np.array([0, -1000.0, 1000.0, np.log(3)]))
    np.testing.assert_allclose(found, [-np.log(2), -1000, 0, np.log(0.75)], rtol=1e-15)


def test_positive_candidate_by_hand_and_by_finite_differences():
    y = np.array([[-np.log(3), -1e-3, 0.0, 1e-3, 2.0]])
    n = candidate_value(y, "positive")
    np.testing.assert_allclose(n[0, [0, 2, 4]], [0.25, 0.5, 2.5], rtol=1e-15)
    assert (n > 0).all()
    weight = np.random.default_rng(2).normal(size=y.shape)
    found = d_candidate_value(weight, n, "positive")[:, [0, 1, 3, 4]]
    smooth = y[:, [0, 1, 3, 4]]

    def loss():
        return float((weight[:, [0, 1, 3, 4]] * candidate_value(smooth, "positive")).sum())

    assert_gradient(found, finite_differences(loss, smooth), rtol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_gates_do_not_see_the_state(cell):
    """Another h0 gives the same gates and, a step later, a state moved by the shares kept."""
    given = arguments(cell, 6, 3, 2, 5)
    before = forward(cell, **given)
    given["h0"] = given["h0"] + 1
    after = forward(cell, **given)
    for one, other in zip(before[1:], after[1:], strict=True):
        np.testing.assert_array_equal(one, other)
    kept = 1 - before.z if cell == "min_gru" else before.keep
    np.testing.assert_allclose(after.h - before.h, np.cumprod(kept, axis=0), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("scan", ["loop", "doubling", "log"])
def test_a_row_that_has_ended_is_held_and_its_padding_unread(cell, scan):
    given = arguments(cell, 4, 3, 2, 5)
    given["x"][2:, 0] = np.nan
    given["x"][:, 1] = np.inf
    lengths = np.array([2, 0, 4])
    with np.errstate(invalid="raise"):
        trace = forward(cell, **given, lengths=lengths, candidate="positive", scan=scan)
    np.testing.assert_allclose(trace.h[2:, 0], trace.h[[1, 1], 0], rtol=1e-14)
    np.testing.assert_allclose(trace.h[:, 1], given["h0"][[1, 1, 1, 1]], rtol=1e-14)
    held = {"z": 0, "n": 0, "i": 0, "f": 1, "g": 0, "keep": 1, "write": 0}
    for name, array in list(trace._asdict().items())[1:]:
        np.testing.assert_array_equal(array[2:, 0], held[name])

    found = backward(cell, np.ones((4, 3, 5)), given, trace, lengths, "positive")
    assert all(np.isfinite(gradient).all() for gradient in found)
    assert not found.x[2:, 0].any()
    np.testing.assert_array_equal(found.h0[1], np.full(5, 4.0))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scan", ["loop", "doubling", "log"])
def test_dtype_is_kept_and_arguments_untouched(cell, dtype, scan):
    given = arguments(cell, 3, 2, 2, 5, dtype)
    kept = {name: array.copy() for name, array in given.items()}
    x, h0, W_ih, b = given.values()
    assert getattr(equations, f"{cell}_step")(x[0], h0, W_ih, b, "positive").dtype == dtype
    trace = forward(cell, **given, lengths=[3, 1], candidate="positive", scan=scan)
    assert all(array.dtype == dtype for array in trace)
    found = backward(cell, trace.h, given, trace, [3, 1], "positive")
    assert all(gradient.dtype == dtype for gradient in found)
    for name, array in kept.items():
        np.testing.assert_array_equal(given[name], array)


@pytest.mark.parametrize("cell", CELLS)
def test_no_steps(cell):
    given = arguments(cell, 1, 3, 2, 5)
    given["x"] = given["x"][:0]
    for scan in ("loop", "doubling", "log"):
        trace = forward(cell, **given, candidate="positive", scan=scan)
        assert all(array.shape == (0, 3, 5) for array in trace)
    assert not any(gradient.any() for gradient in backward(cell, trace.h, given, trace))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("x", np.zeros((4, 3, 9)), r"x should have shape \(T, B, I\) = \(4, 3, 2\), got"),
        ("h0", np.zeros(5), r"h0 should have shape \(B, H\), got \(5,\)"),
        ("W_ih", np.zeros((5, 2)), r"W_ih should have shape \([23]H, I\) = \(1[05], I\), got"),
        ("b", np.zeros(5), r"b should have shape \([23]H,\) = \(1[05],\), got \(5,\)"),
        ("lengths", [1, 2, 5], "lengths should lie in 0 … T = 4, got 1 … 5"),
        ("candidate", "tanh", 'candidate should be "linear" or "positive", got \'tanh\''),
        ("scan", "tree", 'scan should be "loop", "doubling" or "log", got \'tree\''),
        ("scan", "log", 'scan="log" takes logarithms'),
    ],
)
def test_a_wrong_argument_is_named(cell, name, wrong, message):
    given = arguments(cell, 4, 3, 2, 5)
    with pytest.raises(ValueError, match=message):
        forward(cell, **{**given, name: wrong})


@pytest.mark.parametrize("cell", CELLS)
def test_wrong_arguments_of_the_other_functions(cell):
    given = arguments(cell, 4, 3, 2, 5)
    x, h0, W_ih, b = given.values()
    with pytest.raises(ValueError, match=r"x should have shape \(B, I\) = \(3, 2\), got"):
        getattr(equations, f"{cell}_step")(x, h0, W_ih, b)
    with pytest.raises(ValueError, match='use candidate="positive" and an h0 without negative'):
        forward(cell, x, -h0, W_ih, b, candidate="positive", scan="log")
    trace = forward(cell, **given)
    with pytest.raises(ValueError, match=r"scan should be .* on the way back, got 'log'"):
        backward(cell, trace.h, given, trace, None, "linear", "log")
    with pytest.raises(ValueError, match=r"trace.h should have shape \(T, B, H\) = \(4, 3, 5\)"):
        backward(cell, trace.h, given, trace._replace(h=h0))
