"""The cells against torch.nn's, and their traces against the NumPy equations."""

import pytest
import torch
from torch import nn

from lstmkit.cells import GRUCell, LSTMCell, RNNCell
from lstmkit.gru.equations import gru_forward
from lstmkit.lstm.equations import lstm_forward
from tests.drop_in import error_of

CELLS = {"RNNCell": RNNCell, "LSTMCell": LSTMCell, "GRUCell": GRUCell}


def random(*shape, seed=3):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def state_of(name, *shape):
    return (random(*shape), random(*shape, seed=4)) if name == "LSTMCell" else random(*shape)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("rows", [(), (1,), (3,)])
@pytest.mark.parametrize("name", CELLS)
def test_drop_in(name, rows, bias):
    torch.manual_seed(0)
    ours = CELLS[name](5, 7, bias, dtype=torch.float64)
    torch.manual_seed(0)
    theirs = getattr(nn, name)(5, 7, bias, dtype=torch.float64)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert repr(ours) == repr(theirs)
    x, hx = random(*rows, 5, seed=5), state_of(name, *rows, 7)
    for state in (hx, None):
        torch.testing.assert_close(ours(x, state), theirs(x, state), rtol=0, atol=1e-13)


@pytest.mark.parametrize("name", CELLS)
def test_errors_are_torchs(name):
    ours, theirs = CELLS[name](5, 7), getattr(nn, name)(5, 7)
    for x, hx in ((torch.zeros(2, 2, 5), None), (torch.zeros(2, 4), None)):
        assert error_of(lambda x=x, hx=hx: ours(x, hx)) == error_of(
            lambda x=x, hx=hx: theirs(x, hx)
        )


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("rows", [(), (3,)])
@pytest.mark.parametrize("name", ["LSTMCell", "GRUCell"])
def test_the_traced_step_is_torchs_step_and_so_is_its_gradient(name, rows, bias):
    torch.manual_seed(0)
    ours, theirs = (f(5, 7, bias, dtype=torch.float64) for f in (CELLS[name], getattr(nn, name)))
    theirs.load_state_dict(ours.state_dict())
    x, hx = random(*rows, 5, seed=5).requires_grad_(), state_of(name, *rows, 7)
    for state in (hx, None):
        found, _ = ours(x, state, trace=True)
        expected = theirs(x, state)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-13)
        outputs = (found, expected) if name == "GRUCell" else (found[0] + found[1], sum(expected))
        gradients = [
            torch.autograd.grad((out * random(*rows, 7, seed=6)).sum(), [x, *cell.parameters()])
            for out, cell in zip(outputs, (ours, theirs), strict=True)
        ]
        torch.testing.assert_close(*gradients, rtol=0, atol=1e-12)


def test_traces_are_those_of_the_equations():
    torch.manual_seed(0)
    x, h, c = random(3, 5), random(3, 7, seed=4), random(3, 7, seed=5)
    cell = LSTMCell(5, 7, dtype=torch.float64)
    W_ih, W_hh, b_ih, b_hh = (p.detach().numpy() for p in cell.parameters())
    expected = lstm_forward(x[None].numpy(), h.numpy(), c.numpy(), W_ih, W_hh, b_ih + b_hh)
    assert_same_trace(cell(x, (h, c), trace=True)[1], expected)

    cell = GRUCell(5, 7, dtype=torch.float64)
    W_ih, W_hh, b_ih, b_hh = (p.detach().numpy() for p in cell.parameters())
    expected = gru_forward(x[None].numpy(), h.numpy(), W_ih, W_hh, b_ih, b_hh)
    assert_same_trace(cell(x, h, trace=True)[1], expected)


def assert_same_trace(found, expected):
    assert found._fields == expected._fields
    for ours, numpys in zip(found, expected, strict=True):
        torch.testing.assert_close(ours.detach(), torch.from_numpy(numpys[0]), rtol=0, atol=1e-13)


def test_forget_bias():
    torch.manual_seed(0)
    theirs = nn.LSTMCell(2, 3)
    torch.manual_seed(0)
    ours = LSTMCell(2, 3, forget_bias=1.5)
    assert ours.bias_ih[3:6].tolist() == [1.5] * 3
    assert ours.bias_hh[3:6].tolist() == [0.0] * 3
    rest = [0, 1, 2, 6, 7, 8, 9, 10, 11]
    for name in ("bias_ih", "bias_hh"):
        assert torch.equal(getattr(ours, name)[rest], getattr(theirs, name)[rest])
    assert torch.equal(ours.weight_hh, theirs.weight_hh)
    with pytest.raises(ValueError, match=r"forget_bias=1.5 needs biases"):
        LSTMCell(2, 3, bias=False, forget_bias=1.5)
