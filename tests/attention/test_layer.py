"""Attention's modules against torch's and against the NumPy equations."""

import math

import pytest
import torch
from torch import nn

from lstmkit.attention import equations
from lstmkit.attention.layer import (
    AdditiveAttention,
    MultiHeadAttention,
    attend,
    causal_mask,
    padding_mask,
)

F64 = torch.float64


def random(*shape, seed=3):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


def near(found, expected, tolerance=1e-12):
    torch.testing.assert_close(found, expected, rtol=0, atol=tolerance)


def near_numpy(found, expected, tolerance=1e-12):
    near(found.detach(), torch.from_numpy(expected), tolerance)


def pair(width, heads, bias=True, batch_first=False):
    """Our attention and torch's with the same weights, all of them random."""
    torch.manual_seed(0)
    ours = MultiHeadAttention(width, heads, bias=bias, batch_first=batch_first, dtype=F64)
    for parameter in ours.parameters():
        nn.init.normal_(parameter)
    theirs = nn.MultiheadAttention(width, heads, bias=bias, batch_first=batch_first, dtype=F64)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


# The scaled dot product


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_attend_agrees_with_the_equations(masked, weights):
    q, k, v = random(2, 3, 4, 5), random(2, 3, 6, 5, seed=4), random(2, 3, 6, 7, seed=5)
    mask = random(2, 1, 4, 6, seed=6) > 0 if masked else None
    expected = equations.scaled_dot_product(
        q.numpy(), k.numpy(), v.numpy(), None if mask is None else mask.numpy()
    )
    output, seen = attend(q, k, v, mask, weights=weights)
    near_numpy(output, expected[0])
    if weights:
        near_numpy(seen, expected[1])
    else:
        assert seen is None


@pytest.mark.parametrize("weights", [False, True])
def test_a_bias_is_added_to_the_scores(weights):
    q, k, v = random(2, 4, 5), random(2, 6, 5, seed=4), random(2, 6, 7, seed=5)
    bias, mask = random(4, 6, seed=6), random(2, 4, 6, seed=7) > 0
    scores = torch.einsum("bqd,bkd->bqk", q, k) / math.sqrt(5) + bias
    e = torch.exp(scores)
    near(attend(q, k, v, None, bias, weights=weights)[0], e / e.sum(-1, keepdim=True) @ v)
    e = e * mask
    near(attend(q, k, v, mask, bias, weights=weights)[0], e / e.sum(-1, keepdim=True) @ v)


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_a_query_that_may_look_at_nothing_gets_zeros_and_no_nan(dtype, weights):
    q, k, v = (random(2, 3, 4, seed=s).to(dtype).requires_grad_() for s in (3, 4, 5))
    mask = torch.tensor([[True, True, False], [False, False, False], [True, False, False]])
    output, seen = attend(q, k, v, mask, weights=weights)
    assert not output[:, 1].any()
    torch.testing.assert_close(output[:, 2], v[:, 0], rtol=1e-5, atol=1e-6)
    gradients = torch.autograd.grad(output.square().sum(), [q, k, v])
    assert all(torch.isfinite(g).all() for g in gradients)
    assert not gradients[0][:, 1].any()
    assert not gradients[1][:, 2].any()
    if weights:
        assert not seen[:, 1].any()


def test_dropout_drops_weights():
    q, k = random(1, 4, 8), random(1, 64, 8, seed=4)
    v = torch.eye(64, dtype=F64)[None]  # the output is the weights themselves
    whole, _ = attend(q, k, v)
    for weights in (False, True):
        torch.manual_seed(0)
        dropped, _ = attend(q, k, v, dropout=0.5, weights=weights)
        gone = dropped == 0
        assert 0.3 < gone.double().mean() < 0.7
        near(dropped[~gone], 2 * whole[~gone])


def test_masks_are_those_of_the_equations():
    for queries, keys in ((5, None), (2, 5), (1, 4)):
        expected = torch.from_numpy(equations.causal_mask(queries, keys))
        assert torch.equal(causal_mask(queries, keys), expected)
    expected = torch.from_numpy(equations.padding_mask([3, 0, 5], 5))
    assert torch.equal(padding_mask([3, 0, 5], 5), expected)
    with pytest.raises(ValueError, match="lengths should lie in 0 … T = 5"):
        padding_mask([6], 5)


