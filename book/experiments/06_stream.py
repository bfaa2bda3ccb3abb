"""Stories without end: what a cell that cannot forget does in a long stream.

Cells of one to eight units keep a running sum that starts again at every full stop. They are
trained on windows of 30 steps (or 120, or windows that carry the state on) and then read a stream
of 3,000. Twenty seeds, one grid of rates for all, the rate chosen on validation. Seeds and rates
train at once: they are one more batch axis, the "members".

    python book/experiments/06_stream.py            the full run, writes 06_stream.json
    python book/experiments/06_stream.py --short    fewer seeds, steps and cells, prints only
"""

import argparse
import datetime
import itertools
import json
import math
import platform
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from lstmkit.data.stories import running_sum, stories
from lstmkit.training import train_members

STOP = 0.1  # chance of a full stop at every step
VARIANCE = (1 / 3) * (1 - STOP) / STOP  # of an endless stream's sums: amounts' variance × length
BATCH = 32
RATES = (0.02, 0.06, 0.15)
STREAM = 3000
STREAMS = 32  # streams that a seed reads
LATE = 500  # the stream's last steps, on which a run's late error is taken
FAILS = 0.5  # late residual variance above which a run counts as failed
STRETCHES = (0, 30, 100, 300, 1000, 3000)  # positions between which belts are looked at
SATURATED = math.atanh(0.99)  # beyond it tanh(c) is within 0.01 of its end
T_975 = {5: 2.571, 19: 2.093}  # Student's t, 97.5 %, by degrees of freedom


class Run(NamedTuple):
    """One way to train one cell: learned gates (the others are held at one), units, window."""

    gates: str
    units: int
    window: int = 30
    carry: bool = False


RUNS = {
    "carousel": Run("", 4),
    "carousel with f": Run("f", 4),
    "1997": Run("io", 4),
    "1997 with f": Run("ifo", 4),
    "1997, window 120": Run("io", 4, window=120),
    "1997, carried": Run("io", 4, carry=True),
    "1997, 1 unit": Run("io", 1),
    "1997, 2 units": Run("io", 2),
    "1997, 8 units": Run("io", 8),
    "1997 with f, 1 unit": Run("ifo", 1),
}
SHORT = ("1997", "1997 with f")
PAIRS = (("1997", "1997 with f"), ("carousel", "carousel with f"))


def start(run: Run, seeds: range, copies: int) -> dict[str, torch.Tensor]:
    """Starting weights, one row a seed, uniform in ±1/√H as torch starts them; forget bias one.

    Blocks stand in the order of ``run.gates``, the candidate last.
    """
    units, blocks = run.units, len(run.gates) + 1
    shapes = {
        "W_ih": (2, blocks * units),
        "W_hh": (units, blocks * units),
        "b": (1, blocks * units),
        "W_hy": (units, 1),
        "b_y": (1, 1),
    }
    rows = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        row = {}
        for name, shape in shapes.items():
            draw = 2 * torch.rand(shape, generator=generator) - 1
            row[name] = draw / math.sqrt(units) if name.startswith("W") else torch.zeros(shape)
        for k, gate in enumerate(run.gates):
            if gate == "f":
                row["b"][:, k * units : (k + 1) * units] = 1.0
        rows.append(row)
    return {k: torch.stack([row[k] for row in rows]).repeat(copies, 1, 1) for k in shapes}


def read(run: Run, p: dict[str, torch.Tensor], x: torch.Tensor, state=None, wipe=False):
    """Run the cells over x (T, M, B, 2); ``wipe`` clears h and c by hand at every stop.

    Returns answers (T, M, B), belts and forget openings (T, M, B, H), and the last state (h, c).
    """
    units, gates = run.units, run.gates
    drive = x @ p["W_ih"] + p["b"]
    h, c = state or [x.new_zeros(*x.shape[1:3], units)] * 2
    hidden, belts, openings = [], [], []
    for now, stop in zip(drive, x[..., 1:], strict=True):
        if wipe:
            h, c = (1 - stop) * h, (1 - stop) * c
        z = torch.baddbmm(now, h, p["W_hh"])
        opened = torch.sigmoid(z[..., :-units]).split(units, dim=-1)
        gate = dict(zip(gates, opened, strict=False))
        g = torch.tanh(z[..., -units:])
        c = gate.get("f", 1.0) * c + gate.get("i", 1.0) * g
        h = gate.get("o", 1.0) * torch.tanh(c)
        hidden.append(h)
        belts.append(c)
        openings.append(gate.get("f", torch.ones_like(c)))
    answers = (torch.stack(hidden) @ p["W_hy"] + p["b_y"])[..., 0]
    return answers, torch.stack(belts), torch.stack(openings), (h, c)


