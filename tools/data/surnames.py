"""Surnames of ten languages, from Faker and the Japanese Personal Name Dataset."""

import csv
import importlib
import random
import sys
import unicodedata
from collections import Counter

from vendoring import lines, package, write

sys.path.insert(0, str(package("faker", "40.54.0")))
LOCALES = {
    "Croatian": "hr_HR",
    "Dutch": "nl_NL",
    "English": "en_US",
    "Finnish": "fi_FI",
    "French": "fr_FR",
    "German": "de_DE",
    "Italian": "it_IT",
    "Spanish": "es_ES",
    "Czech": "cs_CZ",
}


def plain(name: str) -> str:
    """Small letters a to z: an accent would give the language away."""
    apart = unicodedata.normalize("NFKD", name.lower().replace("đ", "d").replace("ß", "ss"))
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


names: dict[str, set[str]] = {}
for language, locale in LOCALES.items():
    provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
    names[language] = {plain(name) for name in provider.last_names}
folder = package("japanese-personal-name-dataset", "0.4.0")
path = folder / "japanese_personal_name_dataset/dataset/last_name_org.csv"
with path.open(encoding="utf-8", newline="") as source:
    names["Japanese"] = {row[3] for row in csv.reader(source)}

languages_of = Counter(name for group in names.values() for name in group)
table: list[tuple[str, str]] = []
for language in sorted(names):
    usable = sorted(
        name
        for name in names[language]
        if languages_of[name] == 1 and name.isascii() and name.isalpha() and len(name) > 2
    )
    chosen = random.Random(0).sample(usable, min(400, len(usable)))
    table += [(name, language) for name in sorted(chosen)]
write(
    "surnames",
    "surnames.tsv.gz",
    lines([("name", "language"), *table]),
    title=f"{len(table):,} surnames of ten languages",
    licence="MIT",
    credit="Faker (Daniele Faraglia and others); Japanese Personal Name Dataset (shuheilocale)",
    source="Faker 40.54.0, faker/providers/person/*; japanese-personal-name-dataset 0.4.0, "
    "last_name_org.csv",
    origin="https://github.com/joke2k/faker and "
    "https://github.com/shuheilocale/japanese-personal-name-dataset",
    changes="small letters without accents; names that stand in two of the lists are dropped; at "
    "most 400 names a language",
    why="short sequences of letters whose language a reader guesses too, so that a confusion "
    "matrix can be judged by eye",
)