# Several heads


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("width", "heads"), [(6, 1), (6, 2), (6, 6)])
def test_multi_head_equals_torchs(width, heads, bias, batch_first):
    ours, theirs = pair(width, heads, bias, batch_first)
    x = random(5, 3, width)
    other = random(*((5, 7) if batch_first else (7, 3)), width, seed=4)
    values = random(*other.shape, seed=5)
    for arguments in ((x, x, x), (x, other, other), (x, other, values)):
        expected = theirs(*arguments, average_attn_weights=False)
        given = (x,) if arguments[1] is x else arguments
        for found in (ours(*given, trace=True), (ours(*given), expected[1])):
            near(found, expected)


def test_multi_head_equals_the_equations():
    ours, _ = pair(6, 2)
    weights = equations.AttentionWeights(*(p.detach().numpy() for p in ours.parameters()))
    x, mask = random(5, 3, 6), random(3, 2, 5, 5, seed=4) > 0
    items = x.numpy()
    expected = equations.multi_head_attention(items, items, items, weights, 2, mask.numpy())
    output, seen = ours(x, mask=mask, trace=True)
    near_numpy(output, expected[0])
    near_numpy(seen, expected[1])


def test_a_seed_gives_torchs_start_values():
    torch.manual_seed(5)
    theirs = nn.MultiheadAttention(6, 2)
    torch.manual_seed(5)
    ours = MultiHeadAttention(6, 2)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for mine, torchs in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(mine, torchs)


def test_gradients_equal_torchs():
    ours, theirs = pair(6, 2)
    mask = causal_mask(5)
    gradients = []
    for layer, arguments in (
        (ours, {"causal": True}),
        (theirs, {"attn_mask": ~mask, "need_weights": False}),
    ):
        x = random(5, 3, 6).requires_grad_()
        output = layer(x, **arguments) if layer is ours else layer(x, x, x, **arguments)[0]
        loss = (output * random(5, 3, 6, seed=8)).sum()
        gradients.append(torch.autograd.grad(loss, [x, *layer.parameters()]))
    near(*gradients)


def test_gradcheck():
    ours, _ = pair(2, 2)
    inputs = (random(2, 2, 2).requires_grad_(), random(3, 2, 2, seed=4).requires_grad_())
    assert torch.autograd.gradcheck(lambda q, k: ours(q, k, lengths=[3, 1]), inputs)
    assert torch.autograd.gradcheck(lambda q, k: ours(q, k, lengths=[3, 0], trace=True), inputs)
    few = tuple(x[:2, :1].detach().requires_grad_() for x in inputs)
    twice = torch.autograd.gradgradcheck
    assert twice(lambda q, k: ours(q, k, lengths=[2], trace=True)[0], few)


def test_order_does_not_matter_to_the_keys_and_moves_with_the_queries():
    ours, _ = pair(6, 2)
    x, other = random(5, 3, 6), random(7, 3, 6, seed=4)
    order, others = torch.randperm(5), torch.randperm(7)
    near(ours(x, other[others]), ours(x, other))
    near(ours(x[order]), ours(x)[order])


@pytest.mark.parametrize("trace", [False, True])
def test_causal_attention_does_not_see_the_future(trace):
    ours, _ = pair(6, 2)
    x = random(5, 3, 6)
    found = ours(x, causal=True, trace=trace)
    output = found[0] if trace else found
    if trace:
        assert not found[1][..., ~causal_mask(5)].any()
    for t in range(5):
        changed = x.clone()
        changed[t + 1 :] = 100 * random(4 - t, 3, 6, seed=9)
        near(ours(changed, causal=True)[: t + 1], output[: t + 1])
        changed[t] += 1
        assert not torch.allclose(ours(changed, causal=True)[t], output[t])


def test_causal_attention_to_more_keys_than_queries_takes_the_queries_as_the_last():
    ours, _ = pair(6, 2)
    x = random(5, 3, 6)
    near(ours(x[3:], x, causal=True), ours(x, causal=True)[3:])


