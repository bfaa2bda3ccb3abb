"""``import lstmkit`` is light: it brings neither torch nor matplotlib nor Triton with it."""

import json
import subprocess
import sys

import pytest

import lstmkit

HEAVY = ("torch", "matplotlib", "triton", "nbgrader", "jupytext", "IPython")


def modules_after(code: str) -> set[str]:
    """The modules that a fresh Python holds after running ``code``."""
    code += "\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(run.stdout.splitlines()[-1]))


def test_import_brings_nothing_but_itself():
    added = modules_after("import lstmkit") - modules_after("")
    ours = {name for name in added if name.split(".")[0] == "lstmkit"}
    assert ours == {"lstmkit"}
    # Nor NumPy: what remains is a little of the standard library, so the import takes no time.
    assert "numpy" not in added
    assert len(added - ours) < 60


@pytest.mark.parametrize(
    "module",
    [
        "gates",
        "shapes",
        "rnn.equations",
        "lstm.equations",
        "lstm.stages",
        "lstm.variants",
        "lstm.normalised",
        "gru.equations",
        "scan.equations",
        "attention.block",
        "onnx",
    ],
)
def test_equations_need_numpy_alone(module):
    found = modules_after(f"import lstmkit.{module}")
    assert "numpy" in found
    assert not found & set(HEAVY)


def test_layers_come_when_asked_for():
    found = modules_after(
        "import lstmkit\nassert lstmkit.LSTM is lstmkit.LSTM\nlstmkit.RNN, lstmkit.GRU"
    )
    assert {"torch", "lstmkit.lstm.layer", "lstmkit.rnn.layer", "lstmkit.gru.layer"} <= found
    assert "matplotlib" not in found
    assert lstmkit.LSTM.__module__ == "lstmkit.lstm.layer"


def test_names():
    assert lstmkit.__version__ == "0.1.0"
    assert {"GRU", "LSTM", "RNN", "__version__"} <= set(dir(lstmkit))
    with pytest.raises(AttributeError, match="module 'lstmkit' has no attribute 'GRUU'"):
        lstmkit.GRUU  # noqa: B018
