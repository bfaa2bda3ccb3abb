"""Encoder, decoder, positions and KV cache: torch's layers, the equations, and what must hold."""

import math

import pytest
import torch
from torch import nn

from lstmkit.attention import block as equations
from lstmkit.attention.cache import KVCache
from lstmkit.attention.equations import AttentionWeights, sinusoidal_positions
from lstmkit.attention.positions import POSITIONS, Positions, alibi_slopes
from lstmkit.attention.transformer import TransformerDecoder, TransformerEncoder

D, F, HEADS = 6, 11, 3
F64 = torch.float64
KINDS = [("sinusoidal", None), ("learned", 9), ("alibi", None), ("none", None)]


def random(*shape, seed=3):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


def near(found, expected, tolerance=1e-11):
    torch.testing.assert_close(found, expected, rtol=0, atol=tolerance)


def made(kind, num_layers=2, **options):
    """An encoder or decoder in float64 whose every parameter is drawn at random."""
    torch.manual_seed(1)
    model = kind(D, HEADS, num_layers, F, dtype=F64, **options)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.5)
    return model.eval()


def torchs(ours, activation):
    """torch's stack with the weights of ours."""
    decoder = getattr(ours, "memory", False)
    layer = (nn.TransformerDecoderLayer if decoder else nn.TransformerEncoderLayer)(
        D, HEADS, F, dropout=0.0, activation=activation, norm_first=True, dtype=F64
    )
    norm = nn.LayerNorm(D, dtype=F64)
    if decoder:
        stack = nn.TransformerDecoder(layer, len(ours.layers), norm)
    else:
        stack = nn.TransformerEncoder(layer, len(ours.layers), norm, enable_nested_tensor=False)
    stack.load_state_dict(ours.state_dict())
    return stack.eval()


def gelu(a):
    return nn.functional.gelu(a, approximate="tanh")


# Against torch and against the equations


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_encoder_equals_torchs(activation):
    ours = made(TransformerEncoder, positions="none", activation=activation)
    theirs = torchs(ours, gelu if activation == "gelu" else activation)
    x, mask = random(5, 4, D), random(5, 5, seed=4) > 0
    mask.fill_diagonal_(True)
    near(ours(x), theirs(x))
    near(ours(x, mask=mask), theirs(x, mask=~mask))
    lengths = torch.tensor([5, 1, 3, 4])
    padding = torch.arange(5) >= lengths[:, None]
    expected = theirs(x, src_key_padding_mask=padding)
    near(ours(x, lengths), expected.masked_fill(padding.T[..., None], 0))


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_decoder_with_memory_equals_torchs(activation):
    ours = made(TransformerDecoder, positions="none", activation=activation, memory=True)
    theirs = torchs(ours, gelu if activation == "gelu" else activation)
    x, memory = random(5, 3, D), random(7, 3, D, seed=4)
    future = nn.Transformer.generate_square_subsequent_mask(5, dtype=F64)
    near(ours(x, memory), theirs(x, memory, tgt_mask=future))
    lengths = torch.tensor([7, 2, 4])
    padding = torch.arange(7) >= lengths[:, None]
    expected = theirs(x, memory, tgt_mask=future, memory_key_padding_mask=padding)
    memory[padding.T] = math.nan
    near(ours(x, memory, memory_lengths=lengths), expected)


def test_decoder_without_memory_is_torchs_encoder_under_a_causal_mask():
    ours = made(TransformerDecoder, positions="none")
    x = random(5, 3, D)
    future = nn.Transformer.generate_square_subsequent_mask(5, dtype=F64)
    near(ours(x), torchs(ours, "relu")(x, mask=future))


def test_a_state_dict_is_torchs():
    for ours in (made(TransformerEncoder), made(TransformerDecoder, memory=True)):
        assert list(ours.state_dict()) == list(torchs(ours, "relu").state_dict())


def test_encoder_equals_the_equations():
    ours = made(TransformerEncoder, 1, activation="gelu")
    block = ours.layers[0]
    x = random(5, 3, D)
    items = x.numpy() + sinusoidal_positions(5, D)[:, None]
    y, seen = equations.transformer_block(
        items, _block_weights(block), HEADS, norm="pre", activation="gelu"
    )
    gain, bias = (p.detach().numpy() for p in ours.norm.parameters())
    output, traces = ours(x, trace=True)
    near(output.detach(), torch.from_numpy(equations.layer_norm(y, gain, bias)))
    near(traces[0].own.detach(), torch.from_numpy(seen))


def _block_weights(block):
    attention, norm_1, norm_2, *network = (
        [p.detach().numpy() for p in part.parameters()]
        for part in (block.self_attn, block.norm1, block.norm2, block.linear1, block.linear2)
    )
    return equations.BlockWeights(
        AttentionWeights(*attention),
        equations.NormWeights(*norm_1),
        equations.FeedForwardWeights(*network[0], *network[1]),
        equations.NormWeights(*norm_2),
    )


# What must hold


