"""Sentences of our own, judged by rules written a second time."""

import re
from collections import Counter

import numpy as np
import pytest

from lstmkit.data import reviews, talk

PRAISE = {"good", "clean", "friendly", "quiet", "lovely", "fresh", "bright", "great"}


def judged(review: str) -> bool:
    if " but " in review:
        review = review.split(" but ")[1]
    review = review.split(" although ")[0]
    subject, verb, word = re.fullmatch(r"the (\w+) (was|was not|was never) (\w+)", review).groups()
    assert subject
    return (word in PRAISE) == (verb == "was")


def test_reviews_are_judged_by_the_clause_that_counts():
    texts, labels = reviews(np.random.default_rng(1), 1500)
    assert [judged(text) for text in texts] == [bool(label) for label in labels]
    assert abs(labels.mean() - 0.5) < 0.05
    kinds = Counter(
        "but" if " but " in t else "although" if " although " in t else "one" for t in texts
    )
    assert min(kinds.values()) > 400


def test_words_alone_do_not_tell():
    """Reviews of the same words with opposite verdicts: a count of words fails on one of them."""
    texts, labels = reviews(np.random.default_rng(2), 60_000)
    verdicts: dict[tuple[str, ...], set[int]] = {}
    for text, label in zip(texts, labels, strict=True):
        verdicts.setdefault(tuple(sorted(text.split())), set()).add(int(label))
    assert sum(len(v) == 2 for v in verdicts.values()) > 50


ENGLISH = [
    (r"my name is (\w+)", "name"),
    (r"i live in (\w+)", "town"),
    (r"my favourite colour is (\w+)", "colour"),
]
QUESTIONS = {
    "what is my name": ("name", "your name is {}"),
    "where do i live": ("town", "you live in {}"),
    "which colour do i like": ("colour", "{}"),
}
JAPANESE = [
    (r"わたしの名前は(.+)です", "name"),
    (r"(.+)に住んでいます", "town"),
    (r"好きな色は(.+)です", "colour"),
]
FRAGEN = {
    "わたしの名前は何ですか": ("name", "{}さんです"),
    "どこに住んでいますか": ("town", "{}です"),
    "好きな色は何ですか": ("colour", "{}です"),
}


@pytest.mark.parametrize(
    ("language", "tellings", "questions", "untold"),
    [
        ("en", ENGLISH, QUESTIONS, "you have not told me"),
        ("ja", JAPANESE, FRAGEN, "まだ聞いていません"),
    ],
)
def test_answers_follow_from_what_was_told_last(language, tellings, questions, untold):
    rng = np.random.default_rng(3)
    distances = []
    for _ in range(300):
        known: dict[str, tuple[str, int]] = {}
        for place, turn in enumerate(talk(rng, 10, language)):
            if turn.said in questions:
                fact, form = questions[turn.said]
                if fact in known:
                    value, told = known[fact]
                    assert turn.answered == form.format(value)
                    assert turn.needs == told
                    distances.append(place - told)
                else:
                    assert turn.answered == untold
                    assert turn.needs is None
                continue
            [(value, fact)] = [
                (found.group(1), fact)
                for pattern, fact in tellings
                if (found := re.fullmatch(pattern, turn.said))
            ]
            assert value in turn.answered
            assert turn.needs is None
            known[fact] = (value, place)
    assert max(distances) >= 6
    assert min(distances) == 1


def test_other_languages_are_refused():
    with pytest.raises(ValueError, match="en or ja"):
        talk(np.random.default_rng(0), 3, "fr")
