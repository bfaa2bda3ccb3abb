"""The stages of the cell against the whole cell with the missing gates held open."""

import numpy as np
import pytest
import torch

from lstmkit.lstm.stages import carousel_step, forget_cell_step


def arguments(B, I, H, dtype=np.float64):  # noqa: E741
    draw = np.random.default_rng([B, I, H]).normal
    shapes = [(B, I), (B, H), (B, H), (H, I), (H, H), (H,), (H, I), (H, H), (H,)]
    return [draw(size=shape).astype(dtype) for shape in shapes]


def cell_in_torch(x, h_prev, c_prev, forget, write):
    """torch.nn.LSTMCell whose gates stand open, 1 to the last bit, unless weights are given."""
    H = c_prev.shape[1]
    cell = torch.nn.LSTMCell(x.shape[1], H).double()
    held = (np.zeros((H, x.shape[1])), np.zeros((H, H)), np.full(H, 1e3))
    blocks = [held, forget or held, write, held]
    W_ih, W_hh, b = (torch.tensor(np.concatenate(part)) for part in zip(*blocks, strict=True))
    cell.load_state_dict(
        {"weight_ih": W_ih, "weight_hh": W_hh, "bias_ih": b, "bias_hh": torch.zeros_like(b)}
    )
    h, c = cell(torch.tensor(x), (torch.tensor(h_prev), torch.tensor(c_prev)))
    return h.detach().numpy(), c.detach().numpy()


@pytest.mark.parametrize("sizes", [(1, 1, 1), (3, 2, 5), (3, 4, 1), (1, 3, 7)])
def test_stages_are_the_cell_with_gates_held_at_one(sizes):
    x, h_prev, c_prev, W_xf, W_hf, b_f, W_xg, W_hg, b_g = arguments(*sizes)
    forget, write = (W_xf, W_hf, b_f), (W_xg, W_hg, b_g)

    expected = cell_in_torch(x, h_prev, c_prev, None, write)
    np.testing.assert_allclose(
        carousel_step(x, h_prev, c_prev, *write), expected, rtol=1e-12, atol=1e-14
    )
    expected = cell_in_torch(x, h_prev, c_prev, forget, write)
    np.testing.assert_allclose(
        forget_cell_step(x, h_prev, c_prev, *forget, *write), expected, rtol=1e-12, atol=1e-14
    )


def test_the_carousel_only_adds():
    """With nothing to write, the belt rides on; with a constant to write, it grows by that."""
    x, h_prev, c_prev, _, _, _, W_xg, W_hg, b_g = arguments(3, 2, 5)
    h, c = carousel_step(x, h_prev, c_prev, 0 * W_xg, 0 * W_hg, 0 * b_g)
    np.testing.assert_array_equal(c, c_prev)
    np.testing.assert_allclose(h, np.tanh(c_prev), rtol=1e-15)
    _, c = carousel_step(x, h_prev, c_prev, 0 * W_xg, 0 * W_hg, np.full(5, 1e3))
    np.testing.assert_array_equal(c, c_prev + 1)


def test_a_shut_forget_gate_clears_the_belt():
    x, h_prev, c_prev, W_xf, W_hf, _, W_xg, W_hg, b_g = arguments(3, 2, 5)
    shut = np.full(5, -1e4)
    _, c = forget_cell_step(x, h_prev, c_prev, W_xf, W_hf, shut, W_xg, W_hg, b_g)
    expected = np.tanh(np.einsum("bi,hi->bh", x, W_xg) + np.einsum("bk,hk->bh", h_prev, W_hg) + b_g)
    np.testing.assert_allclose(c, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept(dtype):
    x, h_prev, c_prev, *weights = arguments(3, 2, 5, dtype)
    assert all(s.dtype == dtype for s in carousel_step(x, h_prev, c_prev, *weights[3:]))
    assert all(s.dtype == dtype for s in forget_cell_step(x, h_prev, c_prev, *weights))


def test_a_wrong_argument_is_named():
    x, h_prev, c_prev, *weights = arguments(3, 2, 5)
    with pytest.raises(
        ValueError, match=r"W_hg should have shape \(H, H\) = \(5, 5\), got \(5, 4\)"
    ):
        carousel_step(x, h_prev, c_prev, weights[3], weights[4][:, :4], weights[5])
    with pytest.raises(
        ValueError, match=r"c_prev should have shape \(3, 5\), as h_prev has, got \(2, 5\)"
    ):
        forget_cell_step(x, h_prev, c_prev[:2], *weights)


def test_states_that_differ_are_named_before_they_are_mixed():
    x, h_prev, c_prev, *weights = arguments(3, 2, 5)
    with pytest.raises(ValueError, match=r"c_prev should have shape \(3, 5\), as h_prev has"):
        carousel_step(x, h_prev, c_prev[:1], *weights[3:])