def draw(generators: list[np.random.Generator], window: int, streams: int, copies: int):
    """The same stories for each copy of a seed: x (T, M, B, 2)."""
    x = np.stack([stories(g, window, streams, STOP)[0] for g in generators], axis=1)
    return np.tile(x, (1, copies, 1, 1))


def train(run: Run, seeds: range, rates: tuple[float, ...], steps: int):
    """Train a member for each rate and seed, rate by rate. Returns weights and carried state."""
    p = start(run, seeds, len(rates))
    # data depend on the seed alone, so that cells and rates are paired
    generators = [np.random.default_rng([seed, 6]) for seed in seeds]
    carried = {"state": None, "sum": 0.0}

    def loss(_: int) -> torch.Tensor:
        x = draw(generators, run.window, BATCH, len(rates))
        y = running_sum(x, carried["sum"])
        answers, _, _, state = read(run, p, torch.from_numpy(x), carried["state"])
        if run.carry:
            carried.update(state=tuple(part.detach() for part in state), sum=y[-1])
        return (answers - torch.from_numpy(y)).square().mean((0, 2))

    each = torch.tensor(rates).repeat_interleave(len(seeds))
    train_members(list(p.values()), loss, steps, each)
    return {k: v.detach() for k, v in p.items()}, carried


@torch.no_grad()
def residual(run: Run, p, x: np.ndarray, state=None, before=0.0, wipe=False):
    """Squared error over the variance of the sums, (T, M); belts and openings (T, M, B, H)."""
    answers, belts, openings, _ = read(run, p, torch.from_numpy(x), state, wipe)
    error = (answers.numpy() - running_sum(x, before)) ** 2
    return error.mean(-1) / VARIANCE, belts.numpy(), openings.numpy()


def edges(stream: int) -> np.ndarray:
    """Ends of the bins of position, evenly spread on a logarithmic axis; 30 is one of them."""
    short, long = np.geomspace(1, 30, 12), np.geomspace(30, stream, 25)
    return np.unique(np.concatenate([[0], short.round(), long.round()]).astype(int))


def on_the_belt(belts: np.ndarray, ends: list[int]) -> dict[str, list]:
    """What lies on the belts (T, M, B, H) in each stretch, (M, stretches): the mean over streams
    and steps of the largest |c| of the units, and the share of |c| where tanh has saturated.
    """
    parts = [np.abs(belts[a:b]) for a, b in itertools.pairwise(ends)]
    return {
        "largest": rounded(np.stack([q.max(-1).mean((0, 2)) for q in parts], 1)),
        "saturated": rounded(np.stack([(q > SATURATED).mean((0, 2, 3)) for q in parts], 1)),
    }


