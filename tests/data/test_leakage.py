"""Nothing that is tested was seen: by time, by group, by paragraph, by window."""

import re

import numpy as np
import pytest

from lstmkit import data

SERIES = [data.sunspots, data.seattle, data.springfield, data.stocks, data.glucose]


def three(loaded):
    return loaded.parts.train, loaded.parts.validation, loaded.parts.test


@pytest.mark.parametrize("load", SERIES, ids=lambda load: load.__name__)
def test_series_are_cut_by_time(load):
    series = load()
    assert (np.diff(series.times) > np.timedelta64(0)).all()
    train, validation, test = (series.times[part] for part in three(series))
    assert train.max() < validation.min()
    assert validation.max() < test.min()


@pytest.mark.parametrize("load", SERIES, ids=lambda load: load.__name__)
@pytest.mark.parametrize("part", ["train", "validation", "test"])
@pytest.mark.parametrize(("length", "horizon", "stride"), [(12, 1, 1), (7, 3, 2), (1, 5, 1)])
def test_windows_end_before_their_target_and_stay_in_their_part(
    load, part, length, horizon, stride
):
    series = load()
    x, y, now = series.windows(part, length, horizon, stride)
    assert x.shape == (length, len(now), series.values.shape[1])
    inside = getattr(series.parts, part)
    assert now.min() - length + 1 >= inside.min()
    assert now.max() + horizon <= inside.max()
    for n in {0, len(now) // 2, len(now) - 1}:
        t = int(now[n])
        assert np.array_equal(x[:, n], series.values[t - length + 1 : t + 1])
        assert np.array_equal(y[n], series.values[t + horizon])
        if series.step is not None:
            span = series.times[t + horizon] - series.times[t - length + 1]
            assert span <= (length + horizon) * 1.5 * series.step


def test_changing_the_future_changes_no_window_before_it():
    series = data.sunspots()
    before = series.windows("train", 10)[0]
    values = series.values.copy()
    values[series.parts.validation[0] :] = np.nan
    blind = type(series)(**{**series.__dict__, "values": values})
    assert np.array_equal(blind.windows("train", 10)[0], before)
    assert np.isfinite(blind.windows("train", 10)[1]).all()
    assert np.array_equal(blind.standardised().mean, series.standardised().mean)


def test_all_windows_of_a_series_without_gaps_are_there():
    assert len(data.springfield().windows("test", 24, 24)[2]) == 2913 - 24 - 24 + 1
    assert data.springfield().breaks().size == 0


def test_windows_do_not_cross_a_gap():
    series = data.glucose()
    gaps = series.breaks()
    assert len(gaps) > 100
    _, _, now = series.windows("train", 12, 6)
    for gap in gaps[gaps < len(series.parts.train)]:
        # Between first step and target, both included, no gap: gap ≤ first or gap > target.
        assert not ((now - 11 < gap) & (gap <= now + 6)).any()


def test_standardising_uses_the_training_part_and_can_be_undone():
    series = data.seattle()
    scaled = series.standardised()
    first = scaled.values[: len(series.parts.train)]
    np.testing.assert_allclose(first.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(first.std(axis=0), 1, atol=1e-12)
    np.testing.assert_allclose(scaled.restored(scaled.values), series.values, atol=1e-12)
    twice = scaled.standardised()
    np.testing.assert_allclose(twice.restored(twice.values), series.values, atol=1e-12)


def test_wrong_windows_are_refused():
    with pytest.raises(ValueError, match="part is 'all'"):
        data.sunspots().windows("all", 3)
    with pytest.raises(ValueError, match="at least 1"):
        data.sunspots().windows("train", 0)


@pytest.mark.parametrize(
    ("load", "group"),
    [
        (data.dates, lambda pairs, n: {pairs.target[n]}),
        (data.numbers, lambda pairs, n: {pairs.source[n]}),
        (data.pronunciations, lambda pairs, n: {pairs.source[n][:5]}),
        (data.kanji_names, lambda pairs, n: {pairs.source[n], pairs.target[n]}),
        (data.surnames, lambda names, n: {names.names[n]}),
        (data.digits, lambda digits, n: {digits.images[n].tobytes()}),
        (data.passages, lambda passages, n: {passages.texts[n]}),
    ],
    ids=["dates", "numbers", "pronunciations", "kanji_names", "surnames", "digits", "passages"],
)
def test_what_belongs_together_is_in_one_part(load, group):
    loaded = load()
    train, validation, test = (
        set().union(*(group(loaded, n) for n in part)) for part in three(loaded)
    )
    assert not train & validation
    assert not train & test
    assert not validation & test


def test_vowels_keep_the_authors_test_and_whole_runs():
    spoken = data.vowels()
    train, validation, test = three(spoken)
    assert (len(train), len(validation), len(test)) == (216, 54, 370)
    assert max(train.max(), validation.max()) < test.min()
    for speaker in range(9):
        ours = train[spoken.labels[train] == speaker]
        held = validation[spoken.labels[validation] == speaker]
        assert len(ours) == 24
        assert ours.max() < held.min()


def paragraphs(text):
    return {
        " ".join(p.split()) for p in re.split(r"\n\s*\n", text) if len(" ".join(p.split())) >= 40
    }


def test_no_paragraph_of_the_manual_stands_in_two_parts():
    text = data.manual()
    train, validation, test = map(paragraphs, (text.train, text.validation, text.test))
    assert len(test) > 100
    assert not train & validation
    assert not train & test
    assert not validation & test


def test_the_manual_is_encoded_with_the_training_alphabet_alone():
    text = data.manual()
    assert set(text.alphabet) == set(text.train)
    line = text.test[:500]
    assert text.decode(text.encode(line)) == line
    assert text.decode(text.encode("a\u2603b")) == "a b"


def test_passages_are_cut_in_order_within_each_document():
    found = data.passages()
    train, _, test = three(found)
    for topic in range(len(found.topics)):
        assert train[found.labels[train] == topic].max() < test[found.labels[test] == topic].min()
