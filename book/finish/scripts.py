"""One script for the whole site, without the theme's messages in the console."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

ESBUILD = Path(__file__).resolve().parent.parent / "node_modules" / ".bin" / "esbuild"
CHATTER = re.compile(r"console\.(?:log|info|debug)\(\s*[`\"']\s*\[(?:PST|SBT|togglebutton)\]")

# The theme measures whatever may scroll, all over the page, once it has loaded; `lk.js` does it for
# what comes near the screen.
THEME = "pydata-sphinx-theme.js"
MEASURED = '"pre",".nboutput > .output_area",".cell_output > .output",".jp-RenderedHTMLCommon"'


def minify(text: str, loader: str) -> str:
    """Minify CSS or JavaScript with esbuild; top-level names of scripts keep their names."""
    done = subprocess.run(
        [str(ESBUILD), f"--loader={loader}", "--minify", "--legal-comments=none", "--charset=utf8"],
        input=text,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    if done.returncode:
        raise RuntimeError(f"esbuild: {done.stderr}")
    return done.stdout


def silence(source: str) -> str:
    """Replace calls that log the theme's progress by `void 0`."""
    out, position = [], 0
    for match in CHATTER.finditer(source):
        if match.start() < position:
            continue
        out += [source[position : match.start()], "void 0"]
        position = _closing(source, source.index("(", match.start())) + 1
    return "".join([*out, source[position:]])


def _without_measuring(theme: str) -> str:
    """Let the theme's script measure only tables; raise when it is not the script we know."""
    if theme.count(MEASURED) != 1:
        raise RuntimeError(f"{THEME} has changed: what it measures must be found anew")
    return theme.replace(MEASURED, '".lk-never"')


def _closing(source: str, opening: int) -> int:
    """Index of the parenthesis that closes the one at `opening`; quotes hide theirs."""
    depth, quote, index = 0, "", opening
    while index < len(source):
        char = source[index]
        if char == "\\":
            index += 1
        elif quote:
            if char == quote:
                quote = ""
        elif char in "`\"'":
            quote = char
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if depth == 0:
                return index
        index += 1
    raise ValueError("unbalanced parentheses in a script")


def join(site: Path, scripts: Iterable[str]) -> str:
    """Concatenate scripts in their order; an entry that is no file is the text of an inline one.

    Inline scripts hold settings. They come first: a deferred script finds the page ready and starts
    at once. The first character is a semicolon, so that a "use strict" at the top of one file does
    not become the directive of all.
    """
    settings, files = [], []
    for script in scripts:
        path = site / script if len(script) < 200 and "\n" not in script else None
        if path and path.is_file():
            text = path.read_text(encoding="utf-8")
            if path.name == THEME:
                text = _without_measuring(text)
            files.append(silence(re.sub(r"^//# sourceMappingURL=.*$", "", text, flags=re.M)))
        else:
            settings.append(script)
    return minify("\n;\n".join(["", *settings, *files]), "js")
