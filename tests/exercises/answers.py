"""Answers as a student's notebook would hold them: source run in a namespace of its own."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np


def from_source(source: str, name: str) -> Callable[..., Any]:
    """The function ``name`` after running ``source`` with NumPy as the only import."""
    namespace: dict[str, Any] = {"np": np, "__name__": "student"}
    exec(compile(source, "<notebook>", "exec"), namespace)
    return namespace[name]


def copied(function: Callable[..., Any]) -> Callable[..., Any]:
    """A copy of ``function`` made from its source alone."""
    source = textwrap.dedent(inspect.getsource(function))
    return from_source(source, function.__name__)
