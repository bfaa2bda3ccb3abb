"""One training loop for the whole course: short, seeded, clipped, and resumable."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from lstmkit.training.batches import Batch, Source
from lstmkit.training.checkpoint import Run
from lstmkit.training.history import History

__all__ = ["fit"]

Loss = Callable[[nn.Module, Batch], Tensor]


def fit(
    model: nn.Module,
    train: Source,
    loss: Loss,
    *,
    validation: Source | None = None,
    epochs: int = 10,
    rate: float = 1e-3,
    schedule: Callable[[float], float] | None = None,
    clip: float | None = 1.0,
    patience: int | None = None,
    seed: int = 0,
    optimiser: type[torch.optim.Optimizer] = torch.optim.Adam,
    checkpoint: str | Path | None = None,
    quiet: bool = False,
) -> History:
    """Train ``model`` and return what happened.

    ``loss(model, batch)`` returns losses of any shape, one a sequence or one a real step: their
    mean is minimised, and an epoch's loss is the mean over all of them. With ``validation`` the
    model ends with the weights of its best epoch, and ``patience`` epochs without a better one
    end the run. ``schedule`` maps progress in (0, 1] to a share of ``rate``
    (:func:`lstmkit.training.one_cycle`). Gradients longer than ``clip`` are scaled down to it
    (Pascanu, Mikolov and Bengio, 2013); None leaves them.

    ``seed`` settles the order of the data and torch's random numbers (dropout), and nothing
    outside: the caller's random numbers go on as before. The weights are the caller's; seed them
    where the model is made.

    After every epoch the run is saved to ``checkpoint``. If the file is there, the run goes on from
    it, with the same result as a run without a break, bit for bit on a CPU; a run without a
    schedule may ask for more epochs than it was begun with.

    Raises:
        ValueError: the checkpoint is of a run with other settings, or a number makes no sense.
    """
    if epochs < 0 or rate <= 0 or (patience is not None and (patience < 1 or validation is None)):
        raise ValueError("epochs, rate and patience must be positive; patience needs validation")
    settings: dict[str, Any] = {"seed": seed, "rate": rate, "clip": clip, "patience": patience}
    settings |= {"batches": len(train), "optimiser": optimiser.__name__}
    settings |= {"scheduled epochs": epochs if schedule else None}
    device, mode = next(model.parameters()).device, model.training
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        run = Run(model, optimiser(model.parameters(), lr=rate), settings)  # type: ignore[call-arg]
        path = None if checkpoint is None else Path(checkpoint)
        if path is not None and path.exists():
            run.load(path)
        history = run.history
        done = len(history.train)
        ended = history.stopped in ("patience", "diverged")
        total, first = epochs * len(train), done * len(train)
        with tqdm(total=total, initial=first, disable=quiet, leave=False, unit="step") as bar:
            for epoch in range(epochs if ended else done, epochs):

                def share(step: int, epoch: int = epoch) -> float:
                    return schedule((epoch * len(train) + step) / total) if schedule else 1.0

                one_epoch(run, train, loss, np.random.default_rng([seed, epoch]), rate, share, bar)
                if history.stopped != "diverged" and validation is not None:
                    judge(run, mean_loss(model, validation, loss, seed), patience)
                if path is not None:
                    run.save(path)
                if history.stopped:
                    break
    if run.best:
        model.load_state_dict(run.best)
    model.train(mode)
    history.stopped = history.stopped or "finished"
    return history


def one_epoch(
    run: Run,
    train: Source,
    loss: Loss,
    rng: np.random.Generator,
    rate: float,
    share: Callable[[int], float],
    bar: tqdm,
) -> None:
    """Every batch once; adds the epoch's means to the history."""
    parameters = [p for p in run.model.parameters() if p.requires_grad]
    device = parameters[0].device
    limit = math.inf if run.settings["clip"] is None else run.settings["clip"]
    summed, count, norms = 0.0, 0, []
    run.model.train()
    for step, batch in enumerate(train.epoch(rng), start=1):
        for group in run.optimiser.param_groups:
            group["lr"] = rate * share(step)
        losses = loss(run.model, batch.to(device))
        mean = losses.mean()
        if not torch.isfinite(mean):
            run.history.stopped = "diverged"
            break
        run.optimiser.zero_grad()
        mean.backward()
        norms.append(float(nn.utils.clip_grad_norm_(parameters, limit)))
        run.optimiser.step()
        summed, count = summed + float(losses.detach().sum()), count + losses.numel()
        bar.update()
        bar.set_postfix(loss=f"{summed / count:.4g}", refresh=False)
    if norms:
        run.history.train.append(summed / count)
        run.history.norm.append(sum(norms) / len(norms))
        run.history.rate.append(float(run.optimiser.param_groups[0]["lr"]))
        before = run.history.steps[-1] if run.history.steps else 0
        run.history.steps.append(before + len(norms))


@torch.no_grad()
def mean_loss(model: nn.Module, source: Source, loss: Loss, seed: int) -> float:
    """The mean loss in evaluation mode, on the same batches at every call."""
    device = next(model.parameters()).device
    model.eval()
    summed, count = 0.0, 0
    for batch in source.epoch(np.random.default_rng([seed, 2**32 - 1])):
        losses = loss(model, batch.to(device))
        summed, count = summed + float(losses.sum()), count + losses.numel()
    return summed / count


def judge(run: Run, value: float, patience: int | None) -> None:
    """Note a validation loss, keep the weights if it is the lowest, stop when patience ends."""
    history = run.history
    history.validation.append(value)
    lowest = math.inf if history.best is None else history.validation[history.best]
    if value < lowest:
        history.best = len(history.validation) - 1
        run.best = copy.deepcopy(run.model.state_dict())
    if not math.isfinite(value):
        history.stopped = "diverged"
    elif patience is not None and history.best is not None:
        waited = len(history.validation) - 1 - history.best
        history.stopped = "patience" if waited >= patience else ""
