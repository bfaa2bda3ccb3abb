"""What torch's layers do not have: recurrent dropout, zoneout, layer norm, traces."""

import pytest
import torch

import lstmkit
from tests.drop_in import KINDS, draw, flatten, pair, start_states, states_of


def layer_of(kind, *sizes, seed=0, **options):
    torch.manual_seed(seed)
    return getattr(lstmkit, kind)(*sizes, dtype=torch.float64, **options)


def hide_recurrence(layer):
    """Take the inputs out, so that only h_prev can move a pre-activation."""
    with torch.no_grad():
        layer.weight_ih_l0.zero_()
    return layer


@pytest.mark.parametrize("kind", KINDS)
def test_recurrent_dropout_hides_the_same_entries_at_every_step(kind):
    """For one row it is a layer whose W_hh has some columns at 0 and the others scaled up."""
    layer = layer_of(kind, 2, 6, recurrent_dropout=0.4)
    plain, _ = pair(kind, 2, 6)
    x, hx = draw(7, 1, 2), start_states(layer, 1)
    torch.manual_seed(3)
    found = flatten(layer(x, hx))
    torch.manual_seed(3)
    mask = torch.nn.functional.dropout(torch.ones(1, 6, dtype=torch.float64), 0.4)
    assert 0 < int((mask == 0).sum()) < 6
    plain.weight_hh_l0 = torch.nn.Parameter(layer.weight_hh_l0 * mask)
    for ours, expected in zip(found, flatten(plain(x, hx)), strict=True):
        torch.testing.assert_close(ours, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_recurrent_dropout_is_drawn_for_each_row(kind):
    layer = layer_of(kind, 2, 6, recurrent_dropout=0.4)
    hx = tuple(torch.ones(1, 20, 6, dtype=torch.float64) for _ in layer.states)
    output, _ = layer(draw(1, 1, 2).expand(3, 20, 2), hx if len(hx) > 1 else hx[0])
    assert len(torch.unique(output[0], dim=0)) > 10


@pytest.mark.parametrize("kind", KINDS)
def test_recurrent_dropout_is_for_training_and_can_be_changed_later(kind):
    layer = layer_of(kind, 2, 5, 2, recurrent_dropout=0.5, bidirectional=True)
    plain = layer_of(kind, 2, 5, 2, bidirectional=True)
    x = draw(4, 3, 2)
    assert not torch.equal(layer(x)[0], layer(x)[0])
    assert layer.backend_used == "reference"
    layer.recurrent_dropout = 0.0
    assert torch.equal(layer(x)[0], plain(x)[0])
    layer.recurrent_dropout = 0.5
    assert torch.equal(layer.eval()(x)[0], plain(x)[0])
    assert layer.backend_used == "torch"


def test_recurrent_dropout_of_one_cuts_the_recurrence():
    layer = layer_of("RNN", 2, 5, recurrent_dropout=1.0)
    x, h = draw(4, 3, 2), draw(1, 3, 5)
    found = layer(x, h)[0]
    expected = torch.tanh(x @ layer.weight_ih_l0.T + layer.bias_ih_l0 + layer.bias_hh_l0)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_the_update_gate_keeps_what_recurrent_dropout_hides():
    layer = layer_of("GRU", 2, 5, recurrent_dropout=1.0)
    x, h = draw(1, 3, 2), draw(1, 3, 5)
    _, h_n, (trace,) = layer(x, h, trace=True)
    expected = (1 - trace.z[0]) * trace.n[0] + trace.z[0] * h[0]
    torch.testing.assert_close(h_n[0], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_zoneout_outside_of_training_is_the_mean(kind):
    """At test, rate · old + (1 - rate) · new, step by step, with new from the layer without it."""
    layer = layer_of(kind, 2, 5, zoneout=(0.1, 0.4) if kind == "LSTM" else 0.1).eval()
    plain = layer_of(kind, 2, 5).eval()
    x, state = draw(4, 3, 2), start_states(layer, 3)
    output, last = layer(x, state)
    assert layer.backend_used == "reference"
    for t in range(4):
        new = flatten(plain(x[t : t + 1], state))[1:]
        mixed = tuple(
            rate * old + (1 - rate) * s
            for rate, old, s in zip((0.1, 0.4), states_of(state), new, strict=False)
        )
        state = mixed if len(mixed) > 1 else mixed[0]
        torch.testing.assert_close(output[t], mixed[0][0], rtol=0, atol=1e-12)
    for found, expected in zip(states_of(last), states_of(state), strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_zoneout_in_training_keeps_whole_entries(kind):
    layer = layer_of(kind, 2, 5, zoneout=0.3)
    plain = layer_of(kind, 2, 5)
    x, state = draw(1, 400, 2), start_states(layer, 400)
    new = flatten(plain(x, state))[1:]
    found = flatten(layer(x, state))[1:]
    kept = []
    for s, old, ours in zip(new, states_of(state), found, strict=True):
        stays = ours == old
        torch.testing.assert_close(ours, torch.where(stays, old, s), rtol=0, atol=1e-12)
        # 2000 draws of 0.3: four standard deviations are 0.041.
        assert abs(float(stays.double().mean()) - 0.3) < 0.041
        kept.append(stays)
    # h and c are drawn apart.
    assert len(kept) == 1 or not torch.equal(*kept)


def test_zoneout_is_drawn_anew_at_every_step():
    layer = hide_recurrence(layer_of("RNN", 1, 50, zoneout=0.5))
    output = layer(torch.zeros(3, 40, 1, dtype=torch.float64), draw(1, 40, 50))[0]
    first, second = output[1] == output[0], output[2] == output[1]
    assert not torch.equal(first, second)


@pytest.mark.parametrize("kind", KINDS)
def test_zoneout_of_one_keeps_everything(kind):
    layer = layer_of(kind, 2, 5, zoneout=1.0)
    hx = start_states(layer, 3)
    for found, start in zip(flatten(layer(draw(4, 3, 2), hx))[1:], states_of(hx), strict=True):
        assert torch.equal(found, start)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("lengths", [None, [2, 4, 0]])
def test_regularisers_meet_lengths_directions_and_layers(kind, lengths, training):
    """All options at once: shapes, zeros in the padding, finite gradients for every parameter."""
    options = {"recurrent_dropout": 0.2, "zoneout": 0.1, "layer_norm": True, "dropout": 0.3}
    layer = layer_of(kind, 2, 5, 2, bidirectional=True, batch_first=True, **options)
    x = draw(3, 4, 2)
    output, last, traces = layer.train(training)(x, lengths=lengths, trace=True)
    assert output.shape == (3, 4, 10)
    assert [s.shape for s in states_of(last)] == [(4, 3, 5)] * len(layer.states)
    assert len(traces) == 4
    if lengths is not None:
        assert (output[0, 2:] == 0).all()
        assert (output[2] == 0).all()
    gradients = torch.autograd.grad(output.sum(), [x, *layer.parameters()])
    assert all(torch.isfinite(gradient).all() for gradient in gradients)
    assert all(gradient.abs().sum() > 0 for gradient in gradients)


@pytest.mark.parametrize("kind", KINDS)
def test_layer_norm_does_not_see_the_scale_of_the_weights(kind):
    """Invariance of the paper: all weights of one product scaled, and nothing changes."""
    layer, x = layer_of(kind, 3, 8, layer_norm=True), draw(4, 3, 3)
    before = layer(x)[0]
    with torch.no_grad():
        layer.weight_hh_l0 *= 50.0
        if kind == "RNN":
            # There it is the sum of both products that is normalised.
            layer.weight_ih_l0 *= 50.0
    torch.testing.assert_close(layer(x)[0], before, rtol=0, atol=1e-2)
    with torch.no_grad():
        layer.weight_hh_l0[:] = layer.weight_hh_l0.flip(0)
    assert not torch.allclose(layer(x)[0], before, rtol=0, atol=1e-2)


@pytest.mark.parametrize("kind", KINDS)
def test_a_trace_is_indexed_as_h_n_is(kind):
    layer, theirs = pair(kind, 2, 5, 2, bidirectional=True)
    x, hx = draw(4, 3, 2), start_states(layer, 3)
    output, last, traces = layer(x, hx, trace=True)
    assert layer.backend_used == "reference"
    torch.testing.assert_close(output, theirs(x, hx)[0], rtol=0, atol=1e-12)
    h_n = states_of(last)[0]
    for k, trace in enumerate(traces):
        assert all(field.shape == (4, 3, 5) for field in trace)
        assert torch.equal(trace.h[0 if k % 2 else -1], h_n[k])
    assert torch.equal(torch.cat([traces[2].h, traces[3].h], dim=-1), output)


@pytest.mark.parametrize("kind", KINDS)
def test_a_trace_has_the_axes_of_the_input(kind):
    layer, _ = pair(kind, 2, 5)
    first, _ = pair(kind, 2, 5, batch_first=True)
    x = draw(4, 3, 2)
    *_, (expected,) = layer(x, trace=True)
    *_, (flipped,) = first(x.transpose(0, 1), trace=True)
    *_, (alone,) = layer(x[:, 1], trace=True)
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor([4, 4, 4]))
    *_, (unpacked,) = layer(packed, trace=True)
    *_, (unpacked_first,) = first(packed, trace=True)
    for k, field in enumerate(expected):
        for found, wanted in (
            (flipped, field.transpose(0, 1)),
            (alone, field[:, 1]),
            (unpacked, field),
            (unpacked_first, field.transpose(0, 1)),
        ):
            torch.testing.assert_close(found[k], wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"recurrent_dropout": 1.5}, ValueError, "recurrent_dropout should be a number in ran"),
        ({"recurrent_dropout": True}, ValueError, "recurrent_dropout should be a number in ran"),
        ({"zoneout": -0.1}, ValueError, r"zoneout should be a number in range \[0, 1\], got -0.1"),
        ({"zoneout": "much"}, ValueError, "zoneout should be one rate, or one for each of h, c"),
        ({"zoneout": (0.1,)}, ValueError, "zoneout should be one rate, or one for each of h, c"),
        ({"zoneout": (0.1, None)}, ValueError, "zoneout should be a number in range .*, got None"),
        ({"layer_norm": 1}, TypeError, "layer_norm should be of type bool, got: int"),
    ],
)
def test_errors_of_options(options, error, message):
    with pytest.raises(error, match=message):
        lstmkit.LSTM(3, 4, **options)


def test_options_show_in_repr():
    layer = lstmkit.LSTM(
        3,
        4,
        2,
        bidirectional=True,
        backend="reference",
        recurrent_dropout=0.1,
        zoneout=(0.1, 0.2),
        layer_norm=True,
        forget_bias=1.0,
    )
    assert repr(layer) == (
        "LSTM(3, 4, num_layers=2, bidirectional=True, recurrent_dropout=0.1, zoneout=(0.1, 0.2), "
        "layer_norm=True, forget_bias=1.0, backend='reference')"
    )
