"""backend="reference": the loop over steps, layers and directions in plain torch.

It has every option, runs wherever torch runs, and is differentiated by autograd, any number of
times. A cell gives it two functions: ``project``, what the inputs add to the pre-activations, for
all steps in one product, and ``step``, from one state to the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import PackedSequence

from lstmkit.packing import check_lengths, real_steps, repack, unpack
from lstmkit.regularise import sequence_mask, zone_out, zoneout_rates

if TYPE_CHECKING:
    from lstmkit.recurrent import Recurrent

State = tuple[Tensor, ...]


class Weights(NamedTuple):
    """The parameters of one layer in one direction, as ``state_dict`` names them."""

    W_ih: Tensor
    W_hh: Tensor
    b_ih: Tensor | None
    b_hh: Tensor | None
    W_hr: Tensor | None
    norm: dict[str, Tensor]


def run(
    layer: Recurrent, input: Tensor | PackedSequence, hx: State | None, lengths: Any, trace: bool
) -> tuple[Tensor | PackedSequence, State, tuple[Any, ...]]:
    """A whole call: the output in the form of the input, the last states, and the traces if asked.

    Shapes: input (T, B, I), (B, T, I) with ``batch_first``, (T, I), or packed; hx a tensor
    (num_layers · directions, B, H) for each state, without the B where the input has none.

    Raises:
        RuntimeError, ValueError: torch's own, for a shape or a dtype that does not fit.
    """
    if isinstance(input, PackedSequence):
        x, found = unpack(input)
        output, last, traces = stack(layer, x, hx, found, trace)
        return repack(output, found, input), last, _axes(traces, True, layer.batch_first)

    batched = input.dim() == 3
    flipped = batched and layer.batch_first
    x = input.transpose(0, 1) if flipped else input if batched else input.unsqueeze(1)
    if hx is not None and not batched:
        hx = tuple(s.unsqueeze(1) for s in hx)
    if lengths is not None:
        lengths = check_lengths(lengths, x.shape[0], x.shape[1], x.device)
    output, last, traces = stack(layer, x, hx, lengths, trace)
    kept = _axes(traces, batched, flipped)
    if not batched:
        return output.squeeze(1), tuple(s.squeeze(1) for s in last), kept
    return output.transpose(0, 1) if flipped else output, last, kept


def stack(
    layer: Recurrent, x: Tensor, hx: State | None, lengths: Tensor | None, trace: bool
) -> tuple[Tensor, State, list[Any]]:
    """Layer upon layer, each in one direction or both, with dropout in between.

    Shapes: x (T, B, I), hx a tensor (num_layers · directions, B, H) for each state, lengths (B,);
    returns (T, B, directions · H), the last states shaped as hx, and a trace for each of them.
    """
    real = None if lengths is None else real_steps(lengths, len(x))
    if real is not None:
        # Not only unread but gone: a NaN would come back as 0 · NaN in the gradient of the weights.
        x = x.masked_fill(~real, 0)
    starts = list(zip(*(s.unbind(0) for s in hx or layer.zeros(x)), strict=True))
    ends: list[State] = []
    traces: list[Any] = []
    directions = (False, True) if layer.bidirectional else (False,)
    for k in range(layer.num_layers):
        if k > 0:
            x = F.dropout(x, layer.dropout, layer.training)
        outputs = []
        for reverse in directions:
            weights = layer.weights(k, reverse)
            h, end, kept = sweep(layer, weights, x, starts[len(ends)], real, reverse, trace)
            outputs.append(h)
            ends.append(end)
            traces.append(kept)
        x = torch.cat(outputs, -1) if layer.bidirectional else outputs[0]
    if real is not None:
        x = x.masked_fill(~real, 0)
    return x, tuple(torch.stack(states) for states in zip(*ends, strict=True)), traces


def sweep(
    layer: Recurrent,
    weights: Weights,
    x: Tensor,
    state: State,
    real: Tensor | None,
    reverse: bool,
    trace: bool,
) -> tuple[Tensor, State, Any]:
    """One layer over the sequence in one direction.

    Where ``real`` (T, B, 1) is False, a row is held: its state stays, whatever is computed. So no
    row has to be moved: the backward direction starts each row at its own last item.
    Shapes: x (T, B, I), state a tensor (B, H) for each state; returns every h (T, B, H), the state
    at the end, and the trace or None.
    """
    zones = zoneout_rates(layer.zoneout, layer.states)
    mask = sequence_mask(state[0], layer.recurrent_dropout, layer.training)
    # The inputs do not wait for one another: one product serves all steps.
    a_x = layer.project(x, weights).unbind(0)
    steps: list[tuple[Tensor, ...]] = [()] * len(a_x)
    for t in reversed(range(len(a_x))) if reverse else range(len(a_x)):
        h = state[0] if mask is None else state[0] * mask
        # Looked up in the loop: so torch.compile takes the step alone, and unrolls nothing.
        new, gates = layer.step(a_x[t], h, state, weights)
        if any(zones):
            new = tuple(
                zone_out(s, old, rate, layer.training)
                for s, old, rate in zip(new, state, zones, strict=True)
            )
        if real is not None:
            new = tuple(hold(s, old, real[t]) for s, old in zip(new, state, strict=True))
        if real is not None and trace:
            values = zip(gates, layer.gates_when_held, strict=True)
            gates = tuple(torch.where(real[t], gate, value) for gate, value in values)
        state = new
        steps[t] = (*state, *gates) if trace else state
    fields = [torch.stack(field) for field in zip(*steps, strict=True)]
    return fields[0], state, layer.trace_type(*fields) if trace else None


def hold(new: Tensor, old: Tensor, real: Tensor) -> Tensor:
    """The new state where the row has an item, else the old one. Shapes: (B, H), real (B, 1)."""
    return torch.where(real, new, old.to(new.dtype))


def _axes(traces: list[Any], batched: bool, flipped: bool) -> tuple[Any, ...]:
    """Traces with the axes of the input: (T, B, H), (B, T, H) or (T, H)."""
    if (batched and not flipped) or None in traces:
        return tuple(traces)
    return tuple(
        type(trace)(*(s.transpose(0, 1) if batched else s.squeeze(1) for s in trace))
        for trace in traces
    )
