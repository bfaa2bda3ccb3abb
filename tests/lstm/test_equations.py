"""The LSTM's equations against torch, finite differences and hand-worked numbers."""

import warnings

import numpy as np
import pytest
import torch

from lstmkit.lstm import equations
from lstmkit.lstm.equations import lstm_backward, lstm_forward, lstm_step, sigmoid
from tests.differences import assert_gradient, finite_differences

SIZES = [(1, 1, 1, 1), (2, 3, 2, 5), (17, 3, 1, 7), (17, 1, 4, 5), (2, 1, 3, 1), (1, 3, 6, 7)]
GATES = {  # name: (its letter, its block of the stacked arrays, what squashes it)
    "input_gate": ("i", 0, torch.sigmoid),
    "forget_gate": ("f", 1, torch.sigmoid),
    "candidate": ("g", 2, torch.tanh),
    "output_gate": ("o", 3, torch.sigmoid),
}


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
    return {name: draw(size=shape).astype(dtype) for name, shape in shapes.items()}


def outer_gradients(T, B, H):
    """Some dL/dh[t] and dL/dc[last]."""
    draw = np.random.default_rng([7, T, B, H]).normal
    return draw(size=(T, B, H)), draw(size=(B, H))


def run_torch(dh, dc_last, x, h0, c0, W_ih, W_hh, b, lengths=None):
    """torch.nn.LSTM on the same numbers: its outputs and autograd's gradients."""
    layer = torch.nn.LSTM(x.shape[2], h0.shape[1]).double()
    layer.load_state_dict(
        {
            "weight_ih_l0": torch.tensor(W_ih),
            "weight_hh_l0": torch.tensor(W_hh),
            "bias_ih_l0": torch.tensor(b),
            "bias_hh_l0": torch.zeros(len(b), dtype=torch.float64),
        }
    )
    x_, h0_, c0_ = (torch.tensor(a, requires_grad=True) for a in (x, h0[None], c0[None]))
    if lengths is None:
        h, (_, c_last) = layer(x_, (h0_, c0_))
    else:
        pack = torch.nn.utils.rnn.pack_padded_sequence
        unpack = torch.nn.utils.rnn.pad_packed_sequence
        packed, (_, c_last) = layer(
            pack(x_, torch.tensor(lengths), enforce_sorted=False), (h0_, c0_)
        )
        h, _ = unpack(packed, total_length=len(x))
        last = torch.tensor(lengths) - 1
        steps = torch.minimum(torch.arange(len(x))[:, None], last[None])
        h = h.gather(0, steps[..., None].expand_as(h))
    ((h * torch.tensor(dh)).sum() + (c_last[0] * torch.tensor(dc_last)).sum()).backward()
    weights = (layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0)
    gradients = [x_.grad, h0_.grad[0], c0_.grad[0], *(weight.grad for weight in weights)]
    return h.detach().numpy(), c_last[0].detach().numpy(), [grad.numpy() for grad in gradients]


def test_sigmoid_by_hand():
    z = np.array([0.0, 1.0, -1.0, np.log(3), -np.log(3)])
    expected = [0.5, 0.7310585786300049, 0.2689414213699951, 0.75, 0.25]
    np.testing.assert_allclose(sigmoid(z), expected, rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_has_no_overflow_and_no_warning(dtype):
    largest = np.finfo(dtype).max
    z = np.array([-np.inf, -largest, -1e4, -80, 80, 1e4, largest, np.inf], dtype)
    with warnings.catch_warnings(), np.errstate(over="raise", invalid="raise", divide="raise"):
        warnings.simplefilter("error")
        s = sigmoid(z)
    assert s.dtype == dtype
    np.testing.assert_array_equal(s[[0, 1, 2]], 0)
    np.testing.assert_array_equal(s[[4, 5, 6, 7]], 1)
    # The small tail keeps its digits, which (1 + tanh(z/2))/2 would lose.
    np.testing.assert_allclose(s[3], 1.8048513878454153e-35, rtol=1e-5)


def test_sigmoid_takes_numbers_and_any_shape():
    assert sigmoid(0) == 0.5
    assert sigmoid(np.zeros((2, 0, 3))).shape == (2, 0, 3)
    assert np.isnan(sigmoid(np.nan))


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("name", GATES)
def test_a_gate_as_torch(name, sizes):
    _, B, I, H = sizes  # noqa: E741
    x, h_prev, _, W_ih, W_hh, b = arguments(1, B, I, H).values()
    _, block, squash = GATES[name]
    rows = slice(block * H, (block + 1) * H)
    W_x, W_h, bias = W_ih[rows], W_hh[rows], b[rows]

    x_, h_, W_x_, W_h_, b_ = map(torch.tensor, (x[0], h_prev, W_x, W_h, bias))
    expected = squash(
        torch.nn.functional.linear(x_, W_x_) + torch.nn.functional.linear(h_, W_h_, b_)
    )
    found = getattr(equations, name)(x[0], h_prev, W_x, W_h, bias)
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-12, atol=1e-14)


