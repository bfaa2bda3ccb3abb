"""Tasks in processes of their own: one that dies, hangs or fails stops no other."""

from __future__ import annotations

import os
import time

from lstmkit.grading.batch import run_each


def work(task: str) -> str:
    if task == "fails":
        raise KeyError("no such thing")
    if task == "dies":
        os._exit(3)
    if task == "hangs":
        time.sleep(60)
    if task == "prints":
        os.write(1, b"past the terminal")
    return task.upper()


def test_each_task_has_its_own_end() -> None:
    tasks = ["good", "fails", "dies", "hangs", "prints", "last"]
    start = time.monotonic()
    done = {d.task: d for d in run_each(work, tasks, jobs=2, limit=2)}
    assert time.monotonic() - start < 30
    assert {task: d.result for task, d in done.items()} == {
        "good": "GOOD",
        "fails": None,
        "dies": None,
        "hangs": None,
        "prints": "PRINTS",
        "last": "LAST",
    }
    assert done["fails"].error == "KeyError: 'no such thing'"
    assert "ended before it was done" in done["dies"].lost
    assert "longer than 2 seconds" in done["hangs"].lost
    assert not done["good"].error
    assert not done["good"].lost


def test_no_more_at_a_time_than_asked_for() -> None:
    start = time.monotonic()
    assert len(list(run_each(time.sleep, [0.3] * 4, jobs=1, limit=30))) == 4
    assert time.monotonic() - start >= 1.2


def test_what_runs_is_ended_when_the_caller_stops() -> None:
    batch = run_each(work, ["good", "hangs"], jobs=2, limit=60)
    assert next(batch).task == "good"
    start = time.monotonic()
    batch.close()
    assert time.monotonic() - start < 10
