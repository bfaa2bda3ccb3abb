"""The one class that runs a submission; everything else in grading is nbgrader's.

nbgrader_config.py puts `CourseExecute` where nbgrader lists its own `Execute`, so `nbgrader
autograde`, the formgrader's button and `lstmkit grade` all pass through it. Isolated execution will
replace it here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat.v4 import new_output
from nbgrader.converters import Autograde
from nbgrader.preprocessors import Execute
from nbgrader.utils import is_grade, is_locked, is_solution
from traitlets import Integer, Unicode

from .seeds import content_hash, course_secret, hidden_seed

# The course's own settings are no business of the student's code.
PRIVATE = ("LSTMKIT_SECRET", "LSTMKIT_DB_URL")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class CourseExecute(Execute):
    """nbgrader's `Execute`, with these differences:

    - a submission gets its own hidden seed, in `LSTMKIT_SEED` and in the notebook's metadata;
    - a cell that did not run scores zero, and tags cannot keep a cell from running;
    - a warning costs nothing (nbgrader gives zero for any output on stderr);
    - a kernel that dies or cannot be stopped costs the cells that it would have run, not the
      submission;
    - one thread a kernel, an end to the time and to the output of a submission.
    """

    secret_file = Unicode(
        ".course_secret", help="The file with the course's secret, made at first use."
    ).tag(config=True)
    notebook_timeout = Integer(300, help="Seconds that all cells together may take.").tag(
        config=True
    )
    max_printed = Integer(100_000, help="Characters kept of what a cell prints.").tag(config=True)
    max_shown = Integer(5_000_000, help="Characters kept of a cell's figures.").tag(config=True)

    def preprocess(self, nb: Any, resources: Any = None, km: Any = None) -> tuple[Any, Any]:
        """Run all cells of `nb` in a fresh kernel; see the class for what is different."""
        for cell in nb.cells:
            cell.metadata.pop("tags", None)
        self._environment = kernel_environment(self._record_seed(nb, resources or {}))
        self._deadline = time.monotonic() + self.notebook_timeout
        self._stopped = ""
        self._notes: list[str] = []
        self._late: list[str] = []
        self._ran: set[int] = set()
        self._lengths: dict[tuple[int, bool], int] = {}
        nb, resources = super().preprocess(nb, resources, km)
        for index, cell in enumerate(nb.cells):
            if is_test(cell):
                settle(cell, index in self._ran, self._stopped)
        late = [f"Stopped when its time was over: {', '.join(self._late)}."] if self._late else []
        self._note(nb, notes=[*self._notes, *late])
        return nb, resources

    def _record_seed(self, nb: Any, resources: Any) -> str | None:
        known = resources.get("nbgrader", {})
        if "student" not in known:
            return None
        written = content_hash((c.cell_type, c.source) for c in nb.cells if not is_locked(c))
        secret = course_secret(Path(self.secret_file))
        seed = hidden_seed(secret, known["student"], known["assignment"], written)
        self._note(nb, seed=seed)
        return seed

    @staticmethod
    def _note(nb: Any, **noted: Any) -> None:
        kept = nb.metadata.get("lstmkit")
        nb.metadata["lstmkit"] = (kept if isinstance(kept, dict) else {}) | noted

    @contextmanager
    def setup_kernel(self, **kwargs: Any) -> Iterator[None]:
        """Start the kernel with our environment."""
        # Quiet: the kernel would tell every student that it talks over TCP on this machine.
        self.extra_arguments = ["--log-level=40"]
        with super().setup_kernel(env=self._environment, **kwargs):
            yield

    def preprocess_cell(self, cell: Any, resources: Any, index: int) -> tuple[Any, Any]:
        """Run one cell, unless the kernel was lost or the submission's time is over."""
        if cell.cell_type != "code" or not cell.source.strip():
            return cell, resources
        if not self._stopped and self._deadline < time.monotonic():
            self._stop(f"the notebook ran longer than {self.notebook_timeout} seconds")
        if self._stopped:
            return cell, resources
        try:
            cell, resources = super().preprocess_cell(cell, resources, index)
        except DeadKernelError:
            self._stopped = "the Python process ended while this cell ran"
            self._notes.append(f"In {label(cell, index)}: {self._stopped}.")
        except CellTimeoutError:
            self._stop("the cell could not be stopped when its time was over")
        else:
            self._ran.add(index)
            if any(out.get("ename") == "CellTimeoutError" for out in cell.outputs):
                self._late.append(label(cell, index))
            return cell, resources
        cell.outputs = [*cell.get("outputs", []), error_output("Stopped", self._stopped)]
        return cell, resources

    def _stop(self, reason: str) -> None:
        self._stopped = reason
        self._notes.append(f"Ended early: {reason}.")
        self.km.provisioner.process.kill()

    def _get_timeout(self, cell: Any) -> int | None:
        limit = super()._get_timeout(cell)
        left = max(1, round(self._deadline - time.monotonic()))
        return left if limit is None else min(limit, left)

    def output(self, outs: Any, msg: Any, display_id: Any, cell_index: int) -> Any:
        """Keep an output, or cut it when the cell has printed too much; errors are always kept."""
        if msg["msg_type"] == "error":
            return super().output(outs, msg, display_id, cell_index)
        printed = msg["msg_type"] == "stream"
        limit = self.max_printed if printed else self.max_shown
        before = self._lengths.get((cell_index, printed), 0)
        now = before + len(str(msg["content"]))
        self._lengths[cell_index, printed] = now
        if now <= limit:
            return super().output(outs, msg, display_id, cell_index)
        if before <= limit:
            outs.append(new_output("stream", name="stdout", text="\n… more output was cut …\n"))
        return None


def is_test(cell: Any) -> bool:
    """Whether the cell is marked by running it (not one that a person marks)."""
    return bool(cell.cell_type == "code" and is_grade(cell) and not is_solution(cell))


def label(cell: Any, index: int) -> str:
    """A cell's name in a sentence."""
    return str(cell.metadata.get("nbgrader", {}).get("grade_id") or f"cell {index + 1}")


def settle(cell: Any, ran: bool, reason: str) -> None:
    """Make the outputs of a test cell say what nbgrader's marking reads from them.

    No mark for a cell that did not run, no loss for one that warned, and no value beats an error.
    """
    failed = any(out.output_type == "error" for out in cell.outputs)
    if not ran and not failed:
        cell.outputs.append(error_output("NotRun", reason or "this cell did not run"))
        failed = True
    for out in cell.outputs:
        if out.output_type == "stream":
            out.name = "stdout"
    if failed:
        cell.outputs = [out for out in cell.outputs if out.output_type != "execute_result"]


def error_output(name: str, text: str) -> Any:
    """An error output with one line of traceback."""
    return new_output("error", ename=name, evalue=text, traceback=[f"{name}: {text}"])


def kernel_environment(seed: str | None) -> dict[str, str]:
    """The environment of a submission's kernel."""
    env = {name: value for name, value in os.environ.items() if name not in PRIVATE} | ONE_THREAD
    env.pop("LSTMKIT_SEED", None)
    return env if seed is None else env | {"LSTMKIT_SEED": seed}


def autograde_preprocessors() -> list[str]:
    """nbgrader's list with `CourseExecute` in place of `Execute`, as dotted names."""
    default = Autograde.class_traits()["autograde_preprocessors"].default()
    chosen = [CourseExecute if cls is Execute else cls for cls in default]
    return [f"{cls.__module__}.{cls.__qualname__}" for cls in chosen]