def test_cell_and_hidden_state_by_hand():
    c = equations.update_cell(
        c_prev=np.array([[2.0, -1.0]]),
        f=np.array([[0.5, 1.0]]),
        i=np.array([[0.25, 0.0]]),
        g=np.array([[-1.0, 0.9]]),
    )
    np.testing.assert_array_equal(c, [[0.75, -1.0]])
    h = equations.hidden_state(np.array([[0.5, 0.0]]), c)
    np.testing.assert_allclose(h, [[0.31757447619364365, 0.0]], rtol=1e-15)


def test_a_gate_held_at_one_is_a_number():
    c_prev, g = np.array([[2.0, -1.0]]), np.array([[0.5, 0.25]])
    np.testing.assert_array_equal(equations.update_cell(c_prev, 1, 1, g), [[2.5, -0.75]])
    np.testing.assert_array_equal(equations.hidden_state(1, np.array([[0.0]])), [[0.0]])


@pytest.mark.parametrize("sizes", SIZES)
def test_step_as_torch(sizes):
    _, B, I, H = sizes  # noqa: E741
    x, h_prev, c_prev, W_ih, W_hh, b = arguments(1, B, I, H).values()
    cell = torch.nn.LSTMCell(I, H).double()
    cell.load_state_dict(
        {
            "weight_ih": torch.tensor(W_ih),
            "weight_hh": torch.tensor(W_hh),
            "bias_ih": torch.tensor(b) / 2,
            "bias_hh": torch.tensor(b) / 2,
        }
    )
    expected = cell(torch.tensor(x[0]), (torch.tensor(h_prev), torch.tensor(c_prev)))
    found = lstm_step(x[0], h_prev, c_prev, W_ih, W_hh, b)
    for state, by_torch in zip(found, expected, strict=True):
        np.testing.assert_allclose(state, by_torch.detach().numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("sizes", SIZES)
def test_forward_and_backward_as_torch(sizes):
    T, B, _, H = sizes
    given = arguments(*sizes)
    dh, dc_last = outer_gradients(T, B, H)
    h, c_last, gradients = run_torch(dh, dc_last, **given)

    trace = lstm_forward(**given)
    assert trace._fields == ("h", "c", "i", "f", "g", "o")
    np.testing.assert_allclose(trace.h, h, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(trace.c[-1], c_last, rtol=1e-12, atol=1e-12)

    x, h0, c0, W_ih, W_hh, _ = given.values()
    found = lstm_backward(dh, dc_last, x, h0, c0, trace, W_ih, W_hh)
    assert found._fields == ("x", "h0", "c0", "W_ih", "W_hh", "b")
    for gradient, by_autograd in zip(found, gradients, strict=True):
        assert_gradient(gradient, by_autograd, rtol=1e-10)


def test_trace_holds_what_each_gate_says():
    given = arguments(4, 3, 2, 5)
    x, h0, _, W_ih, W_hh, b = given.values()
    trace = lstm_forward(**given)
    h_before = np.concatenate([h0[None], trace.h[:-1]])
    a = np.einsum("tbi,gi->tbg", x, W_ih) + np.einsum("tbh,gh->tbg", h_before, W_hh) + b
    for letter, block, squash in GATES.values():
        expected = squash(torch.tensor(a[..., 5 * block : 5 * (block + 1)])).numpy()
        np.testing.assert_allclose(getattr(trace, letter), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("lengths", [[5, 2, 1], [3, 5, 4], [5, 5, 5]])
def test_lengths_as_packed_in_torch(lengths):
    given = arguments(5, 3, 2, 7)
    dh, dc_last = outer_gradients(5, 3, 7)
    h, c_last, gradients = run_torch(dh, dc_last, **given, lengths=lengths)

    trace = lstm_forward(**given, lengths=lengths)
    np.testing.assert_allclose(trace.h, h, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(trace.c[-1], c_last, rtol=1e-12, atol=1e-12)

    x, h0, c0, W_ih, W_hh, _ = given.values()
    found = lstm_backward(dh, dc_last, x, h0, c0, trace, W_ih, W_hh, lengths)
    for gradient, by_autograd in zip(found, gradients, strict=True):
        assert_gradient(gradient, by_autograd, rtol=1e-10)


def test_a_row_that_has_ended_is_held_and_its_padding_unread():
    given = arguments(4, 3, 2, 5)
    x, h0, c0, W_ih, W_hh, b = given.values()
    lengths = np.array([2, 0, 4])
    x[2:, 0] = x[:, 1] = np.nan
    trace = lstm_forward(x, h0, c0, W_ih, W_hh, b, lengths)
    for state, start in ((trace.h, h0), (trace.c, c0)):
        np.testing.assert_array_equal(state[2:, 0], state[[1, 1], 0])
        np.testing.assert_array_equal(state[:, 1], start[[1, 1, 1, 1]])
        assert (state[0, 2] != start[2]).all()
    for letter, held in {"f": 1, "i": 0, "g": 0, "o": 0}.items():
        np.testing.assert_array_equal(getattr(trace, letter)[2:, 0], held)

    dh, dc_last = np.ones((4, 3, 5)), np.full((3, 5), 2.0)
    gradients = lstm_backward(dh, dc_last, x, h0, c0, trace, W_ih, W_hh, lengths)
    assert all(np.isfinite(gradient).all() for gradient in gradients)
    assert not gradients.x[2:, 0].any()
    np.testing.assert_array_equal(gradients.h0[1], np.full(5, 4.0))
    np.testing.assert_array_equal(gradients.c0[1], np.full(5, 2.0))


def test_backward_by_finite_differences():
    given = arguments(5, 3, 2, 3)
    lengths = [5, 3, 0]
    dh, dc_last = outer_gradients(5, 3, 3)

    def loss():
        trace = lstm_forward(**given, lengths=lengths)
        return float((dh * trace.h).sum() + (dc_last * trace.c[-1]).sum())

    trace = lstm_forward(**given, lengths=lengths)
    x, h0, c0, W_ih, W_hh, _ = given.values()
    found = lstm_backward(dh, dc_last, x, h0, c0, trace, W_ih, W_hh, lengths)
    for name, gradient in found._asdict().items():
        assert_gradient(gradient, finite_differences(loss, given[name]), rtol=1e-6)


def test_each_derivative_by_finite_differences():
    """do, dc, df, di, dg and dc_prev, each against the one line that it differentiates."""
    draw = np.random.default_rng(3).uniform
    o, i, f = (draw(0.1, 0.9, size=(3, 5)) for _ in range(3))
    g, c, c_prev, dh, dc = (draw(-1, 1, size=(3, 5)) for _ in range(5))

    def shown():
        return float((dh * o * np.tanh(c)).sum())

    def written():
        return float((dc * (f * c_prev + i * g)).sum())

    no_next = np.zeros((3, 5))
    pairs = [
        (equations.d_output_gate(dh, c), finite_differences(shown, o)),
        (equations.d_cell(dh, no_next, o, c), finite_differences(shown, c)),
        (equations.d_forget_gate(dc, c_prev), finite_differences(written, f)),
        (equations.d_input_gate(dc, g), finite_differences(written, i)),
        (equations.d_candidate(dc, i), finite_differences(written, g)),
        (equations.d_cell_prev(dc, f), finite_differences(written, c_prev)),
    ]
    for found, expected in pairs:
        assert_gradient(found, expected, rtol=1e-6)
    both_ways = equations.d_cell(dh, dc, o, c)
    np.testing.assert_allclose(both_ways, dc + finite_differences(shown, c), atol=1e-8)


def test_preactivations_by_finite_differences():
    draw = np.random.default_rng(4).normal
    a = draw(size=(3, 20))
    weight = {letter: draw(size=(3, 5)) for letter in "ifgo"}

    def gates():
        blocks = np.split(a, 4, axis=1)
        return {
            letter: np.tanh(block) if letter == "g" else 1 / (1 + np.exp(-block))
            for letter, block in zip("ifgo", blocks, strict=True)
        }

    def loss():
        return float(sum((weight[letter] * gate).sum() for letter, gate in gates().items()))

    found = equations.d_preactivations(*weight.values(), *gates().values())
    assert_gradient(found, finite_differences(loss, a), rtol=1e-6)


def test_the_future_does_not_reach_the_past():
    given = arguments(6, 3, 2, 5)
    before = lstm_forward(**given)
    given["x"][4:] += 1
    after = lstm_forward(**given)
    for name in before._fields:
        np.testing.assert_array_equal(getattr(after, name)[:4], getattr(before, name)[:4])
        assert (getattr(after, name)[4:] != getattr(before, name)[4:]).all()


def test_gates_at_one_and_zero_carry_the_cell_and_its_gradient_untouched():
    """f = 1 and i = 0 to the last bit, over many steps: the belt is an identity both ways."""
    T, B, H = 300, 2, 3
    x, h0, c0, W_ih, W_hh, b = arguments(T, B, 2, H).values()
    b[:H], b[H : 2 * H] = -1e4, 1e4
    trace = lstm_forward(x, h0, c0, W_ih, W_hh, b)
    np.testing.assert_array_equal(trace.c, np.broadcast_to(c0, (T, B, H)))
    dc_last = np.random.default_rng(5).normal(size=(B, H))
    found = lstm_backward(np.zeros((T, B, H)), dc_last, x, h0, c0, trace, W_ih, W_hh)
    np.testing.assert_array_equal(found.c0, dc_last)


def test_arguments_are_left_as_they_were():
    given = arguments(3, 3, 2, 5)
    dh, dc_last = outer_gradients(3, 3, 5)
    trace = lstm_forward(**given)
    everything = {**given, **trace._asdict(), "dh": dh, "dc_last": dc_last}
    kept = {name: array.copy() for name, array in everything.items()}
    x, h0, c0, W_ih, W_hh, _ = given.values()
    lstm_forward(**given)
    lstm_backward(dh, dc_last, x, h0, c0, trace, W_ih, W_hh)
    for name, array in kept.items():
        np.testing.assert_array_equal(everything[name], array)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept(dtype):
    given = arguments(3, 2, 2, 5, dtype)
    x, h0, c0, W_ih, W_hh, b = given.values()
    assert all(state.dtype == dtype for state in lstm_step(x[0], h0, c0, W_ih, W_hh, b))
    for name in GATES:
        assert getattr(equations, name)(x[0], h0, W_ih[:5], W_hh[:5], b[:5]).dtype == dtype
    trace = lstm_forward(**given)
    assert all(kept.dtype == dtype for kept in trace)
    found = lstm_backward(trace.h, c0, x, h0, c0, trace, W_ih, W_hh, [3, 1])
    assert all(gradient.dtype == dtype for gradient in found)


def test_no_steps_gives_no_states_and_passes_the_gradient_of_c():
    x, h0, c0, W_ih, W_hh, b = arguments(1, 3, 2, 5).values()
    trace = lstm_forward(x[:0], h0, c0, W_ih, W_hh, b)
    assert all(kept.shape == (0, 3, 5) for kept in trace)
    found = lstm_backward(trace.h, c0, x[:0], h0, c0, trace, W_ih, W_hh)
    np.testing.assert_array_equal(found.c0, c0)
    assert not found.W_hh.any()


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("x", np.zeros((4, 3, 9)), r"x should have shape \(T, B, I\) = \(4, 3, 2\), got"),
        ("h0", np.zeros((2, 5)), r"h0 should have shape \(B, H\) = \(3, 5\), got \(2, 5\)"),
        ("c0", np.zeros((3, 4)), r"c0 should have shape \(B, H\) = \(3, 5\), got \(3, 4\)"),
        ("W_ih", np.zeros((5, 2)), r"W_ih should have shape \(4H, I\) = \(20, I\), got \(5, 2\)"),
        ("W_hh", np.zeros((5, 5)), r"W_hh should have shape \(4H, H\), got \(5, 5\)"),
        ("W_hh", np.zeros((5, 20)), r"W_hh should have shape \(4H, H\), got \(5, 20\)"),
        ("b", np.zeros((2, 20)), r"b should have shape \(4H,\) = \(20,\), got \(2, 20\)"),
        ("lengths", [1, 2, 5], "lengths should lie in 0 … T = 4, got 1 … 5"),
    ],
)
def test_a_wrong_argument_is_named(name, wrong, message):
    given = arguments(4, 3, 2, 5)
    with pytest.raises(ValueError, match=message):
        lstm_forward(**{**given, name: wrong})


def test_wrong_arguments_of_the_other_functions():
    x, h0, c0, W_ih, W_hh, b = arguments(4, 3, 2, 5).values()
    with pytest.raises(
        ValueError, match=r"c_prev should have shape \(3, 5\), as h_prev has, got \(5,\)"
    ):
        lstm_step(x[0], h0, c0[0], W_ih, W_hh, b)
    with pytest.raises(
        ValueError, match=r"W_hf should have shape \(H, H\) = \(5, 5\), got \(20, 5\)"
    ):
        equations.forget_gate(x[0], h0, W_ih[:5], W_hh, b[:5])
    with pytest.raises(
        ValueError, match=r"f should have shape \(3, 5\), as c_prev has, got \(5,\)"
    ):
        equations.update_cell(c0, c0[0], c0, c0)
    trace = lstm_forward(x, h0, c0, W_ih, W_hh, b)
    with pytest.raises(ValueError, match=r"trace.c should have shape \(T, B, H\) = \(4, 3, 5\)"):
        lstm_backward(trace.h, c0, x, h0, c0, trace._replace(c=c0), W_ih, W_hh)


@pytest.mark.parametrize("name", GATES)
@pytest.mark.parametrize("wrong", range(5))
def test_a_wrong_argument_of_a_gate_is_named(name, wrong):
    """One bias for four gates, W for one input more …: nothing is stretched to fit."""
    shapes = [(3, 2), (3, 5), (5, 2), (5, 5), (5,)]
    shapes[wrong] = (1, *shapes[wrong])
    letter = GATES[name][0]
    argument = ["x", "h_prev", f"W_x{letter}", f"W_h{letter}", f"b_{letter}"][wrong]
    with pytest.raises(ValueError, match=rf"^{argument} should have shape"):
        getattr(equations, name)(*map(np.zeros, shapes))


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("hidden_state", 2),
        ("update_cell", 4),
        ("d_output_gate", 2),
        ("d_cell", 4),
        ("d_forget_gate", 2),
        ("d_input_gate", 2),
        ("d_candidate", 2),
        ("d_cell_prev", 2),
        ("d_preactivations", 8),
    ],
)
def test_entry_by_entry_means_one_shape(name, count):
    """A row (1, 5) would fit (3, 5) by broadcasting, and would be a slip."""
    for wrong in range(count):
        shapes = [(3, 5)] * count
        shapes[wrong] = (1, 5)
        with pytest.raises(ValueError, match=r"should have shape .* has, got"):
            getattr(equations, name)(*map(np.ones, shapes))
