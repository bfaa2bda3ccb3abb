"""First and second derivatives against finite differences, in float64."""

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

import lstmkit
from tests.drop_in import KINDS, draw, flatten, start_states, states_of

CASES = {
    "torch": ({"backend": "torch"}, {}),
    "reference": ({"backend": "reference"}, {}),
    "torch, lengths": ({"backend": "torch", "bidirectional": True}, {"lengths": [2, 0]}),
    "lengths": ({"backend": "reference", "bidirectional": True}, {"lengths": [2, 0]}),
    "every option": ({"layer_norm": True, "zoneout": 0.1}, {"lengths": [2, 1]}),
}


def function_and_arguments(kind, case):
    """The layer as a function of input, states and parameters."""
    options, call = CASES[case]
    torch.manual_seed(0)
    layer = getattr(lstmkit, kind)(2, 3, dtype=torch.float64, **options).eval()
    names = [name for name, _ in layer.named_parameters()]
    x, hx = draw(2, 2, 2), states_of(start_states(layer, 2))

    def run(x, *others):
        hx, weights = others[: len(layer.states)], others[len(layer.states) :]
        given = (x, hx if len(hx) > 1 else hx[0])
        replaced = dict(zip(names, weights, strict=True))
        return tuple(flatten(torch.func.functional_call(layer, replaced, given, call)))

    return run, (x, *hx, *layer.parameters())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", CASES)
def test_gradcheck(kind, case):
    # Fast mode compares the Jacobian along random directions instead of entry by entry.
    assert gradcheck(*function_and_arguments(kind, case), fast_mode=case == "every option")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", CASES)
def test_gradgradcheck(kind, case):
    assert gradgradcheck(*function_and_arguments(kind, case), fast_mode=True)
