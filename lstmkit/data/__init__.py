"""Data sets and tasks: real series, speech, handwriting, text and pairs, and seeded generators.

``SETS`` lists the real ones with licence, source and checksum. All are small, offline and cut into
training, validation and test; ``SETS[name].why`` says what each is here for.
"""

from lstmkit.data.chaos import mackey_glass
from lstmkit.data.grammars import REBER, brackets, embedded_reber, reber, reber_successors
from lstmkit.data.pairs import (
    Names,
    Pairs,
    dates,
    kanji_names,
    numbers,
    pronunciations,
    surnames,
)
from lstmkit.data.parts import Parts, by_group, by_time
from lstmkit.data.provenance import SETS, Provenance
from lstmkit.data.sentences import Turn, reviews, talk
from lstmkit.data.sequences import (
    Digits,
    Utterances,
    digits,
    handwriting,
    letters,
    pad,
    vowels,
)
from lstmkit.data.series import Series, glucose, seattle, springfield, stocks, sunspots
from lstmkit.data.tasks import adding, copying, parity, recall
from lstmkit.data.text import Passages, Text, manual, passages

__all__ = [
    "REBER",
    "SETS",
    "Digits",
    "Names",
    "Pairs",
    "Parts",
    "Passages",
    "Provenance",
    "Series",
    "Text",
    "Turn",
    "Utterances",
    "adding",
    "brackets",
    "by_group",
    "by_time",
    "copying",
    "dates",
    "digits",
    "embedded_reber",
    "glucose",
    "handwriting",
    "kanji_names",
    "letters",
    "mackey_glass",
    "manual",
    "numbers",
    "pad",
    "parity",
    "passages",
    "pronunciations",
    "reber",
    "reber_successors",
    "recall",
    "reviews",
    "seattle",
    "springfield",
    "stocks",
    "sunspots",
    "surnames",
    "talk",
    "vowels",
]
