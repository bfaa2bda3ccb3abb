"""The cell on its way to the LSTM, as the chapters build it, a gate at a time.

Chapter 05 has the bare carousel, which can only add. Chapter 06 puts the forget gate on it, with
the input and the output gate held at one. The whole cell is ``lstmkit.lstm.equations.lstm_step``.
"""

from __future__ import annotations

from lstmkit.lstm.equations import candidate, forget_gate, hidden_state, update_cell
from lstmkit.shapes import Array, check_same_shape


def carousel_step(
    x: Array, h_prev: Array, c_prev: Array, W_xg: Array, W_hg: Array, b_g: Array
) -> tuple[Array, Array]:
    """No gate at all: g = tanh(W_xg x + W_hg h_prev + b_g), c = c_prev + g, h = tanh(c).

    The constant error carousel of Hochreiter and Schmidhuber (1997), without their gates.
    Shapes: x (B, I), h_prev and c_prev (B, H), W_xg (H, I), W_hg (H, H), b_g (H,);
    returns (h, c), each (B, H).

    Raises:
        ValueError: a shape does not fit.
    """
    g = candidate(x, h_prev, W_xg, W_hg, b_g)
    check_same_shape(h_prev=h_prev, c_prev=c_prev)
    c = update_cell(c_prev, f=1, i=1, g=g)
    return hidden_state(1, c), c


def forget_cell_step(
    x: Array,
    h_prev: Array,
    c_prev: Array,
    W_xf: Array,
    W_hf: Array,
    b_f: Array,
    W_xg: Array,
    W_hg: Array,
    b_g: Array,
) -> tuple[Array, Array]:
    """The forget gate alone: c = f ⊙ c_prev + g, h = tanh(c).

    f = σ(W_xf x + W_hf h_prev + b_f) and g = tanh(W_xg x + W_hg h_prev + b_g); the gate is that of
    Gers, Schmidhuber and Cummins (2000), the input and the output gate are held at one.
    Shapes: x (B, I), h_prev and c_prev (B, H), W_xf and W_xg (H, I), W_hf and W_hg (H, H),
    b_f and b_g (H,); returns (h, c), each (B, H).

    Raises:
        ValueError: a shape does not fit.
    """
    f = forget_gate(x, h_prev, W_xf, W_hf, b_f)
    g = candidate(x, h_prev, W_xg, W_hg, b_g)
    check_same_shape(h_prev=h_prev, c_prev=c_prev)
    c = update_cell(c_prev, f, i=1, g=g)
    return hidden_state(1, c), c
