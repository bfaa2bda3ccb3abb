"""The adapter to ONNX's operators against onnxruntime and against ONNX's own reference."""

import itertools

import numpy as np
import pytest

from lstmkit import onnx as ours
from lstmkit.lstm.equations import lstm_forward
from lstmkit.onnx_cells import ACTIVATIONS
from tests.onnx_models import OUTPUTS, by_onnxruntime, by_reference

BLOCKS = {"RNN": 1, "GRU": 3, "LSTM": 4}
STATES = {"RNN": ["initial_h"], "GRU": ["initial_h"], "LSTM": ["initial_h", "initial_c"]}
SIZES = [(1, 1, 1, 1), (5, 3, 2, 7), (7, 1, 3, 5), (3, 4, 1, 3), (2, 3, 6, 9)]
DIRECTIONS = {"forward": 1, "reverse": 1, "bidirectional": 2}
LENGTHS = ["all", "mixed", "with zero"]
CLIPS = [None, 0.4]
GIVEN_ACTIVATIONS = {  # other than the defaults, and for two directions other in the second
    "RNN": ["Relu", "Sigmoid"],
    "GRU": ["HardSigmoid", "Softsign", "Sigmoid", "Relu"],
    "LSTM": ["HardSigmoid", "Relu", "Tanh", "Sigmoid", "Softsign", "Sigmoid"],
}
OWN_OPTIONS = {
    "RNN": [{}],
    "GRU": [{"linear_before_reset": 0}, {"linear_before_reset": 1}],
    "LSTM": [{"input_forget": 0}, {"input_forget": 1}],
}


def draws(operator, T, batch, I, H, directions, dtype=np.float32):  # noqa: E741
    """Every input that the operator has but the lengths, layout 0."""
    draw = np.random.default_rng([T, batch, I, H, directions, BLOCKS[operator]]).normal
    G, D = BLOCKS[operator], directions
    shapes = {"X": (T, batch, I), "W": (D, G * H, I), "R": (D, G * H, H), "B": (D, 2 * G * H)}
    shapes |= dict.fromkeys(STATES[operator], (D, batch, H))
    if operator == "LSTM":
        shapes["P"] = (D, 3 * H)
    given = {name: draw(size=shape).astype(dtype) for name, shape in shapes.items()}
    given["R"] *= dtype(0.5)
    return given


def some_lengths(kind, T, batch):
    if kind == "all":
        return None
    lengths = np.random.default_rng([T, batch]).integers(1, T + 1, batch).astype(np.int32)
    if kind == "with zero":
        lengths[-1] = 0
    return lengths


def in_layout(given, layout):
    """Inputs as layout 1 has them: the batch comes first in X and in the states."""
    if not layout:
        return given
    return {
        name: array.swapaxes(0, 1) if name == "X" or name.startswith("initial") else array
        for name, array in given.items()
    }


def out_of_layout(outputs, layout):
    """Outputs of layout 1 with the axes of layout 0."""
    if not layout:
        return list(outputs)
    Y, *lasts = outputs
    return [Y.transpose(1, 2, 0, 3), *(last.swapaxes(0, 1) for last in lasts)]


def run(operator, given, **options):
    return getattr(ours, operator.lower())(**given, **options)


def wide(given):
    """float64 of the same numbers, so that only one side of a comparison has float32's rounding."""
    return {
        name: array.astype(np.float64) if array.dtype == np.float32 else array
        for name, array in given.items()
    }


def assert_as_onnxruntime(operator, given, layout=0, **options):
    """onnxruntime's CPU kernels know layout 0 only: there, layout 1 is a matter of axes."""
    H = given["R"].shape[2]
    expected = by_onnxruntime(operator, given, hidden_size=H, **options)
    found = run(operator, in_layout(wide(given), layout), hidden_size=H, layout=layout, **options)
    for name, one, other in zip(
        OUTPUTS[operator], out_of_layout(found, layout), expected, strict=True
    ):
        assert one.shape == other.shape, name
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=5e-6, err_msg=name)


