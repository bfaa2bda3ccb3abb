"""Real series in time, cut by time: sunspots, weather, shares, blood sugar.

The last part of a series is its test, the part before it its validation: a model never sees the
future of what it is judged on. Scaling uses the training part alone, and a window never reaches
over the end of its part or over a gap.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lstmkit.data.parts import Parts, Shares, by_time
from lstmkit.data.provenance import SETS, Provenance, table

__all__ = ["Series", "glucose", "seattle", "springfield", "stocks", "sunspots"]

PartName = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class Series:
    """One or more quantities over time.

    ``values`` has shape ``(T, D)``, float64; ``times`` ``(T,)``, datetime64; ``columns`` names the
    D quantities with their units. ``parts`` holds the indices of training, validation and test, in
    this order of time. ``step`` is the usual distance of two times; where it is larger by half,
    the series has a gap (``step`` None: an irregular calendar whose gaps do not count). ``mean``
    and ``std``, ``(D,)``, undo :meth:`standardised`: they are 0 and 1 before it.
    """

    values: NDArray[np.float64]
    times: NDArray[np.datetime64]
    columns: tuple[str, ...]
    parts: Parts
    provenance: Provenance
    step: np.timedelta64 | None
    mean: NDArray[np.float64]
    std: NDArray[np.float64]

    def standardised(self) -> Series:
        """The same series with mean 0 and standard deviation 1 over its training part."""
        train = self.values[self.parts.train]
        mean, std = train.mean(axis=0), train.std(axis=0)
        values = (self.values - mean) / std
        return replace(self, values=values, mean=self.mean + mean * self.std, std=std * self.std)

    def restored(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Standardised values, shape ``(..., D)``, back in their units."""
        return values * self.std + self.mean

    def breaks(self) -> NDArray[np.int64]:
        """Indices t at which a gap lies between t − 1 and t."""
        if self.step is None:
            return np.empty(0, dtype=np.int64)
        return np.flatnonzero(np.diff(self.times) > 1.5 * self.step) + 1

    def windows(
        self, part: PartName, length: int, horizon: int = 1, stride: int = 1
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
        """What is known and what is to be forecast, time-major.

        Returns ``x (length, N, D)``, the ``length`` steps up to and including step t;
        ``y (N, D)``, the values at t + ``horizon``; and ``t (N,)``. All of x and y lies within the
        part and within one stretch without a gap.

        Raises:
            ValueError: the part is unknown, or a number is smaller than one.
        """
        if part not in ("train", "validation", "test"):
            raise ValueError(f"part is {part!r}; it must be train, validation or test")
        if min(length, horizon, stride) < 1:
            raise ValueError("length, horizon and stride must be at least 1")
        inside = getattr(self.parts, part)
        edges = np.zeros(len(self.values) + 1, dtype=np.int64)
        edges[self.breaks()] = 1
        stretch = np.cumsum(edges)[:-1]
        first = np.arange(inside[0], inside[-1] + 2 - length - horizon, stride)
        now = first + length - 1
        whole = stretch[first] == stretch[now + horizon]
        first, now = first[whole], now[whole]
        x = self.values[first[None] + np.arange(length)[:, None]]
        return x, self.values[now + horizon], now


def _series(
    name: str,
    columns: tuple[str, ...],
    step: np.timedelta64 | None,
    shares: Shares = (0.7, 0.15, 0.15),
) -> Series:
    rows = table(name)
    values = np.array([row[1 : 1 + len(columns)] for row in rows], dtype=np.float64)
    times = np.array([row[0] for row in rows], dtype="datetime64")
    for array in (values, times):
        array.setflags(write=False)
    width = len(columns)
    return Series(
        values,
        times,
        columns,
        by_time(len(rows), shares),
        SETS[name],
        step,
        np.zeros(width),
        np.ones(width),
    )


@cache
def sunspots() -> Series:
    """Yearly sunspot numbers, 1700 to 2008: T = 309, D = 1.

    The square root makes its ups and downs equally wide. The first forecast of the course: a
    cycle of about eleven years that is never quite the same.
    """
    return _series("sunspots", ("sunspots",), np.timedelta64(1, "Y"))


@cache
def seattle() -> Series:
    """Daily weather of Seattle, 2012 to 2015: T = 1,461, D = 4.

    Rain in mm, highest and lowest temperature in °C, wind in m/s. Two years train, one validates,
    the last one is the test, so that every part that is judged holds all seasons.
    """
    columns = ("precipitation (mm)", "highest (°C)", "lowest (°C)", "wind (m/s)")
    return _series("seattle", columns, np.timedelta64(1, "D"), (0.5, 0.25, 0.25))


@cache
def springfield() -> Series:
    """Hourly temperature at Springfield, Illinois, 2015 to 2018, UTC: T = 19,417, D = 1, in °F.

    No hour is missing, so a stream can be fed item by item; a day and a year swing at once.
    """
    return _series("springfield", ("temperature (°F)",), np.timedelta64(1, "h"))


@cache
def stocks() -> Series:
    """Three shares on 3,270 trading days, 2000 to 2013: D = 6.

    The close of AAPL, IBM and MSFT, adjusted for splits and dividends, then the three volumes.
    Here to show what cannot be forecast: tomorrow's price is today's, and R² looks fine all the
    same. Weekends and holidays are no gaps.
    """
    names = ("AAPL", "IBM", "MSFT")
    columns = (*(f"{name} (USD)" for name in names), *(f"{name} volume" for name in names))
    return _series("stocks", columns, None)


@cache
def glucose() -> Series:
    """One person's blood glucose every five minutes for 200 days: T about 52,000, D = 1, in mg/dl.

    With the gaps that a real sensor leaves; windows do not cross them. For streaming on a small
    device. Not for medical use.
    """
    return _series("glucose", ("glucose (mg/dl)",), np.timedelta64(5, "m"))
