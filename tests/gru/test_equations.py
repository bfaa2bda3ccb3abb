"""The GRU's equations against torch, finite differences and hand-worked numbers."""

import numpy as np
import pytest
import torch

from lstmkit.gru import equations
from lstmkit.gru.equations import gru_backward, gru_forward, gru_step
from tests.differences import assert_gradient, finite_differences

SIZES = [(1, 1, 1, 1), (2, 3, 2, 5), (17, 3, 1, 7), (17, 1, 4, 5), (2, 1, 3, 1), (1, 3, 6, 7)]
RESETS = ["before", "after"]


def arguments(T, B, I, H, dtype=np.float64):  # noqa: E741
    draw = np.random.default_rng([T, B, I, H]).normal
    shapes = {
        "x": (T, B, I),
        "h0": (B, H),
        "W_ih": (3 * H, I),
        "W_hh": (3 * H, H),
        "b_ih": (3 * H,),
        "b_hh": (3 * H,),
    }
    return {name: draw(size=shape).astype(dtype) for name, shape in shapes.items()}


def torch_loop(x, h0, W_ih, W_hh, b_ih, b_hh, lengths, reset):
    """The cell in torch, written gate by gate; returns h, and the gates of every step."""
    W_xr, W_xz, W_xn = W_ih.chunk(3)
    W_hr, W_hz, W_hn = W_hh.chunk(3)
    b_xr, b_xz, b_xn = b_ih.chunk(3)
    b_hr, b_hz, b_hn = b_hh.chunk(3)
    linear = torch.nn.functional.linear
    h, states, kept = h0, [], []
    for t, x_t in enumerate(x):
        r = torch.sigmoid(linear(x_t, W_xr, b_xr) + linear(h, W_hr, b_hr))
        z = torch.sigmoid(linear(x_t, W_xz, b_xz) + linear(h, W_hz, b_hz))
        if reset == "before":
            n = torch.tanh(linear(x_t, W_xn, b_xn) + linear(r * h, W_hn, b_hn))
        else:
            n = torch.tanh(linear(x_t, W_xn, b_xn) + r * linear(h, W_hn, b_hn))
        h = torch.where((t < lengths)[:, None], n + z * (h - n), h)
        states.append(h)
        kept.append(torch.stack([r, z, n]))
    return torch.stack(states), torch.stack(kept, 1)


def run_torch(dh, given, lengths, reset):
    """Outputs of the loop in torch, and autograd's gradients of (dh ⊙ h).sum()."""
    tensors = [torch.tensor(array, requires_grad=True) for array in given.values()]
    h, _ = torch_loop(*tensors, torch.tensor(lengths), reset)
    (h * torch.tensor(dh)).sum().backward()
    return h.detach().numpy(), [tensor.grad.numpy() for tensor in tensors]


def run_torch_layer(dh, given):
    """torch.nn.GRU on the same numbers: its outputs and autograd's gradients."""
    x, h0, W_ih, W_hh, b_ih, b_hh = (torch.tensor(array) for array in given.values())
    layer = torch.nn.GRU(x.shape[2], h0.shape[1]).double()
    weights = {"weight_ih_l0": W_ih, "weight_hh_l0": W_hh, "bias_ih_l0": b_ih, "bias_hh_l0": b_hh}
    layer.load_state_dict(weights)
    x.requires_grad_()
    h0.requires_grad_()
    h, _ = layer(x, h0[None])
    (h * torch.tensor(dh)).sum().backward()
    gradients = [x.grad, h0.grad, *(getattr(layer, name).grad for name in weights)]
    return h.detach().numpy(), [gradient.numpy() for gradient in gradients]


def test_state_by_hand():
    """A quarter of the past, three quarters of the candidate."""
    h = equations.update_state(
        h_prev=np.array([[2.0, -1.0]]), z=np.array([[0.25, 1.0]]), n=np.array([[-2.0, 0.5]])
    )
    np.testing.assert_array_equal(h, [[-1.0, -1.0]])


def test_where_the_reset_stands_by_hand():
    """r = ½, h_prev = 2, W_hn = 3, b_hn = 1, nothing from x: tanh(½·2·3 + 1), tanh(½·(2·3 + 1))."""
    one = np.ones((1, 1))
    past = {"x": 0 * one, "h_prev": 2 * one, "r": one / 2}
    weights = {"W_xn": one, "W_hn": 3 * one, "b_xn": np.zeros(1), "b_hn": np.ones(1)}
    before = equations.candidate_reset_before(**past, **weights)
    after = equations.candidate_reset_after(**past, **weights)
    assert before == pytest.approx(0.999329299739067, abs=1e-15)
    assert after == pytest.approx(0.9981778976111987, abs=1e-15)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("reset", RESETS)
