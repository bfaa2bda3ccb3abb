"""Keep the names that an exercise withholds from working while the student's code runs.

A guard against habit, not a barrier: whoever wants to get round it can.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import CodeType, FunctionType
from typing import Any

from .errors import Withheld

_MISSING = object()


def resolve(dotted: str) -> Any:
    """The object behind ``"package.module.name"``, or None where its module is not loaded."""
    module, _, name = dotted.rpartition(".")
    return getattr(sys.modules.get(module), name, None)


def _refusal(dotted: str) -> CodeType:
    source = (
        "def refuse(*args, **kwargs):\n"
        "    from lstmkit.exercises.errors import Withheld\n"
        f"    raise Withheld({dotted!r})\n"
    )
    namespace: dict[str, Any] = {}
    exec(compile(source, "<withheld>", "exec"), namespace)
    return namespace["refuse"].__code__


@contextmanager
def _without_code(function: FunctionType, dotted: str) -> Iterator[None]:
    # Swapping the code reaches every alias: imports, closures, defaults, containers.
    kept = function.__code__
    function.__code__ = _refusal(dotted)
    try:
        yield
    finally:
        function.__code__ = kept


@contextmanager
def _without_attribute(owner: Any, name: str, dotted: str) -> Iterator[None]:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise Withheld(dotted)

    kept = vars(owner).get(name, _MISSING)
    setattr(owner, name, refuse)
    try:
        yield
    finally:
        if kept is _MISSING:
            delattr(owner, name)
        else:
            setattr(owner, name, kept)


@contextmanager
def _without_module(name: str) -> Iterator[None]:
    sys.modules[name] = None  # type: ignore[assignment]  # importing it now raises ImportError
    try:
        yield
    finally:
        del sys.modules[name]


@contextmanager
def withhold(names: Sequence[str]) -> Iterator[None]:
    """While this context is open, using one of ``names`` raises :class:`Withheld`.

    names: dotted names of functions or classes. A third-party package that is not loaded yet
        cannot be imported meanwhile.
    """
    with ExitStack() as stack:
        for package in sorted({name.split(".")[0] for name in names} - {"lstmkit"}):
            if package not in sys.modules:
                stack.enter_context(_without_module(package))
        for dotted in names:
            target = resolve(dotted)
            if isinstance(target, FunctionType):
                stack.enter_context(_without_code(target, dotted))
            elif isinstance(target, type):
                stack.enter_context(_without_attribute(target, "__init__", dotted))
                stack.enter_context(_without_attribute(target, "__call__", dotted))
            elif target is not None:
                module, _, name = dotted.rpartition(".")
                stack.enter_context(_without_attribute(sys.modules[module], name, dotted))
        yield
