"""Build the online book: `python book/build.py`, or `make book`.

The book is built with every warning an error. Pages are executed once and then come from a cache
whose name is a hash of all that a page can read besides its own text, so a second build takes
seconds and cannot show an old number. What Sphinx writes is then made small (`book/finish`).

    --serve        build nothing, serve the site with gzip on a free port
    --out DIR      build under DIR instead of `_build`
    --cold         forget the cache: execute every page again
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from finish import SiteError, finish, prefix_of

BOOK = Path(__file__).resolve().parent
ROOT = BOOK.parent
# Lines of the build worth a reader's time; the rest goes to the log only.
TELLING = re.compile(r"Execut(ing|ed) notebook|: WARNING|: ERROR|Error:|^Traceback")
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class Stop(SystemExit):
    """The build cannot go on; the message says which step, and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(f"book: {message}")


def cache_key(root: Path = ROOT) -> str:
    """Hash of what an executed page can read besides its own text.

    That is `lstmkit` with its data, the experiments with their results, and the pinned versions.
    """
    files = [p for p in (root / "lstmkit").rglob("*") if p.is_file()]
    files = [p for p in files if "__pycache__" not in p.parts and p.suffix != ".pyc"]
    for kind in ("*.json", "*.py"):  # a page may import an experiment's functions
        files += (root / "book" / "experiments").glob(kind)
    files += [p for p in [root / "constraints.txt"] if p.exists()]
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted(files):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def install_node_packages() -> None:
    """Run `npm ci` in book/ unless what it installed is what the lock file asks for."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise Stop(
                f"{program} is missing; equations are rendered with Node.js, version 18 or newer.\n"
                "  Debian, Ubuntu: sudo apt-get install nodejs npm     macOS: brew install node"
            )
    lock = BOOK / "package-lock.json"
    stamp = BOOK / "node_modules" / ".lock-installed"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print("book: installing the Node packages of book/package-lock.json", flush=True)
    # The audits use the system's Chromium.
    environment = {**os.environ, "PUPPETEER_SKIP_DOWNLOAD": "1"}
    command = ["npm", "ci", "--no-progress", "--loglevel=error"]
    if subprocess.run(command, cwd=BOOK, env=environment).returncode:
        raise Stop("`npm ci` in book/ failed (see above). Is the network there? Then try again.")
    stamp.write_text(wanted)


def read_config() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))


def write_config(out: Path) -> Path:
    """Write the configuration of this build: `_config.yml` with the cache and absolute paths."""
    config = read_config()
    config["execute"]["cache"] = str(out / f"cache-{cache_key()}")
    extensions = config["sphinx"]["local_extensions"]
    config["sphinx"]["local_extensions"] = {k: str(ROOT / v) for k, v in extensions.items()}
    path = out / "config.yml"
    path.write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


def drop_old_caches(out: Path, keep: int = 3) -> None:
    """Keep the few newest execution caches: switching between two versions stays fast."""
    caches = sorted(out.glob("cache-*"), key=lambda p: p.stat().st_mtime, reverse=True)
    for path in caches[keep:]:
        shutil.rmtree(path, ignore_errors=True)


def start_afresh_if_needed(out: Path) -> None:
    """Drop Sphinx's own state when something changed that it does not look at.

    That is the table of contents (pages that left it stay in the output) and our extensions.
    """
    files = [ROOT / "_toc.yml", BOOK / "package-lock.json"]
    files += sorted((BOOK / "extensions").glob("*.*"))
    wanted = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    stamp = out / "sphinx" / "made-by"
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(out / "sphinx", ignore_errors=True)
        stamp.parent.mkdir()
        stamp.write_text(wanted)


def run_sphinx(out: Path, config: Path, log: Path) -> bool:
    """Run Jupyter Book with warnings as errors; True when there was none."""
    command = [str(Path(sys.executable).parent / "jupyter-book"), "build", str(ROOT)]
    command += ["-W", "-n", "--keep-going"]
    command += ["--config", str(config), "--path-output", str(out / "sphinx")]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout
    with log.open("w", encoding="utf-8") as record:
        for line in process.stdout:
            line = ANSI.sub("", line)
            record.write(line)
            if TELLING.search(line):
                print("  " + line.rstrip(), flush=True)
    return process.wait() == 0


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """One build at a time in one folder."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"book: another build is running in {out}; waiting for it", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build(out: Path, cold: bool = False) -> Path:
    """Build the site and return its folder; raise `Stop` when anything was wrong."""
    began = time.monotonic()
    install_node_packages()
    with alone(out):
        if cold:
            for path in [*out.glob("cache-*"), out / "sphinx", out / "html"]:
                shutil.rmtree(path, ignore_errors=True)
        start_afresh_if_needed(out)
        config, log = write_config(out), out / "book.log"
        print("book: building; pages that changed are executed, at first all of them", flush=True)
        clean = run_sphinx(out, config, log)
        drop_old_caches(out)
        raw, site = out / "sphinx" / "_build" / "html", out / "html"
        if not (raw / "search.html").exists():
            print(log.read_text(encoding="utf-8")[-3000:])
            raise Stop(f"Sphinx stopped early; the whole log is {log}")
        try:
            finish(raw, site, BOOK / "assets", read_config())
        except SiteError as error:
            raise Stop(str(error)) from None
    if not clean:
        raise Stop(f"there were warnings (above), and each is an error; the whole log is {log}")
    print(f"book: {site / 'index.html'} ({time.monotonic() - began:.1f} s)", flush=True)
    return site


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the online book.")
    parser.add_argument("--serve", action="store_true", help="serve the built site")
    parser.add_argument("--out", type=Path, default=ROOT / "_build", help="where to build")
    parser.add_argument("--cold", action="store_true", help="execute every page again")
    options = parser.parse_args()
    out = options.out.resolve()
    if options.serve:
        from serve import serve

        serve(out / "html", prefix_of(read_config()))
    else:
        build(out, options.cold)


if __name__ == "__main__":
    main()
