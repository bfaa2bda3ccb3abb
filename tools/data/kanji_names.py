"""Japanese names in kanji and how they are read, from the Japanese Personal Name Dataset."""

import csv

from vendoring import lines, package, write

folder = package("japanese-personal-name-dataset", "0.4.0")
dataset = folder / "japanese_personal_name_dataset/dataset"
table: set[tuple[str, str, str]] = set()
for kind, name in (("given", "first_name_man_opti"), ("given", "first_name_woman_opti")):
    with (dataset / f"{name}.csv").open(encoding="utf-8", newline="") as source:
        for reading, _, *spellings in csv.reader(source):
            table |= {(kind, kanji, reading) for kanji in spellings[:5]}
with (dataset / "last_name_org.csv").open(encoding="utf-8", newline="") as source:
    table |= {("family", kanji, reading) for kanji, _, reading, _ in csv.reader(source)}
write(
    "kanji_names",
    "kanji_names.tsv.gz",
    lines([("kind", "kanji", "reading"), *sorted(table)]),
    title=f"{len(table):,} Japanese names in kanji with a reading in hiragana",
    licence="MIT",
    credit="Copyright 2022 shuheilocale, Japanese Personal Name Dataset",
    source="japanese-personal-name-dataset 0.4.0, last_name_org.csv, first_name_*_opti.csv",
    origin="https://github.com/shuheilocale/japanese-personal-name-dataset",
    changes="family names, and the popular given names with at most five spellings of a reading",
    why="a large alphabet on one side and a small one on the other, and names that can be read in "
    "more than one way, where no model can be always right",
)
