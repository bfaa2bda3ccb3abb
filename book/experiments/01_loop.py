"""Which colour was named last?  A question that the present word alone cannot answer.

Five networks read sentences of colours and filler words and are asked, at the final "?", for
the colour that was named last. Ten seeds, one grid of rates for all five, the rate chosen on
validation. All seeds and rates train at once: they are one more batch axis, the "members".

    python book/experiments/01_loop.py            the full run, writes 01_loop.json
    python book/experiments/01_loop.py --short    three seeds, fewer steps, prints only
"""

import argparse
import datetime
import json
import math
import platform
import time
from pathlib import Path

import numpy as np
import torch

COLOURS = ("red", "green", "blue", "gold")
FILLERS = ("the", "and", "of", "a", "then", "with")
WORDS = (*COLOURS, *FILLERS, "?")
QUESTION = len(WORDS) - 1
FARTHEST = 10  # largest distance in training from the last colour to the question mark
BATCH = 32
RATES = (0.001, 0.003, 0.01, 0.03)
HELD = (10, 30, 100, 300, 1000, 3000)  # distances at which the trained loop is asked again
FAR = ((11, 20), (31, 40))  # training sentences in which the colour is never near
T_975 = {2: 4.303, 9: 2.262}  # Student's t, 97.5 %, by degrees of freedom

# name: (window, hidden units, what is fed back); hidden units chosen for about 516 weights
MODELS = {
    "one-step": (1, 32, None),
    "window of 4": (4, 10, None),
    "window of 8": (8, 6, None),
    "loop": (1, 16, "hidden"),
    "output loop": (1, 25, "output"),
}


def sentences(rng: np.random.Generator, count: int, length: int, distance: np.ndarray):
    """Draw sentences whose last colour stands `distance` words before the question mark.

    Returns words (count, length) as numbers and answers (count,), the index of the colour.
    """
    words = rng.integers(0, QUESTION, (count, length))
    fillers = rng.integers(len(COLOURS), QUESTION, (count, length))
    place = np.arange(length)
    last = (length - 1 - distance)[:, None]
    words = np.where(place > last, fillers, words)
    answers = rng.integers(0, len(COLOURS), count)
    words[np.arange(count), last[:, 0]] = answers
    words[:, -1] = QUESTION
    return words, answers


def draw(rng: np.random.Generator, count: int, nearest: int = 1, farthest: int = FARTHEST):
    """Sentences two words longer than their farthest distance, all distances equally likely."""
    return sentences(rng, count, farthest + 2, rng.integers(nearest, farthest + 1, count))


def start(name: str, seeds: range) -> dict[str, torch.Tensor]:
    """Starting weights of a model, one row a seed, uniform as torch starts its layers."""
    window, hidden, feedback = MODELS[name]
    inputs, outputs = window * len(WORDS), len(COLOURS)
    back = {None: 0, "hidden": hidden, "output": outputs}[feedback]
    in_bound = 1 / math.sqrt(hidden if feedback else inputs)
    shapes = {"W_ih": (inputs, hidden), "b": (1, hidden)}
    if back:
        shapes["W_hh"] = (back, hidden)
    shapes |= {"W_ho": (hidden, outputs), "b_o": (1, outputs)}
    rows = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        row = {}
        for key, shape in shapes.items():
            bound = 1 / math.sqrt(hidden) if key in ("W_ho", "b_o") else in_bound
            row[key] = (2 * torch.rand(shape, generator=generator) - 1) * bound
        rows.append(row)
    return {key: torch.stack([row[key] for row in rows]) for key in shapes}


def answer(name: str, p: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """Logits at the question mark, (M, B, 4), from one-hot sentences x (M, B, T, V)."""
    window, hidden, feedback = MODELS[name]
    M, B, T, V = x.shape
    if feedback is None:
        seen = x[:, :, T - window :].reshape(M, B, window * V)
        h = torch.tanh(torch.baddbmm(p["b"], seen, p["W_ih"]))
        return torch.baddbmm(p["b_o"], h, p["W_ho"])
    drive = torch.baddbmm(p["b"], x.reshape(M, B * T, V), p["W_ih"]).reshape(M, B, T, hidden)
    carried = x.new_zeros(M, B, hidden if feedback == "hidden" else len(COLOURS))
    for t in range(T):
        h = torch.tanh(drive[:, :, t] + carried @ p["W_hh"])
        # Elman feeds back the hidden state, Jordan the output
        carried = h if feedback == "hidden" else torch.baddbmm(p["b_o"], h, p["W_ho"])
    return torch.baddbmm(p["b_o"], h, p["W_ho"])


def one_hot(words: np.ndarray) -> torch.Tensor:
    return torch.nn.functional.one_hot(torch.as_tensor(words), len(WORDS)).float()


def train(name: str, seeds: range, rates: tuple[float, ...], steps: int, span=(1, FARTHEST)):
    """Adam on fresh sentences, one member for each rate and seed, rate falling to zero.

    Members are ordered rate by rate. A seed has the same start at every rate, and the same
    sentences at every rate and in every model, so that differences are paired.
    """
    streams = [draw(np.random.default_rng([seed, 1]), steps * BATCH, *span) for seed in seeds]
    words = torch.as_tensor(np.stack([s[0] for s in streams])).reshape(len(seeds), steps, BATCH, -1)
    targets = torch.as_tensor(np.stack([s[1] for s in streams])).reshape(len(seeds), steps, BATCH)
    p = {k: v.repeat(len(rates), 1, 1).requires_grad_() for k, v in start(name, seeds).items()}
    rate = torch.tensor(rates).repeat_interleave(len(seeds))[:, None, None]
    mean = {k: torch.zeros_like(v) for k, v in p.items()}
    square = {k: torch.zeros_like(v) for k, v in p.items()}
    for step in range(steps):
        x = one_hot(words[:, step]).repeat(len(rates), 1, 1, 1)
        target = targets[:, step].repeat(len(rates), 1)
        logits = answer(name, p, x)
        loss = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), target.flatten(), reduction="sum"
        )
        gradients = torch.autograd.grad(loss / BATCH, list(p.values()))
        with torch.no_grad():
            for (key, value), g in zip(p.items(), gradients, strict=True):
                mean[key].lerp_(g, 0.1)
                square[key].lerp_(g * g, 0.001)
                m = mean[key] / (1 - 0.9 ** (step + 1))
                v = square[key] / (1 - 0.999 ** (step + 1))
                value -= rate * (1 - step / steps) * m / (v.sqrt() + 1e-8)
    return {k: v.detach() for k, v in p.items()}