def test_gates_one_by_one_as_torch(sizes, reset):
    _, B, I, H = sizes  # noqa: E741
    given = arguments(1, B, I, H)
    _, expected = torch_loop(*map(torch.tensor, given.values()), torch.ones(B), reset)
    x, h0, W_ih, W_hh, b_ih, b_hh = given.values()
    (W_xr, W_xz, W_xn), (W_hr, W_hz, W_hn) = np.split(W_ih, 3), np.split(W_hh, 3)
    (b_xr, b_xz, b_xn), (b_hr, b_hz, b_hn) = np.split(b_ih, 3), np.split(b_hh, 3)
    candidate = getattr(equations, f"candidate_reset_{reset}")
    r = equations.reset_gate(x[0], h0, W_xr, W_hr, b_xr + b_hr)
    z = equations.update_gate(x[0], h0, W_xz, W_hz, b_xz + b_hz)
    n = candidate(x[0], h0, r, W_xn, W_hn, b_xn, b_hn)
    for found, by_torch in zip((r, z, n), expected[:, 0], strict=True):
        np.testing.assert_allclose(found, by_torch.numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("sizes", SIZES)
def test_step_as_torch(sizes):
    _, B, I, H = sizes  # noqa: E741
    x, h_prev, W_ih, W_hh, b_ih, b_hh = map(torch.tensor, arguments(1, B, I, H).values())
    cell = torch.nn.GRUCell(I, H).double()
    cell.load_state_dict({"weight_ih": W_ih, "weight_hh": W_hh, "bias_ih": b_ih, "bias_hh": b_hh})
    expected = cell(x[0], h_prev).detach().numpy()
    found = gru_step(*(tensor.numpy() for tensor in (x[0], h_prev, W_ih, W_hh, b_ih, b_hh)))
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("reset", [*RESETS, None])
def test_forward_and_backward_as_torch(sizes, reset):
    """The loop written out in both forms; without ``reset``, the default against torch.nn.GRU."""
    T, B, _, H = sizes
    given = arguments(*sizes)
    dh = np.random.default_rng(1).normal(size=(T, B, H))
    if reset is None:
        expected, gradients = run_torch_layer(dh, given)
        options = {}
    else:
        expected, gradients = run_torch(dh, given, [T] * B, reset)
        options = {"reset": reset}

    trace = gru_forward(**given, **options)
    assert trace._fields == ("h", "r", "z", "n", "m")
    np.testing.assert_allclose(trace.h, expected, rtol=1e-12, atol=1e-12)

    x, h0, W_ih, W_hh, _, _ = given.values()
    found = gru_backward(dh, x, h0, trace, W_ih, W_hh, **options)
    assert found._fields == ("x", "h0", "W_ih", "W_hh", "b_ih", "b_hh")
    for gradient, by_autograd in zip(found, gradients, strict=True):
        assert_gradient(gradient, by_autograd, rtol=1e-10)


@pytest.mark.parametrize("reset", RESETS)
def test_trace_holds_what_each_gate_says(reset):
    given = arguments(4, 3, 2, 5)
    h, gates = torch_loop(*map(torch.tensor, given.values()), torch.full((3,), 4), reset)
    trace = gru_forward(**given, reset=reset)
    for found, expected in zip((trace.r, trace.z, trace.n), gates, strict=True):
        np.testing.assert_allclose(found, expected.numpy(), rtol=1e-12, atol=1e-14)
    h_before = torch.cat([torch.tensor(given["h0"])[None], h[:-1]])
    W_hn, b_hn = (torch.tensor(given[name][10:]) for name in ("W_hh", "b_hh"))
    m = h_before if reset == "before" else torch.nn.functional.linear(h_before, W_hn, b_hn)
    np.testing.assert_allclose(trace.m, m.numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("lengths", [[5, 2, 0], [3, 5, 4], [5, 5, 5]])
def test_lengths_as_torch(lengths, reset):
    given = arguments(5, 3, 2, 7)
    dh = np.random.default_rng(1).normal(size=(5, 3, 7))
    expected, gradients = run_torch(dh, given, lengths, reset)

    trace = gru_forward(**given, lengths=lengths, reset=reset)
    np.testing.assert_allclose(trace.h, expected, rtol=1e-12, atol=1e-12)

    x, h0, W_ih, W_hh, _, _ = given.values()
    found = gru_backward(dh, x, h0, trace, W_ih, W_hh, lengths, reset)
    for gradient, by_autograd in zip(found, gradients, strict=True):
        assert_gradient(gradient, by_autograd, rtol=1e-10)


@pytest.mark.parametrize("reset", RESETS)
def test_a_row_that_has_ended_is_held_and_its_padding_unread(reset):
    given = arguments(4, 3, 2, 5)
    x, h0, W_ih, W_hh, _, _ = given.values()
    lengths = np.array([2, 0, 4])
    x[2:, 0] = x[:, 1] = np.nan
    trace = gru_forward(**given, lengths=lengths, reset=reset)
    np.testing.assert_array_equal(trace.h[2:, 0], trace.h[[1, 1], 0])
    np.testing.assert_array_equal(trace.h[:, 1], h0[[1, 1, 1, 1]])
    assert (trace.h[0, 2] != h0[2]).all()
    for name, held in {"z": 1, "r": 0, "n": 0, "m": 0}.items():
        np.testing.assert_array_equal(getattr(trace, name)[2:, 0], held)

    found = gru_backward(np.ones((4, 3, 5)), x, h0, trace, W_ih, W_hh, lengths, reset)
    assert all(np.isfinite(gradient).all() for gradient in found)
    assert not found.x[2:, 0].any()
    np.testing.assert_array_equal(found.h0[1], np.full(5, 4.0))


@pytest.mark.parametrize("reset", RESETS)
def test_backward_by_finite_differences(reset):
    given = arguments(5, 3, 2, 3)
    lengths = [5, 3, 0]
    dh = np.random.default_rng(1).normal(size=(5, 3, 3))

    def loss():
        return float((dh * gru_forward(**given, lengths=lengths, reset=reset).h).sum())

    trace = gru_forward(**given, lengths=lengths, reset=reset)
    x, h0, W_ih, W_hh, _, _ = given.values()
    found = gru_backward(dh, x, h0, trace, W_ih, W_hh, lengths, reset)
    for name, gradient in found._asdict().items():
        assert_gradient(gradient, finite_differences(loss, given[name]), rtol=1e-6)


def test_each_derivative_by_finite_differences():
    """dz, dn, the straight part of dh_prev, and dr, each against the line it differentiates."""
    draw = np.random.default_rng(3).uniform
    r, z = (draw(0.1, 0.9, size=(3, 5)) for _ in range(2))
    n, m, h_prev, weight = (draw(-1, 1, size=(3, 5)) for _ in range(4))

    def mixed():
        return float((weight * ((1 - z) * n + z * h_prev)).sum())

    def reset():
        return float((weight * (r * m)).sum())

    pairs = [
        (equations.d_update(weight, h_prev, n), finite_differences(mixed, z)),
        (equations.d_candidate(weight, z), finite_differences(mixed, n)),
        (equations.d_state_prev(weight, z), finite_differences(mixed, h_prev)),
        (equations.d_reset(weight, m), finite_differences(reset, r)),
    ]
    for found, expected in pairs:
        assert_gradient(found, expected, rtol=1e-6)


def test_the_future_does_not_reach_the_past():
    given = arguments(6, 3, 2, 5)
    before = gru_forward(**given)
    given["x"][4:] += 1
    after = gru_forward(**given)
    np.testing.assert_array_equal(after.h[:4], before.h[:4])
    assert (after.h[4:] != before.h[4:]).all()


@pytest.mark.parametrize("reset", RESETS)
def test_an_update_gate_at_one_carries_state_and_gradient_untouched(reset):
    given = arguments(50, 2, 2, 3)
    given["b_ih"][3:6] = 1e4
    trace = gru_forward(**given, reset=reset)
    np.testing.assert_array_equal(trace.h, np.broadcast_to(given["h0"], (50, 2, 3)))
    dh = np.zeros((50, 2, 3))
    dh[-1] = np.random.default_rng(5).normal(size=(2, 3))
    x, h0, W_ih, W_hh, _, _ = given.values()
    found = gru_backward(dh, x, h0, trace, W_ih, W_hh, reset=reset)
    np.testing.assert_array_equal(found.h0, dh[-1])


@pytest.mark.parametrize("reset", RESETS)
def test_arguments_are_left_as_they_were(reset):
    given = arguments(3, 3, 2, 5)
    dh = np.random.default_rng(1).normal(size=(3, 3, 5))
    trace = gru_forward(**given, reset=reset)
    everything = {**given, **trace._asdict(), "dh": dh}
    kept = {name: array.copy() for name, array in everything.items()}
    x, h0, W_ih, W_hh, _, _ = given.values()
    gru_forward(**given, reset=reset)
    gru_backward(dh, x, h0, trace, W_ih, W_hh, reset=reset)
    for name, array in kept.items():
        np.testing.assert_array_equal(everything[name], array)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("reset", RESETS)
def test_dtype_is_kept(dtype, reset):
    given = arguments(3, 2, 2, 5, dtype)
    x, h0, W_ih, W_hh, b_ih, b_hh = given.values()
    assert gru_step(x[0], h0, W_ih, W_hh, b_ih, b_hh, reset).dtype == dtype
    trace = gru_forward(**given, reset=reset)
    assert all(kept.dtype == dtype for kept in trace)
    found = gru_backward(trace.h, x, h0, trace, W_ih, W_hh, [3, 1], reset)
    assert all(gradient.dtype == dtype for gradient in found)


def test_no_steps_gives_no_states_and_no_gradients():
    x, h0, W_ih, W_hh, b_ih, b_hh = arguments(1, 3, 2, 5).values()
    trace = gru_forward(x[:0], h0, W_ih, W_hh, b_ih, b_hh)
    assert all(kept.shape == (0, 3, 5) for kept in trace)
    found = gru_backward(trace.h, x[:0], h0, trace, W_ih, W_hh)
    assert found.x.shape == (0, 3, 2)
    assert not any(gradient.any() for gradient in found)


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("x", np.zeros((4, 3, 9)), r"x should have shape \(T, B, I\) = \(4, 3, 2\), got"),
        ("h0", np.zeros((2, 5)), r"h0 should have shape \(B, H\) = \(3, 5\), got \(2, 5\)"),
        ("W_ih", np.zeros((5, 2)), r"W_ih should have shape \(3H, I\) = \(15, I\), got \(5, 2\)"),
        ("W_hh", np.zeros((20, 5)), r"W_hh should have shape \(3H, H\), got \(20, 5\)"),
        ("b_ih", np.zeros(5), r"b_ih should have shape \(3H,\) = \(15,\), got \(5,\)"),
        ("b_hh", np.zeros(16), r"b_hh should have shape \(3H,\) = \(15,\), got \(16,\)"),
        ("lengths", [1, 2, 5], "lengths should lie in 0 … T = 4, got 1 … 5"),
        ("reset", "during", 'reset should be "before" or "after", got \'during\''),
    ],
)
def test_a_wrong_argument_is_named(name, wrong, message):
    given = arguments(4, 3, 2, 5)
    with pytest.raises(ValueError, match=message):
        gru_forward(**{**given, name: wrong})


