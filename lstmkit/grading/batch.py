"""Each task in a process of its own, a few at a time: one that dies or hangs stops no other."""

from __future__ import annotations

import multiprocessing as mp
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple


class Done(NamedTuple):
    """A task and its result, or an exception's text in `error`, or how its process was lost."""

    task: Any
    result: Any = None
    error: str = ""
    lost: str = ""


def run_each(
    work: Callable[[Any], Any], tasks: Sequence[Any], jobs: int, limit: float
) -> Iterator[Done]:
    """Yield `work(task)` for every task as it ends, `jobs` at a time, each within `limit` seconds.

    A process that ends early or too late is reported as lost. Processes are forked where that is
    safe, so that nbgrader is imported once; elsewhere `work` and the tasks are pickled.
    """
    context: Any = mp.get_context("fork" if sys.platform == "linux" else "spawn")
    waiting = list(tasks)
    running: dict[Any, tuple[Any, Any, float]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < max(1, jobs):
                task = waiting.pop(0)
                ours, theirs = context.Pipe(duplex=False)
                process = context.Process(target=_child, args=(work, task, theirs))
                process.start()
                theirs.close()
                running[ours] = (task, process, time.monotonic() + limit)
            ready = wait(list(running), timeout=1)
            late = [pipe for pipe, (_, _, end) in running.items() if end < time.monotonic()]
            for pipe in {*ready, *late}:
                task, process, _ = running.pop(pipe)
                yield _collect(task, process, pipe, pipe in ready, limit)
    finally:
        for _, process, _ in running.values():
            process.kill()


def _collect(task: Any, process: Any, pipe: Any, ended: bool, limit: float) -> Done:
    try:
        if not ended:
            process.kill()
            return Done(task, lost=f"It ran longer than {limit:.0f} seconds and was ended.")
        return Done(task, *pipe.recv())
    except EOFError:
        return Done(task, lost="The process that graded it ended before it was done.")
    finally:
        pipe.close()
        process.join(5)
        process.kill()  # does nothing to one that has ended


def _child(work: Callable[[Any], Any], task: Any, pipe: Connection) -> None:
    # What a submission writes past its notebook does not belong on the instructor's terminal.
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    try:
        pipe.send((work(task), ""))
    except Exception as error:
        pipe.send((None, traceback.format_exception_only(error)[-1].strip()))
