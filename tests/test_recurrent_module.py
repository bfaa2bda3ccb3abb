"""What torch's tools do with a layer: copy, save, move, replace, differentiate, compile."""

import copy
import io
import pickle

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize

import lstmkit
from lstmkit.backends import BackendError
from tests.drop_in import BACKENDS, KINDS, draw, error_of, flatten, pair, states_of

# torch scripts its own decompositions for forward-mode derivatives, and warns of itself.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")

EXTRAS = {"layer_norm": True, "zoneout": 0.1, "bidirectional": True}


def assert_same_outputs(found, expected):
    for a, b in zip(flatten(found), flatten(expected), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_is_one_of_torchs(kind):
    """So that code which asks for torch's class, to start weights or to count, finds ours too."""
    assert isinstance(getattr(lstmkit, kind)(3, 4), getattr(nn, kind))


@pytest.mark.parametrize("kind", KINDS)
def test_state_dict_goes_both_ways(kind):
    ours, theirs = pair(kind, 3, 4, 2, bidirectional=True)
    x = draw(6, 2, 3)
    nn.init.normal_(theirs.weight_hh_l1)
    ours.load_state_dict(theirs.state_dict())
    assert_same_outputs(ours(x), theirs(x))
    nn.init.normal_(ours.weight_hh_l1_reverse)
    theirs.load_state_dict(ours.state_dict())
    assert_same_outputs(ours(x), theirs(x))
    with_norms = getattr(lstmkit, kind)(3, 4, 2, bidirectional=True, layer_norm=True)
    missing, unexpected = with_norms.load_state_dict(theirs.state_dict(), strict=False)
    assert not unexpected
    assert all(name.startswith("norm_") for name in missing)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [{}, EXTRAS])
def test_copies(kind, options):
    layer = getattr(lstmkit, kind)(3, 4, dtype=torch.float64, **options).eval()
    x = draw(3, 2, 3)
    saved = io.BytesIO()
    torch.save(layer, saved)
    saved.seek(0)
    copies = [copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))]
    copies.append(torch.load(saved, weights_only=False))
    before = layer(x)
    for other in copies:
        assert repr(other) == repr(layer)
        assert_same_outputs(other(x), before)
        nn.init.zeros_(other.weight_ih_l0)
        assert not torch.equal(other(x)[0], before[0])
    assert_same_outputs(layer(x), before)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_dtype_is_kept(kind, dtype, backend):
    ours, theirs = pair(kind, 3, 4, 2, backend=backend, dtype=torch.float32)
    ours, theirs = ours.to(dtype), theirs.to(dtype)
    x = torch.randn(5, 2, 3, dtype=dtype)
    for a, b in zip(flatten(ours(x)), flatten(theirs(x)), strict=True):
        assert a.dtype == b.dtype == dtype
        torch.testing.assert_close(a, b, rtol=0, atol=8 * torch.finfo(dtype).eps)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [{}, EXTRAS])
def test_a_layer_is_made_on_a_device_and_moved_to_another(kind, options):
    layer = getattr(lstmkit, kind)(3, 4, device="meta", backend="reference", **options)
    assert {p.device.type for p in layer.parameters()} == {"meta"}
    output, last = layer(torch.zeros(5, 2, 3, device="meta"), lengths=None)
    assert {s.device.type for s in (output, *states_of(last))} == {"meta"}
    layer.to_empty(device="cpu").reset_parameters()
    assert torch.isfinite(layer(torch.zeros(5, 2, 3))[0]).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_autocast(kind, dtype):
    """Torch's own result where its functions know autocast here; the loop runs everywhere."""
    ours, theirs = pair(kind, 3, 4, dtype=torch.float32)
    loop, _ = pair(kind, 3, 4, dtype=torch.float32, backend="reference")
    x = torch.randn(5, 2, 3)
    exact = theirs(x)[0]
    with torch.autocast("cpu", dtype):
        try:
            expected = theirs(x)
        except RuntimeError:
            assert error_of(lambda: ours(x)) == error_of(lambda: theirs(x))
        else:
            for a, b in zip(flatten(ours(x)), flatten(expected), strict=True):
                assert a.dtype == b.dtype
                assert torch.equal(a, b)
        output = loop(x, lengths=[5, 3])[0]
    torch.testing.assert_close(output[:3].float(), exact[:3], rtol=0, atol=0.03)
    output.float().sum().backward()
    assert all(p.grad.dtype == torch.float32 for p in loop.parameters())


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", KINDS)
def test_weights_can_be_replaced_for_a_call_or_for_good(kind, backend):
    layer, theirs = pair(kind, 3, 4, backend=backend)
    x = draw(5, 2, 3)
    before = layer(x)
    other = {name: torch.randn_like(p) for name, p in layer.named_parameters()}
    called = torch.func.functional_call(layer, other, (x,))
    assert_same_outputs(called, torch.func.functional_call(theirs, other, (x,)))
    assert_same_outputs(layer(x), before)
    for module in (layer, theirs):
        module.weight_hh_l0 = nn.Parameter(other["weight_hh_l0"])
    assert_same_outputs(layer(x), theirs(x))
    assert not torch.equal(layer(x)[0], before[0])


