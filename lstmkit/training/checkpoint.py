"""Saving a run after an epoch, and going on from there as if nothing had happened.

A run is settled by its weights, the optimiser's moments, torch's random numbers, the data order
and the losses so far. The data order needs no saving: it follows from the seed and the epoch.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lstmkit.training.history import History

__all__ = ["Run"]


@dataclass
class Run:
    """A run between two epochs."""

    model: nn.Module
    optimiser: torch.optim.Optimizer
    settings: dict[str, Any]
    history: History = field(default_factory=History)
    best: dict[str, Tensor] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write everything to ``path``; a crash on the way leaves the older file whole."""
        state = {
            "settings": self.settings,
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "history": asdict(self.history),
            "best": self.best,
            "random": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(path.name + ".part")
        torch.save(state, beside)
        os.replace(beside, path)

    def load(self, path: Path) -> None:
        """Put model, optimiser, history and torch's random numbers back as they were saved.

        Raises:
            ValueError: the file is of a run with other settings.
        """
        state = torch.load(path, map_location="cpu", weights_only=True)
        other = {
            name: (state["settings"].get(name), value)
            for name, value in self.settings.items()
            if state["settings"].get(name) != value
        }
        if other:
            told = ", ".join(f"{name} {was!r}, now {now!r}" for name, (was, now) in other.items())
            raise ValueError(f"{path} is of another run ({told}): delete it or name another file")
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.history = History(**state["history"])
        self.best = state["best"]
        torch.set_rng_state(state["random"])
        if state["cuda"] and torch.cuda.is_available():
            torch.cuda.set_rng_state_all(state["cuda"])
