"""Attention as torch modules: scaled dot products in several heads, and the additive form.

    scores  = q · k / √D               scaled dot product (Vaswani et al., 2017), or
              wᵀ tanh(W_q q + W_k k)     additive (Bahdanau, Cho and Bengio, 2015)
    weights = softmax(scores)          over the keys that a query may look at
    output  = Σ weights ⊙ v

The equations are those of ``lstmkit.attention.equations``. Masks are boolean, True where a query
may look; a query that may look at nothing gets an output of zero, not NaN. Sequences are
time-major, (T, B, D); inside, a head is one more axis: (B, heads, T, D / heads).
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lstmkit.packing import check_lengths, real_steps


def causal_mask(queries: int, keys: int | None = None, device: Any = None) -> Tensor:
    """True where a query may look: at its own place and before it.

    With more keys than queries, the queries are the last of the places, as when earlier keys come
    from a cache. Returns (queries, keys), keys = queries if not given.
    """
    keys = queries if keys is None else keys
    places = torch.arange(keys, device=device)
    return places <= places[keys - queries :, None]


def padding_mask(lengths: Any, T: int, device: Any = None) -> Tensor:
    """True where a row has an item: (B, 1, 1, T), to fit (B, heads, Q, K).

    Raises:
        ValueError: ``lengths`` (B,) are not whole numbers from 0 to T.
    """
    found = torch.as_tensor(lengths)
    found = check_lengths(found, T, len(found), found.device if device is None else device)
    return real_steps(found, T).permute(1, 2, 0)[:, None]


def attend(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Tensor | None = None,
    bias: Tensor | None = None,
    dropout: float = 0.0,
    weights: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """softmax(q kᵀ / √D + bias) v, over the keys that the mask allows.

    Without ``weights`` torch's own function does it in pieces and never holds all of them; on a CPU
    that function has no second derivative.

    Shapes: q (…, Q, D), k (…, K, D), v (…, K, V), mask and bias anything that broadcasts to
    (…, Q, K); returns the output (…, Q, V) and, if asked for, the weights (…, Q, K), else None.

    Raises:
        TypeError: the mask is not boolean.
        RuntimeError: torch's own, for a shape that does not fit.
    """
    blind = None
    if mask is not None:
        check_mask(mask)
        # Who may look at nothing looks at everything here, and sees nothing of it below: a softmax
        # over no keys would be NaN, and NaN in its gradient too.
        blind = ~mask.any(-1, keepdim=True)
        mask = mask | blind
    if not weights:
        allowed = mask
        if bias is not None:
            allowed = bias if mask is None else bias.masked_fill(~mask, -math.inf)
        output = F.scaled_dot_product_attention(q, k, v, allowed, dropout)
        return output if blind is None else output.masked_fill(blind, 0), None

    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    if bias is not None:
        scores = scores + bias
    seen = _softmax(scores, mask, blind)
    return F.dropout(seen, dropout) @ v, seen


class MultiHeadAttention(nn.Module):
    """Project, attend in each head by itself, put together, project (Vaswani et al., 2017).

    Parameters and start values are those of ``torch.nn.MultiheadAttention``, so a ``state_dict``
    goes both ways. Masks are not: there, True means that a query may *not* look.

    Args:
        width: D, entries of an item; a multiple of ``heads``.
        heads: how many.
        dropout: probability with which a weight is dropped, in training.
        bias: whether the projections have one.
        batch_first: sequences are (B, T, D) in place of (T, B, D).

    Raises:
        ValueError: the width cannot be cut into that many heads of one size.
    """

    in_proj_bias: nn.Parameter | None

    def __init__(
        self,
        width: int,
        heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        batch_first: bool = False,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if width < 1 or heads < 1 or width % heads:
            raise ValueError(f"{width} entries cannot be cut into {heads} heads of one size")
        self.width, self.heads, self.dropout, self.batch_first = width, heads, dropout, batch_first
        # One matrix (3D, D) for queries, keys and values, as torch has it.
        self.in_proj_weight = nn.Parameter(
            torch.empty(3 * width, width, device=device, dtype=dtype)
        )
        if bias:
            b_in = torch.empty(3 * width, device=device, dtype=dtype)
            self.in_proj_bias = nn.Parameter(b_in)
        else:
            self.register_parameter("in_proj_bias", None)
        self.out_proj = nn.Linear(width, width, bias, device=device, dtype=dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """W_in from Glorot and Bengio's (2010) uniform distribution, biases zero, as in torch."""
        nn.init.xavier_uniform_(self.in_proj_weight)
        if self.in_proj_bias is not None:
            nn.init.zeros_(self.in_proj_bias)
            nn.init.zeros_(self.out_proj.bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        *,
        lengths: Any = None,
        mask: Tensor | None = None,
        causal: bool = False,
        trace: bool = False,
    ) -> Any:
        """Let every query look at the keys.

        Args:
            query: (Q, B, D).
            key: (K, B, D), or None for self-attention: the queries themselves.
            value: (K, B, D), or None for the keys themselves.
            lengths: how many keys each row has, (B,). Nothing behind them, NaN included, reaches
                a result; in self-attention, an output behind them means nothing, but is finite.
            mask: boolean, True where a query may look; broadcasts to (B, heads, Q, K).
            causal: a query may look at its own place and before it.
            trace: return the attention weights too.

        Returns:
            The output (Q, B, D), axes as in the query; with ``trace``, also the weights
            (B, heads, Q, K).

        Raises:
            ValueError: a shape or a length does not fit.
            TypeError: the mask is not boolean.
        """
        own = key is None
        key = query if key is None else key
        value = key if value is None else value
        for name, x in (("query", query), ("key", key), ("value", value)):
            if x.dim() != 3 or x.shape[-1] != self.width:
                raise ValueError(
                    f"{name} should have three axes and {self.width} entries an item, "
                    f"got shape {tuple(x.shape)}"
                )
        if self.batch_first:
            query, key, value = (x.transpose(0, 1) for x in (query, key, value))
        if lengths is not None:
            real = padding_mask(lengths, len(key), key.device)
            hide = ~real.permute(3, 0, 1, 2)[..., 0]
            key, value = key.masked_fill(hide, 0), value.masked_fill(hide, 0)
            query = key if own else query
            mask = real if mask is None else check_mask(mask) & real
        if causal:
            past = causal_mask(len(query), len(key), query.device)
            mask = past if mask is None else check_mask(mask) & past
        output, seen = self.look(query, *self.keys_and_values(key, value), mask, trace=trace)
        output = output.transpose(0, 1) if self.batch_first else output
        return (output, seen) if trace else output

    def keys_and_values(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """What the queries will look at; made once for each item, whoever looks at it later.

        Shapes: (K, B, D) each; returns (B, heads, K, D / heads) each.
        """
        D = self.width
        if key is value:  # one product for both
            k, v = self._project(key, D, 3 * D).chunk(2, dim=-1)
        else:
            k, v = self._project(key, D, 2 * D), self._project(value, 2 * D, 3 * D)
        return split_heads(k, self.heads), split_heads(v, self.heads)

    def look(
        self,
        query: Tensor,
        k: Tensor,
        v: Tensor,
        mask: Tensor | None = None,
        bias: Tensor | None = None,
        trace: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """The queries' part: project, attend, put the heads together, project.

        Shapes: query (Q, B, D), k and v as from ``keys_and_values``, mask and bias to (B, heads,
        Q, K); returns (Q, B, D) and the weights (B, heads, Q, K) or None.
        """
        q = self._project(query, 0, self.width)
        dropout = self.dropout if self.training else 0.0
        output, seen = attend(split_heads(q, self.heads), k, v, mask, bias, dropout, trace)
        return self.out_proj(merge_heads(output)), seen

    def _project(self, x: Tensor, start: int, end: int) -> Tensor:
        """The product with some rows of W_in: the first D make queries, then keys, then values."""
        b = None if self.in_proj_bias is None else self.in_proj_bias[start:end]
        return F.linear(x, self.in_proj_weight[start:end], b)

    def extra_repr(self) -> str:
        return f"{self.width}, heads={self.heads}, dropout={self.dropout}"


class AdditiveAttention(nn.Module):
    """score = wᵀ tanh(W_q q + W_k k): a small network scores each pair (Bahdanau et al., 2015).

    Args:
        query_size, key_size: entries of a query and of a key.
        hidden_size: A, units of the network.
    """

    def __init__(
        self,
        query_size: int,
        key_size: int,
        hidden_size: int,
        batch_first: bool = False,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.batch_first = batch_first
        self.project_query = nn.Linear(query_size, hidden_size, False, device, dtype)
        self.project_key = nn.Linear(key_size, hidden_size, False, device, dtype)
        self.score = nn.Linear(hidden_size, 1, False, device, dtype)

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor | None = None, *, lengths: Any = None
    ) -> tuple[Tensor, Tensor]:
        """Let every query look at the keys.

        Args:
            query: (Q, B, D).
            key: (K, B, E).
            value: (K, B, V), or None for the keys themselves.
            lengths: how many keys each row has, (B,); nothing behind them reaches a result.

        Returns:
            The output (Q, B, V), axes as in the query, and the weights (B, Q, K).

        Raises:
            ValueError: a length does not fit.
            RuntimeError: torch's own, for a shape that does not fit.
        """
        value = key if value is None else value
        if not self.batch_first:
            query, key, value = (x.transpose(0, 1) for x in (query, key, value))
        mask = blind = None
        if lengths is not None:
            mask = padding_mask(lengths, key.shape[1], key.device)[:, 0]
            blind = ~mask.any(-1, keepdim=True)
            hide = ~mask.transpose(1, 2)
            key, value = key.masked_fill(hide, 0), value.masked_fill(hide, 0)
        pairs = self.project_query(query)[:, :, None] + self.project_key(key)[:, None]
        seen = _softmax(self.score(torch.tanh(pairs)).squeeze(-1), mask, blind)
        output = seen @ value
        return output if self.batch_first else output.transpose(0, 1), seen


def split_heads(x: Tensor, heads: int) -> Tensor:
    """Cut the D entries of each item into heads: (T, B, D) -> (B, heads, T, D / heads)."""
    T, B, D = x.shape
    return x.view(T, B, heads, D // heads).permute(1, 2, 0, 3)


def merge_heads(x: Tensor) -> Tensor:
    """Put the heads side by side again: (B, heads, T, D / heads) -> (T, B, D)."""
    B, heads, T, D = x.shape
    return x.permute(2, 0, 1, 3).reshape(T, B, heads * D)


def _softmax(scores: Tensor, mask: Tensor | None, blind: Tensor | None) -> Tensor:
    """Over the keys allowed; zeros for a query that is blind, (…, Q, 1) True."""
    if mask is None or blind is None:
        return torch.softmax(scores, dim=-1)
    scores = scores.masked_fill(~(mask | blind), -math.inf)
    return torch.softmax(scores, dim=-1).masked_fill(blind, 0)


def check_mask(mask: Tensor) -> Tensor:
    """The mask, if it is boolean.

    Raises:
        TypeError: it is not.
    """
    if mask.dtype != torch.bool:
        raise TypeError(f"a mask should be boolean, True where a query may look, got {mask.dtype}")
    return mask
