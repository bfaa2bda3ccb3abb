"""Sentences of our own, whose right answer is known: reviews to judge, and talks with a memory.

Short texts with open licences are mostly other people's mail and opinions. These are made by a few
rules instead, and the rules are the reason to read in order: a count of words cannot follow them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Turn", "reviews", "talk"]

_THINGS = ["room", "bed", "food", "soup", "staff", "view"]
_THINGS += ["garden", "music", "coffee", "price", "lift", "pool"]
_GOOD = ["good", "clean", "friendly", "quiet", "lovely", "fresh", "bright", "great"]
_BAD = ["bad", "dirty", "rude", "noisy", "awful", "stale", "dark", "poor"]


def reviews(rng: np.random.Generator, N: int) -> tuple[list[str], NDArray[np.int64]]:
    """Draw N reviews of a hotel, and whether each praises it: labels ``(N,)``, int64, 0 or 1.

    A clause says of something that it "was", "was not" or "was never" good or bad. Of two clauses,
    the one after "but" counts ("the room was dirty but the staff was friendly" praises), and with
    "although" the one before it ("the pool was great although the soup was stale" praises too).
    Which clause counts and whether "not" stands in it decide, so the words alone do not tell.
    """
    texts, labels = [], np.empty(N, dtype=np.int64)
    for n in range(N):
        clauses, moods = zip(*(_clause(rng) for _ in range(2)), strict=True)
        form = rng.integers(3)
        if form == 0:
            texts.append(clauses[0])
            labels[n] = moods[0]
        elif form == 1:
            texts.append(f"{clauses[0]} but {clauses[1]}")
            labels[n] = moods[1]
        else:
            texts.append(f"{clauses[0]} although {clauses[1]}")
            labels[n] = moods[0]
    return texts, labels


def _clause(rng: np.random.Generator) -> tuple[str, int]:
    good, negated = rng.integers(2), rng.integers(2)
    word = _pick(rng, _GOOD if good else _BAD)
    verb = _pick(rng, ["was not", "was never"]) if negated else "was"
    return f"the {_pick(rng, _THINGS)} {verb} {word}", int(good != negated)


def _pick(rng: np.random.Generator, options: list[str]) -> str:
    return options[rng.integers(len(options))]


@dataclass(frozen=True)
class Turn:
    """What is ``said``, what is to be ``answered``, and the earlier turn that the answer ``needs``.

    ``needs`` is the place of that turn in the talk, None if the answer needs no other turn.
    """

    said: str
    answered: str
    needs: int | None


_VALUES = {
    "en": {
        "name": ["mika", "tom", "lena", "omar", "ana", "kenji", "sara", "jonas"],
        "town": ["kyoto", "paris", "lima", "oslo", "cairo", "delhi", "quito", "turin"],
        "colour": ["red", "blue", "green", "white", "black", "yellow"],
    },
    "ja": {
        "name": ["ミカ", "トム", "レナ", "オマル", "アナ", "ケンジ", "サラ", "ヨナス"],
        "town": ["京都", "パリ", "リマ", "オスロ", "カイロ", "デリー", "キト", "トリノ"],
        "colour": ["赤", "青", "緑", "白", "黒", "黄色"],
    },
}
# For each fact: how it is told, how one answers, how it is asked for, the answer if it is known.
_FORMS = {
    "en": {
        "name": ("my name is {}", "hello {}", "what is my name", "your name is {}"),
        "town": ("i live in {}", "{} is nice", "where do i live", "you live in {}"),
        "colour": ("my favourite colour is {}", "i like {} too", "which colour do i like", "{}"),
    },
    "ja": {
        "name": (
            "わたしの名前は{}です",
            "{}さん、こんにちは",
            "わたしの名前は何ですか",
            "{}さんです",
        ),
        "town": ("{}に住んでいます", "{}はいいところですね", "どこに住んでいますか", "{}です"),
        "colour": ("好きな色は{}です", "{}はいい色ですね", "好きな色は何ですか", "{}です"),
    },
}
_UNTOLD = {"en": "you have not told me", "ja": "まだ聞いていません"}


def talk(rng: np.random.Generator, turns: int, language: Literal["en", "ja"] = "en") -> list[Turn]:
    """A talk of ``turns`` turns in which the answer to a question stands in an earlier turn.

    The speaker tells a name, a town or a colour, sometimes another one later, and asks for it; the
    newest counts. What has not been told is answered so. English or Japanese.

    Raises:
        ValueError: the language is another, or turns is smaller than one.
    """
    if language not in _FORMS or turns < 1:
        raise ValueError("the language must be en or ja, and turns at least 1")
    told: dict[str, tuple[str, int]] = {}
    out = []
    for place in range(turns):
        fact = _pick(rng, list(_FORMS[language]))
        tell, reply, ask, answer = _FORMS[language][fact]
        if rng.random() < 0.5:
            value = _pick(rng, _VALUES[language][fact])
            told[fact] = (value, place)
            out.append(Turn(tell.format(value), reply.format(value), None))
        elif fact in told:
            value, source = told[fact]
            out.append(Turn(ask, answer.format(value), source))
        else:
            out.append(Turn(ask, _UNTOLD[language], None))
    return out
