"""The course's figures: one look, one colour for one thing, light and dark from one picture.

A figure is an ordinary matplotlib ``Figure`` until :func:`show` turns it into an inline SVG
whose colours are CSS variables. On a narrow screen the same figure is laid out again, smaller
and with letters of the same size.
"""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation
from numpy.typing import ArrayLike

from lstmkit.plotting_svg import ThemedFigure, embed

if TYPE_CHECKING:
    from lstmkit.plotting_results import (
        attention_map,
        forecast,
        gradient_by_distance,
        learning_curves,
        two_lines,
    )

__all__ = [
    "COLOURS",
    "ThemedFigure",
    "attention_map",
    "band",
    "belt",
    "conveyor_belt",
    "figure",
    "forecast",
    "gates_over_time",
    "gradient_by_distance",
    "label_end",
    "learning_curves",
    "name_axes",
    "show",
    "two_lines",
]

COLOURS: dict[str, dict[str, str]] = {
    "light": {
        "x": "#5b616b",
        "h": "#00508f",
        "c": "#946200",
        "f": "#a3160f",
        "i": "#00795a",
        "g": "#7660d6",
        "o": "#c2378f",
        "ink": "#1a1d21",
        "muted": "#5a6069",
        "grid": "#dfe2e6",
        "paper": "#ffffff",
    },
    "dark": {
        "x": "#a7aeb9",
        "h": "#4aa3f0",
        "c": "#f5c04a",
        "f": "#ff7b6b",
        "i": "#3fd0a4",
        "g": "#c6bcff",
        "o": "#f58fd0",
        "ink": "#e8eaed",
        "muted": "#a6adb8",
        "grid": "#2f353d",
        "paper": "#14181e",
    },
}
SIZES = {"full": (720, 320), "half": (350, 260)}
NARROW = 350  # width of the second layout, for phones
FONT_SIZE = 13
LABEL_STEP = 16  # smallest distance of two labels at line ends, in points of the SVG

_LIGHT = COLOURS["light"]
_VARIABLES = {colour: f"--lk-{name}" for name, colour in _LIGHT.items()}
_LOOK: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "lstmkit",
    "font.size": FONT_SIZE,
    "mathtext.default": "regular",
    "path.simplify": True,
    "path.simplify_threshold": 0.4,
}
_seen: Counter[str] = Counter()


