"""Combinations of options, sizes and inputs that nobody chose by hand, against torch.nn."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import lstmkit
from tests.drop_in import (
    BACKENDS,
    KINDS,
    assert_same,
    draw,
    flatten,
    outputs_and_gradients,
    start_states,
    states_of,
)

FORMS = ("padded", "unbatched", "packed in order", "packed", "lengths")


def generated(examples):
    return settings(max_examples=examples, deadline=None, derandomize=True, database=None)


@st.composite
def layers(make):
    """A kind and the arguments of its constructor."""
    kind = make(st.sampled_from(KINDS))
    options = {
        "input_size": make(st.integers(1, 5)),
        "hidden_size": make(st.integers(1, 6)),
        "num_layers": make(st.integers(1, 3)),
        "bias": make(st.booleans()),
        "batch_first": make(st.booleans()),
        "bidirectional": make(st.booleans()),
        "dtype": torch.float64,
    }
    if options["num_layers"] > 1:
        options["dropout"] = make(st.sampled_from([0.0, 0.3, 1.0]))
    if kind == "RNN":
        options["nonlinearity"] = make(st.sampled_from(["tanh", "relu"]))
    if kind == "LSTM":
        options["proj_size"] = make(st.integers(0, options["hidden_size"] - 1))
    return kind, options


def call(layer, form, x, hx, lengths, of_torch):
    """Run one layer on (T, B, I) in one of the forms; the results in one list, padded."""
    torch.manual_seed(7)
    if form == "unbatched":
        return flatten(layer(x[:, 0], hx))
    if form == "lengths" and not of_torch:
        x = x.transpose(0, 1) if layer.batch_first else x
        output, last = layer(x, hx, lengths=lengths)
        output = output.transpose(0, 1) if layer.batch_first else output
        return flatten((output, last))
    if form == "padded" and layer.batch_first:
        output, last = layer(x.transpose(0, 1), hx)
        return flatten((output.transpose(0, 1), last))
    if form == "padded":
        return flatten(layer(x, hx))
    if form == "packed in order":
        lengths = sorted(lengths, reverse=True)
    packed = pack_padded_sequence(
        x, torch.tensor(lengths), enforce_sorted=form == "packed in order"
    )
    output, last = layer(packed, hx)
    return flatten((pad_packed_sequence(output, total_length=len(x))[0], last))


@generated(120)
@given(
    layers(),
    st.sampled_from(FORMS),
    st.booleans(),
    st.booleans(),
    st.lists(st.integers(1, 6), min_size=1, max_size=4),
)
def test_any_combination(layer, form, training, with_states, lengths):
    kind, options = layer
    T, B = max(lengths), len(lengths)
    ours = getattr(lstmkit, kind)(**options).train(training)
    theirs = getattr(nn, kind)(**options).train(training)
    if form not in ("padded", "unbatched"):
        # The masks of dropout are drawn in another layout.
        ours.dropout = theirs.dropout = ours.dropout if ours.dropout == 1.0 else 0.0
    theirs.load_state_dict(ours.state_dict())
    x = draw(T, B, options["input_size"])
    hx = start_states(ours, *([] if form == "unbatched" else [B])) if with_states else None
    leaves = [x, *states_of(hx)]
    expected = outputs_and_gradients(theirs, call(theirs, form, x, hx, lengths, True), leaves)
    for backend in BACKENDS:
        ours.backend = backend
        found = call(ours, form, x, hx, lengths, False)
        assert_same(outputs_and_gradients(ours, found, leaves), expected)


@generated(100)
@given(
    layers(),
    st.lists(st.integers(0, 5), min_size=1, max_size=4),
    st.sampled_from([0.0, 0.2]),
    st.booleans(),
)
def test_rows_do_not_know_of_one_another(layer, lengths, zoneout, layer_norm):
    """Beyond torch too: a row with its length is what it is when it is alone and cut."""
    kind, options = layer
    ours = getattr(lstmkit, kind)(**options, zoneout=zoneout, layer_norm=layer_norm).eval()
    T, B = max(lengths) + 1, len(lengths)
    x, hx = draw(T, B, options["input_size"]), start_states(ours, B)
    padded = x.transpose(0, 1) if ours.batch_first else x
    output, last = ours(padded, hx, lengths=lengths)
    output = output.transpose(0, 1) if ours.batch_first else output
    for row, length in enumerate(lengths):
        start = tuple(s[:, row] for s in states_of(hx))
        ends = start
        if length:
            alone, *ends = flatten(ours(x[:length, row], start if len(start) > 1 else start[0]))
            torch.testing.assert_close(output[:length, row], alone, rtol=0, atol=1e-12)
        assert (output[length:, row] == 0).all()
        for end, found in zip(ends, states_of(last), strict=True):
            torch.testing.assert_close(found[:, row], end, rtol=0, atol=1e-12)
