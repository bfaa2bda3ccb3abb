"""Figures of results: what is drawn is what was given, and the text can be read aloud."""

import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

from lstmkit import plotting, plotting_results

SVG = "{http://www.w3.org/2000/svg}"
WORDS = {"title": "A figure", "desc": "What is to be seen."}


@pytest.fixture
def drawn(monkeypatch):
    """The matplotlib figures behind what is shown."""
    figures = []
    show = plotting.show

    def keep(fig, **words):
        figures.append(fig)
        return show(fig, **words)

    monkeypatch.setattr(plotting, "show", keep)
    return figures


def texts(shown):
    root = ElementTree.fromstring(shown._wide)
    return ["".join(t.itertext()) for t in root.iter(f"{SVG}text")]


def test_all_are_exported_by_plotting_whichever_comes_first():
    for first in ("plotting", "plotting_results"):
        code = f"import lstmkit.{first}; from lstmkit.plotting import forecast, two_lines; "
        code += "from lstmkit import plotting as p; print(all(hasattr(p, n) for n in p.__all__))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.stdout.strip() == "True", done.stderr
    assert set(plotting_results.__all__) <= set(plotting.__all__)
    with pytest.raises(AttributeError, match="no attribute 'pie'"):
        plotting.pie  # noqa: B018


def test_learning_curves_show_the_median_and_hold_runs_that_stopped_early(drawn):
    shown = plotting.learning_curves(
        {"LSTM": [[3.0, 2.0, 1.0], [5.0, 4.0], [4.0, 3.0, 2.0]], "ridge": [2.5, 2.5, 2.5]}, **WORDS
    )
    lstm, ridge = drawn[0].axes[0].lines
    np.testing.assert_allclose(lstm.get_xdata(), [1, 2, 3])
    np.testing.assert_allclose(lstm.get_ydata(), [4, 3, 2])
    np.testing.assert_allclose(ridge.get_ydata(), [2.5, 2.5, 2.5])
    corners = drawn[0].axes[0].patches[0].get_xy()
    # Third epoch: 1, 4 (held) and 2 have quartiles 1.5 and 3.
    assert {(3.0, 1.5), (3.0, 3.0)} <= {tuple(corner) for corner in corners}
    assert {"LSTM", "ridge", "epoch", "loss"} <= set(texts(shown))


def test_gradients_are_drawn_on_a_logarithmic_scale_without_zeros(drawn):
    norms = np.array([[1.0, 1e-2, 1e-4, 0.0], [1.0, 1e-2, 1e-4, 0.0]])
    shown = plotting.gradient_by_distance({"RNN": norms}, **WORDS)
    ax = drawn[0].axes[0]
    assert ax.get_yscale() == "log"
    np.testing.assert_allclose(ax.lines[0].get_ydata()[:3], [1, 1e-2, 1e-4])
    assert np.isnan(ax.lines[0].get_ydata()[3])
    assert "1e−4" in texts(shown)
    with pytest.raises(ValueError, match="negative"):
        plotting.gradient_by_distance({"RNN": [-1.0, 1.0]}, **WORDS)


@pytest.mark.parametrize("unit", ["D", "h", "m"])
def test_forecasts_stand_at_their_dates_in_every_unit(drawn, unit):
    times = np.datetime64("2020-03-01T00:00").astype(f"datetime64[{unit}]") + np.arange(48)
    truth = np.arange(48.0)
    shown = plotting.forecast(
        times,
        truth,
        {"LSTM": np.stack([truth + 1, truth + 2, truth + 3])},
        {"persistence": truth - 1, "mean": np.full(48, 24.0)},
        ylabel="°C",
        **WORDS,
    )
    persistence, mean, measured, lstm = drawn[0].axes[0].lines
    np.testing.assert_allclose(persistence.get_ydata(), truth - 1)
    np.testing.assert_allclose(measured.get_ydata(), truth)
    np.testing.assert_allclose(lstm.get_ydata(), truth + 2)
    days = (times - np.datetime64("1970-01-01")) / np.timedelta64(1, "D")
    for line in (measured, lstm):
        np.testing.assert_allclose(np.asarray(line.get_xdata(), dtype=float), days)
    grey = plotting.COLOURS["light"]["muted"]
    assert persistence.get_color() == mean.get_color() == grey
    assert persistence.get_linestyle() != "-"
    assert {"LSTM", "persistence", "mean", "measured", "°C"} <= set(texts(shown))


def test_an_attention_map_is_as_dark_as_its_weights(drawn):
    weights = [[0.0, 1.0, 0.0], [0.5, 0.25, 0.25]]
    shown = plotting.attention_map(
        weights, queries=["I", "see"], keys=["私", "は", "見る"], **WORDS
    )
    (cells,) = drawn[0].axes[0].collections
    np.testing.assert_allclose(cells.get_facecolor()[:, 3], np.ravel(weights))
    centres = [path.vertices[:4].mean(axis=0).tolist() for path in cells.get_paths()]
    assert centres == [[k, q] for q in range(2) for k in range(3)]
    low, high = drawn[0].axes[0].get_ylim()
    assert low > high  # the first query stands on top
    assert {"I", "see", "私", "は", "見る"} <= set(texts(shown))
    page = shown._repr_html_()
    assert f"var(--lk-h, {plotting.COLOURS['light']['h']})" in page
    assert "opacity" in page


def test_two_lines_draw_the_belt_above_the_working_line(drawn):
    shown = plotting.two_lines([0.5, 1.5, -1.0], [0.1, 0.9, -0.3], words=["a", "b", "c"], **WORDS)
    above, below = drawn[0].axes
    np.testing.assert_allclose(above.lines[0].get_ydata(), [0.5, 1.5, -1.0])
    np.testing.assert_allclose(below.lines[0].get_ydata(), [0.1, 0.9, -0.3])
    assert above.get_position().y0 > below.get_position().y0
    assert above.lines[0].get_linewidth() > 2 * below.lines[0].get_linewidth()
    assert {"a", "b", "c", "h"} <= set(texts(shown))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plotting.learning_curves({str(k): [1.0] for k in range(6)}, **WORDS), "at most 5"),
        (lambda: plotting.forecast([1, 2], [1.0], {}, {}, **WORDS), "one shape"),
        (lambda: plotting.forecast([1], [1.0], {"m": [1.0, 2.0]}, {}, **WORDS), "expected 1"),
        (lambda: plotting.attention_map([[1.0]], keys=["a", "b"], **WORDS), "words ask for"),
        (lambda: plotting.attention_map([[-1.0]], **WORDS), "not negative"),
        (lambda: plotting.two_lines([1.0], [1.0, 2.0], **WORDS), "one shape"),
        (lambda: plotting.two_lines([1.0], [1.0], words=["a", "b"], **WORDS), "2 words"),
        (lambda: plotting.learning_curves({"m": [1.0]}, title="t", desc=""), "a title and a desc"),
    ],
)
def test_wrong_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