def combinations(operator):
    """Every direction with everything else; sizes, inputs left out and layouts take turns."""
    product = itertools.product(DIRECTIONS, LENGTHS, CLIPS, [False, True], OWN_OPTIONS[operator])
    return [(operator, number, *chosen) for number, chosen in enumerate(product)]


@pytest.mark.parametrize(
    ("operator", "number", "direction", "lengths", "clip", "activations", "own"),
    [chosen for operator in BLOCKS for chosen in combinations(operator)],
)
def test_options_as_onnxruntime(operator, number, direction, lengths, clip, activations, own):
    """Within one combination, every choice of optional inputs, each in its own size and layout."""
    D = DIRECTIONS[direction]
    options = {"direction": direction, **own}
    if clip is not None:
        options["clip"] = clip
    if activations:
        options["activations"] = GIVEN_ACTIVATIONS[operator][
            : len(GIVEN_ACTIVATIONS[operator]) // 2 * D
        ]
    optional = ["B", *STATES[operator]] + (["P"] if operator == "LSTM" else [])
    choices = itertools.product([False, True], repeat=len(optional))
    for turn, present in enumerate(choices, start=number):
        T, batch, I, H = SIZES[turn % len(SIZES)]  # noqa: E741
        given = draws(operator, T, batch, I, H, D)
        for name in itertools.compress(optional, [not there for there in present]):
            del given[name]
        if (found := some_lengths(lengths, T, batch)) is not None:
            given["sequence_lens"] = found
        assert_as_onnxruntime(operator, given, layout=turn // 2 % 2, **options)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("operator", BLOCKS)
def test_sizes_as_onnxruntime(operator, direction, sizes):
    """All inputs at once, and none of the optional ones."""
    given = draws(operator, *sizes, DIRECTIONS[direction])
    for own in OWN_OPTIONS[operator]:
        assert_as_onnxruntime(operator, given, direction=direction, **own)
        bare = {name: given[name] for name in ("X", "W", "R")}
        assert_as_onnxruntime(operator, bare, direction=direction, **own)


@pytest.mark.parametrize("layout", [0, 1])
@pytest.mark.parametrize("operator", BLOCKS)
def test_float64_and_layout_as_the_reference(operator, layout):
    """ONNX's reference evaluator reads neither ``clip`` nor ``input_forget``."""
    for sizes, own in itertools.product(SIZES, OWN_OPTIONS[operator]):
        if own.get("input_forget"):
            continue
        given = in_layout(draws(operator, *sizes, 1, dtype=np.float64), layout)
        expected = by_reference(operator, given, hidden_size=sizes[-1], layout=layout, **own)
        found = run(operator, given, layout=layout, **own)
        for one, other in zip(found, expected, strict=True):
            assert one.shape == other.shape
            assert one.dtype == np.float64
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_each_activation_as_onnxruntime(name):
    """One step of one unit without memory is the activation itself."""
    one = np.ones((1, 1, 1), np.float32)
    x = np.linspace(-4, 4, 33, dtype=np.float32).reshape(1, 33, 1)
    (expected, _) = by_onnxruntime(
        "RNN", {"X": x, "W": one, "R": one}, hidden_size=1, activations=[name]
    )
    found, _ = ours.rnn(x, one, one, activations=[name])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=2e-6, atol=1e-6)


