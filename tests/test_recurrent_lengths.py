"""Sequences of unequal lengths: packed, or padded with ``lengths``."""

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import (
    PackedSequence,
    pack_padded_sequence,
    pack_sequence,
    pad_packed_sequence,
)

import lstmkit
from tests.drop_in import (
    BACKENDS,
    KINDS,
    assert_same,
    draw,
    error_of,
    flatten,
    outputs_and_gradients,
    pair,
    start_states,
    states_of,
)

LENGTHS = [2, 5, 1, 5]
OPTIONS = [
    {},
    {"bidirectional": True, "num_layers": 2},
    {"batch_first": True, "bias": False},
    {"batch_first": True, "bidirectional": True, "num_layers": 3},
]


def through_packing(layer, x, hx, lengths):
    """Torch's way: sort, pack, run, unpack."""
    packed = pack_padded_sequence(x, torch.tensor(lengths), layer.batch_first, enforce_sorted=False)
    output, last = layer(packed, hx)
    padded, _ = pad_packed_sequence(output, layer.batch_first, total_length=5)
    return padded, last


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", OPTIONS)
def test_lengths_do_what_packing_does(kind, options, backend):
    ours, theirs = pair(kind, 2, 3, backend=backend, **options)
    x = draw(4, 5, 2) if ours.batch_first else draw(5, 4, 2)
    for hx in (None, start_states(ours, 4)):
        leaves = [x, *states_of(hx)]
        found = flatten(ours(x, hx, lengths=LENGTHS))
        expected = flatten(through_packing(theirs, x, hx, LENGTHS))
        assert_same(
            outputs_and_gradients(ours, found, leaves),
            outputs_and_gradients(theirs, expected, leaves),
        )
    assert ours.backend_used == ("torch" if backend == "auto" else "reference")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [*OPTIONS, {"proj_size": 2, "bidirectional": True}])
@pytest.mark.parametrize("in_order", [False, True])
def test_packed_sequences(kind, options, in_order, backend):
    if "proj_size" in options and kind != "LSTM":
        options = {"bidirectional": True}
    ours, theirs = pair(kind, 2, 3, backend=backend, **options)
    lengths = sorted(LENGTHS, reverse=True) if in_order else LENGTHS
    x = draw(5, 4, 2)
    for hx in (None, start_states(ours, 4)):
        leaves = [x, *states_of(hx)]
        results = []
        for layer in (ours, theirs):
            packed = pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=in_order)
            output, last = layer(packed, hx)
            assert isinstance(output, PackedSequence)
            for name in ("batch_sizes", "sorted_indices", "unsorted_indices"):
                given = getattr(packed, name)
                assert given is None or torch.equal(getattr(output, name), given)
            results.append(outputs_and_gradients(layer, flatten((output, last)), leaves))
        assert_same(*results)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", KINDS)
def test_one_packed_sequence_of_one_item(kind, backend):
    ours, theirs = pair(kind, 2, 3, backend=backend)
    packed = pack_sequence([draw(1, 2)])
    for a, b in zip(flatten(ours(packed)), flatten(theirs(packed)), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


@pytest.mark.parametrize("backend", ["reference", "torch"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch_first", [False, True])
def test_nothing_in_the_padding_leaks(kind, batch_first, backend):
    """NaN and infinity behind a row's end change neither result nor gradient, bit for bit."""
    options = {"bidirectional": True, "num_layers": 2, "batch_first": batch_first}
    layer, _ = pair(kind, 2, 3, backend=backend, **options)
    lengths = [2, 5, 0, 3]
    clean = draw(5, 4, 2)
    padding = torch.arange(5)[:, None] >= torch.tensor(lengths)
    results = []
    for rubbish in (0.0, float("nan"), float("inf")):
        x = clean.detach().masked_fill(padding[..., None], rubbish)
        x = (x.transpose(0, 1) if batch_first else x).requires_grad_()
        found = outputs_and_gradients(layer, flatten(layer(x, lengths=lengths)), [x])
        assert all(torch.isfinite(tensor).all() for part in found for tensor in part)
        dx = found[1][0].transpose(0, 1) if batch_first else found[1][0]
        assert (dx[padding] == 0).all()
        output = found[0][0].transpose(0, 1) if batch_first else found[0][0]
        assert (output[padding] == 0).all()
        results.append([*found[0], *found[1]])
    for again in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], again, strict=True))


