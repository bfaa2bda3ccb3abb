"""Recurrent networks as equation, layer and kernel, with the checks behind an online course.

``import lstmkit`` is quick and needs nothing: the layers, and torch with them, are loaded when they
are first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lstmkit.gru.layer import GRU
    from lstmkit.lstm.layer import LSTM
    from lstmkit.rnn.layer import RNN

__version__ = "0.1.0"
__all__ = ["GRU", "LSTM", "RNN", "__version__"]

_LAYERS = {
    "GRU": "lstmkit.gru.layer",
    "LSTM": "lstmkit.lstm.layer",
    "RNN": "lstmkit.rnn.layer",
}


def __getattr__(name: str) -> Any:
    """Load a layer at its first use (PEP 562)."""
    if name not in _LAYERS:
        raise AttributeError(f"module 'lstmkit' has no attribute {name!r}")
    layer = getattr(import_module(_LAYERS[name]), name)
    globals()[name] = layer
    return layer


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
