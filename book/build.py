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
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import yaml
from finish import SiteError, finish

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

    That is `lstmkit` with its data, the stored results of the experiments, and the pinned versions.
    """
    files = [p for p in (root / "lstmkit").rglob("*") if p.is_file()]
    files = [p for p in files if "__pycache__" not in p.parts and p.suffix != ".pyc"]
    files += (root / "book" / "experiments").glob("*.json")
    files += [p for p in [root / "constraints.txt"] if p.exists()]
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted(files):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def install_node_packages() -> None:
    """Run `npm ci` in book/ unless what it installed is what the lock file asks for."""
    lock = BOOK / "package-lock.json"
    stamp = BOOK / "node_modules" / ".lock-installed"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise Stop(
                f"{program} is missing; the book's equations are rendered with Node.js 20 or newer.\n"
                "  Debian, Ubuntu: sudo apt-get install nodejs npm     macOS: brew install node"
            )
    print("book: installing the Node packages of book/package-lock.json", flush=True)
    environment = {**os.environ, "PUPPETEER_SKIP_DOWNLOAD": "1"}
    done = subprocess.run(
        ["npm", "ci", "--no-progress", "--loglevel=error"], cwd=BOOK, env=environment
    )
    if done.returncode:
        raise Stop("`npm ci` in book/ failed (see above). Is the network there? Then try again.")
    stamp.write_text(wanted)


def write_config(out: Path) -> Path:
    """Write the configuration of this build: `_config.yml` with the cache and absolute paths."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
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


def run_sphinx(out: Path, config: Path, log: Path) -> bool:
    """Run Jupyter Book with warnings as errors; True when there was none."""
    command = [str(Path(sys.executable).parent / "jupyter-book"), "build", str(ROOT)]
    command += [
        "-W",
        "-n",
        "--keep-going",
        "--config",
        str(config),
        "--path-output",
        str(out / "sphinx"),
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "NO_COLOR": "1",
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


def build(out: Path, cold: bool = False) -> Path:
    """Build the site and return its folder; raise `Stop` when anything was wrong."""
    began = time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    install_node_packages()
    config = write_config(out)
    if cold:
        for path in [*out.glob("cache-*"), out / "sphinx", out / "html"]:
            shutil.rmtree(path, ignore_errors=True)
    log = out / "book.log"
    print(
        "book: building (pages that changed are executed; the first time this takes minutes)",
        flush=True,
    )
    clean = run_sphinx(out, config, log)
    drop_old_caches(out)
    raw, site = out / "sphinx" / "_build" / "html", out / "html"
    if not raw.is_dir():
        print(log.read_text(encoding="utf-8")[-3000:])
        raise Stop(f"Sphinx stopped early; the whole log is {log}")
    try:
        finish(raw, site, yaml.safe_load(config.read_text(encoding="utf-8")))
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

        serve(out / "html")
    else:
        build(out, options.cold)


if __name__ == "__main__":
    main()