def test_wrong_arguments_of_the_other_functions():
    x, h0, W_ih, W_hh, b_ih, b_hh = arguments(4, 3, 2, 5).values()
    with pytest.raises(ValueError, match=r"x should have shape \(B, I\) = \(B, 2\), got"):
        gru_step(x, h0, W_ih, W_hh, b_ih, b_hh)
    trace = gru_forward(x, h0, W_ih, W_hh, b_ih, b_hh)
    with pytest.raises(ValueError, match=r"trace.m should have shape \(T, B, H\) = \(4, 3, 5\)"):
        gru_backward(trace.h, x, h0, trace._replace(m=h0), W_ih, W_hh)
    with pytest.raises(ValueError, match="reset should be"):
        gru_backward(trace.h, x, h0, trace, W_ih, W_hh, reset="none")
    with pytest.raises(ValueError, match="reset should be"):
        gru_step(x[0], h0, W_ih, W_hh, b_ih, b_hh, "none")


@pytest.mark.parametrize("name", ["reset_gate", "update_gate"])
@pytest.mark.parametrize("wrong", range(5))
def test_a_wrong_argument_of_a_gate_is_named(name, wrong):
    shapes = [(3, 2), (3, 5), (5, 2), (5, 5), (5,)]
    shapes[wrong] = (1, *shapes[wrong])
    letter = name[0].replace("u", "z")
    argument = ["x", "h_prev", f"W_x{letter}", f"W_h{letter}", f"b_{letter}"][wrong]
    with pytest.raises(ValueError, match=rf"^{argument} should have shape"):
        getattr(equations, name)(*map(np.zeros, shapes))


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("wrong", range(7))
def test_a_wrong_argument_of_a_candidate_is_named(reset, wrong):
    shapes = [(3, 2), (3, 5), (3, 5), (5, 2), (5, 5), (5,), (5,)]
    shapes[wrong] = (1, *shapes[wrong])
    argument = ["x", "h_prev", "r", "W_xn", "W_hn", "b_xn", "b_hn"][wrong]
    with pytest.raises(ValueError, match=rf"^{argument} should have shape"):
        getattr(equations, f"candidate_reset_{reset}")(*map(np.zeros, shapes))


@pytest.mark.parametrize(
    ("name", "count"),
    [("update_state", 3), ("d_update", 3), ("d_candidate", 2), ("d_state_prev", 2), ("d_reset", 2)],
)
def test_entry_by_entry_means_one_shape(name, count):
    """A row (1, 5) would fit (3, 5) by broadcasting, and would be a slip."""
    for wrong in range(count):
        shapes = [(3, 5)] * count
        shapes[wrong] = (1, 5)
        with pytest.raises(ValueError, match=r"should have shape .* has, got"):
            getattr(equations, name)(*map(np.ones, shapes))
