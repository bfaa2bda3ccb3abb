"""Figures of results: learning curves, forecasts, gradients over distance, attention, a cell.

Each takes arrays and gives a figure ready for a page; all are exported by ``lstmkit.plotting``.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter
from numpy.typing import ArrayLike, NDArray

from lstmkit import plotting
from lstmkit.plotting_svg import ThemedFigure

__all__ = ["attention_map", "forecast", "gradient_by_distance", "learning_curves", "two_lines"]

ORDER = ("h", "c", "f", "i", "g")


def learning_curves(
    curves: Mapping[str, ArrayLike | Sequence[Sequence[float]]],
    *,
    title: str,
    desc: str,
    xlabel: str = "epoch",
    ylabel: str = "loss",
    log: bool = False,
) -> ThemedFigure:
    """Median over seeds and the middle half of them, for up to five models.

    ``curves`` maps a name to values ``(seeds, epochs)``, or ``(epochs,)`` for one run. Runs of
    different lengths (early stopping) keep their last value to the end of the longest.
    """
    fig, ax = plotting.figure()
    for (name, values), symbol in zip(_few(curves).items(), ORDER, strict=False):
        rows = _rows(values)
        plotting.band(ax, np.arange(1, rows.shape[1] + 1), rows, symbol, name)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    plotting.name_axes(ax, x=xlabel, y=ylabel)
    if log:
        _log(ax)
    return plotting.show(fig, title=title, desc=desc)


def gradient_by_distance(norms: Mapping[str, ArrayLike], *, title: str, desc: str) -> ThemedFigure:
    """How much of a gradient arrives k steps before the loss, on a logarithmic scale.

    ``norms`` maps a name to ``(seeds, K)`` or ``(K,)``: ‖∂L/∂h(T − k)‖ for k = 0 … K − 1. A
    straight line is a constant factor a step. A norm of 0 has no place on the scale and is left
    out.
    """
    fig, ax = plotting.figure()
    for (name, values), symbol in zip(_few(norms).items(), ORDER, strict=False):
        rows = _rows(values)
        if (rows < 0).any():
            raise ValueError(f"the norms of {name!r} have negative values")
        rows = np.where(rows > 0, rows, np.nan)
        plotting.band(ax, np.arange(rows.shape[1]), rows, symbol, name)
    plotting.name_axes(ax, x="distance to the loss (steps)", y="gradient norm")
    _log(ax)
    return plotting.show(fig, title=title, desc=desc)


def forecast(
    times: ArrayLike,
    truth: ArrayLike,
    models: Mapping[str, ArrayLike],
    baselines: Mapping[str, ArrayLike],
    *,
    title: str,
    desc: str,
    xlabel: str = "",
    ylabel: str = "",
) -> ThemedFigure:
    """What was forecast, beside what came and what a naive forecast says.

    ``times`` (numbers or datetime64) and ``truth`` have shape ``(T,)``; a model's forecast
    ``(T,)``, or ``(seeds, T)`` for a band; a baseline's ``(T,)``, grey, each with other dashes.
    """
    moments, came = np.asarray(times), np.asarray(truth, dtype=float)
    dated = np.issubdtype(moments.dtype, np.datetime64)
    moments = date2num(moments) if dated else moments
    if moments.shape != came.shape or came.ndim != 1:
        raise ValueError(f"times {moments.shape} and truth {came.shape}; expected one shape (T,)")
    ink, muted = (plotting.COLOURS["light"][name] for name in ("ink", "muted"))
    fig, ax = plotting.figure()
    for (name, values), dash in zip(_few(baselines).items(), (4, 2, 7, 1, 10), strict=False):
        (line,) = ax.plot(moments, np.asarray(values), color=muted, linestyle=(0, (dash, 2)))
        plotting.label_end(ax, line, name)
    (line,) = ax.plot(moments, came, color=ink, linewidth=1.4)
    plotting.label_end(ax, line, "measured")
    for (name, values), symbol in zip(_few(models).items(), ORDER, strict=False):
        rows = _rows(values)
        if rows.shape[1] != came.size:
            raise ValueError(f"{name!r} has {rows.shape[1]} values; expected {came.size}")
        plotting.band(ax, moments, rows, symbol, name, points=came.size)
    if dated:
        locator = AutoDateLocator(minticks=2, maxticks=6)
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
    plotting.name_axes(ax, x=xlabel, y=ylabel)
    return plotting.show(fig, title=title, desc=desc)


def attention_map(
    weights: ArrayLike,
    *,
    title: str,
    desc: str,
    queries: Sequence[str] | None = None,
    keys: Sequence[str] | None = None,
) -> ThemedFigure:
    """Who looks at whom: ``weights`` ``(T_q, T_k)``, one row a query, the darker the more.

    ``queries`` and ``keys`` are the words beside the rows and under the columns.
    """
    table = np.asarray(weights, dtype=float)
    wanted = (len(queries) if queries else table.shape[0], len(keys) if keys else table.shape[-1])
    if table.ndim != 2 or table.shape != wanted:
        raise ValueError(f"weights have shape {table.shape}; the words ask for {wanted}")
    if not (np.isfinite(table).all() and table.min() >= 0):
        raise ValueError("attention weights must be finite and not negative")
    rows, columns = table.shape
    fig, ax = plotting.figure(height=min(560, max(180, 70 + 24 * rows)))
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) - 0.5
    cells = [corners + np.array([k, q]) for q in range(rows) for k in range(columns)]
    shown = PolyCollection(cells, linewidths=0)
    strength = table / max(table.max(), 1e-12)
    colour = plotting.COLOURS["light"]["h"]
    shown.set_facecolor([(colour, float(share)) for share in strength.flat])
    ax.add_collection(shown)
    ax.set_xlim(-0.5, columns - 0.5)
    ax.set_ylim(rows - 0.5, -0.5)
    ax.grid(False)
    _words(ax.xaxis, keys, columns)
    _words(ax.yaxis, queries, rows)
    plotting.name_axes(ax, x="looked at (key)", y="looking (query)")
    return _show(fig, title, desc)


def two_lines(
    c: ArrayLike,
    h: ArrayLike,
    *,
    title: str,
    desc: str,
    words: Sequence[str] | None = None,
    stops: ArrayLike = (),
) -> ThemedFigure:
    """The two lines of a cell over one sequence: the belt c above, the working line h below.

    ``c`` and ``h`` have shape ``(T,)``. ``words`` names the steps, ``stops`` are steps to mark.
    """
    belt, working = np.asarray(c, dtype=float), np.asarray(h, dtype=float)
    if belt.ndim != 1 or belt.shape != working.shape or not belt.size:
        raise ValueError(f"c has shape {belt.shape}, h {working.shape}; expected one shape (T,)")
    if words is not None and len(words) != belt.size:
        raise ValueError(f"{len(words)} words for {belt.size} steps")
    steps = np.arange(belt.size)
    muted = plotting.COLOURS["light"]["muted"]
    fig, axes = plotting.figure(rows=2, height=plotting.SIZES["full"][1])
    for ax in axes:
        for stop in np.asarray(stops, dtype=float).ravel():
            ax.axvline(stop, color=muted, linewidth=1, linestyle=(0, (2, 3)))
    plotting.belt(axes[0], steps, belt)
    (line,) = axes[1].plot(steps, working, color=plotting.COLOURS["light"]["h"], linewidth=1.8)
    plotting.label_end(axes[1], line, "h")
    axes[1].set_ylim(-1.08, 1.08)
    plotting.name_axes(axes[0], y="cell state")
    plotting.name_axes(axes[1], x="" if words else "step", y="hidden state, −1 to 1")
    if words:
        _words(axes[1].xaxis, words, belt.size)
    return _show(fig, title, desc)


def _show(fig: Figure, title: str, desc: str) -> ThemedFigure:
    with warnings.catch_warnings():
        # Text stays text: the reader's fonts have the letters that matplotlib's lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        return plotting.show(fig, title=title, desc=desc)


def _few(curves: Mapping[str, Any]) -> Mapping[str, Any]:
    if len(curves) > len(ORDER):
        raise ValueError(
            f"{len(curves)} lines in one figure; at most {len(ORDER)} can be told apart"
        )
    return curves


def _rows(values: Any) -> NDArray[np.float64]:
    """``(seeds, T)``; a single run becomes one row, shorter runs keep their last value."""
    runs = values if isinstance(values, list | tuple) else np.asarray(values, dtype=float)
    if np.ndim(runs[0]) == 0:
        return np.asarray(runs, dtype=float)[None]
    longest = max(len(run) for run in runs)
    filled = [np.concatenate([run, np.full(longest - len(run), run[-1])]) for run in runs]
    return np.asarray(filled, dtype=float)


def _log(ax: Axes) -> None:
    ax.set_yscale("log")
    ax.yaxis.set_major_formatter(FuncFormatter(_power))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.tick_params(which="both", length=0)


def _power(value: float, _: object = None) -> str:
    if 0.001 <= value <= 1000:
        return f"{value:g}"
    digits, power = f"{value:.0e}".split("e")
    return f"{digits}e{int(power)}".replace("-", "−")


def _words(axis: Any, words: Sequence[str] | None, count: int) -> None:
    if words is None:
        axis.set_major_locator(MaxNLocator(integer=True))
        return
    axis.set_ticks(np.arange(count), labels=list(words))
    if axis.axis_name == "x" and max(map(len, words)) * count > 60:
        axis.set_tick_params(labelrotation=90)
