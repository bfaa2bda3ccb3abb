"""The formulas of costs against counts taken while the models run."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import lstmkit
from lstmkit.attention.layer import MultiHeadAttention
from lstmkit.attention.transformer import TransformerDecoder, TransformerEncoder
from lstmkit.cells import GRUCell, LSTMCell, RNNCell
from lstmkit.costs import (
    AttentionSizes,
    RecurrentSizes,
    TransformerSizes,
    count_parameters,
    flops_per_step,
    sizes_of,
    state_bytes,
)
from lstmkit.gru.equations import gru_step
from lstmkit.lstm.equations import lstm_step
from lstmkit.rnn.equations import rnn_step
from lstmkit.scan.equations import min_gru_step, min_lstm_step
from lstmkit.streaming import stream

OPTIONS = [
    {},
    {"bias": False},
    {"num_layers": 3},
    {"num_layers": 3, "bidirectional": True},
]


class Counted(np.ndarray):
    """An array that adds up the multiply-adds of its matrix products in ``Counted.total``."""

    total = 0

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        plain = [np.asarray(x) for x in inputs]
        result = getattr(ufunc, method)(*plain, **options)
        if ufunc is np.matmul:
            Counted.total += result.size * plain[0].shape[-1]
        return result.view(Counted) if isinstance(result, np.ndarray) else result


def counted(*shape):
    return np.ones(shape).view(Counted)


def multiply_adds_of(step, *arguments):
    Counted.total = 0
    step(*arguments)
    return Counted.total


def flops_of(call):
    """What torch's counter sees of a call, without gradients."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops()


# Recurrent


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_recurrent_layers(kind, options):
    sizes = RecurrentSizes(kind, 5, 7, **options)
    ours = getattr(lstmkit, kind)(5, 7, backend="reference", **options)
    theirs = getattr(nn, kind)(5, 7, **options)
    assert sizes_of(ours) == sizes_of(theirs) == sizes
    parameters = sum(p.numel() for p in theirs.parameters())
    assert count_parameters(sizes) == count_parameters(ours) == parameters
    run = flops_of(lambda: ours(torch.zeros(1, 1, 5)))
    assert flops_per_step(sizes) == flops_per_step(theirs) == run
    assert flops_per_step(sizes, position=1000) == run
    if "bidirectional" in options:
        with pytest.raises(ValueError, match="it needs the end"):
            state_bytes(sizes)
        return
    _, last = theirs(torch.zeros(1, 1, 5))
    kept = sum(s.nbytes for s in (last if kind == "LSTM" else (last,)))
    assert state_bytes(sizes) == state_bytes(theirs) == kept
    assert kept == stream(theirs).state_bytes
    assert state_bytes(theirs.double(), position=1000) == 2 * kept


def test_projection():
    layer = lstmkit.LSTM(5, 7, 2, proj_size=3, backend="reference")
    sizes = RecurrentSizes("LSTM", 5, 7, 2, proj_size=3)
    assert sizes_of(layer) == sizes
    assert count_parameters(sizes) == sum(p.numel() for p in layer.parameters())
    assert flops_per_step(sizes) == flops_of(lambda: layer(torch.zeros(1, 1, 5)))
    _, (h, c) = layer(torch.zeros(1, 1, 5))
    assert state_bytes(sizes) == h.nbytes + c.nbytes


@pytest.mark.parametrize(
    ("kind", "step", "gates", "biases", "states"),
    [
        ("RNN", rnn_step, 1, 1, 1),
        ("LSTM", lstm_step, 4, 1, 2),
        ("GRU", gru_step, 3, 2, 1),
        ("minGRU", min_gru_step, 2, 1, 1),
        ("minLSTM", min_lstm_step, 3, 1, 1),
    ],
)
def test_recurrent_equations(kind, step, gates, biases, states):
    x, state = counted(1, 5), [counted(1, 7) for _ in range(states)]
    W_hh = [] if kind.startswith("min") else [counted(gates * 7, 7)]
    weights = [counted(gates * 7, 5), *W_hh]
    b = [counted(gates * 7) for _ in range(biases)]
    sizes = RecurrentSizes(kind, 5, 7)
    run = multiply_adds_of(step, x, *state, *weights, *b)
    assert run > 0
    assert flops_per_step(sizes) == 2 * run
    assert state_bytes(sizes, itemsize=8) == sum(s.nbytes for s in state)
    if kind.startswith("min"):
        assert count_parameters(sizes) == sum(w.size for w in [*weights, *b])


def test_a_gru_has_three_quarters_of_an_lstm():
    for count in (count_parameters, flops_per_step):
        assert 4 * count(RecurrentSizes("GRU", 64, 64)) == 3 * count(RecurrentSizes("LSTM", 64, 64))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(RNNCell, nn.RNNCell), (LSTMCell, nn.LSTMCell), (GRUCell, nn.GRUCell)],
)
def test_cells(ours, theirs):
    kind = theirs.__name__.removesuffix("Cell")
    for cell in (ours(5, 7), theirs(5, 7), ours(5, 7, bias=False)):
        sizes = RecurrentSizes(kind, 5, 7, bias=cell.bias)
        assert sizes_of(cell) == sizes
        assert count_parameters(sizes) == sum(p.numel() for p in cell.parameters())


