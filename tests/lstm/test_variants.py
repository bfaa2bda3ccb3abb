"""Peepholes, coupled gates and the cell of 1997 against torch's autograd and finite differences."""

import itertools

import numpy as np
import pytest
import torch

from lstmkit.lstm.equations import lstm_backward, lstm_forward
from lstmkit.lstm.variants import (
    peephole_gate,
    variant_backward,
    variant_forward,
    variant_gates,
    variant_step,
    variant_step_backward,
)
from tests.differences import assert_gradient, finite_differences

SIZES = [(1, 1, 1, 1), (2, 3, 2, 5), (9, 3, 1, 7), (9, 1, 4, 5), (2, 1, 3, 1), (1, 3, 6, 7)]
FORGETS = ["gate", "coupled", "none"]
VARIANTS = list(itertools.product(FORGETS, [False, True]))


def arguments(T, B, I, H, forget="gate", peepholes=True, dtype=np.float64):  # noqa: E741
    draw = np.random.default_rng([T, B, I, H]).normal
    G = 4 if forget == "gate" else 3
    shapes = {
        "x": (T, B, I),
        "h0": (B, H),
        "c0": (B, H),
        "W_ih": (G * H, I),
        "W_hh": (G * H, H),
        "b": (G * H,),
        "P": ((G - 1) * H,),
    }
    given = {name: draw(size=shape).astype(dtype) for name, shape in shapes.items()}
    return given if peepholes else {**given, "P": None}


def outer_gradients(T, B, H):
    """Some dL/dh[t] and dL/dc[last]."""
    draw = np.random.default_rng([7, T, B, H]).normal
    return draw(size=(T, B, H)), draw(size=(B, H))


def torch_loop(x, h0, c0, W_ih, W_hh, b, P, lengths, forget, truncated=False):
    """The cell in torch, written line by line; what 1997 cuts off is detached."""
    h, c, hs, cs = h0, c0, [], []
    H = h0.shape[1]
    if P is None:
        P = torch.zeros(3 * H, dtype=x.dtype)
    for t, x_t in enumerate(x):
        h_seen, c_seen = (h.detach(), c.detach()) if truncated else (h, c)
        a = x_t @ W_ih.T + h_seen @ W_hh.T + b
        a_i, a_g, a_o = a[:, :H], a[:, -2 * H : -H], a[:, -H:]
        i, g = torch.sigmoid(a_i + P[:H] * c_seen), torch.tanh(a_g)
        if forget == "gate":
            f = torch.sigmoid(a[:, H : 2 * H] + P[H : 2 * H] * c_seen)
        else:
            f = 1 - i if forget == "coupled" else 1
        c_next = f * c + i * g
        o = torch.sigmoid(a_o + P[-H:] * (c_next.detach() if truncated else c_next))
        going = (t < lengths)[:, None]
        h, c = torch.where(going, o * torch.tanh(c_next), h), torch.where(going, c_next, c)
        hs.append(h)
        cs.append(c)
    return torch.stack(hs), torch.stack(cs)


def run_torch(dh, dc_last, given, lengths, forget, truncated=False):
    """Both states from the loop in torch, and autograd's gradients; P's is None without any."""
    tensors = {
        name: None if array is None else torch.tensor(array, requires_grad=True)
        for name, array in given.items()
    }
    h, c = torch_loop(*tensors.values(), torch.tensor(lengths), forget, truncated)
    ((h * torch.tensor(dh)).sum() + (c[-1] * torch.tensor(dc_last)).sum()).backward()
    return h.detach().numpy(), c.detach().numpy(), [gradient(t) for t in tensors.values()]


def gradient(tensor):
    """A tensor's gradient; zero where a truncated gradient has left the tensor out altogether."""
    if tensor is None:
        return None
    return (torch.zeros_like(tensor) if tensor.grad is None else tensor.grad).numpy()


def run_ours(dh, dc_last, given, lengths, forget, truncated=False):
    trace = variant_forward(**given, lengths=lengths, forget=forget)
    x, h0, c0, W_ih, W_hh, _, P = given.values()
    found = variant_backward(
        dh, dc_last, x, h0, c0, trace, W_ih, W_hh, P, lengths, forget, truncated
    )
    assert found._fields == tuple(given)
    return trace, found


