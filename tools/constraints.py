"""Write constraints.txt anew from the versions that .venv holds."""

import importlib.metadata as metadata
import re
from pathlib import Path

HEADER = """\
# Every version that the course is built and tested with (Python 3.11, Linux).
# After a change: make constraints, read the difference, run make test.
"""


def pinned() -> list[str]:
    """One ``name==version`` a distribution; a local part such as ``+cpu`` is left out."""
    found = {}
    for distribution in metadata.distributions():
        name = distribution.metadata["Name"]
        if name.lower() != "lstmkit":
            found[re.sub(r"[-_.]+", "-", name).lower()] = distribution.version.split("+")[0]
    return [f"{name}=={version}" for name, version in sorted(found.items())]


if __name__ == "__main__":
    Path("constraints.txt").write_text(HEADER + "\n".join(pinned()) + "\n", encoding="utf-8")
    print(f"constraints.txt: {len(pinned())} versions")
