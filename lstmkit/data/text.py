"""A text to read letter by letter, and passages of it to classify."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from lstmkit.data.parts import Parts, by_group
from lstmkit.data.provenance import SETS, Provenance, content

__all__ = ["Passages", "Text", "manual", "passages"]


@dataclass(frozen=True)
class Text:
    """``train``, ``validation`` and ``test`` are strings; whole documents stand in one of them.

    ``alphabet`` is every letter that occurs in the training text, sorted; :meth:`encode` maps
    letters to their places in it.
    """

    train: str
    validation: str
    test: str
    alphabet: str
    provenance: Provenance

    def encode(self, text: str) -> NDArray[np.int64]:
        """Places in the alphabet, shape ``(T,)``; a letter that is not in it becomes a space."""
        places = {letter: k for k, letter in enumerate(self.alphabet)}
        space = places[" "]
        return np.array([places.get(letter, space) for letter in text], dtype=np.int64)

    def decode(self, places: NDArray[np.int64]) -> str:
        """The text at these places."""
        return "".join(self.alphabet[int(place)] for place in places)


def _documents() -> list[tuple[str, str]]:
    found = []
    for document in content("manual").decode("utf-8").split("\f"):
        name, _, text = document.partition("\n")
        found.append((name, text))
    return found


@cache
def manual() -> Text:
    """The Python Language Reference, about 374,000 letters, as help() shows it.

    Cut by documents, after everything that stood in two of them was struck from one: in the
    original a fifth of the text is repeated, and a cut through it tests what was trained on.
    """
    documents = _documents()
    parts = by_group([name for name, _ in documents])
    train, validation, test = (
        "\n".join(documents[k][1] for k in part)
        for part in (parts.train, parts.validation, parts.test)
    )
    return Text(train, validation, test, "".join(sorted(set(train))), SETS["manual"])


@dataclass(frozen=True)
class Passages:
    """``texts`` N short texts; ``labels`` ``(N,)``, int64, places in ``topics``."""

    texts: tuple[str, ...]
    labels: NDArray[np.int64]
    topics: tuple[str, ...]
    parts: Parts
    provenance: Provenance


@cache
def passages(topics: int = 8, shortest: int = 120) -> Passages:
    """Paragraphs of the manual's longest documents; the label says from which.

    ``topics`` documents, paragraphs of at least ``shortest`` letters. Of each document the first
    seven tenths train, the next 15 % validate and the rest are the test: neighbours share their
    words, so they are not dealt out one by one.
    """
    documents = sorted(_documents(), key=lambda document: (-len(document[1]), document[0]))
    chosen = sorted(documents[:topics])
    texts: list[str] = []
    labels: list[int] = []
    places: tuple[list[int], list[int], list[int]] = ([], [], [])
    for label, (_, text) in enumerate(chosen):
        found = [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]
        found = [paragraph for paragraph in found if len(paragraph) >= shortest]
        for k, paragraph in enumerate(found):
            share = k / len(found)
            places[int(share >= 0.7) + int(share >= 0.85)].append(len(texts))
            texts.append(paragraph)
            labels.append(label)
    return Passages(
        tuple(texts),
        np.array(labels, dtype=np.int64),
        tuple(name for name, _ in chosen),
        Parts(*(np.array(part, dtype=np.int64) for part in places)),
        SETS["manual"],
    )
