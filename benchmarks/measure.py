"""Timing that holds on a busy machine: contestants take turns, ratios are taken round by round.

A case has several contestants that do the same thing. In every round each runs for a few
milliseconds, in an order that moves on by one from round to round, so that whatever slows the
machine down slows all of them. A ratio is computed within a round; what is reported is the median
over rounds, with the quartiles. Times are the processor's for this thread, so that a moment
in which another process had the core does not count; wall times are kept beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

import lstmkit

RESULTS = Path(__file__).parent / "results"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class Case(NamedTuple):
    """What is compared: sizes for the table, and contestants by name, ours first."""

    sizes: dict[str, Any]
    contestants: dict[str, Callable[[], Any]]
    facts: dict[str, Any] = {}  # noqa: RUF012  (never changed)
    """Numbers that belong to the case and are not times, such as bytes."""


def main(claim: str, cases: Callable[[bool], Iterable[Case]]) -> None:
    """Run ``cases(quick)`` one after the other, print the table, write the JSON.

    ``--quick`` runs small cases for two rounds, to see that they run; it writes no file unless
    ``--out`` names one.
    """
    parser = argparse.ArgumentParser(description=claim)
    parser.add_argument("--quick", action="store_true", help="only see that it runs")
    parser.add_argument("--rounds", type=int, default=40, help="turns of each contestant")
    parser.add_argument("--out", type=Path, help="the JSON file; default: results/SCRIPT.json")
    options = parser.parse_args()
    _with_one_thread()

    script = Path(sys.argv[0])
    rounds = 2 if options.quick else options.rounds
    results: list[dict[str, Any]] = []
    print(f"{claim}: processor time, and times ours (quartiles)")
    for case in cases(options.quick):
        results.append(compare(case, rounds, seconds=0.001 if options.quick else 0.01))
        _print(results[-1])
    out = options.out or (None if options.quick else RESULTS / f"{script.stem}.json")
    if out is not None:
        found = {"claim": claim, "script": script.name, **_where(), "rounds": rounds}
        out.write_text(json.dumps({**found, "cases": results}, indent=1) + "\n")


def compare(case: Case, rounds: int, seconds: float) -> dict[str, Any]:
    """The case's row: median microseconds of each contestant, and each peer's time over ours."""
    names = list(case.contestants)
    repeats = {name: _repeats(case.contestants[name], seconds) for name in names}
    cpu: dict[str, list[float]] = {name: [] for name in names}
    wall: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            call = case.contestants[name]
            wall_start, cpu_start = time.perf_counter(), time.thread_time()
            for _ in range(repeats[name]):
                call()
            cpu[name].append(1e6 * (time.thread_time() - cpu_start) / repeats[name])
            wall[name].append(1e6 * (time.perf_counter() - wall_start) / repeats[name])
    ours = names[0]
    return {
        **case.sizes,
        "microseconds": {name: _digits(statistics.median(cpu[name])) for name in names},
        "wall_microseconds": {name: _digits(statistics.median(wall[name])) for name in names},
        "ratios": {name: _quartiles(cpu[name], cpu[ours]) for name in names[1:]},
        **case.facts,
    }


def _repeats(call: Callable[[], Any], seconds: float) -> int:
    """How many calls fill ``seconds``; the first calls, which are slower, are not counted."""
    call()
    call()
    start = time.thread_time()
    call()
    return max(1, int(seconds / max(time.thread_time() - start, 1e-7)))


def _quartiles(peer: list[float], ours: list[float]) -> dict[str, float]:
    ratios = [a / b for a, b in zip(peer, ours, strict=True)]
    low, median, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return {"median": _digits(median), "low": _digits(low), "high": _digits(high)}


def _digits(value: float) -> float:
    """Three digits: more would be noise."""
    return float(f"{value:.3g}")


def _print(row: dict[str, Any]) -> None:
    """The sizes, then a line for each contestant: microseconds, and how many times ours."""
    print(", ".join(f"{key}={value}" for key, value in row.items() if not isinstance(value, dict)))
    for name, microseconds in row["microseconds"].items():
        ratio = row["ratios"].get(name)
        times = (
            "" if ratio is None else "{median:8.2f} times ({low:.2f} – {high:.2f})".format(**ratio)
        )
        print(f"    {name:26}{microseconds:12g} µs{times}", flush=True)


def _where() -> dict[str, Any]:
    """Date, machine and versions."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "date": date.today().isoformat(),
        "device": {
            "processor": models[0] if models else platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "system": platform.system(),
        },
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "torch": torch.__version__,
            "lstmkit": lstmkit.__version__,
        },
        "threads": 1,
    }


def _with_one_thread() -> None:
    """Start again with one thread if need be: NumPy's library reads its variable at the start."""
    if any(os.environ.get(name) != "1" for name in ONE_THREAD):
        os.execve(sys.executable, sys.orig_argv, {**os.environ, **ONE_THREAD})
    torch.set_num_threads(1)