# Attention


@pytest.mark.parametrize("bias", [True, False])
def test_attention(bias):
    ours = MultiHeadAttention(6, 3, bias=bias)
    theirs = nn.MultiheadAttention(6, 3, bias=bias)
    sizes = AttentionSizes(6, bias)
    assert sizes_of(ours) == sizes_of(theirs) == sizes
    assert count_parameters(sizes) == sum(p.numel() for p in theirs.parameters())
    # Ten items that look at ten: each costs what the last of ten costs.
    x = torch.zeros(10, 1, 6)
    assert 10 * flops_per_step(sizes, position=9) == flops_of(lambda: ours(x, trace=True))
    assert flops_per_step(theirs, position=9) == flops_per_step(sizes, position=9)


@pytest.mark.parametrize("memory", [False, True])
@pytest.mark.parametrize("max_length", [None, 30])
def test_decoder(memory, max_length):
    positions = "sinusoidal" if max_length is None else "learned"
    decoder = TransformerDecoder(
        6, 3, 2, 11, memory=memory, positions=positions, max_length=max_length
    )
    sizes = TransformerSizes(6, 2, 11, memory, max_length or 0)
    assert sizes_of(decoder) == sizes
    assert count_parameters(sizes) == sum(p.numel() for p in decoder.parameters())
    about, length = ({"memory": torch.zeros(4, 1, 6)}, 4) if memory else ({}, 0)
    cache = decoder.cache()
    with torch.no_grad():
        decoder(torch.zeros(1, 1, 6), cache=cache, **about)
    for seen in range(1, 20):
        step = flops_of(lambda: decoder(torch.zeros(1, 1, 6), cache=cache, trace=True, **about))
        assert step == flops_per_step(decoder, seen, length) == flops_per_step(sizes, seen, length)
        kept = cache.nbytes
        assert kept == state_bytes(decoder, seen + 1, length)
        assert kept == state_bytes(sizes, seen + 1, length)


def test_encoder():
    encoder = TransformerEncoder(6, 3, 2)
    sizes = TransformerSizes(6, 2)
    assert sizes_of(encoder) == TransformerSizes(6, 2, 24)
    assert count_parameters(sizes) == sum(p.numel() for p in encoder.parameters())
    run = flops_of(lambda: encoder(torch.zeros(10, 1, 6), trace=True))
    assert 10 * flops_per_step(encoder, position=9) == run
    assert 10 * flops_per_step(sizes, position=9) == run
    with pytest.raises(ValueError, match="an encoder has no state"):
        state_bytes(encoder, position=9)


# Models made of parts


def test_the_parts_of_a_model_add_up():
    model = nn.ModuleDict(
        {
            "embed": nn.Embedding(50, 5),
            "lstm": nn.LSTM(5, 7, 2),
            "norm": nn.LayerNorm(7),
            "drop": nn.Dropout(0.5),
            "head": nn.Sequential(nn.Linear(7, 9), nn.ReLU(), nn.Linear(9, 50)),
        }
    )
    lstm = RecurrentSizes("LSTM", 5, 7, 2)
    head = nn.Sequential(*model["head"])
    head_flops = flops_of(lambda: head(torch.zeros(1, 7)))
    assert flops_per_step(model) == flops_per_step(lstm) + head_flops
    assert state_bytes(model) == state_bytes(lstm)
    assert count_parameters(model) == sum(p.numel() for p in model.parameters())


def test_torchs_transformers_cost_what_ours_do():
    layer = nn.TransformerEncoderLayer(6, 3, 11)
    stack = nn.TransformerEncoder(layer, 2, nn.LayerNorm(6), enable_nested_tensor=False)
    sizes = TransformerSizes(6, 2, 11)
    with_memory = nn.TransformerDecoder(nn.TransformerDecoderLayer(6, 3, 11), 2, nn.LayerNorm(6))
    sizes_with_memory = TransformerSizes(6, 2, 11, memory=True)
    for theirs, ours in ((stack, sizes), (with_memory, sizes_with_memory)):
        assert count_parameters(theirs) == count_parameters(ours)
        assert flops_per_step(theirs, 9, 4) == flops_per_step(ours, 9, 4)
        assert state_bytes(theirs, 9, 4) == state_bytes(ours, 9, 4)


def test_what_is_not_known():
    for model in (nn.Conv1d(2, 3, 1), nn.MultiheadAttention(6, 3, kdim=4)):
        with pytest.raises(TypeError, match=f"costs of {type(model).__name__} are not known"):
            flops_per_step(model)
    with pytest.raises(ValueError, match="kind should be one of RNN, GRU, LSTM, minGRU"):
        RecurrentSizes("lstm", 5, 7)
    with pytest.raises(ValueError, match="proj_size is for an LSTM"):
        RecurrentSizes("GRU", 5, 7, proj_size=2)
