"""Numbers in words, in five languages, made with num2words."""

import sys

from vendoring import lines, package, write

sys.path.insert(0, str(package("num2words", "0.5.14")))
from num2words import num2words

LANGUAGES = ("en", "ja", "de", "fr", "es")
numbers = [*range(1000), *range(1000, 100_000, 37)]
table = [(n, language, num2words(n, lang=language)) for n in numbers for language in LANGUAGES]
write(
    "numbers",
    "numbers.tsv.gz",
    lines([("number", "language", "words"), *table]),
    title="Numbers below 100,000 in English, Japanese, German, French and Spanish words",
    licence="facts, in no copyright; made with num2words (LGPL-2.1), which is not included",
    credit="num2words, Savoir-faire Linux and others",
    source="num2words 0.5.14, output of num2words(n, lang=…)",
    origin="https://github.com/savoirfairelinux/num2words",
    changes="0 to 999, and every 37th number from there to 100,000",
    why="translation whose right answer is known, with other orders in other languages "
    "(German says the unit before the ten; Japanese counts in ten thousands)",
)