def assert_gradients(found, expected, rtol=1e-10):
    for gradient, by_autograd in zip(found, expected, strict=True):
        if by_autograd is None:
            assert gradient is None
        else:
            assert_gradient(gradient, by_autograd, rtol)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize(("forget", "peepholes"), VARIANTS)
def test_forward_and_backward_as_torch(sizes, forget, peepholes):
    T, B, _, H = sizes
    given = arguments(*sizes, forget, peepholes)
    dh, dc_last = outer_gradients(T, B, H)
    h, c, gradients = run_torch(dh, dc_last, given, [T] * B, forget)
    trace, found = run_ours(dh, dc_last, given, None, forget)
    np.testing.assert_allclose(trace.h, h, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(trace.c, c, rtol=1e-12, atol=1e-12)
    assert_gradients(found, gradients)


@pytest.mark.parametrize("lengths", [[5, 2, 0], [3, 5, 4]])
@pytest.mark.parametrize(("forget", "peepholes"), VARIANTS)
@pytest.mark.parametrize("truncated", [False, True])
def test_lengths_and_the_truncated_gradient_as_torch(lengths, forget, peepholes, truncated):
    given = arguments(5, 3, 2, 7, forget, peepholes)
    dh, dc_last = outer_gradients(5, 3, 7)
    h, c, gradients = run_torch(dh, dc_last, given, lengths, forget, truncated)
    trace, found = run_ours(dh, dc_last, given, lengths, forget, truncated)
    np.testing.assert_allclose(trace.h, h, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(trace.c, c, rtol=1e-12, atol=1e-12)
    assert_gradients(found, gradients)


@pytest.mark.parametrize(("forget", "peepholes"), VARIANTS)
def test_backward_by_finite_differences(forget, peepholes):
    given = arguments(5, 3, 2, 3, forget, peepholes)
    lengths = [5, 3, 0]
    dh, dc_last = outer_gradients(5, 3, 3)

    def loss():
        trace = variant_forward(**given, lengths=lengths, forget=forget)
        return float((dh * trace.h).sum() + (dc_last * trace.c[-1]).sum())

    _, found = run_ours(dh, dc_last, given, lengths, forget)
    for name, gradient in found._asdict().items():
        if given[name] is None:
            assert gradient is None
        else:
            assert_gradient(gradient, finite_differences(loss, given[name]), rtol=1e-6)


def test_without_options_it_is_the_lstm():
    given = arguments(4, 3, 2, 5, peepholes=False)
    dh, dc_last = outer_gradients(4, 3, 5)
    trace, found = run_ours(dh, dc_last, given, [4, 2, 3], "gate")
    x, h0, c0, W_ih, W_hh, b, _ = given.values()
    expected = lstm_forward(x, h0, c0, W_ih, W_hh, b, [4, 2, 3])
    for ours, theirs in zip(trace, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-14, atol=1e-15)
    gradients = lstm_backward(dh, dc_last, x, h0, c0, expected, W_ih, W_hh, [4, 2, 3])
    assert_gradients(found, [*gradients, None], rtol=1e-13)


@pytest.mark.parametrize(("forget", "peepholes"), VARIANTS)
def test_step_is_one_step_of_forward_and_its_gates_are_kept(forget, peepholes):
    given = arguments(1, 3, 2, 5, forget, peepholes)
    lengths = torch.ones(3)
    tensors = (array if array is None else torch.tensor(array) for array in given.values())
    h, c = torch_loop(*tensors, lengths, forget)
    given["x"] = given["x"][0]
    h_next, c_next = variant_step(*given.values(), forget=forget)
    np.testing.assert_allclose(h_next, h[0].numpy(), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(c_next, c[0].numpy(), rtol=1e-12, atol=1e-14)
    c_again, i, f, g, o = variant_gates(*given.values(), forget=forget)
    np.testing.assert_allclose(c_again, f * given["c0"] + i * g, rtol=1e-14)
    np.testing.assert_allclose(h_next, o * np.tanh(c_again), rtol=1e-14)
    if forget != "gate":
        np.testing.assert_array_equal(f, 1 - i if forget == "coupled" else np.ones((3, 5)))


@pytest.mark.parametrize(("letter", "sees_the_new_c"), [("i", False), ("f", False), ("o", True)])
def test_what_each_peephole_sees(letter, sees_the_new_c):
    x, h0, c0, W_ih, W_hh, b, P = arguments(1, 3, 2, 5).values()
    c, *gates = variant_gates(x[0], h0, c0, W_ih, W_hh, b, P)
    gate = dict(zip("ifgo", gates, strict=True))[letter]
    block = slice("ifgo".index(letter) * 5, "ifgo".index(letter) * 5 + 5)
    p = P["ifo".index(letter) * 5 :][:5]
    alone = peephole_gate(
        x[0], h0, c if sees_the_new_c else c0, W_ih[block], W_hh[block], p, b[block]
    )
    a = torch.tensor(x[0] @ W_ih[block].T + h0 @ W_hh[block].T + b[block])
    seen = torch.tensor(c if sees_the_new_c else c0)
    expected = torch.sigmoid(a + torch.tensor(p) * seen).numpy()
    np.testing.assert_allclose(gate, expected, rtol=1e-12)
    np.testing.assert_allclose(alone, expected, rtol=1e-12)


def test_one_step_by_hand():
    """One unit, all weights 0, c_prev = 2, so that the peepholes alone move the gates."""
    zero = np.zeros((1, 1))
    weights = {"W_ih": np.zeros((4, 1)), "W_hh": np.zeros((4, 1)), "b": np.array([0, 0, 1e3, 0.0])}
    P = np.array([np.log(3) / 2, -np.log(3) / 2, np.log(3)])
    c, i, f, g, o = variant_gates(zero, zero, zero + 2, **weights, P=P)
    assert (i, f, g) == (pytest.approx(0.75), pytest.approx(0.25), 1)
    assert c == pytest.approx(1.25)
    assert o == pytest.approx(3**1.25 / (1 + 3**1.25))


def test_the_cell_of_1997_only_adds_and_its_truncated_gradient_is_exactly_one():
    T, B, H = 200, 2, 3
    given = arguments(T, B, 2, H, "none", peepholes=False)
    dc_last = np.random.default_rng(5).normal(size=(B, H))
    trace, found = run_ours(np.zeros((T, B, H)), dc_last, given, None, "none", truncated=True)
    sums = given["c0"] + np.cumsum(trace.i * trace.g, axis=0)
    np.testing.assert_allclose(trace.c, sums, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(found.c0, dc_last)
    assert not found.h0.any()
    _, full = run_ours(np.zeros((T, B, H)), dc_last, given, None, "none")
    assert (full.c0 != dc_last).all()
    assert full.h0.all()


@pytest.mark.parametrize("forget", FORGETS)
def test_a_row_that_has_ended_is_held_and_its_padding_unread(forget):
    given = arguments(4, 3, 2, 5, forget)
    lengths = np.array([2, 0, 4])
    given["x"][2:, 0] = given["x"][:, 1] = np.nan
    trace, found = run_ours(np.ones((4, 3, 5)), np.full((3, 5), 2.0), given, lengths, forget)
    for state, start in ((trace.h, given["h0"]), (trace.c, given["c0"])):
        np.testing.assert_array_equal(state[2:, 0], state[[1, 1], 0])
        np.testing.assert_array_equal(state[:, 1], start[[1, 1, 1, 1]])
    for letter, held in {"f": 1, "i": 0, "g": 0, "o": 0}.items():
        np.testing.assert_array_equal(getattr(trace, letter)[2:, 0], held)
    assert all(np.isfinite(gradient).all() for gradient in found)
    assert not found.x[2:, 0].any()
    np.testing.assert_array_equal(found.h0[1], np.full(5, 4.0))
    np.testing.assert_array_equal(found.c0[1], np.full(5, 2.0))


@pytest.mark.parametrize(("forget", "peepholes"), VARIANTS)
def test_arguments_are_left_as_they_were(forget, peepholes):
    given = arguments(3, 3, 2, 5, forget, peepholes)
    dh, dc_last = outer_gradients(3, 3, 5)
    everything = {**given, "dh": dh, "dc_last": dc_last}
    kept = {name: np.copy(array) for name, array in everything.items() if array is not None}
    run_ours(dh, dc_last, given, [3, 1, 2], forget)
    for name, array in kept.items():
        np.testing.assert_array_equal(everything[name], array)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("forget", "peepholes"), VARIANTS)
def test_dtype_is_kept(dtype, forget, peepholes):
    given = arguments(3, 2, 2, 5, forget, peepholes, dtype)
    x, *others = given.values()
    assert all(state.dtype == dtype for state in variant_step(x[0], *others, forget=forget))
    dh, dc_last = (array.astype(dtype) for array in outer_gradients(3, 2, 5))
    trace, found = run_ours(dh, dc_last, given, [3, 1], forget)
    assert all(kept.dtype == dtype for kept in trace)
    assert all(gradient.dtype == dtype for gradient in found if gradient is not None)


def test_no_steps_gives_no_states_and_passes_the_gradient_of_c():
    given = arguments(1, 3, 2, 5)
    given["x"] = given["x"][:0]
    trace, found = run_ours(np.zeros((0, 3, 5)), given["c0"], given, None, "gate")
    assert all(kept.shape == (0, 3, 5) for kept in trace)
    np.testing.assert_array_equal(found.c0, given["c0"])
    assert not found.P.any()


@pytest.mark.parametrize(
    ("forget", "name", "wrong", "message"),
    [
        ("gate", "W_hh", np.zeros((15, 5)), r"W_hh should have shape \(4H, H\), got \(15, 5\)"),
        ("coupled", "W_hh", np.zeros((20, 5)), r"W_hh should have shape \(3H, H\), got \(20, 5\)"),
        ("none", "W_ih", np.zeros((20, 2)), r"W_ih should have shape \(3H, I\) = \(15, I\), got"),
        ("none", "b", np.zeros(20), r"b should have shape \(3H,\) = \(15,\), got \(20,\)"),
        ("gate", "P", np.zeros(10), r"P should have shape \(3H,\) = \(15,\), got \(10,\)"),
        ("coupled", "P", np.zeros(15), r"P should have shape \(2H,\) = \(10,\), got \(15,\)"),
        ("gate", "c0", np.zeros((3, 4)), r"c0 should have shape \(B, H\) = \(3, 5\), got"),
        ("gate", "lengths", [1, 2, 5], "lengths should lie in 0 … T = 4, got 1 … 5"),
        (
            "half",
            "forget",
            "half",
            r"forget should be \"gate\", \"coupled\" or \"none\", got 'half'",
        ),
    ],
)
def test_a_wrong_argument_is_named(forget, name, wrong, message):
    given = {**arguments(4, 3, 2, 5, forget), "forget": forget}
    with pytest.raises(ValueError, match=message):
        variant_forward(**{**given, name: wrong})


def test_wrong_arguments_of_the_other_functions():
    given = arguments(4, 3, 2, 5)
    x, h0, c0, W_ih, W_hh, b, P = given.values()
    with pytest.raises(ValueError, match=r"c_prev should have shape \(3, 5\), as h_prev has, got"):
        variant_step(x[0], h0, c0[:1], W_ih, W_hh, b, P)
    trace = variant_forward(**given)
    with pytest.raises(ValueError, match=r"trace.o should have shape \(T, B, H\) = \(4, 3, 5\)"):
        variant_backward(trace.h, c0, x, h0, c0, trace._replace(o=c0), W_ih, W_hh, P)
    with pytest.raises(ValueError, match="forget should be"):
        variant_step_backward(*[c0] * 8, forget="never")
    shapes = [(3, 2), (3, 5), (3, 5), (5, 2), (5, 5), (5,), (5,)]
    for wrong, name in enumerate(["x", "h_prev", "c", "W_x", "W_h", "p", "b"]):
        bad = [(1, *shape) if k == wrong else shape for k, shape in enumerate(shapes)]
        with pytest.raises(ValueError, match=rf"^{name} should have shape"):
            peephole_gate(*map(np.zeros, bad))
