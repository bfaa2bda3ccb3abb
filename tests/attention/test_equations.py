"""Attention's equations against torch, hand-worked numbers and their symmetries."""

import numpy as np
import pytest
import torch

from lstmkit.attention.equations import (
    AttentionWeights,
    additive_attention,
    attend,
    causal_mask,
    merge_heads,
    multi_head_attention,
    padding_mask,
    scaled_dot_product,
    sinusoidal_positions,
    softmax,
    split_heads,
)

SIZES = [(1, 1, 1, 1), (3, 5, 2, 7), (5, 3, 4, 1), (7, 7, 3, 3)]  # queries, keys, D, V
LEADING = [(), (2,), (2, 3)]
sdpa = torch.nn.functional.scaled_dot_product_attention


def draw(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def some_mask(queries, keys):
    """Every query may look at its own key and at some others."""
    mask = np.random.default_rng([queries, keys]).random((queries, keys)) < 0.5
    mask[np.arange(queries), np.arange(queries) % keys] = True
    return mask


def attention_weights(D, dtype=np.float64):
    shapes = {"W_in": (3 * D, D), "b_in": (3 * D,), "W_out": (D, D), "b_out": (D,)}
    return AttentionWeights(*(draw(*shape).astype(dtype) for shape in shapes.values()))


def torch_attention(weights, heads):
    layer = torch.nn.MultiheadAttention(len(weights.b_out), heads).double()
    names = ("in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias")
    layer.load_state_dict(dict(zip(names, map(torch.tensor, weights), strict=True)))
    return layer


def test_softmax_by_hand():
    weights = softmax(np.array([[0, np.log(2), np.log(5)], [1e4, 1e4, -1e4]]))
    np.testing.assert_allclose(weights, [[0.125, 0.25, 0.625], [0.5, 0.5, 0]], rtol=1e-14)


def test_softmax_of_nothing_is_nothing():
    scores = np.array([[-np.inf, -np.inf], [-np.inf, 3.0]])
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(softmax(scores), [[0, 0], [0, 1]])
    assert softmax(np.zeros((2, 0))).shape == (2, 0)


def test_one_query_by_hand():
    """Scores log 3 · √2 / √2 and 0: weights ¾ and ¼."""
    q, k = np.array([[np.log(3), 1.0]]), np.array([[np.sqrt(2), 0], [0, 0]])
    output, weights = scaled_dot_product(q, k, np.array([[4.0, 0], [0, 8]]))
    np.testing.assert_allclose(weights, [[0.75, 0.25]], rtol=1e-14)
    np.testing.assert_allclose(output, [[3, 2]], rtol=1e-14)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("leading", LEADING)
@pytest.mark.parametrize("masked", [False, True])
def test_scaled_dot_product_as_torch(sizes, leading, masked):
    Q, K, D, V = sizes
    q, k, v = draw(*leading, Q, D), draw(*leading, K, D), draw(*leading, K, V)
    mask = some_mask(Q, K) if masked else None
    mask_ = torch.tensor(mask) if masked else None
    tensors = [torch.tensor(array) for array in (q, k, v)]
    output, weights = scaled_dot_product(q, k, v, mask)
    np.testing.assert_allclose(output, sdpa(*tensors, mask_).numpy(), rtol=1e-12, atol=1e-13)
    identity = torch.eye(K, dtype=torch.float64).expand(*leading, K, K)
    by_torch = sdpa(*tensors[:2], identity, mask_)
    np.testing.assert_allclose(weights, by_torch.numpy(), rtol=1e-12, atol=1e-13)
    if masked:
        assert not weights[..., ~mask].any()


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("leading", LEADING)
@pytest.mark.parametrize("masked", [False, True])
def test_additive_attention_as_torch(sizes, leading, masked):
    """Pair by pair in torch: a score from a small network, then softmax over the keys."""
    Q, K, D, V = sizes
    E, A = D + 1, 4
    arrays = [draw(*leading, Q, D), draw(*leading, K, E), draw(*leading, K, V)]
    arrays += [draw(A, D), draw(A, E), draw(A)]
    mask = some_mask(Q, K) if masked else np.ones((Q, K), bool)
    q, k, v, W_q, W_k, w = map(torch.tensor, arrays)
    scores = torch.empty(*leading, Q, K, dtype=torch.float64)
    for s in range(Q):
        for t in range(K):
            scores[..., s, t] = torch.tanh(q[..., s, :] @ W_q.T + k[..., t, :] @ W_k.T) @ w
    expected = scores.masked_fill(~torch.tensor(mask), -torch.inf).softmax(-1)
    output, weights = additive_attention(*arrays, mask if masked else None)
    np.testing.assert_allclose(weights, expected.numpy(), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(output, (expected @ v).numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("heads", "D"), [(1, 3), (2, 6), (3, 6), (5, 5)])
@pytest.mark.parametrize("masked", [False, True])
def test_multi_head_attention_as_torch(heads, D, masked):
    Q, K, B = 3, 5, 2
    query, key, value = draw(Q, B, D), draw(K, B, D, seed=1), draw(K, B, D, seed=2)
    weights = attention_weights(D)
    # torch's masks are True where a query may not look.
    mask, hidden = None, {}
    if masked:
        mask = some_mask(Q, K) & padding_mask([5, 2], K)
        mask[..., 0] = True
        hidden = {"attn_mask": torch.tensor(~mask).expand(B, heads, Q, K).reshape(-1, Q, K)}
    layer = torch_attention(weights, heads)
    by_torch, seen = layer(
        *map(torch.tensor, (query, key, value)), average_attn_weights=False, **hidden
    )
    output, found = multi_head_attention(query, key, value, weights, heads, mask)
    np.testing.assert_allclose(output, by_torch.detach().numpy(), rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(found, seen.detach().numpy(), rtol=1e-11, atol=1e-13)


def test_masks_by_hand():
    np.testing.assert_array_equal(causal_mask(3), [[1, 0, 0], [1, 1, 0], [1, 1, 1]])
    np.testing.assert_array_equal(causal_mask(2, 4), [[1, 1, 1, 0], [1, 1, 1, 1]])
    assert causal_mask(3).dtype == bool
    found = padding_mask([2, 0, 3], 3)
    assert found.shape == (3, 1, 1, 3)
    np.testing.assert_array_equal(found[:, 0, 0], [[1, 1, 0], [0, 0, 0], [1, 1, 1]])


def test_padding_changes_nothing_and_a_row_without_items_gives_zeros():
    weights = attention_weights(6)
    x = draw(5, 3, 6)
    lengths = [5, 2, 0]
    output, seen = multi_head_attention(x, x, x, weights, 2, padding_mask(lengths, 5))
    x[2:, 1] += 100
    moved, _ = multi_head_attention(x, x, x, weights, 2, padding_mask(lengths, 5))
    np.testing.assert_array_equal(moved[:2, 1], output[:2, 1])
    alone, _ = multi_head_attention(*[x[:2, 1:2]] * 3, weights, 2)
    np.testing.assert_allclose(output[:2, 1:2], alone, rtol=1e-12)
    assert not seen[2].any()
    np.testing.assert_array_equal(output[:, 2], np.broadcast_to(weights.b_out, (5, 6)))


def test_a_causal_query_does_not_see_the_future():
    weights = attention_weights(4)
    x = draw(6, 2, 4)
    before, _ = multi_head_attention(x, x, x, weights, 2, causal_mask(6))
    x[4:] += 1
    after, _ = multi_head_attention(x, x, x, weights, 2, causal_mask(6))
    np.testing.assert_array_equal(after[:4], before[:4])
    assert (after[4:] != before[4:]).all()


def test_the_order_of_the_keys_does_not_matter():
    q, k, v = draw(3, 4), draw(5, 4, seed=1), draw(5, 2, seed=2)
    shuffled = np.array([3, 0, 4, 1, 2])
    output, weights = scaled_dot_product(q, k, v)
    again, weights_again = scaled_dot_product(q, k[shuffled], v[shuffled])
    np.testing.assert_allclose(again, output, rtol=1e-12)
    np.testing.assert_allclose(weights_again, weights[:, shuffled], rtol=1e-12)


def test_heads_are_neighbouring_entries():
    x = np.arange(12.0).reshape(2, 1, 6)
    heads = split_heads(x, 3)
    np.testing.assert_array_equal(
        heads[0], [[[0, 1], [6, 7]], [[2, 3], [8, 9]], [[4, 5], [10, 11]]]
    )
    np.testing.assert_array_equal(merge_heads(heads), x)


def test_positions_by_hand():
    found = sinusoidal_positions(3, 4)
    expected = [
        [0, 1, 0, 1],
        [0.8414709848078965, 0.5403023058681398, 0.009999833334166664, 0.9999500004166653],
        [0.9092974268256817, -0.4161468365471424, 0.01999866669333308, 0.9998000066665778],
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    np.testing.assert_allclose(
        sinusoidal_positions(2, 4, base=100.0)[1, 2:], [np.sin(0.1), np.cos(0.1)], rtol=1e-14
    )


def test_a_step_of_positions_is_one_rotation_everywhere():
    """The dot product of two codes depends on their distance alone."""
    p = sinusoidal_positions(40, 6)
    product = p @ p.T
    for distance in (0, 1, 7):
        along = np.diagonal(product, distance)
        np.testing.assert_allclose(along, along[0], rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept_and_arguments_untouched(dtype):
    weights = attention_weights(4, dtype)
    x, W, w = (draw(*shape).astype(dtype) for shape in ((3, 2, 4), (5, 4), (5,)))
    kept = [array.copy() for array in (x, W, w, *weights)]
    found = [
        *multi_head_attention(x, x, x, weights, 2, causal_mask(3)),
        *scaled_dot_product(x, x, x, causal_mask(2)),
        *additive_attention(x, x, x, W, W, w, causal_mask(2)),
    ]
    assert all(array.dtype == dtype for array in found)
    for array, before in zip((x, W, w, *weights), kept, strict=True):
        np.testing.assert_array_equal(array, before)


def test_a_wrong_argument_is_named():
    x, weights = draw(3, 2, 6), attention_weights(6)
    with pytest.raises(ValueError, match=r"q and k should have shapes .* got \(3, 2, 6\) and"):
        scaled_dot_product(x, x[..., :5], x)
    with pytest.raises(ValueError, match=r"v should have one row a key, 2, got shape \(3, 1, 6\)"):
        scaled_dot_product(x, x, x[:, :1])
    with pytest.raises(ValueError, match=r"the mask's shape \(3, 3\) does not broadcast to .* 2\)"):
        scaled_dot_product(x, x, x, causal_mask(3))
    with pytest.raises(TypeError, match="the mask should be boolean, True where a query may look"):
        attend(x, draw(3, 6, 1), np.zeros((2, 6)))
    with pytest.raises(ValueError, match=r"k should have 4 entries an item, as W_k has columns"):
        additive_attention(x, x, x, draw(5, 6), draw(5, 4), draw(5))
    with pytest.raises(
        ValueError, match=r"W_q should have shape \(A, D\) = \(5, D\), got \(4, 6\)"
    ):
        additive_attention(x, x, x, draw(4, 6), draw(5, 6), draw(5))
    with pytest.raises(ValueError, match="6 entries cannot be cut into 4 heads of one size"):
        multi_head_attention(x, x, x, weights, 4)
    with pytest.raises(ValueError, match=r"value should have shape \(K, B, D\) = \(3, 2, 6\), got"):
        multi_head_attention(x, x, x[:2], weights, 2)
    with pytest.raises(ValueError, match=r"W_in should have shape \(3D, D\) = \(18, 6\), got"):
        multi_head_attention(x, x, x, weights._replace(W_in=weights.W_out), 2)
    with pytest.raises(ValueError, match="D should be even, sine and cosine come in pairs; got 5"):
        sinusoidal_positions(3, 5)
    with pytest.raises(ValueError, match="lengths should lie in 0 … T = 3, got 2 … 4"):
        padding_mask([2, 4], 3)
