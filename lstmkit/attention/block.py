"""The Transformer's blocks in NumPy, forward: attention, then a small network for each item.

    post-norm (Vaswani et al., 2017)         pre-norm (Xiong et al., 2020)
        x = LN(x + attention(x))                 x = x + attention(LN(x))
        y = LN(x + feed_forward(x))              y = x + feed_forward(LN(x))

Pre-norm leaves a line from input to output that nothing but additions touches, as the cell state is
in an LSTM. Sequences are time-major, (T, B, D); names of weights follow
``torch.nn.TransformerEncoderLayer`` and ``TransformerDecoderLayer``.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from lstmkit.attention.equations import AttentionWeights, multi_head_attention
from lstmkit.normalise import layer_norm
from lstmkit.shapes import Array, check_shapes

NORMS = ("pre", "post")
ACTIVATIONS = ("relu", "gelu")


class FeedForwardWeights(NamedTuple):
    """Two linear layers: W_1 (F, D), b_1 (F,), W_2 (D, F), b_2 (D,)."""

    W_1: Array
    b_1: Array
    W_2: Array
    b_2: Array


class NormWeights(NamedTuple):
    """Gain and bias of a layer normalisation, each (D,)."""

    gain: Array
    bias: Array


class BlockWeights(NamedTuple):
    """What an encoder block learns; a decoder without memory, as in GPT, has the same."""

    attention: AttentionWeights
    norm_1: NormWeights
    feed_forward: FeedForwardWeights
    norm_2: NormWeights


class DecoderWeights(NamedTuple):
    """What a decoder block learns that also looks at an encoder's output."""

    attention: AttentionWeights
    norm_1: NormWeights
    cross: AttentionWeights
    norm_2: NormWeights
    feed_forward: FeedForwardWeights
    norm_3: NormWeights


def gelu(a: Array) -> Array:
    """a Φ(a), with Φ through tanh: a/2 (1 + tanh(√(2/π) (a + 0.044715 a³))).

    Hendrycks and Gimpel (2016). Equal to ``torch.nn.functional.gelu(a, approximate="tanh")``;
    5e-4 from a Φ(a) at most.
    """
    return 0.5 * a * (1 + np.tanh(math.sqrt(2 / math.pi) * (a + 0.044715 * a**3)))


def feed_forward(x: Array, weights: FeedForwardWeights, activation: str = "relu") -> Array:
    """W_2 relu(W_1 x + b_1) + b_2, each item by itself.

    Shapes: x (T, B, D), W_1 (F, D), b_1 (F,), W_2 (D, F), b_2 (D,); returns (T, B, D).

    Raises:
        ValueError: a shape does not fit, or ``activation`` is neither "relu" nor "gelu".
    """
    if activation not in ACTIVATIONS:
        raise ValueError(f'activation should be "relu" or "gelu", got {activation!r}')
    check_shapes(
        W_1=(weights.W_1, "F D"),
        b_1=(weights.b_1, "F"),
        W_2=(weights.W_2, "D F"),
        b_2=(weights.b_2, "D"),
        x=(x, "T B D"),
    )
    a = x @ weights.W_1.T + weights.b_1
    inner = gelu(a) if activation == "gelu" else np.maximum(a, 0)
    return inner @ weights.W_2.T + weights.b_2


def transformer_block(
    x: Array,
    weights: BlockWeights,
    heads: int,
    mask: Array | None = None,
    norm: str = "pre",
    activation: str = "relu",
) -> tuple[Array, Array]:
    """Self-attention, then the network, each added to what came in.

    Shapes: x (T, B, D), mask anything that broadcasts to (B, heads, T, T); returns the output
    (T, B, D) and the attention weights (B, heads, T, T).

    Raises:
        ValueError: a shape does not fit, or an option is not known.
        TypeError: the mask is not boolean.
    """
    _check_norm(norm)
    attention, norm_1, network, norm_2 = weights
    y = _before(x, norm_1, norm)
    output, seen = multi_head_attention(y, y, y, attention, heads, mask)
    x = _after(x + output, norm_1, norm)
    output = feed_forward(_before(x, norm_2, norm), network, activation)
    return _after(x + output, norm_2, norm), seen


def decoder_block(
    x: Array,
    memory: Array,
    weights: DecoderWeights,
    heads: int,
    mask: Array | None = None,
    memory_mask: Array | None = None,
    norm: str = "pre",
    activation: str = "relu",
) -> tuple[Array, Array]:
    """Self-attention, attention to an encoder's output ("memory"), then the network.

    Shapes: x (T, B, D), memory (S, B, D), mask to (B, heads, T, T), memory_mask to (B, heads, T,
    S); returns the output (T, B, D) and the attention weights on the memory (B, heads, T, S).

    Raises:
        ValueError: a shape does not fit, or an option is not known.
        TypeError: a mask is not boolean.
    """
    _check_norm(norm)
    attention, norm_1, cross, norm_2, network, norm_3 = weights
    y = _before(x, norm_1, norm)
    output, _ = multi_head_attention(y, y, y, attention, heads, mask)
    x = _after(x + output, norm_1, norm)
    y = _before(x, norm_2, norm)
    output, seen = multi_head_attention(y, memory, memory, cross, heads, memory_mask)
    x = _after(x + output, norm_2, norm)
    output = feed_forward(_before(x, norm_3, norm), network, activation)
    return _after(x + output, norm_3, norm), seen


def _before(x: Array, weights: NormWeights, norm: str) -> Array:
    """What goes into a part: normalised if pre-norm."""
    return layer_norm(x, *weights) if norm == "pre" else x


def _after(x: Array, weights: NormWeights, norm: str) -> Array:
    """What comes out of the addition: normalised if post-norm."""
    return layer_norm(x, *weights) if norm == "post" else x


def _check_norm(norm: str) -> None:
    if norm not in NORMS:
        raise ValueError(f'norm should be "pre" or "post", got {norm!r}')
