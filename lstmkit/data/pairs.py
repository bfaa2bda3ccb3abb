"""From one sequence of symbols to another, or to a class: dates, numbers, sounds, names."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from lstmkit.data.parts import Parts, by_group
from lstmkit.data.provenance import SETS, Provenance, table

__all__ = ["Names", "Pairs", "dates", "kanji_names", "numbers", "pronunciations", "surnames"]


@dataclass(frozen=True)
class Pairs:
    """N pairs: ``source[n]`` is to become ``target[n]``; ``kind[n]`` says in which language.

    Strings; a target of several words or sounds has spaces between them.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    kind: tuple[str, ...]
    parts: Parts
    provenance: Provenance


@cache
def dates() -> Pairs:
    """18,000 dates as twelve countries write them, and their ISO form: "3. Mai 1984", 1984-05-03.

    ``kind`` is the locale. Cut by day: a day of the test was seen in no language.
    """
    rows = table("dates")
    written, locale, iso = zip(*rows, strict=True)
    return Pairs(written, iso, locale, by_group(iso), SETS["dates"])


@cache
def numbers() -> Pairs:
    """18,380 numbers and their words in ``en ja de fr es``: "42", "zweiundvierzig".

    ``source`` the digits, ``target`` the words. Cut by number: one of the test was seen in no
    language.
    """
    rows = table("numbers")
    digits, language, words = zip(*rows, strict=True)
    return Pairs(digits, words, language, by_group(digits), SETS["numbers"])


@cache
def pronunciations() -> Pairs:
    """English words and their sounds: "hopeful", "HH OW P F AH L".

    Cut by the first five letters, so that "trained" is not tested after "trainer" was learned.
    """
    rows = table("pronunciations")
    spelling, sounds = zip(*rows, strict=True)
    parts = by_group([f"sounds of {word[:5]}" for word in spelling])
    return Pairs(spelling, sounds, ("en",) * len(rows), parts, SETS["pronunciations"])


@cache
def kanji_names() -> Pairs:
    """Japanese names and a reading: "佐藤", "さとう". ``kind`` is "family" or "given".

    Some spellings stand there twice with two readings: no model can be right about both. Cut so
    that names that share a spelling or a reading are never in two parts.
    """
    rows = table("kanji_names")
    kind, kanji, reading = zip(*rows, strict=True)
    return Pairs(kanji, reading, kind, by_group(_families(kanji, reading)), SETS["kanji_names"])


def _families(one: tuple[str, ...], two: tuple[str, ...]) -> list[str]:
    """A name for the group of rows that are linked through equal entries."""
    parent: dict[str, str] = {}

    def root(entry: str) -> str:
        parent.setdefault(entry, entry)
        while parent[entry] != entry:
            parent[entry] = parent[parent[entry]]
            entry = parent[entry]
        return entry

    for a, b in zip(one, two, strict=True):
        first, second = sorted((root(a), root(b)))
        parent[second] = first
    return [root(a) for a in one]


@dataclass(frozen=True)
class Names:
    """``names`` N strings of letters a to z; ``labels`` ``(N,)``, int64, places in languages."""

    names: tuple[str, ...]
    labels: NDArray[np.int64]
    languages: tuple[str, ...]
    parts: Parts
    provenance: Provenance


@cache
def surnames() -> Names:
    """3,670 surnames of ten languages, small letters without accents; guess the language.

    A name that two languages share is in neither. Endings betray some languages ("-nen", "-ic"),
    so a count of letter triples is the baseline to beat.
    """
    rows = table("surnames")
    names, language = zip(*rows, strict=True)
    languages = tuple(sorted(set(language)))
    labels = np.array([languages.index(entry) for entry in language], dtype=np.int64)
    return Names(names, labels, languages, by_group(names, (0.7, 0.15, 0.15)), SETS["surnames"])