def test_without_positions_the_encoder_sees_a_set():
    ours = made(TransformerEncoder, positions="none")
    x, order = random(5, 3, D), torch.tensor([3, 0, 4, 2, 1])
    near(ours(x[order]), ours(x)[order])


@pytest.mark.parametrize(("positions", "max_length"), KINDS[:3])
def test_with_positions_order_matters(positions, max_length):
    ours = made(TransformerEncoder, positions=positions, max_length=max_length)
    x, order = random(5, 3, D), torch.tensor([3, 0, 4, 2, 1])
    assert not torch.allclose(ours(x[order]), ours(x)[order], atol=1e-3)


@pytest.mark.parametrize(("positions", "max_length"), KINDS)
def test_the_decoder_does_not_see_the_future(positions, max_length):
    ours = made(TransformerDecoder, positions=positions, max_length=max_length)
    x = random(5, 2, D).requires_grad_()
    output = ours(x)
    for t in range(5):
        (gradient,) = torch.autograd.grad(output[t].square().sum(), x, retain_graph=True)
        assert not gradient[t + 1 :].any()
        assert (gradient[: t + 1] != 0).any(-1).all()


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize(("positions", "max_length"), KINDS)
@pytest.mark.parametrize("kind", [TransformerEncoder, TransformerDecoder])
def test_rows_of_unequal_lengths_are_as_if_alone(kind, positions, max_length, batch_first):
    ours = made(kind, positions=positions, max_length=max_length, batch_first=batch_first)
    turn = (lambda y: y.transpose(0, 1)) if batch_first else (lambda y: y)
    x, lengths = random(5, 3, D), [5, 2, 0]
    for row, length in enumerate(lengths):
        x[length:, row] = math.nan
    x.requires_grad_()
    output = turn(ours(turn(x), lengths=lengths))
    for row, length in enumerate(lengths):
        assert not output[length:, row].any()
        if length:
            alone = turn(ours(turn(x[:length, row : row + 1])))
            near(output[:length, row : row + 1], alone)
    used = [p for p in ours.parameters() if p.requires_grad]
    gradients = torch.autograd.grad(output.square().sum(), [x, *used])
    assert all(torch.isfinite(g).all() for g in gradients)


def test_a_trace_has_every_weight_and_changes_nothing():
    ours = made(TransformerDecoder, memory=True, positions="alibi")
    x, memory = random(5, 3, D), random(7, 3, D, seed=4)
    output, traces = ours(x, memory, trace=True)
    near(output, ours(x, memory))
    assert len(traces) == 2
    for own, seen in traces:
        near(own.sum(-1), torch.ones(3, HEADS, 5, dtype=F64))
        near(seen.sum(-1), torch.ones(3, HEADS, 5, dtype=F64))
        assert own.shape == (3, HEADS, 5, 5)
        assert seen.shape == (3, HEADS, 5, 7)


def test_dropout_is_for_training():
    ours = made(TransformerEncoder, dropout=0.3)
    x = random(5, 3, D)
    near(ours(x), made(TransformerEncoder)(x))
    ours.train()
    assert not torch.allclose(ours(x), ours(x))


# The cache


@pytest.mark.parametrize("memory", [False, True])
@pytest.mark.parametrize(("positions", "max_length"), [(p, 18 if m else m) for p, m in KINDS])
def test_step_by_step_with_a_cache_equals_the_full_pass(positions, max_length, memory):
    ours = made(TransformerDecoder, positions=positions, max_length=max_length, memory=memory)
    x = random(18, 2, D)  # past the first doubling of the cache's memory
    about = {}
    if memory:
        about = {"memory": random(7, 2, D, seed=4), "memory_lengths": [7, 3]}
    with torch.no_grad():
        expected = ours(x, **about)
        for pieces in ([1] * 18, [11, 1, 1, 5], [18]):
            cache = ours.cache()
            found = [ours(piece, cache=cache, **about) for piece in x.split(pieces)]
            near(torch.cat(found), expected)
            assert cache.length == 18


def test_a_cache_keeps_all_that_came_through_every_doubling():
    k, v = random(2, 3, 200, 5), random(2, 3, 200, 5, seed=4)
    cache = KVCache()
    with pytest.raises(RuntimeError, match="holds nothing yet"):
        cache.all()
    for t in range(200):
        found = cache.append(k[:, :, t : t + 1], v[:, :, t : t + 1])
        near(found, (k[:, :, : t + 1], v[:, :, : t + 1]), 0)


def test_the_memorys_keys_are_made_once():
    ours = made(TransformerDecoder, memory=True)
    x, memory = random(4, 2, D), random(7, 2, D, seed=4)
    with torch.no_grad():
        expected = ours(x, memory)
        cache = ours.cache()
        ours(x[:1], memory, cache=cache)
        rest = [ours(item[None], torch.full_like(memory, 9.0), cache=cache) for item in x[1:]]
    near(torch.cat(rest), expected[1:])