@pytest.mark.parametrize("batch_first", [False, True])
def test_rows_of_unequal_lengths_are_as_if_alone(batch_first):
    ours, _ = pair(6, 2, batch_first=batch_first)
    turn = (lambda y: y.transpose(0, 1)) if batch_first else (lambda y: y)
    x, lengths = random(5, 3, 6), [5, 2, 0]
    for row, length in enumerate(lengths):
        x[length:, row] = math.nan
    x.requires_grad_()
    output = turn(ours(turn(x), lengths=lengths))
    for row, length in enumerate(lengths[:2]):
        alone = turn(ours(turn(x[:length, row : row + 1])))
        near(output[:length, row : row + 1], alone)
    assert torch.isfinite(output).all()
    gradients = torch.autograd.grad(output.sum(), [x, *ours.parameters()])
    assert all(torch.isfinite(g).all() for g in gradients)
    # Queries from elsewhere look at the same keys, and a row without keys says b_out alone.
    query = random(4, 3, 6, seed=4)
    output = turn(ours(turn(query), turn(x), lengths=lengths))
    near(output[:, 1:2], turn(ours(turn(query[:, 1:2]), turn(x[:2, 1:2]))))
    near(output[:, 2], ours.out_proj.bias.expand(4, 6))


def test_masks_together():
    ours, theirs = pair(6, 2)
    x, mask = random(5, 3, 6), random(5, 5, seed=4) > -1
    mask.fill_diagonal_(True)
    lengths = torch.tensor([5, 3, 4])
    found = ours(x, lengths=lengths, mask=mask, causal=True)
    padding = torch.arange(5) >= lengths[:, None]
    expected, _ = theirs(x, x, x, key_padding_mask=padding, attn_mask=~(mask & causal_mask(5)))
    for row, length in enumerate(lengths):
        near(found[:length, row], expected[:length, row])


def test_dropout_is_for_training():
    torch.manual_seed(0)
    layer = MultiHeadAttention(6, 2, dropout=0.5, dtype=F64)
    x = random(5, 3, 6)
    assert not torch.equal(layer(x), layer(x))
    layer.eval()
    near(layer(x), layer(x, trace=True)[0])


def test_what_does_not_fit():
    with pytest.raises(ValueError, match="6 entries cannot be cut into 4 heads"):
        MultiHeadAttention(6, 4)
    layer = MultiHeadAttention(6, 2)
    x = torch.zeros(5, 3, 6)
    with pytest.raises(ValueError, match=r"query should have three axes and 6 .* \(5, 6\)"):
        layer(x[:, 0])
    with pytest.raises(ValueError, match=r"key should have three axes and 6 .* \(5, 3, 5\)"):
        layer(x, x[..., 1:])
    for arguments in ({}, {"causal": True}, {"lengths": [5, 5, 5]}):
        with pytest.raises(TypeError, match=r"boolean, True where .* got torch.float32"):
            layer(x, mask=torch.zeros(5, 5), **arguments)


# The additive form


@pytest.mark.parametrize("batch_first", [False, True])
def test_additive_attention_agrees_with_the_equations(batch_first):
    torch.manual_seed(0)
    layer = AdditiveAttention(5, 6, 7, batch_first=batch_first, dtype=F64)
    q, k, v = random(2, 4, 5), random(2, 3, 6, seed=4), random(2, 3, 8, seed=5)
    W_q, W_k, w = (p.detach().numpy() for p in layer.parameters())
    lengths = [3, 1]
    for given, mask in ((None, None), (lengths, equations.padding_mask(lengths, 3)[:, 0])):
        expected = equations.additive_attention(
            q.numpy(), k.numpy(), v.numpy(), W_q, W_k, w[0], mask
        )
        items = (q, k, v) if batch_first else (x.transpose(0, 1) for x in (q, k, v))
        output, seen = layer(*items, lengths=given)
        near_numpy(output if batch_first else output.transpose(0, 1), expected[0])
        near_numpy(seen, expected[1])


def test_additive_attention_reads_nothing_behind_a_rows_end():
    torch.manual_seed(0)
    layer = AdditiveAttention(5, 6, 7, dtype=F64)
    q, k = random(2, 3, 5), random(4, 3, 6, seed=4)
    k[2:, 1] = math.nan
    k[:, 2] = math.nan
    output, seen = layer(q, k, lengths=[4, 2, 0])
    near(output[:, 1:2], layer(q[:, 1:2], k[:2, 1:2])[0])
    assert not output[:, 2].any()
    assert not seen[2].any()
    gradients = torch.autograd.grad(output.sum(), list(layer.parameters()))
    assert all(torch.isfinite(g).all() for g in gradients)
