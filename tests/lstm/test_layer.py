"""lstmkit.LSTM against torch.nn.LSTM."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

import lstmkit
from lstmkit.lstm.equations import lstm_forward
from tests.drop_in import assert_same_behaviour, error_of, flatten, start_states

SIZES = [(1, 1, 1, 1), (2, 3, 2, 5), (17, 3, 1, 7), (17, 1, 4, 5), (2, 1, 3, 1)]


def random_input(*shape):
    generator = torch.Generator().manual_seed(3)
    return torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True)


def pair(*arguments, **options):
    torch.manual_seed(0)
    options.setdefault("dtype", torch.float64)
    return lstmkit.LSTM(*arguments, **options), nn.LSTM(*arguments, **options)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("num_layers", [1, 3])
def test_outputs_and_gradients(sizes, num_layers):
    T, B, I, H = sizes  # noqa: E741
    ours, theirs = pair(I, H, num_layers)
    x = random_input(T, B, I)
    assert_same_behaviour(ours, theirs, x, None)
    assert_same_behaviour(ours, theirs, x, start_states("hc", (num_layers, B, H), seed=4))


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_options(batch_first, bias):
    ours, theirs = pair(2, 5, 2, bias=bias, batch_first=batch_first)
    x = random_input(4, 3, 2)
    batch = 4 if batch_first else 3
    assert_same_behaviour(ours, theirs, x, start_states("hc", (2, batch, 5), seed=4))
    without_batch = random_input(4, 2)
    assert_same_behaviour(ours, theirs, without_batch, None)
    assert_same_behaviour(ours, theirs, without_batch, start_states("hc", (2, 5), seed=4))


def test_an_empty_batch():
    ours, theirs = pair(2, 5)
    x = torch.zeros(4, 0, 2, dtype=torch.float64)
    assert [s.shape for s in flatten(ours(x))] == [s.shape for s in flatten(theirs(x))]


def test_parameters_have_torchs_names_start_values_and_order():
    for options in ({}, {"bias": False}, {"num_layers": 3}):
        torch.manual_seed(5)
        theirs = nn.LSTM(3, 4, **options)
        torch.manual_seed(5)
        ours = lstmkit.LSTM(3, 4, **options)
        assert list(ours.state_dict()) == list(theirs.state_dict())
        for mine, torchs in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert torch.equal(mine, torchs)
        assert repr(ours) == repr(theirs)
        for name in ("num_layers", "bias", "batch_first", "dropout", "bidirectional", "proj_size"):
            assert getattr(ours, name) == getattr(theirs, name)
        assert [[w.shape for w in layer] for layer in ours.all_weights] == [
            [w.shape for w in layer] for layer in theirs.all_weights
        ]


def test_state_dict_goes_both_ways():
    ours, theirs = pair(3, 4, 2)
    ours.load_state_dict(theirs.state_dict())
    x = random_input(6, 2, 3)
    torch.testing.assert_close(ours(x), theirs(x), rtol=0, atol=1e-12)
    other = copy.deepcopy(ours)
    nn.init.normal_(other.weight_hh_l1)
    theirs.load_state_dict(other.state_dict())
    torch.testing.assert_close(other(x), theirs(x), rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtype_is_kept(dtype):
    layer = lstmkit.LSTM(3, 4, 2).to(dtype)
    assert {s.dtype for s in flatten(layer(torch.zeros(2, 1, 3, dtype=dtype)))} == {dtype}


def test_the_layer_is_its_equations():
    """The two faces of one idea: torch's layer and the NumPy equations, on the same weights."""
    layer = lstmkit.LSTM(2, 5, dtype=torch.float64)
    W_ih, W_hh, b_ih, b_hh = (weight.detach().numpy() for weight in layer.parameters())
    x, (h0, c0) = random_input(6, 3, 2), start_states("hc", (1, 3, 5), seed=4)
    h, (_, c_last) = layer(x, (h0, c0))
    given = (part.detach().numpy() for part in (x, h0[0], c0[0]))
    trace = lstm_forward(*given, W_ih, W_hh, b_ih + b_hh)
    np.testing.assert_allclose(h.detach().numpy(), trace.h, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(c_last[0].detach().numpy(), trace.c[-1], rtol=1e-12, atol=1e-12)


def test_double_backward():
    layer = lstmkit.LSTM(2, 3, dtype=torch.float64)
    assert torch.autograd.gradgradcheck(lambda x: layer(x)[0], random_input(3, 2, 2))


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ((0, 4), {}),
        ((3, 0), {}),
        ((3, 4, 0), {}),
        ((3.0, 4), {}),
        ((3, 4.0), {}),
        ((3, 4), {"bias": 1}),
        ((3, 4), {"batch_first": 1}),
    ],
)
def test_constructor_errors_are_torchs(arguments, options):
    expected = error_of(lambda: nn.LSTM(*arguments, **options))
    assert error_of(lambda: lstmkit.LSTM(*arguments, **options)) == expected


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize(
    ("x", "hx"),
    [
        ((5,), None),
        ((5, 2, 2, 3), None),
        ((5, 2, 4), None),
        ((0, 3), None),
        ((0, 0, 3), None),
        ((5, 5, 3), (2, 4)),
        ((5, 3), (2, 1, 4)),
        ((5, 5, 3), (2, 5, 6)),
        ((5, 5, 3), (1, 5, 4)),
        ((5, 5, 3), (2, 3, 4)),
        ((5, 3), (1, 4)),
    ],
)
def test_call_errors_are_torchs(x, hx, batch_first):
    ours, theirs = pair(3, 4, 2, batch_first=batch_first, dtype=torch.float32)
    given = (torch.zeros(x), None if hx is None else (torch.zeros(hx), torch.zeros(hx)))
    assert error_of(lambda: ours(*given)) == error_of(lambda: theirs(*given))


