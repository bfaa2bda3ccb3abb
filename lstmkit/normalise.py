"""Layer normalisation in NumPy, forward and backward (Ba, Kiros and Hinton, 2016).

    ẑ = (z - mean(z)) / √(var(z) + ε)        over the last axis, one item at a time
    y = α ⊙ ẑ + β

var is the mean squared distance from the mean. ε keeps a constant z from dividing by zero; the
paper leaves it out, PyTorch has 1e-5.
"""

from __future__ import annotations

import numpy as np

from lstmkit.shapes import Array, check_shapes

EPS = 1e-5


def normalise(z: Array, eps: float = EPS) -> tuple[Array, Array]:
    """ẑ and 1 / √(var(z) + ε), over the last axis.

    Shapes: z (…, D); returns ẑ (…, D) and the scale (…, 1).
    """
    centred = z - z.mean(axis=-1, keepdims=True)
    scale = 1 / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + eps)
    return centred * scale, scale


def layer_norm(z: Array, gain: Array, bias: Array | None = None, eps: float = EPS) -> Array:
    """y = gain ⊙ ẑ + bias, the bias left out when there is none.

    Shapes: z (…, D), gain and bias (D,); returns (…, D).

    Raises:
        ValueError: gain or bias is not as long as z's last axis.
    """
    _check(z, gain, bias)
    y = gain * normalise(z, eps)[0]
    return y if bias is None else y + bias


def d_layer_norm(dy: Array, z: Array, gain: Array, eps: float = EPS) -> tuple[Array, Array, Array]:
    """Back through y = gain ⊙ ẑ + bias: dz, d gain, d bias.

    With dẑ = dy ⊙ gain, every z_j moves the mean and the variance as well as its own ẑ_j:

        dz = (dẑ - mean(dẑ) - ẑ ⊙ mean(dẑ ⊙ ẑ)) / √(var(z) + ε)

    so dz has no share along a constant shift of z, and next to none along a stretch of it.
    Shapes: dy and z (…, D), gain (D,); returns dz (…, D), d gain and d bias (D,), summed over all
    items.

    Raises:
        ValueError: a shape does not fit.
    """
    _check(z, gain, None)
    if dy.shape != z.shape:
        raise ValueError(f"dy should have shape {z.shape}, as z has, got {dy.shape}")
    z_hat, scale = normalise(z, eps)
    dz_hat = dy * gain
    along_mean = dz_hat.mean(axis=-1, keepdims=True)
    along_z = z_hat * (dz_hat * z_hat).mean(axis=-1, keepdims=True)
    items = tuple(range(z.ndim - 1))
    dz = (dz_hat - along_mean - along_z) * scale
    return dz, (dy * z_hat).sum(axis=items), dy.sum(axis=items)


def _check(z: Array, gain: Array, bias: Array | None) -> None:
    check_shapes(gain=(gain, "D"), **({} if bias is None else {"bias": (bias, "D")}))
    if z.ndim == 0 or z.shape[-1] != len(gain):
        raise ValueError(f"z should have shape (…, D) = (…, {len(gain)}), got {z.shape}")
