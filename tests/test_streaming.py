"""A stream says item by item what the layer says over the whole sequence."""

import copy
import pickle
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import lstmkit
from lstmkit.streaming import stream

KINDS = {
    "LSTM": (nn.LSTM, {}),
    "GRU": (nn.GRU, {}),
    "RNN": (nn.RNN, {}),
    "RELU": (nn.RNN, {"nonlinearity": "relu"}),
}
TOLERANCE = {torch.float32: 2e-6, torch.float64: 1e-13}


def random(*shape, dtype=torch.float32, seed=3):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def layer_of(kind, *sizes, **options):
    torch.manual_seed(0)
    build, more = KINDS[kind]
    return build(*sizes, **more, **options)


def tuple_of(state):
    return state if isinstance(state, tuple) else (state,)


def whole(layer, x, hx=None):
    """The layer over the whole sequence, without gradients: every h and the last states."""
    with torch.no_grad():
        output, last = layer(x, hx)
    return output, tuple_of(last)


def item_by_item(live, x):
    items = x.numpy() if live.backend == "numpy" else x
    return torch.stack([torch.as_tensor(live.step(item)) for item in items])


def assert_near(found, expected, tolerance):
    assert tuple(found.shape) == tuple(expected.shape)
    found = torch.as_tensor(found)
    assert found.dtype == expected.dtype
    torch.testing.assert_close(found, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("batch_size", [None, 1, 3])
@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("num_layers", "bias"), [(1, True), (1, False), (3, True), (3, False)])
def test_item_by_item_equals_the_whole_sequence(kind, backend, batch_size, dtype, num_layers, bias):
    layer = layer_of(kind, 5, 7, num_layers, bias=bias, dtype=dtype)
    x = random(*((9, 5) if batch_size is None else (9, batch_size, 5)), dtype=dtype)
    expected, last = whole(layer, x)
    live = stream(layer, backend, batch_size=batch_size)
    assert_near(item_by_item(live, x), expected, TOLERANCE[dtype])
    for found, state in zip(tuple_of(live.state), last, strict=True):
        assert_near(found, state, TOLERANCE[dtype])


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(sorted(KINDS)),
    st.integers(1, 9),
    st.integers(1, 9),
    st.integers(1, 4),
    st.sampled_from([None, 1, 2, 5]),
    st.sampled_from(["numpy", "torch"]),
)
def test_odd_sizes(kind, input_size, hidden_size, num_layers, batch_size, backend):
    layer = layer_of(kind, input_size, hidden_size, num_layers, dtype=torch.float64)
    x = random(*((4, input_size) if batch_size is None else (4, batch_size, input_size))).double()
    live = stream(layer, backend, batch_size=batch_size)
    assert_near(item_by_item(live, x), whole(layer, x)[0], 1e-13)


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_the_courses_layers(name):
    torch.manual_seed(0)
    layer = getattr(lstmkit, name)(5, 7, 2, dropout=0.5).eval()
    x = random(9, 5)
    assert_near(item_by_item(stream(layer), x), whole(layer, x)[0], 2e-6)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("kind", KINDS)
