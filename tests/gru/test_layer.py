"""What only lstmkit.GRU has: its equations and its layer normalisation."""

import numpy as np
import pytest
import torch
from torch import nn

import lstmkit
from lstmkit.gru.equations import GRUTrace, gru_forward
from lstmkit.lstm.equations import sigmoid
from lstmkit.normalise import layer_norm
from tests.drop_in import draw, error_of, pair


def test_the_layer_is_its_equations():
    """The two faces of one idea: torch's layer and the NumPy equations, on the same weights."""
    layer, _ = pair("GRU", 2, 5)
    weights = [weight.detach().numpy() for weight in layer.parameters()]
    x, h0, lengths = draw(6, 3, 2), draw(1, 3, 5), [4, 6, 0]
    _, h_n, (found,) = layer(x, h0, lengths=lengths, trace=True)
    given = (part.detach().numpy() for part in (x, h0[0]))
    expected = gru_forward(*given, *weights, np.array(lengths))
    assert type(found) is GRUTrace
    for name in GRUTrace._fields:
        ours, theirs = getattr(found, name).detach().numpy(), getattr(expected, name)
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12, err_msg=name)
    np.testing.assert_allclose(h_n[0].detach().numpy(), expected.h[-1], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("bias", [False, True])
def test_layer_norm(bias):
    """The supplement of Ba, Kiros and Hinton, in NumPy: four products' norms, two for the gates."""
    layer = lstmkit.GRU(2, 5, bias=bias, layer_norm=True, dtype=torch.float64)
    assert list(layer.state_dict())[-2:] == ["norm_x_l0", "norm_h_l0"]
    for name in ("norm_x_l0", "norm_h_l0"):
        assert torch.equal(getattr(layer, name), torch.ones(15, dtype=torch.float64))
        nn.init.normal_(getattr(layer, name))
    x, h = draw(4, 3, 2), draw(1, 3, 5)
    found = layer(x, h)[0].detach().numpy()
    W_ih, W_hh, *others = (weight.detach().numpy() for weight in layer.parameters())
    b_x, b_h, gain_x, gain_h = others if bias else (np.zeros(15), np.zeros(15), *others)
    gates, last = slice(0, 10), slice(10, 15)

    def norm(v, W, gain, b, rows):
        return layer_norm(v @ W[rows].T, gain[rows], b[rows])

    h = h[0].detach().numpy()
    for t, x_t in enumerate(x.detach().numpy()):
        a = norm(x_t, W_ih, gain_x, b_x, gates) + norm(h, W_hh, gain_h, b_h, gates)
        r, z = np.split(sigmoid(a), 2, axis=-1)
        n = np.tanh(norm(x_t, W_ih, gain_x, b_x, last) + r * norm(h, W_hh, gain_h, b_h, last))
        h = (1 - z) * n + z * h
        np.testing.assert_allclose(found[t], h, rtol=1e-12, atol=1e-12)


def test_there_is_no_projection_as_in_torch():
    expected = error_of(lambda: nn.GRU(3, 4, proj_size=2))
    assert error_of(lambda: lstmkit.GRU(3, 4, proj_size=2)) == expected