def test_the_lstm_of_the_course_as_onnxruntime():
    """Without the adapter: blocks moved by hand from i o f c to i f g o, both biases added."""
    given = draws("LSTM", 5, 3, 2, 4, 1)
    del given["P"]
    expected = by_onnxruntime("LSTM", given, hidden_size=4)
    rows = np.concatenate([np.arange(4), np.arange(8, 12), np.arange(12, 16), np.arange(4, 8)])
    b = given["B"][0, :16] + given["B"][0, 16:]
    trace = lstm_forward(
        given["X"],
        given["initial_h"][0],
        given["initial_c"][0],
        given["W"][0, rows],
        given["R"][0, rows],
        b[rows],
    )
    np.testing.assert_allclose(trace.h, expected[0][:, 0], rtol=1e-5, atol=2e-6)
    np.testing.assert_allclose(trace.c[-1], expected[2][0], rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("operator", BLOCKS)
@pytest.mark.parametrize("clip", CLIPS)
def test_padding_is_not_read_and_comes_out_as_zero(operator, clip):
    given = draws(operator, 5, 3, 2, 4, 2)
    given["sequence_lens"] = lengths = np.array([5, 2, 0])
    before = run(operator, given, direction="bidirectional", clip=clip)
    given["X"][2:, 1] = np.nan
    given["X"][:, 2] = np.inf
    after = run(operator, given, direction="bidirectional", clip=clip)
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)
    for row, length in enumerate(lengths):
        assert not after[0][length:, :, row].any()
        assert after[0][:length, :, row].all()
    assert not any(last[:, 2].any() for last in after[1:])


@pytest.mark.parametrize("operator", BLOCKS)
@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept_and_inputs_untouched(operator, clip, dtype):
    given = draws(operator, 3, 2, 2, 4, 1, dtype)
    kept = {name: array.copy() for name, array in given.items()}
    outputs = run(operator, given, clip=clip, direction="reverse")
    assert all(output.dtype == dtype for output in outputs)
    for name, array in kept.items():
        np.testing.assert_array_equal(given[name], array)


@pytest.mark.parametrize("operator", BLOCKS)
@pytest.mark.parametrize("clip", CLIPS)
def test_no_steps_gives_no_outputs_and_no_last_state(operator, clip):
    given = draws(operator, 1, 2, 2, 4, 1)
    given["X"] = given["X"][:0]
    Y, *lasts = run(operator, given, clip=clip)
    assert Y.shape == (0, 1, 2, 4)
    assert all(last.shape == (1, 2, 4) and not last.any() for last in lasts)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"direction": "backward"}, "direction should be one of forward, reverse, bidirectional"),
        ({"direction": "bidirectional"}, r"needs weights for 2, but R has shape \(1, 20, 5\)"),
        ({"layout": 2}, r"layout should be 0 \(time first\) or 1 \(batch first\), got 2"),
        ({"hidden_size": 4}, r"hidden_size is 4, but R has shape \(1, 20, 5\)"),
        ({"clip": 0.0}, "clip should be positive, or None for no clipping, got 0.0"),
        ({"clip": -1.0}, "clip should be positive"),
        ({"activations": ["Sigmoid", "Tanh", "Affine"]}, "'Affine' is not supported; these are: T"),
        ({"activations": ["Sigmoid", "Tanh"]}, "activations should be 3 names, 3 a direction"),
        ({"sequence_lens": [1, 2, 5]}, "sequence_lens: lengths should lie in 0 … T = 4, got 1 … 5"),
        ({"sequence_lens": [1, 2]}, r"sequence_lens: lengths should have shape \(B,\) = \(3,\)"),
        ({"W": np.zeros((1, 20, 3))}, r"X should have shape \(T, B, I\) = \(4, 3, 3\), got"),
        ({"R": np.zeros((1, 15, 5))}, r"R should have shape \(D, 4H, H\).*, got \(1, 15, 5\)"),
        ({"B": np.zeros((1, 20))}, r"B should have shape \(D, 8H\) = \(1, 40\), got \(1, 20\)"),
        ({"P": np.zeros((1, 20))}, r"P should have shape \(D, 3H\) = \(1, 15\), got \(1, 20\)"),
        ({"initial_c": np.zeros((3, 1, 5))}, r"initial_c should have shape \(D, B, H\) = \(1, 3"),
        ({"layout": 1}, r"initial_h should have shape \(B, D, H\) = \(4, 1, 5\), got \(1, 3, 5\)"),
        ({"X": np.zeros((4, 3, 2), int)}, "X should hold floating-point numbers, got int64"),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_named(options, message):
    given = draws("LSTM", 4, 3, 2, 5, 1, np.float64)
    with pytest.raises(ValueError, match=message):
        ours.lstm(**{**given, **options})
