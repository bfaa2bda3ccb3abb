"""The linear recurrence h[t] = a[t] ⊙ h[t-1] + u[t], one step after another or all at once.

When a and u do not depend on h, they are all known before the first step, and then nobody has to
wait: two steps make one step of the same kind,

    a₂ (a₁ h + u₁) + u₂ = (a₂ a₁) h + (a₂ u₁ + u₂)

so pairs, pairs of pairs … are joined in ⌈log₂ T⌉ rounds (Hillis and Steele, 1986, "doubling"; as a
recurrence, Martin and Cundy, 2018). For positive a, u and h0 there is also a closed form in
logarithms, two running sums (Heinsen, 2023).

Error, measured in float32 against the loop in float64, a = 1 - z and u = z ⊙ n with z around ½,
worst entry, relative: loop and doubling 2e-7 to 3e-7 at any length up to 16,384. The log form loses
digits in proportion to T, because its running sums grow: 1.5e-6 at T = 16, 3e-5 at T = 256, 2e-3 at
T = 16,384.

Shapes: a and u (T, …), h0 (…): any axes after time, (B, H) as a rule. float32 stays float32.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lstmkit.shapes import Array, check_same_shape

Scan = Callable[[Array, Array, Array], Array]


def linear_loop(a: Array, u: Array, h0: Array) -> Array:
    """Step by step, as the formula reads: T steps, each of which waits for the one before.

    Shapes: a and u (T, …), h0 (…); returns h (T, …).

    Raises:
        ValueError: the shapes do not go together.
    """
    _check(a, u, h0)
    h = np.empty(u.shape, np.result_type(a, u, h0))
    h_prev = h0
    for t in range(len(u)):
        h[t] = a[t] * h_prev + u[t]
        h_prev = h[t]
    return h


def linear_doubling(a: Array, u: Array, h0: Array) -> Array:
    """All steps at once, in ⌈log₂ T⌉ rounds (Hillis and Steele, 1986).

    After the round with stride s, (a[t], u[t]) stands for the 2s steps that end at t. It costs
    T log₂ T products where the loop costs T, and pays where there are processors to share them.

    Shapes: a and u (T, …), h0 (…); returns h (T, …).

    Raises:
        ValueError: the shapes do not go together.
    """
    _check(a, u, h0)
    dtype = np.result_type(a, u, h0)
    a, u = a.astype(dtype), u.astype(dtype)
    stride = 1
    while stride < len(u):
        # The right side is complete before the left is written: every step reads the old round.
        u[stride:] = a[stride:] * u[:-stride] + u[stride:]
        a[stride:] = a[stride:] * a[:-stride]
        stride *= 2
    return a * h0 + u


def linear_log(log_a: Array, log_u: Array, log_h0: Array) -> Array:
    """The closed form in logarithms, for positive a, u and h0 (Heinsen, 2023; Feng et al., 2024).

    With A[t] = Σ_{s ≤ t} log a[s], dividing the recurrence by e^A leaves a plain sum:

        h[t] = e^A[t] (h0 + Σ_{s ≤ t} u[s] e^-A[s])

    Both sums are running sums, the second kept as a logarithm so that nothing overflows. A zero is
    welcome as log_u = -∞ or log_h0 = -∞; log_a has to be finite.

    Shapes: log_a and log_u (T, …), log_h0 (…); returns h (T, …), not its logarithm.

    Raises:
        ValueError: the shapes do not go together.
    """
    _check(log_a, log_u, log_h0)
    A = np.cumsum(log_a, axis=0)
    terms = np.concatenate([log_h0[None], log_u - A])
    return np.exp(A + np.logaddexp.accumulate(terms, axis=0)[1:])


def linear_backward(
    dh: Array, a: Array, h0: Array, h: Array, scan: Scan = linear_loop
) -> tuple[Array, Array, Array]:
    """Back through the recurrence, which is the same recurrence from the end: da, du, dh0.

        d[t] = dh[t] + a[t+1] ⊙ d[t+1]
        du[t] = d[t]        da[t] = d[t] ⊙ h[t-1]        dh0 = a[0] ⊙ d[0]

    dh[t] is the derivative of the loss by h[t] as the loss sees it, d[t] the whole one. ``scan`` is
    ``linear_loop`` or ``linear_doubling``, and runs over reversed time.

    Shapes: dh, a and h (T, …), h0 (…); returns da and du (T, …), dh0 (…).

    Raises:
        ValueError: the shapes do not go together.
    """
    _check(a, dh, h0)
    check_same_shape(a=a, h=h)
    if len(a) == 0:
        return np.zeros_like(a), np.zeros_like(dh), np.zeros_like(h0)
    a_next = np.concatenate([a[1:], np.zeros_like(a[:1])])
    du = scan(a_next[::-1], dh[::-1], np.zeros_like(h0))[::-1]
    h_prev = np.concatenate([h0[None], h[:-1]])
    return du * h_prev, du, a[0] * du[0]


def _check(a: Array, u: Array, h0: Array) -> None:
    check_same_shape(a=a, u=u)
    if np.ndim(a) == 0 or a.shape[1:] != np.shape(h0):
        raise ValueError(
            f"h0 should have shape {np.shape(a)[1:]}, that of one step, got {np.shape(h0)}"
        )
