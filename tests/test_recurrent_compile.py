"""torch.compile and torch.export."""

import shutil

import pytest
import torch
import torch._dynamo.config
from torch._dynamo.testing import CompileCounter

import lstmkit
from tests.drop_in import BACKENDS, KINDS, flatten

# aot_eager traces forward and backward and needs no compiler.
COMPILER = "inductor" if shutil.which("g++") or shutil.which("clang++") else "aot_eager"


@pytest.fixture(autouse=True)
def fresh_compiler():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def assert_compiled_is_eager(layer, compiled, x, tolerance=1e-6, **options):
    torch.manual_seed(0)
    expected = flatten(layer(x, **options))
    torch.manual_seed(0)
    found = flatten(compiled(x, **options))
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=tolerance)
    slopes = [
        torch.autograd.grad(sum(part.sum() for part in parts), list(layer.parameters()))
        for parts in (found, expected)
    ]
    for a, b in zip(*slopes, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "backend"), [("LSTM", "auto"), *((kind, "reference") for kind in KINDS)]
)
def test_compile_gives_the_same_results(kind, backend):
    layer, x = getattr(lstmkit, kind)(3, 4, backend=backend), torch.randn(3, 2, 3)
    compiled = torch.compile(layer, backend="aot_eager")
    assert_compiled_is_eager(layer, compiled, x)
    assert_compiled_is_eager(layer, compiled, x, lengths=[2, 3])


def test_compile_with_every_option():
    options = {"proj_size": 2, "layer_norm": True, "zoneout": 0.1}
    layer = lstmkit.LSTM(3, 4, **options).eval()
    compiled = torch.compile(layer, backend="aot_eager")
    assert_compiled_is_eager(layer, compiled, torch.randn(2, 2, 3))


@torch.no_grad()
def test_compile_with_the_default_compiler():
    layer, x = lstmkit.LSTM(3, 4, backend="reference"), torch.randn(3, 2, 3)
    compiled = torch.compile(layer, backend=COMPILER)
    torch.testing.assert_close(compiled(x)[0], layer(x)[0])


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_the_loop_is_not_unrolled(kind):
    """What is compiled is one step, and it serves sequences of every length."""
    layer = getattr(lstmkit, kind)(3, 4, backend="reference")
    counter = CompileCounter()
    compiled = torch.compile(layer, backend=counter)
    counts = []
    for T in (4, 5, 6, 50):
        compiled(torch.randn(T, 2, 3))
        counts.append(counter.op_count)
    assert 0 < counts[1] == counts[-1] < 60


@pytest.mark.parametrize("kind", KINDS)
def test_one_graph_where_torch_is_told_that_it_may(kind):
    """By itself torch.compile steps out of its graph at each of torch's recurrent layers."""
    layer = getattr(lstmkit, kind)(3, 4, backend="reference")
    with pytest.raises(Exception, match="RNN, GRU, or LSTM"):
        torch.compile(layer, backend="aot_eager", fullgraph=True)(torch.randn(4, 2, 3))
    with torch._dynamo.config.patch(allow_rnn=True):
        compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
        assert_compiled_is_eager(layer, compiled, torch.randn(4, 2, 3))


# As it does with torch's own layer, torch.export warns of the list that the layer keeps.
@pytest.mark.filterwarnings("ignore:The tensor attributes self._flat_weights:UserWarning")
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", ["RNN", "LSTM"])
def test_export(kind, backend):
    layer = getattr(lstmkit, kind)(3, 4, backend=backend).eval()
    x = torch.randn(4, 2, 3)
    exported = torch.export.export(layer, (x,)).module()
    torch.testing.assert_close(exported(x)[0], layer(x)[0])
