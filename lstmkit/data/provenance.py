"""Where every set comes from, under which licence, and how its file is read.

The files lie in ``lstmkit/data/files``, compressed; ``tools/data/*.py`` makes each from the package
that holds the original. Nothing here reaches for the network.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

__all__ = ["SETS", "Provenance"]

FILES = Path(__file__).parent / "files"


@dataclass(frozen=True)
class Provenance:
    """One set: what it is, whose it is, and why the course uses it.

    ``sha256`` and ``bytes`` are those of the compressed ``file`` in ``lstmkit/data/files``.
    ``origin`` is the address of those who made the data, ``source`` the package and file that it
    was taken from, ``changes`` what was left out or rewritten on the way. Texts of licences that
    must travel with the data are in ``files/licences``.
    """

    name: str
    title: str
    file: str
    licence: str
    credit: str
    source: str
    origin: str
    changes: str
    why: str
    bytes: int
    sha256: str

    def __str__(self) -> str:
        return f"{self.title}. Licence: {self.licence}. {self.credit}."


def _load() -> Mapping[str, Provenance]:
    entries = json.loads((FILES / "sets.json").read_text("utf-8"))
    return MappingProxyType({name: Provenance(name, **entry) for name, entry in entries.items()})


SETS: Mapping[str, Provenance] = _load()


def content(name: str) -> bytes:
    """The unpacked file of a set."""
    return gzip.decompress((FILES / SETS[name].file).read_bytes())


def table(name: str) -> list[list[str]]:
    """The rows of a tab-separated set without its header."""
    return [line.split("\t") for line in content(name).decode("utf-8").splitlines()[1:]]