@torch.no_grad()
def accuracy(name: str, p: dict[str, torch.Tensor], words: np.ndarray, answers: np.ndarray):
    """Share of right answers of every member on the same sentences, (M,)."""
    members = len(p["b"])
    x = one_hot(words).expand(members, -1, -1, -1)
    right = answer(name, p, x).argmax(-1) == torch.as_tensor(answers)
    return right.double().mean(1).numpy()


def choose(name: str, seeds: range, rates: tuple[float, ...], steps: int, span=(1, FARTHEST)):
    """Train on the grid, choose the rate with the best mean validation accuracy.

    Returns the result as a dictionary and the weights of the ten chosen members.
    """
    p = train(name, seeds, rates, steps, span)
    validation = accuracy(name, p, *draw(np.random.default_rng(1000), 2000, *span))
    validation = validation.reshape(len(rates), len(seeds))
    best = int(validation.mean(1).argmax())
    p = {k: v[best * len(seeds) : (best + 1) * len(seeds)] for k, v in p.items()}
    test = accuracy(name, p, *draw(np.random.default_rng(2000), 4000, *span))
    result = {
        "steps": steps,
        "distances of training": list(span),
        "validation": validation.round(4).tolist(),
        "rate": rates[best],
        "test": test.round(4).tolist(),
    }
    return result, p


def by_distance(name: str, p: dict[str, torch.Tensor], distances, count: int) -> list:
    """Accuracy of every member at each distance, (M, distances)."""
    rng = np.random.default_rng(3000)
    rows = []
    for d in distances:
        length = max(d + 2, FARTHEST + 2)
        rows.append(accuracy(name, p, *sentences(rng, count, length, np.full(count, d))))
    return np.stack(rows, 1).round(4).tolist()


def paired(a: list[float], b: list[float]) -> dict[str, float]:
    """Mean of a - b over seeds with its 95 % interval (Student's t)."""
    d = np.subtract(a, b)
    half = T_975[len(d) - 1] * d.std(ddof=1) / math.sqrt(len(d))
    return {
        k: round(float(v), 4)
        for k, v in (("mean", d.mean()), ("low", d.mean() - half), ("high", d.mean() + half))
    }


def run(short: bool = False) -> dict:
    """The whole experiment; `short` takes three seeds, one rate, three models, fewer steps."""
    begin = time.perf_counter()
    seeds, rates, steps = (range(3), (0.01,), 400) if short else (range(10), RATES, 800)
    names = ("one-step", "window of 4", "loop") if short else tuple(MODELS)
    distances = list(range(1, FARTHEST + 1)) if short else list(range(1, 21))
    models, weights = {}, {}
    for name in names:
        models[name], weights[name] = choose(name, seeds, rates, steps)
        models[name]["by distance"] = by_distance(name, weights[name], distances, 400)
    held = HELD[:3] if short else HELD
    result = {
        "experiment": "01_loop",
        "chance": 1 / len(COLOURS),
        "seeds": list(seeds),
        "rates": list(rates),
        "sizes": {name: size(name, weights[name]) for name in names},
        "batch": BATCH,
        "distances": distances,
        "models": models,
        "differences": {
            name: paired(models["loop"]["test"], models[name]["test"])
            for name in names
            if name != "loop"
        },
        "held": {"distances": list(held), "loop": by_distance("loop", weights["loop"], held, 100)},
        "far": [choose("loop", seeds, rates, steps, span)[0] for span in FAR[: 1 if short else 2]],
    }
    if not short:
        result["longer"] = {"output loop": choose("output loop", seeds, rates, 3 * steps)[0]}
    result |= {
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
        "device": f"CPU ({platform.machine()}), one thread",
        "seconds": round(time.perf_counter() - begin, 1),
        "date": datetime.date.today().isoformat(),
    }
    return result


def size(name: str, p: dict[str, torch.Tensor]) -> dict:
    window, hidden, feedback = MODELS[name]
    weights = sum(value[0].numel() for value in p.values())
    return {"window": window, "hidden": hidden, "fed back": feedback, "weights": weights}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="three seeds, prints only")
    short = parser.parse_args().short
    torch.set_num_threads(1)
    result = run(short)
    for name, model in result["models"].items():
        test = np.array(model["test"])
        print(f"{name:12} rate {model['rate']:<6} test {test.mean():.3f} worst {test.min():.3f}")
    print(json.dumps({k: result[k] for k in ("differences", "seconds")}))
    if not short:
        target = Path(__file__).with_suffix(".json")
        lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in result.items())
        target.write_text("{\n" + lines + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
