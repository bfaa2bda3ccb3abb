"""Make the zip for students: release notebooks, package, and a page on how to start."""

from __future__ import annotations

import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = "lstm-course"
FILES = ("pyproject.toml", "constraints.txt", "README.md", "LICENSE", "LICENSE-text")
DAY = (2026, 1, 1, 0, 0, 0)  # one date for all files: the same content gives the same zip


def content() -> dict[str, bytes]:
    """Path in the zip -> bytes. Nothing of ``solutions/``, ``book/`` or ``tests/``."""
    paths = [ROOT / name for name in FILES]
    paths += sorted((ROOT / "notebooks").glob("*/*.ipynb"))
    paths += sorted(
        path
        for path in (ROOT / "lstmkit").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )
    found = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in paths}
    return {"START-HERE.md": (ROOT / "tools" / "start-here.md").read_bytes(), **found}


def write(target: Path) -> Path:
    """Write the zip and return its path."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, data in content().items():
            bundle.writestr(zipfile.ZipInfo(f"{FOLDER}/{name}", DAY), data, zipfile.ZIP_DEFLATED)
    return target


if __name__ == "__main__":
    path = write(ROOT / "_build" / "lstm-course.zip")
    print(f"{path}  {path.stat().st_size / 1024:.0f} KiB, {len(content())} files")
