"""Words against recognisers written another way: regular expressions and cancelling of pairs."""

import itertools
import re

import numpy as np
import pytest

from lstmkit.data import REBER, brackets, embedded_reber, reber, reber_successors

# By eliminating states from the graph of Cleeremans, Servan-Schreiber and McClelland (1989).
RIGHT = r"(?:XT*VP)*(?:S|XT*VV)"
WORD = re.compile(rf"B(?:TS*X{RIGHT}|PT*V(?:V|P{RIGHT}))E")


@pytest.fixture(scope="module")
def words():
    rng = np.random.default_rng(3)
    return [reber(rng) for _ in range(2000)]


def test_words_belong_to_the_grammar(words):
    assert all(WORD.fullmatch(word) for word in words)
    assert min(map(len, words)) == 5
    assert max(map(len, words)) > 20
    assert set("".join(words)) == set(REBER)


def test_all_short_words_occur(words):
    possible = {
        "B" + "".join(middle) + "E"
        for length in range(3, 5)
        for middle in itertools.product("TPSXV", repeat=length)
        if WORD.fullmatch("B" + "".join(middle) + "E")
    }
    assert {word for word in words if len(word) <= 6} == possible


def test_both_ways_are_equally_likely(words):
    assert abs(np.mean([word[1] == "T" for word in words]) - 0.5) < 0.04
    after = [word[2] for word in words if word[1] == "T"]
    assert abs(np.mean([letter == "S" for letter in after]) - 0.5) < 0.05


def test_successors_are_those_with_a_word_behind_them(words):
    seen: dict[str, set[str]] = {}
    for word in words:
        for k in range(min(len(word), 5)):
            seen.setdefault(word[:k], set()).add(word[k])
    for prefix, letters in seen.items():
        if len(prefix) <= 3:
            assert reber_successors(prefix) == letters
    assert reber_successors("BTXSE") == frozenset()
    for wrong in ("T", "BTP", "BTXSEB"):
        with pytest.raises(ValueError, match="no word"):
            reber_successors(wrong)


def test_embedded_words_repeat_their_second_letter():
    rng = np.random.default_rng(4)
    branches = []
    for _ in range(500):
        word = embedded_reber(rng)
        assert word[0] == "B"
        assert word[-1] == "E"
        assert word[1] == word[-2]
        assert word[1] in "TP"
        assert WORD.fullmatch(word[2:-2])
        branches.append(word[1] == "T")
    assert abs(np.mean(branches) - 0.5) < 0.07


def cancel(word: str) -> str:
    while True:
        shorter = word.replace("()", "").replace("[]", "").replace("{}", "")
        if shorter == word:
            return word
        word = shorter


@pytest.mark.parametrize(("T", "kinds", "depth"), [(2, 1, 1), (20, 2, 3), (60, 3, 8)])
def test_brackets_cancel_and_the_target_is_the_innermost(T, kinds, depth):
    signs = "([{"[:kinds] + ")]}"[:kinds]
    x, y = brackets(np.random.default_rng(5), T, 100, kinds, depth)
    assert x.shape == y.shape == (T, 100)
    deepest = 0
    for b in range(100):
        word = "".join(signs[s] for s in x[:, b])
        assert cancel(word) == ""
        for t in range(T):
            left = cancel(word[: t + 1])
            deepest = max(deepest, len(left))
            assert y[t, b] == (1 + signs.index(left[-1]) if left else 0)
    assert deepest == min(depth, T // 2) or (deepest <= depth and T == 60)
    assert set(np.unique(x)) == set(range(2 * kinds))


def test_impossible_brackets_are_refused():
    for T, kinds, depth in ((3, 1, 1), (0, 1, 1), (4, 0, 1), (4, 1, 0)):
        with pytest.raises(ValueError, match="T must be even"):
            brackets(np.random.default_rng(0), T, 1, kinds, depth)
