"""RNN, LSTM and GRU against torch.nn's: numbers, gradients, parameters and errors."""

import itertools

import pytest
import torch
from torch import nn

import lstmkit
from tests.drop_in import (
    BACKENDS,
    KINDS,
    assert_same_behaviour,
    draw,
    error_of,
    flatten,
    pair,
    start_states,
)

SIZES = [(1, 1, 1, 1), (2, 3, 2, 5), (7, 3, 1, 7), (5, 1, 4, 2)]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("num_layers", [1, 2])
def test_outputs_and_gradients(kind, sizes, num_layers, backend):
    T, B, I, H = sizes  # noqa: E741
    ours, theirs = pair(kind, I, H, num_layers, backend=backend)
    x = draw(T, B, I)
    assert_same_behaviour(ours, theirs, x, None)
    assert_same_behaviour(ours, theirs, x, start_states(ours, B))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_options(kind, batch_first, bias, bidirectional, backend):
    options = {"batch_first": batch_first, "bias": bias, "bidirectional": bidirectional}
    for extra in ({}, {"proj_size": 3}) if kind == "LSTM" else ({},):
        ours, theirs = pair(kind, 2, 5, 2, backend=backend, **options, **extra)
        x = draw(3, 2, 2)
        assert_same_behaviour(ours, theirs, x, start_states(ours, 3 if batch_first else 2))
        without_batch = draw(3, 2)
        assert_same_behaviour(ours, theirs, without_batch, start_states(ours))


@pytest.mark.parametrize("backend", BACKENDS)
def test_relu(backend):
    ours, theirs = pair("RNN", 2, 5, 2, "relu", backend=backend, bidirectional=True)
    assert_same_behaviour(ours, theirs, draw(4, 3, 2), None)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_batch(kind, backend):
    ours, theirs = pair(kind, 2, 5, backend=backend)
    x = torch.zeros(4, 0, 2, dtype=torch.float64)
    assert [s.shape for s in flatten(ours(x))] == [s.shape for s in flatten(theirs(x))]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch_first", [False, True])
def test_dropout_is_torchs_and_can_be_changed_later(kind, batch_first, backend):
    options = {"batch_first": batch_first, "bidirectional": True, "dropout": 0.4}
    ours, theirs = pair(kind, 2, 5, 2, backend=backend, **options)
    x = draw(3, 3, 2)
    for p in (0.4, 0.9, 1.0, 0.0):
        ours.dropout = theirs.dropout = p
        results = []
        for layer in (ours, theirs):
            torch.manual_seed(11)
            results.append(layer(x)[0])
        torch.testing.assert_close(*results, rtol=0, atol=1e-12)
    ours.dropout = 0.9
    assert not torch.equal(ours(x)[0], ours(x)[0])
    ours.eval()
    assert torch.equal(ours(x)[0], ours(x)[0])


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_have_torchs_names_start_values_and_order(kind):
    several = [{}, {"bias": False}, {"num_layers": 3, "dropout": 0.5}, {"bidirectional": True}]
    several += {"RNN": [{"nonlinearity": "relu"}], "LSTM": [{"proj_size": 2}], "GRU": []}[kind]
    for options in several:
        ours, theirs = pair(kind, 3, 4, **options)
        assert list(ours.state_dict()) == list(theirs.state_dict())
        for mine, torchs in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert torch.equal(mine, torchs)
        assert repr(ours) == repr(theirs)
        for name in ("num_layers", "bias", "batch_first", "dropout", "bidirectional", "proj_size"):
            assert getattr(ours, name) == getattr(theirs, name)
        assert [[w.shape for w in layer] for layer in ours.all_weights] == [
            [w.shape for w in layer] for layer in theirs.all_weights
        ]


CONSTRUCTOR_ERRORS = [
    ((0, 4), {}),
    ((3, 0), {}),
    ((3, 4, 0), {}),
    ((3.0, 4), {}),
    ((3, 4.0), {}),
    ((3, 4), {"bias": 1}),
    ((3, 4), {"batch_first": 1}),
    ((3, 4), {"dropout": 1.5}),
    ((3, 4), {"dropout": True}),
    ((3, 4), {"dropout": "much"}),
    ((3, 4), {"proj_size": -1}),
    ((3, 4), {"proj_size": 4}),
    ((3, 4), {"frobnicate": 1}),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("arguments", "options"), CONSTRUCTOR_ERRORS)
