"""Where the course lies, and nbgrader's objects set up for it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CONFIG = "nbgrader_config.py"
NEEDS_GRADING = 'nbgrader is missing here. Install it with: pip install "lstmkit[grading]"'


class CourseError(Exception):
    """Something that the instructor has to mend; the text is a sentence."""


@dataclass(frozen=True)
class Course:
    """A course's folder and nbgrader's settings in it.

    root: the folder of nbgrader_config.py. config: its settings, with this call's on top.
    """

    root: Path
    config: Any = field(repr=False)

    def directory(self, **traits: Any) -> Any:
        """nbgrader's CourseDirectory; `traits` are assignment_id, student_id, …"""
        from nbgrader.coursedir import CourseDirectory

        return CourseDirectory(config=self.config, **traits)

    def folder(self, step: str, student: str, assignment: str) -> Path:
        """The folder of a step ("submitted", "autograded", "feedback", "source", "release")."""
        where = self.directory()
        return Path(where.format_path(getattr(where, f"{step}_directory"), student, assignment))

    def notebook(self, step: str, student: str, assignment: str, suffix: str = ".ipynb") -> Path:
        """An assignment has one notebook, named after it."""
        return self.folder(step, student, assignment) / (assignment + suffix)

    @contextmanager
    def gradebook(self) -> Iterator[Any]:
        """nbgrader's gradebook; after the `with` no connection is open, so that one may fork.

        Raises CourseError when the database cannot be opened.
        """
        from nbgrader.api import Gradebook
        from sqlalchemy.exc import SQLAlchemyError

        where = self.directory()
        try:
            gradebook = Gradebook(where.db_url, where.course_id)
        except (SQLAlchemyError, ImportError) as error:
            said = str(error).splitlines()[0]
            raise CourseError(f"The gradebook cannot be opened: {said}") from None
        with gradebook:
            yield gradebook
        gradebook.engine.dispose()

    def assignments(self) -> list[str]:
        """The names of the assignments that have a source."""
        where = self.directory()
        found = Path(where.format_path(where.source_directory, ".", "")).glob("*/*.md")
        return sorted(path.stem for path in found if path.parent.name == path.stem)


def find_course(start: Path | None = None) -> Path:
    """The folder of the nearest nbgrader_config.py: `start` or above it, else the checkout's own.

    Raises CourseError when there is none.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[2]):
        if (folder / CONFIG).is_file():
            return folder
    raise CourseError(f"There is no {CONFIG} in {here} or above it: name the course with --course.")


def load_course(
    root: Path | None = None, settings: dict[str, dict[str, Any]] | None = None
) -> Course:
    """Read nbgrader_config.py in `root` (default: see `find_course`), with `settings` on top of it.

    settings: {class name: {trait: value}}. Raises CourseError when nbgrader is not installed or
    `root` holds no course.
    """
    try:
        import nbgrader  # noqa: F401
    except ImportError:
        raise CourseError(NEEDS_GRADING) from None
    from traitlets.config.loader import Config, PyFileConfigLoader

    folder = (root or find_course()).resolve()
    if not (folder / CONFIG).is_file():
        raise CourseError(f"There is no {CONFIG} in {folder}.")
    config = PyFileConfigLoader(CONFIG, path=str(folder)).load_config()
    config.merge(Config(settings or {}))
    return Course(folder, config)


def quiet_log(lines: list[str]) -> logging.Logger:
    """A logger for nbgrader's converters that keeps warnings and errors in `lines`."""
    log = logging.Logger("lstmkit.grading", logging.WARNING)
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    log.addHandler(handler)
    return log


def lead_here(root: Path) -> None:
    """Let nbgrader find the course from any folder, in the environment that its package runs in.

    nbgrader looks in the working folder only, and in the environment's etc/jupyter. So an
    nbgrader_config.py is written there that loads the nearest one upwards, else the one in `root`.
    Nothing is written outside a virtual environment, or for a course that this package is not of.
    """
    if sys.prefix == sys.base_prefix or root.resolve() != Path(__file__).resolve().parents[2]:
        return
    target = Path(sys.prefix) / "etc" / "jupyter" / CONFIG
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(
        "# Written by `lstmkit release`: nbgrader finds the course from any working folder.\n"
        "from pathlib import Path\n\n"
        f"for folder in (Path.cwd(), *Path.cwd().parents, Path({str(root.resolve())!r})):\n"
        f"    if (folder / {CONFIG!r}).is_file():\n"
        f"        load_subconfig({CONFIG!r}, path=str(folder))\n"
        "        break\n",
        encoding="utf-8",
    )
