"""A reader's hands on the theme: menu on a phone, light and dark, search, print, from a file."""

from __future__ import annotations

import pytest

CHAPTER = "book/01-the-loop.html"


@pytest.fixture(scope="module")
def seen(built, base, audit):
    return audit("reader.mjs", base, str(built.site), CHAPTER)


def test_menu_on_a_phone(seen):
    menu = seen["menu"]
    assert (menu["before"], menu["after"], menu["closed"]) == (False, True, True)
    assert menu["links"] >= 9


def test_light_and_dark(seen):
    themes = seen["themes"]
    # The reader's system is dark.
    assert themes["seen"] == ["dark", "light: light", "dark: dark", "auto: dark"]
    assert (themes["chosen"], themes["next"]) == ("light", "light")


def test_search_finds_names_of_the_code(seen):
    for word, results in seen["search"].items():
        assert results, word
    assert any("06-forget-gate" in url for url in seen["search"]["forget_gate"])
    assert any("01-the-loop" in url for url in seen["search"]["W_hh"])


def test_print_is_light_and_unfolded(seen):
    before, during, after = (seen["print"][key] for key in ("before", "during", "after"))
    assert before["theme"] == "dark"
    assert before["folded"] > 0
    assert during == {"theme": "light", "folded": 0}
    assert after == before


def test_symbols_and_code_light_each_other(seen):
    symbols = seen["symbols"]
    for way, name in (("fromEquation", "W_hh"), ("fromCode", "W_hh"), ("pressed", "h_prev")):
        lit = symbols[way]
        assert lit["names"] == [name], way
        assert lit["equation"] > 0
        assert lit["code"] > 0
    assert symbols["away"]["names"] == []
    assert {"x", "h", "h_prev", "W_ih", "W_hh"} <= set(symbols["names"])
    assert len(symbols["names"]) == len(set(symbols["names"]))


def test_from_a_file(seen):
    assert "KaTeX_Main" in seen["file"]
    assert any("Awesome" in family for family in seen["file"])


def test_without_scripts(seen):
    without = seen["withoutScripts"]
    assert without["style"] == {"color": "rgb(26, 29, 33)", "backgroundColor": "rgb(255, 255, 255)"}
    assert without["equations"] > 5


def test_nothing_was_complained_about(seen):
    assert seen["complaints"] == []
