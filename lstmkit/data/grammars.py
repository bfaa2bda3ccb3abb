"""Words of small languages: the Reber grammar, its embedded form, and nested brackets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["REBER", "brackets", "embedded_reber", "reber", "reber_successors"]

REBER = "BTPSXVE"
# From each state, the letters that may follow and the states they lead to; state 7 is the end.
_GRAPH: tuple[dict[str, int], ...] = (
    {"B": 1},
    {"T": 2, "P": 3},
    {"S": 2, "X": 4},
    {"T": 3, "V": 5},
    {"X": 3, "S": 6},
    {"P": 4, "V": 6},
    {"E": 7},
)


def reber(rng: np.random.Generator) -> str:
    """One word of the Reber grammar (Reber, 1967; graph of Cleeremans et al., 1989).

    Letters of ``REBER``, at least five, from B to E. Of two letters that may follow, each is
    taken with probability one half.
    """
    word, state = "", 0
    while state < len(_GRAPH):
        follow = list(_GRAPH[state])
        letter = follow[rng.integers(len(follow))]
        word, state = word + letter, _GRAPH[state][letter]
    return word


def embedded_reber(rng: np.random.Generator) -> str:
    """One word of the embedded Reber grammar (Hochreiter and Schmidhuber, 1997).

    B, then T or P, then a word of the Reber grammar, then the *same* T or P, then E: the last
    choice needs the second letter, over a distance that no one knows beforehand.
    """
    branch = "TP"[rng.integers(2)]
    return f"B{branch}{reber(rng)}{branch}E"


def reber_successors(prefix: str) -> frozenset[str]:
    """The letters that may follow ``prefix`` in the Reber grammar; none after a whole word.

    Raises:
        ValueError: no word begins with this prefix.
    """
    state = 0
    for place, letter in enumerate(prefix):
        if state == len(_GRAPH) or letter not in _GRAPH[state]:
            raise ValueError(f"no word of the grammar begins with {prefix[: place + 1]!r}")
        state = _GRAPH[state][letter]
    return frozenset(_GRAPH[state]) if state < len(_GRAPH) else frozenset()


def brackets(
    rng: np.random.Generator, T: int, B: int, kinds: int = 2, depth: int = 8
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Dyck words: brackets of several kinds, well nested.

    x ``(T, B)``, int64: 0 to kinds − 1 open, kinds to 2 · kinds − 1 close the same kind. y
    ``(T, B)``, int64: what must be closed next after each step, 0 if nothing is open, else
    1 + kind. Never more than ``depth`` are open. To know y, a network needs a stack.

    Raises:
        ValueError: T is odd or smaller than two, or kinds or depth is smaller than one.
    """
    if T < 2 or T % 2 or kinds < 1 or depth < 1:
        raise ValueError("T must be even and at least 2, kinds and depth at least 1")
    x = np.empty((T, B), dtype=np.int64)
    y = np.empty((T, B), dtype=np.int64)
    opens = rng.random((T, B)) < 0.5
    choice = rng.integers(0, kinds, (T, B))
    for b in range(B):
        stack: list[int] = []
        for t in range(T):
            room = len(stack) < min(depth, T - t - 1)
            if not stack or (room and opens[t, b]):
                stack.append(int(choice[t, b]))
                x[t, b] = stack[-1]
            else:
                x[t, b] = kinds + stack.pop()
            y[t, b] = 1 + stack[-1] if stack else 0
    return x, y