def test_constructor_errors_are_torchs(kind, arguments, options):
    expected = error_of(lambda: getattr(nn, kind)(*arguments, **options))
    found = error_of(lambda: getattr(lstmkit, kind)(*arguments, **options))
    assert found[0] == expected[0]
    assert found[1].split("__init__()")[-1] == expected[1].split("__init__()")[-1]


CALL_ERRORS = [
    ((5,), None),
    ((5, 2, 2, 3), None),
    ((5, 2, 4), None),
    ((0, 3), None),
    ((0, 0, 3), None),
    ((0, 2, 3), None),
    ((2, 0, 3), (2, 2, 5)),
    ((5, 5, 3), (2, 4)),
    ((5, 3), (2, 1, 4)),
    ((5, 5, 3), (2, 5, 6)),
    ((5, 5, 3), (1, 5, 4)),
    ((5, 5, 3), (2, 3, 4)),
    ((5, 3), (1, 4)),
]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("x", "hx", "batch_first"),
    # (0, 2, 3) with batch_first is an empty batch, and no error.
    [(*e, first) for e in CALL_ERRORS for first in (False, True) if not first or e[0] != (0, 2, 3)],
)
def test_call_errors_are_torchs(kind, x, hx, batch_first, backend):
    options = {"batch_first": batch_first, "dtype": torch.float32}
    ours, theirs = pair(kind, 3, 4, 2, backend=backend, **options)
    state = None if hx is None else torch.zeros(hx)
    given = (torch.zeros(x), (state, state) if hx and kind == "LSTM" else state)
    assert error_of(lambda: ours(*given)) == error_of(lambda: theirs(*given))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_without_steps_is_torchs_error(kind, backend):
    ours, theirs = pair(kind, 3, 4, batch_first=True, dtype=torch.float32, backend=backend)
    x = torch.zeros(2, 0, 3)
    assert error_of(lambda: ours(x)) == error_of(lambda: theirs(x))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("wrong", "proj_size"), [*itertools.product((0, 1), (0, 2)), ("both swapped", 2)]
)
def test_a_wrong_size_of_either_state_is_torchs_error(wrong, proj_size, backend):
    options = {"proj_size": proj_size, "dtype": torch.float32}
    ours, theirs = pair("LSTM", 3, 4, 2, backend=backend, **options)
    hx = [torch.zeros(2, 2, proj_size or 4), torch.zeros(2, 2, 4)]
    if wrong in (0, 1):
        hx[wrong] = torch.zeros(2, 2, 5)
    else:
        hx.reverse()
    x = torch.zeros(5, 2, 3)
    assert error_of(lambda: ours(x, tuple(hx))) == error_of(lambda: theirs(x, tuple(hx)))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", KINDS)
def test_dtype_errors(kind, backend):
    ours, theirs = pair(kind, 3, 4, dtype=torch.float32, backend=backend)
    for dtype in (torch.float64, torch.int64):
        x = torch.zeros(5, 2, 3, dtype=dtype)
        assert error_of(lambda x=x: ours(x)) == error_of(lambda x=x: theirs(x))
    x, h = torch.zeros(5, 2, 3), torch.zeros(1, 2, 4)
    wrong = (h, h.double()) if kind == "LSTM" else h.double()
    if backend == "reference":
        with pytest.raises(RuntimeError, match=r"should have the dtype of the input, torch.float3"):
            ours(x, wrong)
    else:
        assert error_of(lambda: ours(x, wrong)) == error_of(lambda: theirs(x, wrong))


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_kind_of_argument_is_named(kind):
    layer = getattr(lstmkit, kind)(3, 4)
    x, h = torch.zeros(5, 2, 3), torch.zeros(1, 2, 4)
    with pytest.raises(TypeError, match=f"{kind}: input has to be a tensor or a Pack.*, got list"):
        layer([[0.0] * 3])
    if kind == "LSTM":
        message = r"LSTM: hx has to be a pair of tensors, \(h, c\), got "
        for wrong, named in ((h, "one tensor"), ((h, h, h), "3 of them")):
            with pytest.raises(TypeError, match=message + named):
                layer(x, wrong)
    else:
        with pytest.raises(TypeError, match=f"{kind}: hx has to be one tensor, h, got tuple"):
            layer(x, (h, h))
