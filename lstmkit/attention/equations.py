"""Attention in NumPy, forward: scores, weights, and a weighted mean of the values.

    scores  = q · k / √D             scaled dot product (Vaswani et al., 2017), or
              wᵀ tanh(W_q q + W_k k)   additive (Bahdanau, Cho and Bengio, 2015)
    weights = softmax(scores)        over the keys; keys that are masked get none
    output  = Σ weights ⊙ v

There is no backward pass here: nothing in it is recurrent, and torch differentiates it.

Masks are boolean, True where a query may look: the convention of
``torch.nn.functional.scaled_dot_product_attention``. (``torch.nn.MultiheadAttention`` has True
where it may not.) A query that may look at nothing gets weights and an output of zero. A masked
value is multiplied by zero, so it has to be finite.

Shapes: Q queries, K keys, one value a key, D entries each; any axes before them. The multi-head
form takes sequences time-major, (T, B, D), as the rest of the course does. float32 stays float32.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lstmkit.shapes import Array, check_lengths, check_shapes


class AttentionWeights(NamedTuple):
    """What multi-head attention learns, stacked as in ``torch.nn.MultiheadAttention``.

    W_in (3D, D) and b_in (3D,) hold the blocks for queries, keys and values; W_out (D, D), b_out
    (D,).
    """

    W_in: Array
    b_in: Array
    W_out: Array
    b_out: Array


# Masks


def causal_mask(queries: int, keys: int | None = None) -> Array:
    """True where a query may look: at its own place and before it.

    With more keys than queries, the queries are the last of the places, as when earlier keys come
    from a cache. Returns (queries, keys), keys = queries if not given.
    """
    keys = queries if keys is None else keys
    return np.arange(keys) <= np.arange(keys - queries, keys)[:, None]


def padding_mask(lengths: ArrayLike, T: int) -> Array:
    """True where a row has an item: (B, 1, 1, T), to fit (B, heads, Q, K).

    Raises:
        ValueError: ``lengths`` (B,) are not whole numbers from 0 to T.
    """
    found = check_lengths(lengths, T, len(np.atleast_1d(lengths)))
    return np.arange(T) < np.asarray(found)[:, None, None, None]


# Weights and outputs


def softmax(scores: Array) -> Array:
    """e^s / Σ e^s over the last axis; a row of -∞ alone becomes a row of zeros.

    The largest score is subtracted first: the same number, and no exponent is positive.
    Shapes: scores (…, K); returns (…, K).
    """
    largest = scores.max(axis=-1, keepdims=True, initial=-np.inf)
    e = np.exp(scores - np.where(np.isneginf(largest), 0, largest))
    total = e.sum(axis=-1, keepdims=True)
    return e / np.where(total == 0, 1, total)


def attend(scores: Array, v: Array, mask: Array | None = None) -> tuple[Array, Array]:
    """From scores to the output: mask, softmax, weighted mean of the values.

    Shapes: scores (…, Q, K), v (…, K, V), mask anything that broadcasts to (…, Q, K); returns the
    output (…, Q, V) and the weights (…, Q, K).

    Raises:
        ValueError: a shape does not fit.
        TypeError: the mask is not boolean.
    """
    if scores.shape[-1:] != v.shape[-2:-1]:
        raise ValueError(f"v should have one row a key, {scores.shape[-1]}, got shape {v.shape}")
    weights = softmax(_masked(scores, mask))
    return weights @ v, weights


def scaled_dot_product(
    q: Array, k: Array, v: Array, mask: Array | None = None
) -> tuple[Array, Array]:
    """softmax(q kᵀ / √D) v (Vaswani et al., 2017).

    For random q and k the product q · k grows as √D, and a softmax of large scores has no slope
    left; the factor takes that growth away.

    Shapes: q (…, Q, D), k (…, K, D), v (…, K, V), mask as in ``attend``; returns the output
    (…, Q, V) and the weights (…, Q, K).

    Raises:
        ValueError: a shape does not fit.
        TypeError: the mask is not boolean.
    """
    if q.ndim < 2 or k.ndim < 2 or q.shape[-1] != k.shape[-1]:
        raise ValueError(
            f"q and k should have shapes (…, Q, D) and (…, K, D), got {q.shape} and {k.shape}"
        )
    return attend(q @ np.swapaxes(k, -1, -2) / math.sqrt(q.shape[-1]), v, mask)


def additive_attention(
    q: Array,
    k: Array,
    v: Array,
    W_q: Array,
    W_k: Array,
    w: Array,
    mask: Array | None = None,
) -> tuple[Array, Array]:
    """softmax(wᵀ tanh(W_q q + W_k k)) v: a small network scores each pair (Bahdanau et al., 2015).

    Shapes: q (…, Q, D), k (…, K, E), v (…, K, V), W_q (A, D), W_k (A, E), w (A,), mask as in
    ``attend``; returns the output (…, Q, V) and the weights (…, Q, K).

    Raises:
        ValueError: a shape does not fit.
        TypeError: the mask is not boolean.
    """
    check_shapes(w=(w, "A"), W_q=(W_q, "A D"), W_k=(W_k, "A E"))
    for name, array, W in (("q", q, W_q), ("k", k, W_k)):
        if array.ndim < 2 or array.shape[-1] != W.shape[1]:
            raise ValueError(
                f"{name} should have {W.shape[1]} entries an item, as W_{name} has columns, "
                f"got shape {array.shape}"
            )
    pairs = (q @ W_q.T)[..., :, None, :] + (k @ W_k.T)[..., None, :, :]
    return attend(np.tanh(pairs) @ w, v, mask)


# Several heads


def split_heads(x: Array, heads: int) -> Array:
    """Cut the D entries of each item into heads: (T, B, D) -> (B, heads, T, D / heads).

    Raises:
        ValueError: D is not a multiple of the number of heads.
    """
    check_shapes(x=(x, "T B D"))
    T, B, D = x.shape
    if heads < 1 or D % heads:
        raise ValueError(f"{D} entries cannot be cut into {heads} heads of one size")
    return x.reshape(T, B, heads, D // heads).transpose(1, 2, 0, 3)


def merge_heads(x: Array) -> Array:
    """Put the heads side by side again: (B, heads, T, D / heads) -> (T, B, D)."""
    check_shapes(x=(x, "B N T D"))
    B, heads, T, D = x.shape
    return x.transpose(2, 0, 1, 3).reshape(T, B, heads * D)


def multi_head_attention(
    query: Array,
    key: Array,
    value: Array,
    weights: AttentionWeights,
    heads: int,
    mask: Array | None = None,
) -> tuple[Array, Array]:
    """Project, attend in each head by itself, put together, project (Vaswani et al., 2017).

    Self-attention is ``query = key = value``. Shapes: query (Q, B, D), key and value (K, B, D),
    mask anything that broadcasts to (B, heads, Q, K); returns the output (Q, B, D) and the
    attention weights (B, heads, Q, K).

    Raises:
        ValueError: a shape does not fit, or D is not a multiple of ``heads``.
        TypeError: the mask is not boolean.
    """
    check_shapes(
        W_out=(weights.W_out, "D D"),
        b_out=(weights.b_out, "D"),
        W_in=(weights.W_in, "3D D"),
        b_in=(weights.b_in, "3D"),
        query=(query, "Q B D"),
        key=(key, "K B D"),
        value=(value, "K B D"),
    )
    W_q, W_k, W_v = np.split(weights.W_in, 3)
    b_q, b_k, b_v = np.split(weights.b_in, 3)
    q = split_heads(query @ W_q.T + b_q, heads)
    k = split_heads(key @ W_k.T + b_k, heads)
    v = split_heads(value @ W_v.T + b_v, heads)
    output, seen = scaled_dot_product(q, k, v, mask)
    return merge_heads(output) @ weights.W_out.T + weights.b_out, seen


# Positions


def sinusoidal_positions(T: int, D: int, base: float = 10_000.0) -> Array:
    """p[t, 2j] = sin(t / base^(2j/D)), p[t, 2j+1] = cos of the same (Vaswani et al., 2017).

    Each pair turns at a rate of its own, so a step of any fixed size is one rotation of the whole
    code, the same at every t. Returns (T, D), float64; cast it to the dtype of what it is added to.

    Raises:
        ValueError: D is odd: sine and cosine come in pairs.
    """
    if D % 2:
        raise ValueError(f"D should be even, sine and cosine come in pairs; got {D}")
    angle = np.arange(T)[:, None] / base ** (np.arange(0, D, 2) / D)
    return np.stack([np.sin(angle), np.cos(angle)], axis=-1).reshape(T, D)


def _masked(scores: Array, mask: Array | None) -> Array:
    """Scores of -∞ where a query may not look."""
    if mask is None:
        return scores
    if mask.dtype != bool:
        raise TypeError(
            f"the mask should be boolean, True where a query may look, got {mask.dtype}"
        )
    try:
        mask = np.broadcast_to(mask, scores.shape)
    except ValueError:
        raise ValueError(
            f"the mask's shape {mask.shape} does not broadcast to the scores' {scores.shape}"
        ) from None
    return np.where(mask, scores, -np.inf)
