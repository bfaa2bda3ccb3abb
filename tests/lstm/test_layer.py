"""What only lstmkit.LSTM has: its equations, plain and normalised, and the forget gate's bias."""

import numpy as np
import pytest
import torch
from torch import nn

import lstmkit
from lstmkit.lstm.equations import LSTMTrace, lstm_forward
from lstmkit.lstm.normalised import Gains, normalised_forward
from tests.drop_in import draw, pair


def as_numpy(*tensors):
    return [tensor.detach().numpy() for tensor in tensors]


def assert_is_trace(found, expected):
    assert type(found) is LSTMTrace
    for name in LSTMTrace._fields:
        ours, theirs = getattr(found, name).detach().numpy(), getattr(expected, name)
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12, err_msg=name)


def test_the_layer_is_its_equations():
    """The two faces of one idea: torch's layer and the NumPy equations, on the same weights."""
    layer, _ = pair("LSTM", 2, 5)
    W_ih, W_hh, b_ih, b_hh = as_numpy(*layer.parameters())
    x, h0, c0, lengths = draw(6, 3, 2), draw(1, 3, 5), draw(1, 3, 5, seed=8), [4, 6, 0]
    _, (h_n, c_n), (found,) = layer(x, (h0, c0), lengths=lengths, trace=True)
    given = as_numpy(x, h0[0], c0[0])
    expected = lstm_forward(*given, W_ih, W_hh, b_ih + b_hh, np.array(lengths))
    assert_is_trace(found, expected)
    for last, states in ((h_n, expected.h), (c_n, expected.c)):
        np.testing.assert_allclose(last[0].detach().numpy(), states[-1], rtol=1e-12, atol=1e-12)


def test_layer_norm_is_the_normalised_equations():
    layer = lstmkit.LSTM(2, 5, layer_norm=True, dtype=torch.float64)
    names = [f"norm_{name}_l0" for name in Gains._fields]
    assert list(layer.state_dict())[4:] == names
    for name in names:
        start = torch.zeros if "bias" in name else torch.ones
        assert torch.equal(getattr(layer, name), start(20 if name[5] in "xh" else 5).double())
        nn.init.normal_(getattr(layer, name))
    W_ih, W_hh, b_ih, b_hh, *gains = as_numpy(*layer.parameters())
    x, h0, c0, lengths = draw(6, 3, 2), draw(1, 3, 5), draw(1, 3, 5, seed=8), [4, 6, 0]
    *_, (found,) = layer(x, (h0, c0), lengths=lengths, trace=True)
    given = as_numpy(x, h0[0], c0[0])
    b = b_ih + b_hh
    assert_is_trace(
        found, normalised_forward(*given, W_ih, W_hh, b, Gains(*gains), np.array(lengths))
    )


@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "bidirectional": True}])
def test_forget_bias_is_there_once(options):
    """b_ih and b_hh add up to it, not to twice as much; all else starts as torch draws it."""
    torch.manual_seed(0)
    layer = lstmkit.LSTM(3, 4, forget_bias=1.5, **options)
    _, plain = pair("LSTM", 3, 4, dtype=torch.float32, **options)
    block_f = slice(4, 8)
    for again in (False, True):
        if again:
            torch.manual_seed(0)
            layer.reset_parameters()
        for weights, drawn in zip(layer.all_weights, plain.all_weights, strict=True):
            total = weights[2] + weights[3]
            assert torch.equal(total[block_f], torch.full((4,), 1.5))
            for weight, start in zip(weights, drawn, strict=True):
                others = torch.ones(len(weight), dtype=torch.bool)
                others[block_f] = weight.dim() > 1
                assert torch.equal(weight[others], start[others])
    assert layer(torch.zeros(2, 1, 3))[0].shape[0] == 2
    assert layer.backend_used == "torch"


def test_forget_bias_needs_a_bias():
    with pytest.raises(ValueError, match=r"forget_bias=1.0 needs biases, but bias=False"):
        lstmkit.LSTM(3, 4, bias=False, forget_bias=1.0)


def test_normalisation_goes_with_projections_and_without_biases():
    layer = lstmkit.LSTM(2, 5, 2, bias=False, proj_size=3, layer_norm=True, bidirectional=True)
    output, (h, c) = layer(torch.randn(4, 3, 2))
    assert (output.shape, h.shape, c.shape) == ((4, 3, 6), (4, 3, 3), (4, 3, 5))
