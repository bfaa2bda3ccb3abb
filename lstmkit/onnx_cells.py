"""What ONNX's cells have beyond the course's: clipped pre-activations, and other activations.

A "step" here is a function (x, *states) -> states for one direction, weights in ONNX's own order.
It serves ``lstmkit.onnx`` where ``clip`` or ``activations`` ask for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from lstmkit.gru.equations import update_state
from lstmkit.lstm.equations import sigmoid, update_cell
from lstmkit.rnn.equations import preactivation
from lstmkit.shapes import Array, active_rows

Squash = Callable[[Array], Array]
Step = Callable[..., tuple[Array, ...]]

ACTIVATIONS: dict[str, Squash] = {
    "Tanh": np.tanh,
    "Sigmoid": sigmoid,
    "Relu": lambda a: np.maximum(a, 0),
    "LeakyRelu": lambda a: np.where(a >= 0, a, a * 0.01),
    "HardSigmoid": lambda a: np.clip(a * 0.2 + 0.5, 0, 1),
    "Elu": lambda a: np.where(a >= 0, a, np.expm1(np.minimum(a, 0))),
    "Softsign": lambda a: a / (1 + np.abs(a)),
    "Softplus": lambda a: np.logaddexp(a, 0),
}
"""By ONNX's names, with its default alpha and beta, which the operators' functions do not take.

Not here: Affine and ScaledTanh, which have no defaults, and ThresholdedRelu, whose default is 1 in
ONNX and 0 in onnxruntime.
"""


def clipped(name: str, clip: float | None) -> Squash:
    """The activation of that name, after its input has been bounded to [-clip, clip]."""
    squash = ACTIVATIONS[name]
    return squash if clip is None else lambda a: squash(np.clip(a, -clip, clip))


def rnn_clipped_step(W: Array, R: Array, b: Array, f: str, clip: float | None) -> Step:
    """H_t = f(clip(W X_t + R H_{t-1} + b)). Shapes: W (H, I), R (H, H), b (H,)."""
    squash = clipped(f, clip)
    return lambda x, h: (squash(preactivation(x, h, W, R, b)),)


def gru_clipped_step(
    W: Array,
    R: Array,
    b_w: Array,
    b_r: Array,
    names: tuple[str, ...],
    clip: float | None,
    reset: str,
) -> Step:
    """The GRU with activations (f, g) = names for both gates and for the candidate.

    Shapes: W (3H, I), R (3H, H), b_w and b_r (3H,), blocks z, r, h.
    """
    gate, candidate = (clipped(name, clip) for name in names)
    R_z, R_r, R_h = np.split(R, 3)
    b_rz, b_rr, b_rh = np.split(b_r, 3)

    def step(x: Array, h: Array) -> tuple[Array]:
        a_z, a_r, a_h = np.split(x @ W.T + b_w, 3, axis=-1)
        z, r = gate(a_z + h @ R_z.T + b_rz), gate(a_r + h @ R_r.T + b_rr)
        heard = r * (h @ R_h.T + b_rh) if reset == "after" else (r * h) @ R_h.T + b_rh
        return (update_state(h, z, candidate(a_h + heard)),)

    return step


def lstm_clipped_step(
    W: Array,
    R: Array,
    b: Array,
    P: Array | None,
    names: tuple[str, ...],
    clip: float | None,
    input_forget: bool,
) -> Step:
    """The LSTM with activations (f, g, h) = names for gates, candidate and the cell's way out.

    What goes into h is not clipped, as in onnxruntime.

    Shapes: W (4H, I), R (4H, H), b (4H,), blocks i, o, f, c; P (3H,), blocks i, o, f, or None.
    """
    f, g, h = names
    gate, candidate, shown = clipped(f, clip), clipped(g, clip), ACTIVATIONS[h]
    p_i, p_o, p_f = (0.0, 0.0, 0.0) if P is None else np.split(P, 3)

    def step(x: Array, h_prev: Array, c_prev: Array) -> tuple[Array, Array]:
        a_i, a_o, a_f, a_c = np.split(preactivation(x, h_prev, W, R, b), 4, axis=-1)
        i = gate(a_i + p_i * c_prev)
        forget = 1 - i if input_forget else gate(a_f + p_f * c_prev)
        c = update_cell(c_prev, forget, i, candidate(a_c))
        return gate(a_o + p_o * c) * shown(c), c

    return step


def run_steps(
    step: Step, x: Array, states: Sequence[Array], lengths: Array
) -> tuple[Array, list[Array]]:
    """The step, once for every item; rows that have ended are held.

    Shapes: x (T, B, I), each state (B, H), lengths (B,); returns the first state at every step,
    (T, B, H), and all states after the last.
    """
    states = [state.copy() for state in states]
    h = np.empty((len(x), *states[0].shape), states[0].dtype)
    for t in range(len(x)):
        rows = active_rows(t, lengths)
        after = step(x[t, rows], *(state[rows] for state in states))
        for state, value in zip(states, after, strict=True):
            state[rows] = value
        h[t] = states[0]
    return h, states
