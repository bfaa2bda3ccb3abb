"""Gate orders and converters, against each framework's own formulas and torch's outputs."""

import numpy as np
import pytest
import torch

from lstmkit import gates

T, B, I, H = 4, 3, 2, 5  # noqa: E741
LAYERS = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}
BOTH_WAYS = {"forward": False, "bidirectional": True}


def σ(z):
    return 1 / (1 + np.exp(-z))


def keras_layer(x, kernel, recurrent_kernel, bias=None):
    """One direction as Keras' own cells compute it, after their source: SimpleRNN, GRU, LSTM."""
    size, gates_ = len(recurrent_kernel), recurrent_kernel.shape[1] // len(recurrent_kernel)
    h = c = np.zeros((x.shape[1], size))
    if bias is None:
        bias = np.zeros((2, 3 * size)) if gates_ == 3 else np.zeros(gates_ * size)
    outputs = []
    for inputs in x:
        if gates_ == 1:
            h = np.tanh(inputs @ kernel + bias + h @ recurrent_kernel)
        elif gates_ == 3:
            x_z, x_r, x_h = np.split(inputs @ kernel + bias[0], 3, axis=1)
            r_z, r_r, r_h = np.split(h @ recurrent_kernel + bias[1], 3, axis=1)
            z, r = σ(x_z + r_z), σ(x_r + r_r)
            h = z * h + (1 - z) * np.tanh(x_h + r * r_h)
        else:
            z0, z1, z2, z3 = np.split(inputs @ kernel + h @ recurrent_kernel + bias, 4, axis=1)
            c = σ(z1) * c + σ(z0) * np.tanh(z2)
            h = σ(z3) * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs)


def onnx_layer(X, W, R, B):
    """One direction as ONNX's operators define it: RNN, GRU (linear_before_reset=1), LSTM."""
    size, blocks = R.shape[1], len(R) // R.shape[1]
    Wb, Rb = np.split(np.zeros(2 * len(R)) if B is None else B, 2)
    W, R, Wb, Rb = (np.split(part, blocks) for part in (W, R, Wb, Rb))
    H = C = np.zeros((X.shape[1], size))
    outputs = []
    for Xt in X:
        parts = [(Xt @ w.T + wb, H @ r.T + rb) for w, r, wb, rb in zip(W, R, Wb, Rb, strict=True)]
        if blocks == 1:
            H = np.tanh(sum(parts[0]))
        elif blocks == 3:
            z, r = σ(sum(parts[0])), σ(sum(parts[1]))
            h = np.tanh(parts[2][0] + r * parts[2][1])
            H = (1 - z) * h + z * H
        else:
            i, o, f, c = (sum(part) for part in parts)
            C = σ(f) * C + σ(i) * np.tanh(c)
            H = σ(o) * np.tanh(C)
        outputs.append(H)
    return np.stack(outputs)


def both_directions(layer, x, weights):
    """Outputs of one direction, or of two side by side, the second read backwards."""
    forward, *backward = weights
    outputs = [layer(x, *forward)]
    outputs += [layer(x[::-1], *direction)[::-1] for direction in backward]
    return np.concatenate(outputs, axis=-1)


def torch_layer(cell, bias=True, bidirectional=False, num_layers=1):
    torch.manual_seed(1)
    layer = LAYERS[cell](I, H, num_layers, bias=bias, bidirectional=bidirectional)
    return layer.double()


def run_torch(layer, x):
    return layer(torch.tensor(x))[0].detach().numpy()


@pytest.fixture
def x():
    return np.random.default_rng(2).normal(size=(T, B, I))


def test_reorder_by_hand():
    blocks = {"i": 1.0, "f": 2.0, "g": 3.0, "o": 4.0}
    stacked = {order: np.repeat([blocks[gate] for gate in order], 2) for order in ("ifgo", "iofg")}
    np.testing.assert_array_equal(
        gates.reorder(stacked["ifgo"], "pytorch", "onnx"), [1, 1, 4, 4, 2, 2, 3, 3]
    )
    np.testing.assert_array_equal(
        gates.reorder(stacked["iofg"], "onnx", "keras"), [1, 1, 2, 2, 3, 3, 4, 4]
    )
    np.testing.assert_array_equal(
        gates.reorder([1, 2, 3], "pytorch", "keras", gates="gru"), [2, 1, 3]
    )
    np.testing.assert_array_equal(gates.reorder([1, 2, 3, 4], "ifgo", "igfo"), [1, 3, 2, 4])