def test_large_inputs_saturate_the_gates_and_nothing_overflows(kind, backend):
    layer = layer_of(kind, 5, 7, dtype=torch.float64)
    x = 1e4 * random(6, 5, dtype=torch.float64)
    expected, _ = whole(layer, x)
    found = item_by_item(stream(layer, backend), x)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_a_stream_goes_on_from_the_layers_state_and_the_layer_from_the_streams(backend):
    for kind in KINDS:
        layer = layer_of(kind, 5, 7, 2, dtype=torch.float64)
        x = random(9, 3, 5, dtype=torch.float64)
        expected, _ = whole(layer, x)
        live = stream(layer, backend, batch_size=3)
        _, live.state = layer(x[:4])  # with its graph, as a layer in use has it
        assert_near(item_by_item(live, x[4:6]), expected[4:6], 1e-13)
        states = tuple(torch.as_tensor(s) for s in tuple_of(live.state))
        output, _ = whole(layer, x[6:], states if kind == "LSTM" else states[0])
        assert_near(output, expected[6:], 1e-13)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize(
    "twin_of",
    [
        lambda live: live.copy(),
        copy.copy,
        copy.deepcopy,
        lambda live: pickle.loads(pickle.dumps(live)),
    ],
    ids=["copy", "copy.copy", "deepcopy", "pickle"],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_stands_where_the_stream_stands_and_goes_its_own_way(kind, twin_of, backend):
    layer = layer_of(kind, 5, 7, 2, dtype=torch.float64)
    x = random(9, 5, dtype=torch.float64)
    expected, _ = whole(layer, x)
    live = stream(layer, backend)
    item_by_item(live, x[:4])
    twin = twin_of(live)
    item_by_item(twin, 10 * x[:3])
    assert_near(item_by_item(live, x[4:]), expected[4:], 1e-13)
    twin.reset()
    assert_near(item_by_item(twin, x), expected, 1e-13)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_state_is_a_copy_and_so_is_what_a_step_returns(backend):
    layer = layer_of("LSTM", 5, 7)
    x = random(3, 5)
    expected, _ = whole(layer, x)
    live = stream(layer, backend)
    first = live.step(x[0])
    first_again = copy.deepcopy(first)
    h, c = live.state
    h *= 0
    c *= 0
    live.step(x[1])[:] = 0
    assert_near(live.step(x[2]), expected[2], 2e-6)
    assert_near(first, torch.as_tensor(first_again), 0)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_reset(backend):
    layer = layer_of("LSTM", 5, 7, 2)
    x = random(4, 3, 5)
    live = stream(layer, backend, batch_size=3)
    for rows, restarted in (([0, 2], [0, 2]), (1, [1]), (slice(1, 3), [1, 2]), (None, [0, 1, 2])):
        live.reset()
        item_by_item(live, x[:2])
        live.reset(rows)
        found = item_by_item(live, x[2:])
        for row in range(3):
            start = 2 if row in restarted else 0
            expected, _ = whole(layer, x[start:, row])
            assert_near(found[:, row], expected[-2:], 2e-6)
    with pytest.raises(ValueError, match="one row and no batch"):
        stream(layer, backend).reset(0)


def test_the_weights_are_copied():
    layer = layer_of("GRU", 5, 7)
    x = random(3, 5)
    expected, _ = whole(layer, x)
    streams = [stream(layer, backend) for backend in ("numpy", "torch")]
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.zero_()
    for live in streams:
        assert_near(item_by_item(live, x), expected, 2e-6)


def test_a_step_allocates_nothing_but_its_result():
    live = stream(layer_of("LSTM", 32, 64, 2))
    x = random(32).numpy()
    live.step(x)
    tracemalloc.start()
    for _ in range(50):
        live.step(x)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * 64 * 4 + 2000


def test_state_bytes():
    assert stream(layer_of("LSTM", 5, 7, 2)).state_bytes == 2 * 2 * 7 * 4
    assert stream(layer_of("GRU", 5, 7, 3), batch_size=4).state_bytes == 3 * 4 * 7 * 4
    assert stream(layer_of("RNN", 5, 7).double(), "torch").state_bytes == 7 * 8


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_weights_alone(backend):
    layer = layer_of("LSTM", 5, 7, 2)
    x = random(9, 5)
    arrays = {name: w.numpy() for name, w in layer.state_dict().items()}
    live = stream(arrays, backend, mode="LSTM")
    assert_near(item_by_item(live, x), whole(layer, x)[0], 2e-6)
    with pytest.raises(ValueError, match=r"mode should be one of RNN_TANH, .*, got None"):
        stream(arrays, backend)
    with pytest.raises(ValueError, match=r"W_ih of layer 0 should have shape \(21, 5\)"):
        stream(arrays, backend, mode="GRU")
    with pytest.raises(ValueError, match="no weight_ih_l0"):
        stream({"weight": arrays["weight_ih_l0"]}, backend, mode="GRU")


def test_a_pickled_stream_runs_without_torch(tmp_path):
    layer = layer_of("LSTM", 5, 7)
    x = random(2, 5)
    live = stream(layer)
    live.step(x[0])
    (tmp_path / "stream").write_bytes(pickle.dumps(live))
    np.save(tmp_path / "x.npy", x[1].numpy())
    code = """
import pickle, sys
import numpy as np
from pathlib import Path
live = pickle.loads(Path("stream").read_bytes())
np.save("h.npy", live.step(np.load("x.npy")))
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
    assert_near(np.load(tmp_path / "h.npy"), whole(layer, x)[0][1], 2e-6)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_items_are_checked(backend):
    layer = layer_of("LSTM", 5, 7)
    live, rows = stream(layer, backend), stream(layer, backend, batch_size=2)
    for wrong in (np.zeros(4), np.zeros(()), np.zeros((1, 5)), torch.zeros(6)):
        with pytest.raises(ValueError, match=r"an item should have shape \(5,\), got shape"):
            live.step(wrong)
    with pytest.raises(ValueError, match=r"an item should have shape \(5,\), got list"):
        live.step([0.0] * 5)
    with pytest.raises(ValueError, match=r"an item should have shape \(2, 5\), got shape \(5,\)"):
        rows.step(np.zeros(5))
    assert not np.any(np.asarray(live.state))


def test_items_of_another_dtype_are_cast():
    layer = layer_of("LSTM", 5, 7)
    x = random(1, 5)
    expected, _ = whole(layer, x)
    for item in (x[0].double().numpy(), x[0].double(), x[0].clone().requires_grad_()):
        assert_near(stream(layer, "torch").step(item), expected[0], 2e-6)
    for item in (x[0].double().numpy(), x[0].double()):
        assert_near(stream(layer).step(item), expected[0], 2e-6)


def test_states_are_checked():
    live = stream(layer_of("LSTM", 5, 7))
    with pytest.raises(ValueError, match=r"c should have shape \(1, 7\), got \(7,\)"):
        live.state = (np.ones((1, 7), "f"), np.zeros(7, "f"))
    with pytest.raises(ValueError, match=r"the state should be \(h, c\), got 1 arrays"):
        live.state = np.ones((1, 7), "f")
    assert not np.any(np.asarray(live.state))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: nn.GRU(2, 3, bidirectional=True), "bidirectional layer reads the sequence from"),
        (lambda: nn.LSTM(2, 3, proj_size=1), "a stream has no proj_size"),
        (lambda: lstmkit.GRU(2, 3, layer_norm=True), "a stream has no layer normalisation"),
        (lambda: lstmkit.LSTM(2, 3, zoneout=(0.1, 0.0)), "a stream has no zoneout"),
    ],
)
def test_what_a_stream_cannot_do(build, message):
    with pytest.raises(ValueError, match=message):
        stream(build())


def test_wrong_arguments():
    layer = layer_of("RNN", 2, 3)
    with pytest.raises(ValueError, match=r"backend should be .* got 'jax'"):
        stream(layer, "jax")
    with pytest.raises(ValueError, match="batch_size should be a whole number"):
        stream(layer, batch_size=0)
    with pytest.raises(TypeError, match=r"layer should be an RNN, LSTM or GRU .* got Linear"):
        stream(nn.Linear(2, 3))
    with pytest.raises(TypeError, match="the weights are bfloat16"):
        stream(layer_of("GRU", 2, 3).bfloat16())


def test_bfloat16_runs_on_torch():
    layer = layer_of("LSTM", 5, 7).bfloat16()
    x = random(4, 5).bfloat16()
    found = item_by_item(stream(layer, "torch"), x)
    torch.testing.assert_close(found, whole(layer, x)[0], rtol=0, atol=0.02)
