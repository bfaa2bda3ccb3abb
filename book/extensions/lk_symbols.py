"""One colour for one thing, and one name: symbols of equations in their colours, tied to the code.

Before KaTeX sees an equation, `h_{t-1}` becomes an element of the class `lk-h` with the name
`h_prev`. When the page is written, the same name in its code gets the same mark, so that
`book/assets/symbols.js` can light both. For the keyboard, the names that an equation brings in for
the first time stand as buttons below it. A name that the page's code does not have is not offered.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

# A quantity of the course with its time; `\delta^f_t` is none. A superscript stays with its symbol.
RAISED = r"(?:\^(?:\{[^{}]*\}|\\[A-Za-z]+|\w))?"
TIME = r"[tT](?![A-Za-z])|\d|\{[^{}]*(?:\b[tT]\b|\d)[^{}]*\}"
TIMED = re.compile(rf"(?<![\\A-Za-z_^{{])([xhcfigo])_({TIME}){RAISED}")
WEIGHT = re.compile(rf"(?<![\\A-Za-z_^])(W|b)_(\{{[a-z]{{2}}\}}|[fgio](?![A-Za-z])){RAISED}")
# What the code calls the state before the step, and what it calls the one after it.
PREVIOUS = re.compile(r"\{t\s*-\s*1\}")
ALIASES = {"h_next": "h", "c_next": "c"}

MARK = re.compile(r'data-sym="([^"]+)"')
EQUATION = re.compile(r'<div class="math notranslate nohighlight".*?</div>\n?', re.S)
IN_CODE = re.compile(r'<span class="n">(\w+)</span>')
IN_TEXT = re.compile(r'<code class="docutils literal notranslate"><span class="pre">(\w+)</span>')


def mark(tex: str) -> str:
    """Wrap the symbols of an equation; everything else stays as it is."""

    def weight(match: re.Match[str]) -> str:
        name = f"{match[1]}_{match[2].strip('{}')}"
        return rf"\htmlData{{sym={name}}}{{{match[0]}}}"

    def timed(match: re.Match[str]) -> str:
        letter, time = match[1], match[2]
        inner = match[0]
        if time == "t":
            inner = rf"\htmlData{{sym={letter}}}{{{match[0]}}}"
        elif PREVIOUS.fullmatch(time):
            inner = rf"\htmlData{{sym={letter}_prev}}{{{match[0]}}}"
        return rf"\htmlClass{{lk-{letter}}}{{{inner}}}"

    return TIMED.sub(timed, WEIGHT.sub(weight, tex))


def tie(body: str) -> str:
    """Give names in code the marks of the page's equations, and equations their buttons."""
    known = set(MARK.findall(body))
    code = {ALIASES.get(name, name) for name in IN_CODE.findall(body)}
    tied = known & code
    offered: set[str] = set()

    def named(match: re.Match[str]) -> str:
        name = ALIASES.get(match[1], match[1])
        return match[0].replace(">", f' data-sym="{name}">', 1) if name in tied else match[0]

    def with_buttons(match: re.Match[str]) -> str:
        fresh = [n for n in dict.fromkeys(MARK.findall(match[0])) if n in tied and n not in offered]
        offered.update(fresh)
        if not fresh:
            return match[0]
        buttons = " ".join(
            f'<button type="button" data-sym="{name}" aria-pressed="false">{name}</button>'
            for name in fresh
        )
        return f'{match[0]}<p class="lk-names">In the code: {buttons}</p>\n'

    body = EQUATION.sub(with_buttons, body)
    return IN_TEXT.sub(named, IN_CODE.sub(named, body))


def tie_page(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    if doctree is not None and "data-sym" in context.get("body", ""):
        context["body"] = tie(context["body"])


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_js_file("symbols.js", loading_method="defer")
    app.connect("html-page-context", tie_page)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
