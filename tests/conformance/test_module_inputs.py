"""PyTorch's own inputs for the tests of its recurrent modules, run against ours."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence

import lstmkit
from tests.drop_in import (
    BACKENDS,
    KINDS,
    assert_same,
    flatten,
    outputs_and_gradients,
    states_of,
)

# Torch's own test helpers import it.
pytest.importorskip("expecttest")
common_modules = pytest.importorskip("torch.testing._internal.common_modules")

INFOS = {info.module_cls: info for info in common_modules.module_db}


def module_inputs(kind):
    info = INFOS[getattr(nn, kind)]
    return info.module_inputs_func(
        info, "cpu", torch.float64, requires_grad=True, training=True, with_packed_sequence=True
    )


@pytest.mark.parametrize("kind", KINDS)
def test_torch_still_has_inputs_for_us(kind):
    assert len(module_inputs(kind)) >= 16


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", KINDS)
def test_results_are_torchs(kind, backend):
    for given in module_inputs(kind):
        arguments, options = given.constructor_input.args, given.constructor_input.kwargs
        theirs = getattr(nn, kind)(*arguments, **options, dtype=torch.float64)
        ours = getattr(lstmkit, kind)(*arguments, **options, dtype=torch.float64, backend=backend)
        ours.load_state_dict(theirs.state_dict())
        x, *hx = given.forward_input.args
        assert not given.forward_input.kwargs
        leaf = x.data if isinstance(x, PackedSequence) else x
        leaves = [leaf, *states_of(hx[0] if hx else None)]
        assert all(tensor.requires_grad for tensor in leaves)
        assert_same(
            outputs_and_gradients(ours, flatten(ours(x, *hx)), leaves),
            outputs_and_gradients(theirs, flatten(theirs(x, *hx)), leaves),
        )


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", KINDS)
def test_torchs_reference_function_holds_for_ours(kind, backend):
    """It puts input without a batch into a batch of one, and takes it out of the results."""
    for given in module_inputs(kind):
        arguments, options = given.constructor_input.args, given.constructor_input.kwargs
        layer = getattr(lstmkit, kind)(*arguments, **options, dtype=torch.float64, backend=backend)
        x = given.forward_input.args
        if isinstance(x[0], PackedSequence):
            continue
        expected = given.reference_fn(layer, *x)
        for a, b in zip(flatten(layer(*x)), flatten(expected), strict=True):
            torch.testing.assert_close(a, b, rtol=0, atol=1e-12)