def test_a_batch_without_steps_is_torchs_error():
    ours, theirs = pair(3, 4, batch_first=True, dtype=torch.float32)
    x = torch.zeros(2, 0, 3)
    assert error_of(lambda: ours(x)) == error_of(lambda: theirs(x))


def test_dtype_errors():
    ours, theirs = pair(3, 4, dtype=torch.float32)
    for dtype in (torch.float64, torch.int64):
        x = torch.zeros(5, 2, 3, dtype=dtype)
        assert error_of(lambda x=x: ours(x)) == error_of(lambda x=x: theirs(x))
    x, h = torch.zeros(5, 2, 3), torch.zeros(1, 2, 4)
    with pytest.raises(RuntimeError, match=r"hx and cx should have the dtype of the input"):
        ours(x, (h, h.double()))


@pytest.mark.parametrize("wrong", [0, 1])
def test_a_wrong_size_of_either_state_is_torchs_error(wrong):
    ours, theirs = pair(3, 4, 2, dtype=torch.float32)
    hx = [torch.zeros(2, 2, 4), torch.zeros(2, 2, 4)]
    hx[wrong] = torch.zeros(2, 2, 5)
    x = torch.zeros(5, 2, 3)
    assert error_of(lambda: ours(x, tuple(hx))) == error_of(lambda: theirs(x, tuple(hx)))


def test_a_wrong_kind_of_argument_is_named():
    layer = lstmkit.LSTM(3, 4)
    with pytest.raises(TypeError, match="LSTM: input has to be a tensor, got list"):
        layer([[0.0] * 3])
    x, h = torch.zeros(5, 2, 3), torch.zeros(1, 2, 4)
    message = r"LSTM: hx has to be a pair of tensors, \(h, c\), got "
    with pytest.raises(TypeError, match=message + "one tensor"):
        layer(x, h)
    with pytest.raises(TypeError, match=message + "3 of them"):
        layer(x, (h, h, h))


@pytest.mark.parametrize(
    ("option", "named"),
    [
        ({"bidirectional": True}, "bidirectional=True"),
        ({"dropout": 0.5}, "dropout=0.5"),
        ({"proj_size": 2}, "proj_size=2"),
        ({"backend": "triton"}, "backend='triton'"),
        ({"backend": "torch"}, "backend='torch'"),
    ],
)
def test_what_is_not_there_yet_is_named(option, named):
    with pytest.raises(NotImplementedError, match=rf"lstmkit.LSTM does not have {named} yet"):
        lstmkit.LSTM(3, 4, **option)


def test_lengths_and_packed_sequences_are_not_there_yet():
    layer, x = lstmkit.LSTM(3, 4), torch.zeros(5, 2, 3)
    with pytest.raises(NotImplementedError, match=r"lstmkit.LSTM does not have lengths yet"):
        layer(x, lengths=[5, 3])
    packed = nn.utils.rnn.pack_padded_sequence(x, torch.tensor([5, 3]))
    with pytest.raises(
        NotImplementedError, match=r"lstmkit.LSTM does not have packed sequences yet"
    ):
        layer(packed)


def test_backends():
    x = torch.zeros(5, 2, 3)
    layers = [lstmkit.LSTM(3, 4, backend=backend) for backend in ("auto", "reference")]
    layers[1].load_state_dict(layers[0].state_dict())
    assert torch.equal(layers[0](x)[0], layers[1](x)[0])
    with pytest.raises(ValueError, match="got 'cuda'"):
        lstmkit.LSTM(3, 4, backend="cuda")