def __getattr__(name: str) -> Any:
    """The figures of results are built on this module and come when asked for (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'lstmkit.plotting' has no attribute {name!r}")
    return getattr(import_module("lstmkit.plotting_results"), name)


def figure(
    width: Literal["full", "half"] = "full", rows: int = 1, height: int | None = None
) -> tuple[Figure, Any]:
    """An empty figure in the course's look: no box, a light grid on y, no tick marks.

    Returns ``(fig, ax)``; with ``rows > 1`` the second is an array of axes that share x.
    ``height`` is in pixels; by default 320 (full) or 260 (half), and more for more rows.
    """
    if width not in SIZES:
        raise ValueError(f"width is {width!r}; it must be one of {sorted(SIZES)}")
    pixels, standard = SIZES[width]
    tall = height or standard + 110 * (rows - 1)
    with matplotlib.rc_context(_LOOK):
        fig = Figure(figsize=(pixels / 72, tall / 72), layout="constrained")
        FigureCanvasSVG(fig)
        fig.patch.set_facecolor(_LIGHT["paper"])
        axes = np.atleast_1d(fig.subplots(rows, 1, sharex=True))
        for ax in axes:
            _dress(ax)
    return fig, axes if rows > 1 else axes[0]


def _dress(ax: Axes) -> None:
    ax.patch.set_visible(False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.tick_params(which="both", length=0, labelcolor=_LIGHT["muted"], labelsize=FONT_SIZE - 1)
    ax.grid(axis="y", color=_LIGHT["grid"], linewidth=1)
    ax.set_axisbelow(True)
    order = [_LIGHT[name] for name in ("h", "c", "f", "i", "g")]
    ax.set_prop_cycle(color=order, linewidth=[2.0] * len(order))


def name_axes(ax: Axes, x: str = "", y: str = "") -> None:
    """Name both axes, with units; the name of y stands flat above the axis."""
    if x:
        ax.set_xlabel(x, color=_LIGHT["muted"], fontsize=FONT_SIZE)
    if y:
        ax.set_title(y, loc="left", color=_LIGHT["muted"], fontsize=FONT_SIZE)


def label_end(ax: Axes, line: Line2D, text: str) -> Annotation:
    """Write ``text`` at the right end of ``line``, in its colour, in place of a legend.

    Labels that would overlap are moved apart when the figure is shown.
    """
    xs, ys = (np.asarray(a, dtype=float) for a in line.get_data())
    last = np.flatnonzero(np.isfinite(xs) & np.isfinite(ys))
    if last.size == 0:
        raise ValueError(f"the line to be labelled {text!r} has no finite point")
    return _label_at(ax, xs[last[-1]], ys[last[-1]], text, str(line.get_color()))


def _label_at(ax: Axes, x: float, y: float, text: str, colour: str) -> Annotation:
    return ax.annotate(
        text,
        (x, y),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        color=colour,
        fontsize=FONT_SIZE,
        gid="lk-end",
        annotation_clip=False,
    )


def band(
    ax: Axes,
    x: ArrayLike,
    values: ArrayLike,
    colour: str,
    label: str,
    interval: tuple[float, float] = (25, 75),
    points: int = 160,
) -> Line2D:
    """Median over axis 0 as a line, and the interval between two percentiles as a band.

    ``values`` has shape ``(seeds, len(x))``. More than ``points`` positions are thinned by
    averaging each seed over neighbouring positions. ``colour`` is a name in the palette
    (``"h"``) or a colour; an empty ``label`` writes none. Returns the line.
    """
    colour = _LIGHT.get(colour, colour)
    xs, rows = np.asarray(x, dtype=float), np.asarray(values, dtype=float)
    if rows.ndim != 2 or rows.shape[1] != xs.size:
        raise ValueError(f"values have shape {rows.shape}; expected (seeds, {xs.size})")
    if xs.size > points:
        parts = np.array_split(np.arange(xs.size), points)
        xs = np.array([xs[part].mean() for part in parts])
        rows = np.stack([rows[:, part].mean(axis=1) for part in parts], axis=1)
    low, middle, high = np.percentile(rows, [interval[0], 50, interval[1]], axis=0)
    ax.fill(
        np.concatenate([xs, xs[::-1]]),
        np.concatenate([low, high[::-1]]),
        color=colour,
        alpha=0.18,
        linewidth=0,
    )
    (line,) = ax.plot(xs, middle, color=colour, linewidth=2)
    if label:
        label_end(ax, line, label)
    return line


def belt(ax: Axes, x: ArrayLike, c: ArrayLike, label: str = "c") -> Line2D:
    """Draw a cell state as the course draws it: double and thick. Shapes ``(T,)``."""
    (line,) = ax.plot(x, c, color=_LIGHT["c"], linewidth=6, solid_capstyle="butt")
    ax.plot(x, c, color=_LIGHT["paper"], linewidth=2.4, solid_capstyle="butt")
    if label:
        label_end(ax, line, label)
    return line


def show(fig: Figure, *, title: str, desc: str) -> ThemedFigure:
    """Turn a figure into an inline SVG with a text alternative.

    ``title`` names it in a few words, ``desc`` says what a reader is to see in it; both are
    read aloud by screen readers, and an empty one is an error.
    """
    if not title.strip() or not desc.strip():
        raise ValueError("a figure needs a title and a desc: readers who cannot see it get these")
    width, height = (round(side * 72) for side in fig.get_size_inches())
    wide = _svg_source(fig)
    narrow = None
    if width > NARROW:
        fig.set_size_inches(NARROW / 72, max(height, SIZES["half"][1]) / 72)
        narrow = _svg_source(fig)
        fig.set_size_inches(width / 72, height / 72)
    digest = hashlib.sha256("\0".join((title, desc, wide)).encode()).hexdigest()[:8]
    _seen[digest] += 1  # the same picture may be shown twice in one page
    prefix = f"lk{digest}{'' if _seen[digest] == 1 else _seen[digest]}"

    def ready(source: str, kind: str) -> str:
        return embed(
            source,
            prefix=f"{prefix}{kind[0]}-",
            title=title,
            desc=desc,
            variables=_VARIABLES,
            css_class=f"lk-{kind}",
        )

    return ThemedFigure(
        ready(wide, "wide"), None if narrow is None else ready(narrow, "narrow"), title, desc
    )


def _svg_source(fig: Figure) -> str:
    with matplotlib.rc_context(_LOOK):
        for ax in fig.axes:
            for line in ax.lines:
                _thin(line)
            _spread_labels(fig, ax)
        out = io.StringIO()
        fig.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()


def _thin(line: Line2D, bins: int = 180) -> None:
    """Keep the lowest and highest point of each bin: what a picture this wide can show."""
    xs, ys = (np.asarray(a, dtype=float) for a in line.get_data())
    if xs.size > 2 * bins:
        keep = {0, xs.size - 1}
        for part in np.array_split(np.arange(xs.size), bins):
            if np.isfinite(ys[part]).all():
                keep.update((int(part[ys[part].argmin()]), int(part[ys[part].argmax()])))
            else:
                keep.update(part.tolist())
        kept = sorted(keep)
        line.set_data(xs[kept], ys[kept])
    line.get_path().simplify_threshold = _LOOK["path.simplify_threshold"]


def _spread_labels(fig: Figure, ax: Axes) -> None:
    """Move labels at line ends apart, keeping their order and their mean height."""
    labels = [t for t in ax.texts if isinstance(t, Annotation) and t.get_gid() == "lk-end"]
    if len(labels) < 2:
        return
    for label in labels:
        label.set_position((6, 0))
    fig.draw_without_rendering()
    heights = np.array([ax.transData.transform(label.xy)[1] for label in labels])
    heights = heights * 72 / fig.dpi
    order = np.argsort(heights, kind="stable")
    wanted = heights[order]
    placed = wanted.copy()
    for k in range(1, len(placed)):
        placed[k] = max(placed[k], placed[k - 1] + LABEL_STEP)
    placed -= (placed - wanted).mean()
    for place, index in enumerate(order):
        labels[index].set_position((6, float(placed[place] - wanted[place])))


def _mark(axes: Any, stops: ArrayLike) -> None:
    """Dotted lines at the stops through all panels, named at the top."""
    places = np.asarray(stops, dtype=float).ravel()
    for ax in np.atleast_1d(axes):
        for stop in places:
            ax.axvline(stop, color=_LIGHT["muted"], linewidth=1, linestyle=(0, (2, 3)))
    for stop in places:
        np.atleast_1d(axes)[0].annotate(
            "stop",
            (stop, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            va="bottom",
            color=_LIGHT["muted"],
            fontsize=FONT_SIZE - 1,
        )


def gates_over_time(
    series: dict[str, ArrayLike],
    *,
    stops: ArrayLike = (),
    title: str,
    desc: str,
    xlabel: str = "step",
    target: ArrayLike | None = None,
) -> ThemedFigure:
    """One cell over one sequence: what comes in, what lies on the belt, what the gates do.

    ``series`` maps symbols (``x h c i f g o``) to arrays of shape ``(T,)``: x is drawn as
    bars, c double and thick, h and g thin, and the gates i, f, o in a panel from 0 to 1.
    ``stops`` are steps to mark; ``target`` is drawn in grey beside the belt.
    """
    values = {name: np.asarray(value, dtype=float) for name, value in series.items()}
    unknown = set(values) - set("xhcifgo")
    if unknown or not values:
        raise ValueError(f"series has {sorted(unknown) or 'nothing'}; known are x h c i f g o")
    lengths = {value.shape for value in values.values()}
    if len(lengths) != 1 or len(next(iter(lengths))) != 1:
        raise ValueError(f"the series have shapes {sorted(lengths)}; expected one shape (T,)")
    steps = np.arange(next(iter(values.values())).size)
    panels = [names for names in ("x", "chg", "ifo") if any(name in values for name in names)]
    fig, axes = figure(rows=len(panels), height=200 + 100 * (len(panels) - 1))
    axes = np.atleast_1d(axes)
    _mark(axes, stops)
    for ax, names in zip(axes, panels, strict=True):
        if names == "chg" and target is not None:
            (line,) = ax.plot(steps, np.asarray(target), color=_LIGHT["muted"], linewidth=1.5)
            label_end(ax, line, "target")
        for name in (name for name in names if name in values):
            _draw_symbol(ax, steps, name, values[name])
        name_axes(ax, y={"x": "input", "chg": "state", "ifo": "gate opening, 0 to 1"}[names])
        if names == "ifo":
            ax.set_ylim(-0.05, 1.05)
            ax.set_yticks([0, 0.5, 1])
    name_axes(axes[-1], x=xlabel)
    return show(fig, title=title, desc=desc)


def _draw_symbol(ax: Axes, steps: np.ndarray, name: str, values: np.ndarray) -> None:
    colour = _LIGHT[name]
    if name == "x":
        ax.bar(steps, values, color=colour, width=0.6)
        _label_at(ax, steps[-1] + 0.3, 0.0, "x", colour)
    elif name == "c":
        belt(ax, steps, values)
    else:
        (line,) = ax.plot(steps, values, color=colour, linewidth=1.8)
        label_end(ax, line, name)


def conveyor_belt(
    c: ArrayLike, f: ArrayLike, *, stops: ArrayLike = (), title: str, desc: str
) -> ThemedFigure:
    """What lies on the belt after each step, and the factor that acted on it.

    ``c`` and ``f`` have shape ``(T,)``. The belt is the double line; what lies on it stands
    above (positive) or hangs below (negative); the gate f is written under the belt.
    """
    load, factor = np.asarray(c, dtype=float), np.asarray(f, dtype=float)
    if load.ndim != 1 or load.shape != factor.shape:
        raise ValueError(f"c has shape {load.shape}, f {factor.shape}; expected one shape (T,)")
    steps = np.arange(load.size)
    fig, axes = figure(rows=2, height=SIZES["full"][1])
    _mark(axes, stops)
    axes[0].bar(steps, load, color=_LIGHT["c"], alpha=0.45, width=0.7)
    belt(axes[0], np.array([-0.6, load.size - 0.4]), np.zeros(2), label="belt c")
    axes[1].bar(steps, factor, color=_LIGHT["f"], width=0.7)
    _label_at(axes[1], load.size - 0.4, float(factor[-1]) / 2, "f", _LIGHT["f"])
    axes[1].set_ylim(0, 1.05)
    axes[1].set_yticks([0, 0.5, 1])
    name_axes(axes[0], y="what lies on the belt")
    name_axes(axes[1], x="step", y="gate opening, 0 to 1")
    return show(fig, title=title, desc=desc)
