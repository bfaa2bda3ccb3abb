"""NumPy scalars in `{glue:text}`: NumPy 2 writes `np.float64(0.97)`, which no format accepts."""

from __future__ import annotations

import re
from typing import Any

from myst_nb.ext.glue import crossref, roles
from sphinx.application import Sphinx

SCALAR = re.compile(r"np\.\w+\((.*)\)")


def plain(text: str) -> str:
    """`np.float64(0.97)` is 0.97; everything else stays."""
    found = SCALAR.fullmatch(text.strip())
    return found[1] if found else text


def setup(app: Sphinx) -> dict[str, Any]:
    original = roles.format_plain_text
    if not hasattr(original, "of_scalars"):

        def format_plain_text(text: str, fmt_spec: str) -> str:
            return original(plain(text), fmt_spec)

        format_plain_text.of_scalars = True  # type: ignore[attr-defined]
        roles.format_plain_text = crossref.format_plain_text = format_plain_text
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