def measure(run: Run, p, carried, seeds: range, stream: int) -> dict:
    """What the trained cells of every seed do at their own window and in the stream."""
    generators = [np.random.default_rng([seed, 66]) for seed in seeds]
    x = draw(generators, stream, STREAMS, 1)
    in_stream, belts, openings = residual(run, p, x)
    bins = list(itertools.pairwise(edges(stream)))
    late = in_stream[-LATE:].mean(0)
    typical = int(np.argsort(late)[(len(late) - 1) // 2])
    result = {
        "at window": rounded(in_stream[: run.window].mean(0)),
        "late": rounded(late),
        "failed": int((late > FAILS).sum()),
        "late, wiped": rounded(residual(run, p, x, wipe=True)[0][-LATE:].mean(0)),
        "by position": rounded(np.stack([in_stream[a:b].mean(0) for a, b in bins], 1)),
        "belt": on_the_belt(belts, [end for end in STRETCHES if end <= stream]),
        "typical": {
            "seed": seeds[typical],
            "weights": {name: rounded(value[typical], 6) for name, value in p.items()},
        },
    }
    if "f" in run.gates:
        stop = x[..., 1:]
        result["opening"] = {  # of every unit, (seeds, H)
            "at stops": rounded((openings * stop).sum((0, 2)) / stop.sum((0, 2))),
            "elsewhere": rounded((openings * (1 - stop)).sum((0, 2)) / (1 - stop).sum((0, 2))),
        }
    if run.carry:
        going_on = residual(run, p, x, carried["state"], carried["sum"])[0]
        late = going_on[-LATE:].mean(0)
        result["carried on"] = {
            "at window": rounded(going_on[: run.window].mean(0)),
            "late": rounded(late),
            "failed": int((late > FAILS).sum()),
        }
    return result


def experiment(name: str, seeds: range, rates: tuple[float, ...], steps: int, stream: int) -> dict:
    """Train on the grid, choose the rate by the median on validation, measure at that rate.

    Late errors are kept for every rate, so that a reader can see that the choice decides little.
    """
    run, n = RUNS[name], len(seeds)
    p, carried = train(run, seeds, rates, steps)
    generators = [np.random.default_rng([seed, 666]) for seed in seeds]
    x = draw(generators, run.window, BATCH, len(rates))
    validation = residual(run, p, x, carried["state"], carried["sum"])[0]
    table = validation.mean(0).reshape(len(rates), n)
    best = int(np.median(table, axis=1).argmin())
    x = draw([np.random.default_rng([seed, 66]) for seed in seeds], stream, STREAMS, 1)
    late, measured = [], {}
    for k in range(len(rates)):
        mine = slice(k * n, (k + 1) * n)
        weights = {key: value[mine] for key, value in p.items()}
        own = carried
        if run.carry:
            own = {"state": tuple(s[mine] for s in carried["state"]), "sum": carried["sum"][mine]}
        if k == best:
            measured = measure(run, weights, own, seeds, stream)
        late.append(rounded(residual(run, weights, x)[0][-LATE:].mean(0)))
    return {
        "steps": steps,
        "validation": rounded(table),
        "rate": rates[best],
        "late at every rate": late,
        **measured,
    }


def rounded(values, digits: int = 4) -> list:
    """So many significant digits, as nested lists."""
    flat = [float(f"{float(v):.{digits}g}") for v in np.asarray(values).ravel()]
    return np.reshape(flat, np.shape(values)).tolist()


def paired(without: dict, with_gate: dict) -> dict[str, float]:
    """Mean over seeds of log10(late error without the gate ÷ with it), and its 95 % interval."""
    d = np.log10(without["late"]) - np.log10(with_gate["late"])
    half = T_975[len(d) - 1] * d.std(ddof=1) / math.sqrt(len(d))
    ends = {"mean": d.mean(), "low": d.mean() - half, "high": d.mean() + half}
    return {name: round(float(value), 3) for name, value in ends.items()}


def run(short: bool = False) -> dict:
    """The whole experiment; ``short`` takes six seeds, one rate, two cells, fewer steps."""
    begin = time.perf_counter()
    seeds, rates, steps = (range(6), (0.06,), 400) if short else (range(20), RATES, 800)
    names, stream = (SHORT, 1000) if short else (tuple(RUNS), STREAM)
    cells = {name: experiment(name, seeds, rates, steps, stream) for name in names}
    return {
        "experiment": "06_stream",
        "seeds": list(seeds),
        "rates": list(rates),
        "sizes": {name: RUNS[name]._asdict() for name in names},
        "batch": BATCH,
        "stop": STOP,
        "stream": stream,
        "streams": STREAMS,
        "fails": FAILS,
        "edges": edges(stream).tolist(),
        "stretches": [end for end in STRETCHES if end <= stream],
        "cells": cells,
        "differences": {a: paired(cells[a], cells[b]) for a, b in PAIRS if a in cells},
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
        "device": f"CPU ({platform.machine()}), one thread",
        "seconds": round(time.perf_counter() - begin, 1),
        "date": datetime.date.today().isoformat(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="six seeds, two cells, prints only")
    short = parser.parse_args().short
    torch.set_num_threads(1)
    result = run(short)
    for name, cell in result["cells"].items():
        saturated = np.median(cell["belt"]["saturated"], axis=0)
        print(
            f"{name:20} rate {cell['rate']:<5} window {np.median(cell['at window']):.4f} "
            f"late {np.median(cell['late']):.4f} failed {cell['failed']:2} "
            f"of {len(cell['late'])} wiped {np.median(cell['late, wiped']):.4f} "
            f"saturated {saturated[0]:.2f} → {saturated[-1]:.2f}"
        )
    print(json.dumps({k: result[k] for k in ("differences", "seconds")}))
    if not short:
        target = Path(__file__).with_suffix(".json")
        lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in result.items())
        target.write_text("{\n" + lines + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
