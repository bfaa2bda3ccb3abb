"""What a training run leaves behind: its losses, epoch by epoch, and a picture of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from lstmkit.plotting import ThemedFigure

__all__ = ["History"]


@dataclass
class History:
    """One number an epoch in each list.

    ``train`` is the mean loss while the weights were changing, ``validation`` the mean loss after
    the epoch (empty without validation data), ``norm`` the mean gradient norm before clipping,
    ``rate`` the learning rate of the epoch's last step, ``steps`` the steps taken so far.
    ``best`` is the epoch of the lowest validation loss, from 0; ``stopped`` says how the run
    ended: all epochs done, validation no longer getting better, or a loss that is not finite.
    """

    train: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    norm: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    best: int | None = None
    stopped: Literal["", "finished", "patience", "diverged"] = ""

    def plot(self, title: str = "Learning curve", desc: str = "") -> ThemedFigure:
        """Both losses over the epochs. ``desc`` is the text alternative; by default, in numbers."""
        from lstmkit.plotting import learning_curves

        curves = {"training": [self.train]}
        if self.validation:
            curves["validation"] = [self.validation]
        return learning_curves(curves, title=title, desc=desc or str(self))

    def __str__(self) -> str:
        if not self.train:
            return "No epoch was finished."
        text = f"{len(self.train)} epochs; training loss from {self.train[0]:.3g} "
        text += f"to {self.train[-1]:.3g}"
        if self.best is not None:
            text += f"; lowest validation loss {self.validation[self.best]:.3g} "
            text += f"after epoch {self.best + 1}"
        return text + "."

    def _repr_html_(self) -> str:
        return self.plot()._repr_html_() if self.train else str(self)
