"""Dates as twelve countries write them, made with Babel."""

import random
import sys
from datetime import date, timedelta

from vendoring import lines, package, write

sys.path.insert(0, str(package("babel", "2.18.0")))
from babel.dates import format_date

LOCALES = ("en_US", "en_GB", "ja_JP", "de_DE", "fr_FR", "es_ES", "it_IT", "pt_BR", "nl_NL")
LOCALES += ("pl_PL", "sv_SE", "fi_FI")
FORMS = ("full", "long", "medium", "d MMMM y")
rng = random.Random(0)
first = date(1900, 1, 1)
days = sorted(first + timedelta(k) for k in rng.sample(range(73_000), 1500))
table: list[tuple[str, str, str]] = []
for day in days:
    for locale in LOCALES:
        form = rng.choice(FORMS)
        written = format_date(day, form, locale=locale).replace("\u202f", " ").replace("\xa0", " ")
        table.append((written, locale, day.isoformat()))
write(
    "dates",
    "dates.tsv.gz",
    lines([("written", "locale", "iso"), *table]),
    title="1,500 days from 1900 to 2099 as twelve countries write them, and in ISO 8601",
    licence="Unicode-3.0 (the names and patterns of CLDR); Babel is BSD-3-Clause",
    credit="Unicode Common Locale Data Repository, through Babel",
    source="Babel 2.18.0, output of babel.dates.format_date",
    origin="https://cldr.unicode.org/",
    changes="one of four forms for each day and locale, drawn once; hard spaces made soft",
    why="translation with one right answer that a reader can check at a glance, in which the "
    "order of what is read differs from the order of what is written",
)
