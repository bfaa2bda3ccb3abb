"""Cuts: whole groups, right shares, the same on every machine."""

import hashlib

import numpy as np
import pytest

from lstmkit.data import by_group, by_time, digits, handwriting, letters, pad, vowels


def test_groups_stay_whole_and_shares_hold():
    groups = [f"group {k % 2000}" for k in range(6000)]
    parts = by_group(groups, (0.5, 0.2, 0.3))
    sizes = [len(p) / 6000 for p in (parts.train, parts.validation, parts.test)]
    np.testing.assert_allclose(sizes, [0.5, 0.2, 0.3], atol=0.04)
    sets = [{groups[k] for k in p} for p in (parts.train, parts.validation, parts.test)]
    assert sum(map(len, sets)) == 2000


def test_a_group_goes_where_its_hash_says():
    place = int(hashlib.sha256("あ".encode()).hexdigest()[:16], 16) / 16**16
    parts = by_group(["あ"], (place - 0.01, 0.02, 0.99 - place))
    assert parts.validation.tolist() == [0]


def test_time_is_cut_in_order():
    parts = by_time(10, (0.5, 0.3, 0.2))
    assert parts.train.tolist() == [0, 1, 2, 3, 4]
    assert parts.validation.tolist() == [5, 6, 7]
    assert parts.test.tolist() == [8, 9]


@pytest.mark.parametrize("shares", [(0.5, 0.5, 0.5), (1.2, -0.1, -0.1)])
def test_wrong_shares_are_refused(shares):
    with pytest.raises(ValueError, match="add up to one"):
        by_time(10, shares)
    with pytest.raises(ValueError, match="add up to one"):
        by_group(["a"], shares)


def test_padding_keeps_every_frame():
    spoken = vowels()
    x, lengths = spoken.padded([3, 500, 41])
    assert x.dtype == np.float32
    assert x.shape == (lengths.max(), 3, 12)
    for b, row in enumerate([3, 500, 41]):
        assert np.array_equal(x[: lengths[b], b], spoken.inputs[row])
        assert not x[lengths[b] :, b].any()
    assert min(len(u) for u in spoken.inputs) == 7
    assert max(len(u) for u in spoken.inputs) == 29
    with pytest.raises(ValueError, match="one width"):
        pad([np.zeros((2, 3), np.float32), np.zeros((2, 4), np.float32)])


def test_digits_are_read_row_by_row():
    drawn = digits()
    x = drawn.rows([0, 4999])
    assert x.shape == (28, 2, 28)
    assert np.array_equal(x[:, 1] * np.float32(255), drawn.images[4999].astype(np.float32))
    assert np.bincount(drawn.labels).tolist() == [500] * 10


def test_letters_have_the_strokes_one_learns_at_school():
    known = letters()
    counts = {"あ": 3, "い": 2, "く": 1, "き": 4, "ほ": 4, "ア": 2, "ネ": 4, "ン": 2}
    for letter, strokes in counts.items():
        assert len(known[letter]) == strokes
        for stroke in known[letter]:
            assert stroke.min() >= 0
            assert stroke.max() <= 1


def test_handwriting_is_its_template_but_for_the_hand():
    drawn, labels = handwriting(np.random.default_rng(0), 40, "あく")
    assert set(labels.tolist()) == {0, 1}
    for word, label in zip(drawn, labels, strict=True):
        strokes = letters()["あく"[label]]
        assert word.shape == (sum(map(len, strokes)), 3)
        assert word[:, 2].sum() == len(strokes) - 1
        lifted = np.flatnonzero(word[:, 2])
        assert lifted.tolist() == np.cumsum([len(s) for s in strokes])[:-1].tolist()
        path = word[:, :2].cumsum(axis=0)
        template = np.concatenate(strokes)
        template = template - template[0]
        # The hand is a linear map of the plane: a fit explains nearly everything.
        fit = np.linalg.lstsq(template, path, rcond=None)[0]
        left = ((template @ fit - path) ** 2).sum() / ((path - path.mean(0)) ** 2).sum()
        assert left < 0.02
    with pytest.raises(ValueError, match="kana"):
        handwriting(np.random.default_rng(0), 1, "x")