def test_a_copied_cache_goes_its_own_way():
    ours = made(TransformerDecoder)
    x = random(9, 2, D)
    with torch.no_grad():
        expected = ours(x)
        cache = ours.cache()
        empty = cache.copy()
        ours(x[:4], cache=cache)
        twin = cache.copy()
        ours(10 * x[:3], cache=twin)
        near(ours(x[4:], cache=cache), expected[4:])
        near(ours(x, cache=empty), expected)
    assert (cache.length, twin.length, empty.length) == (9, 7, 9)


def test_a_cache_can_be_cut():
    ours = made(TransformerDecoder)
    x = random(9, 2, D)
    with torch.no_grad():
        expected = ours(x)
        cache = ours.cache()
        ours(10 * x, cache=cache)
        cache.cut(0)
        ours(torch.cat([x[:4], 10 * x[:3]]), cache=cache)
        cache.cut(4)
        near(ours(x[4:], cache=cache), expected[4:])
    for length in (10, -1):
        with pytest.raises(ValueError, match=rf"holds 9 items, it cannot be cut to {length}"):
            cache.cut(length)


def test_a_cache_has_the_bytes_of_its_keys_and_values():
    ours = made(TransformerDecoder, 3)
    cache = ours.cache()
    assert cache.nbytes == 0
    with torch.no_grad():
        for seen in range(1, 20):
            ours(random(1, 2, D), cache=cache)
            assert cache.nbytes == 3 * 2 * seen * 2 * D * 8


def test_a_cache_and_its_limits():
    ours = made(TransformerDecoder)
    x = random(3, 2, D)
    with pytest.raises(RuntimeError, match=r"for inference.*torch.no_grad"):
        ours(x, cache=ours.cache())
    with torch.no_grad(), pytest.raises(ValueError, match="lengths cannot go with a cache"):
        ours(x, lengths=[3, 3], cache=ours.cache())


# Positions


def test_sinusoidal_positions_are_those_of_the_equations_however_they_are_asked_for():
    positions = Positions("sinusoidal", D, HEADS)
    expected = torch.from_numpy(sinusoidal_positions(300, D))
    for start, end in ((0, 3), (250, 300), (10, 20)):
        zeros = torch.zeros(end - start, 1, D, dtype=F64)
        near(positions(zeros, start)[:, 0], expected[start:end], 0)
    assert positions(torch.zeros(3, 1, D)).dtype == torch.float32
    near(positions(torch.zeros(3, 1, D))[:, 0], expected[:3].float(), 1e-7)


def test_alibi():
    near(alibi_slopes(8), torch.tensor([2.0**-j for j in range(1, 9)]), 0)
    positions = Positions("alibi", D, 2)
    bias = positions.bias(2, 4, torch.zeros(1, dtype=F64))
    distances = [[2.0, 1.0, 0.0, 1.0], [3.0, 2.0, 1.0, 0.0]]
    near(
        bias,
        torch.tensor([[[-d / m for d in row] for row in distances] for m in (16, 256)]).double(),
    )
    x = random(3, 1, D)
    near(positions(x), x, 0)


def test_learned_positions_end_where_training_ended():
    positions = Positions("learned", D, HEADS, max_length=4, dtype=F64)
    x = random(3, 2, D)
    near(positions(x, 1) - x, positions.places[1:4, None].expand(3, 2, D), 1e-14)
    with pytest.raises(ValueError, match="place 4 was never learned: max_length is 4"):
        positions(x, 2)


def test_what_does_not_fit():
    assert [kind for kind, _ in KINDS] == list(POSITIONS)
    with pytest.raises(ValueError, match="positions should be one of sinusoidal, learned"):
        TransformerEncoder(D, HEADS, 1, positions="rotary")
    with pytest.raises(ValueError, match="needs a max_length"):
        TransformerEncoder(D, HEADS, 1, positions="learned")
    with pytest.raises(ValueError, match="the others have none"):
        TransformerEncoder(D, HEADS, 1, max_length=4)
    with pytest.raises(ValueError, match="D should be even"):
        TransformerEncoder(5, 1, 1)(torch.zeros(2, 2, 5))
    with pytest.raises(ValueError, match='activation should be "relu" or "gelu", got'):
        TransformerEncoder(D, HEADS, 1, activation="tanh")
    with pytest.raises(ValueError, match="num_layers should be at least 1, got 0"):
        TransformerEncoder(D, HEADS, 0)
    x = torch.zeros(3, 2, D)
    with pytest.raises(ValueError, match=r"x should have three axes and 6 entries"):
        TransformerEncoder(D, HEADS, 1)(x[0])
    with pytest.raises(TypeError, match="mask should be boolean"):
        TransformerEncoder(D, HEADS, 1)(x, mask=torch.zeros(3, 3))
    with pytest.raises(ValueError, match="made without memory=True"):
        TransformerDecoder(D, HEADS, 1)(x, x)
    with pytest.raises(ValueError, match="has a memory and needs one"):
        TransformerDecoder(D, HEADS, 1, memory=True)(x)
    with pytest.raises(ValueError, match="memory_lengths without a memory"):
        TransformerDecoder(D, HEADS, 1)(x, memory_lengths=[3, 3])
