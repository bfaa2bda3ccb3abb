"""What only lstmkit.RNN has: its equations, its nonlinearity, its layer normalisation."""

import numpy as np
import pytest
import torch
from torch import nn

import lstmkit
from lstmkit.normalise import layer_norm
from lstmkit.rnn.equations import rnn_forward
from tests.drop_in import draw, error_of, pair


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_the_layer_is_its_equations(nonlinearity):
    """The two faces of one idea: torch's layer and the NumPy equations, on the same weights."""
    layer, _ = pair("RNN", 2, 5, 1, nonlinearity)
    W_ih, W_hh, b_ih, b_hh = (weight.detach().numpy() for weight in layer.parameters())
    x, h0, lengths = draw(6, 3, 2), draw(1, 3, 5), [4, 6, 0]
    _, h_n, (trace,) = layer(x, h0, lengths=lengths, trace=True)
    given = (part.detach().numpy() for part in (x, h0[0]))
    h = rnn_forward(*given, W_ih, W_hh, b_ih + b_hh, np.array(lengths), nonlinearity)
    np.testing.assert_allclose(trace.h.detach().numpy(), h, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(h_n[0].detach().numpy(), h[-1], rtol=1e-12, atol=1e-12)


def test_an_unknown_nonlinearity_is_torchs_error():
    expected = error_of(lambda: nn.RNN(3, 4, 1, "sigmoid"))
    assert error_of(lambda: lstmkit.RNN(3, 4, 1, "sigmoid")) == expected
    expected = error_of(lambda: nn.RNN(3, 4, nonlinearity=0))
    assert error_of(lambda: lstmkit.RNN(3, 4, nonlinearity=0)) == expected


@pytest.mark.parametrize("bias", [False, True])
def test_layer_norm(bias):
    """h = tanh(LN(W_ih x + W_hh h_prev; α) + b), written out in NumPy."""
    layer, _ = pair("RNN", 2, 5, bias=bias)
    normalised = lstmkit.RNN(2, 5, bias=bias, layer_norm=True, dtype=torch.float64)
    assert set(normalised.state_dict()) == {*layer.state_dict(), "norm_a_l0"}
    assert torch.equal(normalised.norm_a_l0, torch.ones(5, dtype=torch.float64))
    nn.init.normal_(normalised.norm_a_l0)
    x, h = draw(4, 3, 2), draw(1, 3, 5)
    found = normalised(x, h)[0].detach().numpy()
    parts = {name: weight.detach().numpy() for name, weight in normalised.named_parameters()}
    b = parts["bias_ih_l0"] + parts["bias_hh_l0"] if bias else None
    h = h[0].detach().numpy()
    for t in range(4):
        a = x.detach().numpy()[t] @ parts["weight_ih_l0"].T + h @ parts["weight_hh_l0"].T
        h = np.tanh(layer_norm(a, parts["norm_a_l0"], b))
        np.testing.assert_allclose(found[t], h, rtol=1e-12, atol=1e-12)
