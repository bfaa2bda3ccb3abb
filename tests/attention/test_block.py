"""The Transformer's blocks against torch's layers."""

import numpy as np
import pytest
import torch

from lstmkit.attention.block import (
    BlockWeights,
    DecoderWeights,
    FeedForwardWeights,
    NormWeights,
    decoder_block,
    feed_forward,
    gelu,
    transformer_block,
)
from lstmkit.attention.equations import AttentionWeights, causal_mask, padding_mask

D, F, HEADS = 6, 11, 3
ATTENTION = ("in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias")


def torch_gelu(a):
    return torch.nn.functional.gelu(a, approximate="tanh")


def torch_layer(kind, norm, activation):
    """A torch layer in float64 whose every parameter, gains and biases too, is drawn at random."""
    torch.manual_seed(3)
    layer = kind(
        D,
        HEADS,
        F,
        dropout=0.0,
        activation=torch_gelu if activation == "gelu" else activation,
        norm_first=norm == "pre",
    ).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn_like(parameter))
    return layer


def taken(state, group, names):
    return [state[f"{group}.{name}"].numpy() for name in names]


def weights_of(layer, decoder=False):
    state = layer.state_dict()
    attention = AttentionWeights(*taken(state, "self_attn", ATTENTION))
    norms = [
        NormWeights(*taken(state, f"norm{place}", ("weight", "bias")))
        for place in range(1, 4 if decoder else 3)
    ]
    network = FeedForwardWeights(
        *taken(state, "linear1", ("weight", "bias")), *taken(state, "linear2", ("weight", "bias"))
    )
    if not decoder:
        return BlockWeights(attention, norms[0], network, norms[1])
    cross = AttentionWeights(*taken(state, "multihead_attn", ATTENTION))
    return DecoderWeights(attention, norms[0], cross, norms[1], network, norms[2])


def draw(*shape):
    return np.random.default_rng(shape).normal(size=shape)


@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("T", "B"), [(5, 2), (1, 1), (4, 3)])
def test_block_as_torch(norm, activation, masked, T, B):
    layer = torch_layer(torch.nn.TransformerEncoderLayer, norm, activation)
    x = draw(T, B, D)
    lengths = [T, *[max(T - 2, 1)] * (B - 1)]
    mask, hidden = None, {}
    if masked:
        mask = causal_mask(T) & padding_mask(lengths, T)
        padded = torch.tensor(~padding_mask(lengths, T)[:, 0, 0])
        hidden = {"src_mask": torch.tensor(~causal_mask(T)), "src_key_padding_mask": padded}
    # Another way than the fast one that torch takes in evaluation.
    expected = layer.train()(torch.tensor(x), **hidden).detach().numpy()
    found, seen = transformer_block(x, weights_of(layer), HEADS, mask, norm, activation)
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11)
    assert seen.shape == (B, HEADS, T, T)
    np.testing.assert_allclose(seen.sum(axis=-1), 1, rtol=1e-12)
    if masked:
        assert not np.triu(seen, 1).any()


@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("masked", [False, True])
def test_decoder_block_as_torch(norm, activation, masked):
    T, S, B = 4, 5, 2
    layer = torch_layer(torch.nn.TransformerDecoderLayer, norm, activation)
    x, memory = draw(T, B, D), draw(S, B, D)
    masks, hidden = {}, {}
    if masked:
        masks = {"mask": causal_mask(T), "memory_mask": padding_mask([5, 2], S)}
        hidden = {
            "tgt_mask": torch.tensor(~causal_mask(T)),
            "memory_key_padding_mask": torch.tensor(~padding_mask([5, 2], S)[:, 0, 0]),
        }
    expected = layer(torch.tensor(x), torch.tensor(memory), **hidden).detach().numpy()
    found, seen = decoder_block(
        x, memory, weights_of(layer, decoder=True), HEADS, **masks, norm=norm, activation=activation
    )
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11)
    assert seen.shape == (B, HEADS, T, S)
    if masked:
        assert not seen[1, ..., 2:].any()


def test_pre_norm_is_the_default_and_leaves_a_free_line():
    """With W_out and W_2 at zero nothing is added: what comes in goes out, to the last bit."""
    layer = torch_layer(torch.nn.TransformerEncoderLayer, "pre", "relu")
    attention, norm_1, network, norm_2 = weights_of(layer)
    silent = BlockWeights(
        attention._replace(W_out=0 * attention.W_out, b_out=0 * attention.b_out),
        norm_1,
        network._replace(W_2=0 * network.W_2, b_2=0 * network.b_2),
        norm_2,
    )
    x = draw(4, 2, D)
    found, _ = transformer_block(x, silent, HEADS)
    np.testing.assert_array_equal(found, x)


def test_gelu_as_torch():
    a = np.linspace(-6, 6, 101)
    np.testing.assert_allclose(gelu(a), torch_gelu(torch.tensor(a)).numpy(), rtol=1e-12, atol=1e-15)
    exact = torch.nn.functional.gelu(torch.tensor(a)).numpy()
    assert 1e-4 < np.abs(gelu(a) - exact).max() < 5e-4


def test_dtype_is_kept():
    layer = torch_layer(torch.nn.TransformerDecoderLayer, "pre", "gelu").float()
    x = draw(3, 2, D).astype(np.float32)
    weights = weights_of(layer, decoder=True)
    encoder = BlockWeights(weights.attention, weights.norm_1, weights.feed_forward, weights.norm_2)
    found = [
        *transformer_block(x, encoder, HEADS, causal_mask(3), activation="gelu"),
        *decoder_block(x, x, weights, HEADS),
    ]
    assert all(array.dtype == np.float32 for array in found)


def test_a_wrong_argument_is_named():
    layer = torch_layer(torch.nn.TransformerDecoderLayer, "pre", "relu")
    weights = weights_of(layer, decoder=True)
    encoder = BlockWeights(weights.attention, weights.norm_1, weights.feed_forward, weights.norm_2)
    x = draw(3, 2, D)
    with pytest.raises(ValueError, match='norm should be "pre" or "post", got \'none\''):
        transformer_block(x, encoder, HEADS, norm="none")
    with pytest.raises(ValueError, match="norm should be"):
        decoder_block(x, x, weights, HEADS, norm="none")
    with pytest.raises(ValueError, match='activation should be "relu" or "gelu", got \'tanh\''):
        transformer_block(x, encoder, HEADS, activation="tanh")
    network = weights.feed_forward._replace(W_2=weights.feed_forward.W_1)
    with pytest.raises(
        ValueError, match=r"W_2 should have shape \(D, F\) = \(6, 11\), got \(11, 6"
    ):
        feed_forward(x, network)
    with pytest.raises(ValueError, match=r"key should have shape \(K, B, D\) = \(3, 2, 6\), got"):
        decoder_block(x, x[:, :1], weights, HEADS)
