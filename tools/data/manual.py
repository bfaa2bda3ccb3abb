"""The Python Language Reference as a text without repetitions, from the standard library."""

import re
import sys
from pydoc_data import topics

from vendoring import write

if sys.version_info[:2] != (3, 11):
    sys.exit("the text differs between versions of Python: run this with Python 3.11")


def paragraphs(text: str) -> list[str]:
    return [p.strip("\n") for p in re.split(r"\n[ \t]*\n", text) if p.strip()]


def key(paragraph: str) -> str:
    return re.sub(r"\s+", " ", paragraph).strip()


# A fifth of the text stands there twice: "compound" contains "for", "while" and "if". Cut as it
# is, the test text would contain what was trained on. The longer topic keeps the paragraph.
seen: set[str] = set()
documents: list[tuple[str, str]] = []
for name in sorted(topics.topics, key=lambda topic: (-len(topics.topics[topic]), topic)):
    fresh = []
    for paragraph in paragraphs(topics.topics[name]):
        if len(key(paragraph)) >= 40 and key(paragraph) in seen:
            continue
        seen.add(key(paragraph))
        fresh.append(paragraph)
    if sum(map(len, fresh)) >= 400:
        documents.append((name, "\n\n".join(fresh)))
write(
    "manual",
    "manual.txt.gz",
    "\f".join(f"{name}\n{text}\n" for name, text in sorted(documents)).encode(),
    title="The Python Language Reference, 3.11, as help() shows it",
    licence="PSF-2.0",
    credit="Copyright 2001-2023 Python Software Foundation",
    source="Python 3.11 standard library, pydoc_data.topics",
    origin="https://docs.python.org/3.11/reference/",
    changes="one document a topic; paragraphs that stand in a longer topic as well are dropped, "
    "and topics with fewer than 400 characters left",
    why="real prose and code that every reader of the course has at hand, under a licence that "
    "lets it be copied; vendored because it differs between versions of Python",
)
