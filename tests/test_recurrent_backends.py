"""Which backend runs, how that can be seen, and what is said when one cannot."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence

import lstmkit
from lstmkit.backends import BackendError
from tests.drop_in import KINDS, pair

BEYOND = [{"zoneout": 0.1}, {"layer_norm": True}, {"recurrent_dropout": 0.1}]


@pytest.mark.parametrize("kind", KINDS)
def test_auto_takes_torchs_functions_where_they_will_do(kind, monkeypatch):
    calls = []
    torchs = getattr(nn, kind).forward
    monkeypatch.setattr(
        getattr(nn, kind),
        "forward",
        lambda self, *given: calls.append(1) or torchs(self, *given),
    )
    layer, x = getattr(lstmkit, kind)(3, 4), torch.zeros(5, 2, 3)
    assert layer.backend == "auto"
    assert layer.backend_used is None
    for given, options, runs in [
        ((x,), {}, "torch"),
        ((x,), {"trace": True}, "reference"),
        ((pack_sequence([x[:, 0]]),), {}, "torch"),
        ((x,), {"lengths": [5, 2]}, "torch"),
        ((x[:, 0],), {}, "torch"),
    ]:
        before = len(calls)
        layer(*given, **options)
        assert layer.backend_used == runs
        assert len(calls) - before == (runs == "torch")
    assert len(calls) == 4


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("option", BEYOND)
def test_auto_takes_the_loop_for_what_torch_does_not_have(kind, option):
    layer = getattr(lstmkit, kind)(3, 4, **option)
    layer(torch.zeros(5, 2, 3))
    assert layer.backend_used == "reference"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("option", BEYOND)
def test_torch_cannot_have_what_it_does_not_have(kind, option):
    ((name, value),) = option.items()
    message = (
        f'backend="torch" cannot run this {kind}: torch.nn.{kind} has no {name}={value}. '
        'backend="reference" has, and backend="auto" takes it.'
    )
    with pytest.raises(BackendError) as caught:
        getattr(lstmkit, kind)(3, 4, backend="torch", **option)
    assert str(caught.value) == message
    # The same when the option comes, or the backend is chosen, afterwards.
    layer = getattr(lstmkit, kind)(3, 4, **option)
    layer.backend = "torch"
    with pytest.raises(BackendError) as caught:
        layer(torch.zeros(5, 2, 3))
    assert str(caught.value) == message


def test_torch_has_no_traces():
    layer = lstmkit.LSTM(3, 4, backend="torch")
    with pytest.raises(BackendError, match=r"torch.nn.LSTM has no trace=True. backend=.reference"):
        layer(torch.zeros(5, 2, 3), trace=True)
    layer.zoneout = 0.1
    with pytest.raises(BackendError, match=r"has no zoneout=0.1 and no trace=True\. backend=.ref"):
        layer(torch.zeros(5, 2, 3), trace=True)


@pytest.mark.parametrize("kind", KINDS)
def test_triton_is_not_there_yet_and_says_so(kind):
    message = rf'backend="triton" cannot run this {kind}: lstmkit has no Triton kernel .*"auto"'
    with pytest.raises(BackendError, match=message):
        getattr(lstmkit, kind)(3, 4, backend="triton")
    layer = getattr(lstmkit, kind)(3, 4)
    layer.backend = "triton"
    with pytest.raises(BackendError, match=message):
        layer(torch.zeros(5, 2, 3))


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_backend_is_named(kind):
    message = r'backend should be one of "auto", "reference", "torch", "triton", got \'cuda\''
    with pytest.raises(ValueError, match=message):
        getattr(lstmkit, kind)(3, 4, backend="cuda")
    layer = getattr(lstmkit, kind)(3, 4)
    layer.backend = "cuda"
    with pytest.raises(ValueError, match=message):
        layer(torch.zeros(5, 2, 3))


@pytest.mark.parametrize("kind", KINDS)
def test_backends_agree(kind):
    x = torch.randn(7, 3, 2, dtype=torch.float64)
    outputs = [pair(kind, 2, 5, 2, backend=name)[0](x)[0] for name in ("torch", "reference")]
    torch.testing.assert_close(*outputs, rtol=0, atol=1e-12)