@pytest.mark.parametrize("backend", ["reference", "torch"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_row_without_items_keeps_the_state_that_it_starts_from(kind, backend):
    layer, _ = pair(kind, 2, 3, 2, backend=backend, bidirectional=True)
    hx, x = start_states(layer, 3), draw(4, 3, 2)
    for start in (hx, None):
        output, *last = flatten(layer(x, start, lengths=[4, 0, 2]))
        assert (output[:, 1] == 0).all()
        for end, begin in zip(last, states_of(hx), strict=True):
            expected = torch.zeros_like(begin) if start is None else begin
            assert torch.equal(end[:, 1], expected[:, 1])
            assert not torch.equal(end[:, 0], expected[:, 0])
        alone = layer(x[:2, 2:], None if start is None else _rows(start, 2))
        torch.testing.assert_close(output[:2, 2:], alone[0], rtol=0, atol=1e-12)


def _rows(hx, row):
    rows = tuple(s[:, row : row + 1] for s in states_of(hx))
    return rows if len(rows) > 1 else rows[0]


@pytest.mark.parametrize("kind", KINDS)
def test_lengths_come_as_list_array_or_tensor(kind):
    layer, x = getattr(lstmkit, kind)(3, 4), torch.randn(5, 2, 3)
    first = layer(x, lengths=[5, 2])[0]
    for lengths in ((5, 2), np.array([5, 2]), torch.tensor([5, 2], dtype=torch.int32)):
        assert torch.equal(layer(x, lengths=lengths)[0], first)
    assert layer(x[:, :0], lengths=[])[0].shape == (5, 0, 4)
    everything = layer(x, lengths=[5, 5])[0]
    torch.testing.assert_close(everything, layer(x)[0])


@pytest.mark.parametrize("backend", ["reference", "torch"])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([5], r"lengths should have shape \(B,\) = \(2,\), got \(1,\)"),
        (5, r"lengths should have shape \(B,\) = \(2,\), got \(\)"),
        ([[5, 2]], r"lengths should have shape \(B,\) = \(2,\), got \(1, 2\)"),
        ([5, 6], "lengths should lie in 0 … T = 5, got 5 … 6"),
        ([-1, 5], "lengths should lie in 0 … T = 5, got -1 … 5"),
        ([5.0, 2.0], "lengths should be whole numbers, got torch.float32"),
        ([True, False], "lengths should be whole numbers, got torch.bool"),
    ],
)
def test_errors_of_lengths(lengths, message, batch_first, backend):
    layer = lstmkit.GRU(3, 4, batch_first=batch_first, backend=backend)
    x = torch.zeros(2, 5, 3) if batch_first else torch.zeros(5, 2, 3)
    with pytest.raises(ValueError, match=message):
        layer(x, lengths=lengths)


def test_lengths_need_a_padded_batch():
    layer = lstmkit.LSTM(3, 4)
    with pytest.raises(ValueError, match="LSTM: lengths cannot go with input without a batch"):
        layer(torch.zeros(5, 3), lengths=[5])
    packed = pack_sequence([torch.zeros(5, 3)])
    with pytest.raises(ValueError, match="lengths cannot go with a PackedSequence, which has its"):
        layer(packed, lengths=[5])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", ["RNN", "GRU"])
def test_errors_of_packed_input_are_torchs(kind, backend):
    ours, theirs = pair(kind, 3, 4, dtype=torch.float32, backend=backend)
    right, wrong = pack_sequence([torch.zeros(5, 3)]), pack_sequence([torch.zeros(5, 2)])
    for given in ((wrong,), (right, torch.zeros(2, 1, 4)), (right, torch.zeros(1, 2, 4))):
        assert error_of(lambda given=given: ours(*given)) == error_of(
            lambda given=given: theirs(*given)
        )


@pytest.mark.parametrize("backend", BACKENDS)
def test_packed_input_of_a_wrong_size_is_an_error_for_an_lstm_too(backend):
    """torch.nn.LSTM lets it through: it checks tensors only."""
    layer = lstmkit.LSTM(3, 4, backend=backend)
    right, wrong = pack_sequence([torch.zeros(5, 3)]), pack_sequence([torch.zeros(5, 2)])
    with pytest.raises(RuntimeError, match=r"input_size. Expected 3, got 2"):
        layer(wrong)
    h, c = torch.zeros(1, 1, 4), torch.zeros(1, 1, 5)
    with pytest.raises(RuntimeError, match=r"Expected hidden\[1\] size \(1, 1, 4\), got \[1, 1, 5"):
        layer(right, (h, c))