def test_reorder_along_another_axis_keeps_the_dtype():
    kernel = np.arange(24, dtype=np.float32).reshape(3, 8)
    moved = gates.reorder(kernel, "keras", "onnx", axis=1)
    np.testing.assert_array_equal(moved, kernel[:, [0, 1, 6, 7, 2, 3, 4, 5]])
    assert moved.dtype == np.float32


@pytest.mark.parametrize("bidirectional", BOTH_WAYS.values(), ids=BOTH_WAYS)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("cell", LAYERS)
def test_pytorch_to_keras_computes_the_same(cell, bias, bidirectional, x):
    layer = torch_layer(cell, bias, bidirectional)
    weights = gates.pytorch_to_keras(layer.state_dict())
    size = 3 if bias else 2
    assert len(weights) == size * (1 + bidirectional)
    assert weights[0].shape[0] == I
    directions = [weights[k : k + size] for k in range(0, len(weights), size)]
    found = both_directions(keras_layer, x, directions)
    np.testing.assert_allclose(found, run_torch(layer, x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("bidirectional", BOTH_WAYS.values(), ids=BOTH_WAYS)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("cell", LAYERS)
def test_pytorch_to_onnx_computes_the_same(cell, bias, bidirectional, x):
    layer = torch_layer(cell, bias, bidirectional)
    W, R, biases = gates.pytorch_to_onnx(layer.state_dict())
    assert W.shape[0] == R.shape[0] == 1 + bidirectional
    each_bias = [None] * len(W) if biases is None else biases
    found = both_directions(onnx_layer, x, list(zip(W, R, each_bias, strict=True)))
    np.testing.assert_allclose(found, run_torch(layer, x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("bidirectional", BOTH_WAYS.values(), ids=BOTH_WAYS)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("cell", LAYERS)
def test_keras_to_pytorch_computes_the_same(cell, bias, bidirectional, x):
    draw = np.random.default_rng(3).normal
    blocks = {"lstm": 4, "gru": 3, "rnn": 1}[cell]
    shapes = [(I, blocks * H), (H, blocks * H)]
    if bias:
        shapes.append((2, 3 * H) if cell == "gru" else (blocks * H,))
    directions = [[draw(size=shape) for shape in shapes] for _ in range(1 + bidirectional)]
    expected = both_directions(keras_layer, x, directions)

    state_dict = gates.keras_to_pytorch([array for part in directions for array in part])
    layer = torch_layer(cell, bias, bidirectional)
    layer.load_state_dict({name: torch.tensor(array) for name, array in state_dict.items()})
    np.testing.assert_allclose(run_torch(layer, x), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("bidirectional", BOTH_WAYS.values(), ids=BOTH_WAYS)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("cell", LAYERS)
def test_onnx_to_pytorch_and_to_keras_compute_the_same(cell, bias, bidirectional, x):
    draw = np.random.default_rng(4).normal
    rows, count = {"lstm": 4, "gru": 3, "rnn": 1}[cell] * H, 1 + bidirectional
    W, R = draw(size=(count, rows, I)), draw(size=(count, rows, H))
    biases = draw(size=(count, 2 * rows)) if bias else None
    each_bias = [None] * count if biases is None else biases
    expected = both_directions(onnx_layer, x, list(zip(W, R, each_bias, strict=True)))

    state_dict = gates.onnx_to_pytorch(W, R, biases)
    layer = torch_layer(cell, bias, bidirectional)
    layer.load_state_dict({name: torch.tensor(array) for name, array in state_dict.items()})
    np.testing.assert_allclose(run_torch(layer, x), expected, rtol=1e-12, atol=1e-12)

    weights = gates.onnx_to_keras(W, R, biases)
    size = len(weights) // count
    directions = [weights[k : k + size] for k in range(0, len(weights), size)]
    found = both_directions(keras_layer, x, directions)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_keras_to_onnx_by_hand():
    """One unit, one input: i f c o become i o f c, kernels lie on their side, Rb is zero."""
    kernel, recurrent_kernel = np.array([[1.0, 2, 3, 4]]), np.array([[5.0, 6, 7, 8]])
    W, R, biases = gates.keras_to_onnx([kernel, recurrent_kernel, np.array([0.1, 0.2, 0.3, 0.4])])
    np.testing.assert_array_equal(W, [[[1], [4], [2], [3]]])
    np.testing.assert_array_equal(R, [[[5], [8], [6], [7]]])
    np.testing.assert_array_equal(biases, [[0.1, 0.4, 0.2, 0.3, 0, 0, 0, 0]])


def test_a_gru_that_resets_before_the_product():
    """Keras' reset_after=False has one bias, goes to ONNX and back, and never to PyTorch."""
    draw = np.random.default_rng(5).normal
    weights = [draw(size=shape) for shape in [(I, 3 * H), (H, 3 * H), (3 * H,)]]
    back = gates.onnx_to_keras(*gates.keras_to_onnx(weights), linear_before_reset=0)
    for found, expected in zip(back, weights, strict=True):
        np.testing.assert_array_equal(found, expected)
    with pytest.raises(ValueError, match="built with reset_after=False"):
        gates.keras_to_pytorch(weights)


def test_a_layer_of_a_stack(x):
    stack = torch_layer("lstm", num_layers=2)
    state_dict = stack.state_dict()
    below = keras_layer(x, *gates.pytorch_to_keras(state_dict, layer=0))
    above = keras_layer(below, *gates.pytorch_to_keras(state_dict, layer=1))
    np.testing.assert_allclose(above, run_torch(stack, x), rtol=1e-12, atol=1e-12)
    names = gates.keras_to_pytorch(gates.pytorch_to_keras(state_dict, layer=1), layer=1)
    assert list(names) == [name for name in state_dict if name.endswith("l1")]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept(dtype):
    state_dict = {
        name: weight.numpy().astype(dtype)
        for name, weight in torch_layer("lstm").state_dict().items()
    }
    keras, onnx = gates.pytorch_to_keras(state_dict), gates.pytorch_to_onnx(state_dict)
    back = [*gates.keras_to_pytorch(keras).values(), *gates.onnx_to_pytorch(*onnx).values()]
    assert {array.dtype for array in [*keras, *onnx, *back]} == {np.dtype(dtype)}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: gates.reorder(np.zeros(8), "pytorch", "cntk"),
            "pytorch, keras, onnx, or the letter",
        ),
        (
            lambda: gates.reorder(np.zeros(8), "iffo", "onnx"),
            "letters ifgo in some order, got 'iffo'",
        ),
        (
            lambda: gates.reorder(np.zeros(7), "keras", "onnx"),
            r"4 blocks of one size, got shape \(7,\)",
        ),
        (
            lambda: gates.reorder(np.zeros(8), "keras", "onnx", gates="ltsm"),
            "one of lstm, gru, rnn",
        ),
        (lambda: gates.pytorch_to_keras({"weight_ih_l0": 0}, layer=2), "has no weight_ih_l2; its"),
        (lambda: gates.keras_to_pytorch([np.zeros((2, 20))]), "got 1 arrays"),
        (lambda: gates.keras_to_pytorch([np.zeros((2, 20)), np.zeros((20, 5))]), "got 5 by 20"),
        (lambda: gates.keras_to_pytorch([np.zeros((2, 15)), np.zeros((5, 20))]), "have 20 rows"),
        (lambda: gates.keras_to_pytorch([np.zeros((2, 22)), np.zeros((5, 22))]), "got 22 by 5"),
        (lambda: gates.keras_to_pytorch([np.zeros((2, 5)), np.zeros(5)]), r"\(RNN\), got 5$"),
        (
            lambda: gates.keras_to_onnx([np.zeros((2, 20)), np.zeros((5, 20)), np.zeros(15)]),
            r"20 entries, got shape \(15,\)",
        ),
        (lambda: gates.onnx_to_pytorch(np.zeros((20, 2)), np.zeros((20, 5))), "three axes"),
        (
            lambda: gates.onnx_to_keras(
                np.zeros((1, 20, 2)), np.zeros((1, 20, 5)), np.zeros((1, 20))
            ),
            r"B should have shape \(1, 40\), got \(1, 20\)",
        ),
    ],
)
def test_a_wrong_argument_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_projection_is_refused():
    layer = torch.nn.LSTM(2, 5, proj_size=3)
    with pytest.raises(ValueError, match="layer 0 has a projection"):
        gates.pytorch_to_onnx(layer.state_dict())
