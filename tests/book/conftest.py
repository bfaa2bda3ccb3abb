"""The book, built once for all its tests, and served as on its web host."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "book"
sys.path.insert(0, str(BOOK))
sys.path.insert(0, str(BOOK / "extensions"))


@dataclass(frozen=True)
class Built:
    """A built book: the site's folder, what the build printed, and its pages."""

    site: Path
    returncode: int
    output: str
    config: dict[str, Any]

    @property
    def chapters(self) -> list[str]:
        """The pages of the table of contents, as paths in the site."""
        toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
        found = [toc["root"]]

        def walk(node: Any) -> None:
            if isinstance(node, dict):
                found.extend([node["file"]] if "file" in node else [])
                for value in node.values():
                    walk(value)
            elif isinstance(node, list):
                for value in node:
                    walk(value)

        walk(toc["parts"])
        return [f"{name}.html" for name in found]

    @property
    def pages(self) -> list[str]:
        """Every page that a reader can meet; the redirect at the root is none."""
        return [*self.chapters, "search.html", "genindex.html", "404.html"]

    def html(self, page: str) -> str:
        return (self.site / page).read_text(encoding="utf-8")


def build_book(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BOOK / "build.py"), *options]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


@pytest.fixture(scope="session")
def built() -> Built:
    done = build_book()
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    return Built(ROOT / "_build" / "html", done.returncode, done.stdout + done.stderr, config)


@pytest.fixture(scope="session")
def base(built: Built) -> Any:
    """The address of the served site, under the path that it has on its host."""
    import serve
    from finish import prefix_of

    prefix = prefix_of(built.config)
    server = serve.start(built.site, prefix)
    yield serve.address(server, prefix)
    server.shutdown()


@pytest.fixture(scope="session")
def audit(base: str) -> Any:
    """Run one of the Node.js scripts beside this file and return what it found."""

    def run(script: str, *arguments: str) -> Any:
        command = ["node", str(Path(__file__).with_name(script)), *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-4000:]
        return json.loads(done.stdout)

    return run