class Halved(nn.Module):
    def forward(self, weight):
        return weight / 2


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", KINDS)
def test_weights_can_be_parametrised(kind, backend):
    """As for weight dropout or spectral norm of W_hh."""
    layer, theirs = pair(kind, 3, 4, backend=backend)
    theirs.weight_hh_l0 = nn.Parameter(theirs.weight_hh_l0 / 2)
    parametrize.register_parametrization(layer, "weight_hh_l0", Halved())
    x = draw(5, 2, 3)
    assert_same_outputs(layer(x), theirs(x))
    layer(x)[0].sum().backward()
    assert layer.parametrizations.weight_hh_l0.original.grad.abs().sum() > 0
    with torch.no_grad():
        layer.parametrizations.weight_hh_l0.original.zero_()
        theirs.weight_hh_l0.zero_()
    assert_same_outputs(layer(x), theirs(x))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", KINDS)
def test_forward_mode_derivatives(kind, backend):
    ours, theirs = pair(kind, 3, 4, backend=backend)
    x, v = draw(5, 2, 3), draw(5, 2, 3, seed=5)
    results = [torch.func.jvp(lambda x, f=f: f(x)[0], (x,), (v,)) for f in (ours, theirs)]
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_the_loop_goes_through_vmap_where_torchs_functions_do_not(kind):
    layer, theirs = pair(kind, 3, 4, backend="reference")
    x = draw(2, 5, 3)
    each = torch.func.vmap(lambda sequence: layer(sequence)[0])(x)
    torch.testing.assert_close(each, theirs(x.transpose(0, 1))[0].transpose(0, 1))


class Holder(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor):
        return self.layer(x)


@pytest.mark.parametrize("kind", KINDS)
def test_jit_script_compiles_torchs_layer(kind):
    options = {"nonlinearity": "relu"} if kind == "RNN" else {}
    ours, theirs = pair(kind, 3, 4, 2, bidirectional=True, batch_first=True, **options)
    x = draw(2, 5, 3)
    # In a module of one's own: torch's scripted layers cannot be called by themselves.
    scripted = torch.jit.script(Holder(ours))
    assert_same_outputs(scripted(x), theirs(x))
    assert scripted.layer.weight_hh_l0.data_ptr() == ours.weight_hh_l0.data_ptr()
    with pytest.raises(BackendError, match=rf"torch.jit.script cannot compile this {kind}: torch."):
        torch.jit.script(getattr(lstmkit, kind)(3, 4, layer_norm=True))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", KINDS)
def test_hooks_and_data_parallel_replicas(kind, backend):
    layer, theirs = pair(kind, 3, 4, backend=backend)
    seen = []
    layer.register_forward_hook(lambda module, given, result: seen.append(result[0].shape))
    x = draw(5, 2, 3)
    replica = layer._replicate_for_data_parallel()
    for name, parameter in layer.named_parameters():
        setattr(replica, name, parameter * 2 if name == "weight_hh_l0" else parameter * 1)
    theirs.weight_hh_l0 = nn.Parameter(theirs.weight_hh_l0 * 2)
    assert_same_outputs(replica.forward(x), theirs(x))
    layer(x)
    assert seen == [(5, 2, 4)]
