"""Layer normalisation against torch, finite differences and hand-worked numbers."""

import numpy as np
import pytest
import torch

from lstmkit.normalise import d_layer_norm, layer_norm, normalise
from tests.differences import assert_gradient, finite_differences

SHAPES = [(1, 4), (3, 7), (2, 3, 5), (6,), (0, 4)]


def draws(shape):
    draw = np.random.default_rng([9, *shape]).normal
    return draw(2, 3, shape), draw(size=shape[-1]), draw(size=shape[-1]), draw(size=shape)


def test_by_hand():
    """1, 2, 3 has mean 2 and variance ⅔."""
    y = layer_norm(np.array([[1.0, 2.0, 3.0]]), np.ones(3), np.array([0, 0, 1.0]), eps=0)
    np.testing.assert_allclose(y, [[-1.224744871391589, 0, 2.224744871391589]], rtol=1e-15)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("eps", [1e-5, 1e-2])
def test_forward_and_backward_as_torch(shape, eps):
    z, gain, bias, dy = draws(shape)
    tensors = [torch.tensor(array, requires_grad=True) for array in (z, gain, bias)]
    expected = torch.nn.functional.layer_norm(tensors[0], shape[-1:], *tensors[1:], eps)
    (expected * torch.tensor(dy)).sum().backward()
    found = layer_norm(z, gain, bias, eps)
    np.testing.assert_allclose(found, expected.detach().numpy(), rtol=1e-12, atol=1e-12)
    for gradient, tensor in zip(d_layer_norm(dy, z, gain, eps), tensors, strict=True):
        assert_gradient(gradient, tensor.grad.numpy(), rtol=1e-10)


def test_without_a_bias_nothing_is_added():
    z, gain, _, _ = draws((3, 7))
    expected = torch.nn.functional.layer_norm(torch.tensor(z), (7,), torch.tensor(gain))
    np.testing.assert_allclose(layer_norm(z, gain), expected.numpy(), rtol=1e-12, atol=1e-14)


def test_backward_by_finite_differences():
    z, gain, bias, dy = draws((2, 3, 5))

    def loss():
        return float((dy * layer_norm(z, gain, bias)).sum())

    for found, argument in zip(d_layer_norm(dy, z, gain), (z, gain, bias), strict=True):
        assert_gradient(found, finite_differences(loss, argument), rtol=1e-6)


def test_a_constant_is_no_division_by_zero():
    z = np.full((2, 4), 3.0)
    z_hat, scale = normalise(z)
    np.testing.assert_array_equal(z_hat, 0)
    np.testing.assert_allclose(scale, 1 / np.sqrt(1e-5))
    assert all(np.isfinite(gradient).all() for gradient in d_layer_norm(z, z, np.ones(4)))
    np.testing.assert_array_equal(d_layer_norm(z[:, :1], z[:, :1], np.ones(1))[0], 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept(dtype):
    z, gain, bias, dy = (array.astype(dtype) for array in draws((3, 7)))
    assert layer_norm(z, gain, bias).dtype == dtype
    assert all(gradient.dtype == dtype for gradient in d_layer_norm(dy, z, gain))


def test_a_wrong_argument_is_named():
    z, gain, bias, dy = draws((3, 7))
    with pytest.raises(ValueError, match=r"z should have shape \(…, D\) = \(…, 7\), got \(3, 1\)"):
        layer_norm(z[:, :1], gain)
    with pytest.raises(ValueError, match=r"bias should have shape \(D,\) = \(7,\), got \(1,\)"):
        layer_norm(z, gain, bias[:1])
    with pytest.raises(ValueError, match=r"dy should have shape \(3, 7\), as z has, got \(1, 7\)"):
        d_layer_norm(dy[:1], z, gain)
