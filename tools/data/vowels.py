"""Nine speakers saying two vowels, from sktime's copy of the UCI archive's set."""

from vendoring import lines, package, write

folder = package("sktime", "1.2.0")
table: list[tuple[object, ...]] = [("part", "speaker", "frames")]
for part, name in (("train", "TRAIN"), ("test", "TEST")):
    path = folder / f"sktime/datasets/data/JapaneseVowels/JapaneseVowels_{name}.ts"
    for line in path.read_text().splitlines():
        if line and line[0] not in "#@":
            *channels, speaker = line.split(":")
            table.append((part, int(speaker) - 1, ";".join(channels)))
assert len(table) == 1 + 270 + 370
write(
    "vowels",
    "vowels.tsv.gz",
    lines(table),
    title="Japanese Vowels: 640 utterances of /ae/ by nine men, twelve cepstrum coefficients",
    licence="CC BY 4.0 (UCI archive); the package that carries it is BSD-3-Clause",
    credit="M. Kudo, J. Toyama and M. Shimbo (1999), UCI Machine Learning Repository, "
    "doi:10.24432/C5NS47, through sktime",
    source="sktime 1.2.0, sktime/datasets/data/JapaneseVowels/*.ts",
    origin="https://archive.ics.uci.edu/dataset/128/japanese+vowels",
    changes="speakers counted from 0; one line an utterance",
    why="real speech of 7 to 29 frames: mixed lengths, small enough to train in seconds",
)
