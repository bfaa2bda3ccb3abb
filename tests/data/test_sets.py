"""The real sets: what lies in the package is what the list says, and loads as documented."""

import ast
import gzip
import hashlib
import json
import socket
from pathlib import Path

import numpy as np
import pytest

from lstmkit import data
from lstmkit.data import SETS

FILES = Path(data.__file__).parent / "files"
ROOT = Path(__file__).parents[2]
PUBLIC = [data.sunspots, data.seattle, data.springfield, data.stocks, data.glucose, data.vowels]
PUBLIC += [data.digits, data.manual, data.passages, data.dates, data.numbers]
PUBLIC += [data.pronunciations, data.kanji_names, data.surnames]


@pytest.mark.parametrize("name", sorted(SETS))
def test_the_file_has_the_listed_checksum_and_size(name):
    packed = (FILES / SETS[name].file).read_bytes()
    assert hashlib.sha256(packed).hexdigest() == SETS[name].sha256
    assert len(packed) == SETS[name].bytes


def test_every_file_is_listed_and_the_folder_is_small():
    listed = {entry.file for entry in SETS.values()}
    assert {path.name for path in FILES.glob("*.gz")} == listed
    assert sum(path.stat().st_size for path in FILES.rglob("*") if path.is_file()) < 3_000_000


@pytest.mark.parametrize("name", sorted(SETS))
def test_provenance_is_complete(name):
    entry = SETS[name]
    for field in ("title", "licence", "credit", "source", "origin", "changes", "why"):
        assert len(getattr(entry, field)) > 2, field
    assert entry.licence in str(entry)
    assert "http" in entry.origin


@pytest.mark.parametrize("name", sorted(SETS))
def test_a_script_makes_the_set(name):
    """Some script of tools/data writes exactly this set, with the listed licence."""
    found = []
    for script in (ROOT / "tools" / "data").glob("*.py"):
        for node in ast.walk(ast.parse(script.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "write":
                first = node.args[0]
                if isinstance(first, ast.Constant) and first.value == name:
                    licence = [k.value for k in node.keywords if k.arg == "licence"]
                    found.append(ast.literal_eval(licence[0]))
    assert found == [SETS[name].licence]


def test_licences_that_ask_for_their_text_have_it():
    texts = {path.stem: path.read_text("utf-8") for path in (FILES / "licences").glob("*.txt")}
    assert "PYTHON SOFTWARE FOUNDATION LICENSE" in texts["manual"]
    assert "Carnegie Mellon University" in texts["pronunciations"]
    assert "UNICODE LICENSE V3" in texts["dates"]
    assert "Apache License" in texts["springfield"]
    assert "shuheilocale" in texts["kanji_names"]
    assert "Faraglia" in texts["surnames"]
    assert "shuheilocale" in texts["surnames"]


def test_loading_needs_no_network(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("a set reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for load in PUBLIC:
        load.cache_clear()
        assert load().provenance is SETS[load().provenance.name]


@pytest.mark.parametrize("load", PUBLIC, ids=lambda load: load.__name__)
def test_every_row_is_in_exactly_one_part(load):
    loaded = load()
    if not hasattr(loaded, "parts"):  # a text: three strings
        assert min(map(len, (loaded.train, loaded.validation, loaded.test))) > 10_000
        return
    rows = next(
        len(getattr(loaded, field))
        for field in ("values", "labels", "source")
        if hasattr(loaded, field)
    )
    parts = (loaded.parts.train, loaded.parts.validation, loaded.parts.test)
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(rows))
    assert min(map(len, parts)) >= 0.05 * rows


def test_known_values():
    """Numbers that anybody can look up."""
    spots = data.sunspots()
    assert spots.values[spots.times == np.datetime64("1957"), 0].item() == 190.2
    assert data.seattle().values[0].tolist() == [0.0, 12.8, 5.0, 4.7]
    shares = data.stocks()
    assert shares.times[0] == np.datetime64("2000-03-01")
    # 130.31 dollars before three splits (2, 2 and 7 for 1) and later dividends.
    assert 4.0 < shares.values[0, 0] < 130.31 / 28
    pairs = data.numbers()
    told = {(s, k): t for s, t, k in zip(pairs.source, pairs.target, pairs.kind, strict=True)}
    assert told["42", "de"] == "zweiundvierzig"
    assert told["42", "ja"] == "四十二"
    assert told["99", "fr"] == "quatre-vingt-dix-neuf"
    sounds = data.pronunciations()
    assert sounds.target[sounds.source.index("hopeful")] == "HH OW P F AH L"
    names = data.kanji_names()
    assert names.target[names.source.index("佐藤")] == "さとう"


def test_the_list_is_readable_json():
    listed = json.loads((FILES / "sets.json").read_text("utf-8"))
    assert list(listed) == sorted(SETS)
    for name in listed:
        assert gzip.decompress((FILES / listed[name]["file"]).read_bytes())
