"""Sequences of different lengths with one label each: speech and handwriting."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lstmkit.data.parts import Parts, by_group
from lstmkit.data.provenance import SETS, Provenance, content, table

__all__ = ["Digits", "Utterances", "digits", "handwriting", "letters", "pad", "vowels"]


@dataclass(frozen=True)
class Utterances:
    """N sequences: ``inputs[n]`` has shape ``(T_n, D)``, float32; ``labels`` ``(N,)``, int64."""

    inputs: tuple[NDArray[np.float32], ...]
    labels: NDArray[np.int64]
    parts: Parts
    provenance: Provenance

    def padded(self, rows: ArrayLike) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The sequences ``rows`` as ``x (T, B, D)`` with zeros at their ends, and lengths (B,)."""
        return pad([self.inputs[int(row)] for row in np.asarray(rows)])


def pad(sequences: list[NDArray[np.float32]]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Sequences ``(T_n, D)`` in one array ``(T, B, D)``, zeros at the ends, and lengths ``(B,)``.

    Raises:
        ValueError: there is no sequence, or their widths differ.
    """
    if not sequences or len({sequence.shape[1:] for sequence in sequences}) > 1:
        raise ValueError("pad needs one or more sequences of one width")
    lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
    x = np.zeros((lengths.max(), len(sequences), *sequences[0].shape[1:]), dtype=np.float32)
    for b, sequence in enumerate(sequences):
        x[: len(sequence), b] = sequence
    return x, lengths


@cache
def vowels() -> Utterances:
    """Japanese Vowels: 640 utterances of /ae/ by nine men; D = 12 cepstrum coefficients, T 7 to 29.

    The label is the speaker, so every speaker is in every part. The test is the authors' own: 370
    utterances recorded on other occasions than the 270 for training. Of these, the last six of
    each speaker's thirty validate, so that no run of neighbours is torn apart. For padding,
    packing and early decisions; a logistic regression on four frames does as well, and the
    chapter says so.
    """
    rows = table("vowels")
    inputs = tuple(
        np.array([channel.split(",") for channel in row[2].split(";")], dtype=np.float32).T.copy()
        for row in rows
    )
    labels = np.array([int(row[1]) for row in rows], dtype=np.int64)
    training = np.array([row[0] == "train" for row in rows])
    later = np.zeros(len(rows), dtype=bool)
    for speaker in range(9):
        later[np.flatnonzero(training & (labels == speaker))[-6:]] = True
    parts = Parts(*(np.flatnonzero(m) for m in (training & ~later, training & later, ~training)))
    return Utterances(inputs, labels, parts, SETS["vowels"])


@dataclass(frozen=True)
class Digits:
    """``images`` ``(N, 28, 28)``, uint8, 0 to 255; ``labels`` ``(N,)``, int64."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    parts: Parts
    provenance: Provenance

    def rows(self, which: ArrayLike) -> NDArray[np.float32]:
        """Pictures as sequences of their rows: ``(28, B, 28)``, time-major, 0 to 1."""
        chosen = self.images[np.asarray(which)].astype(np.float32) / 255
        return np.ascontiguousarray(chosen.transpose(1, 0, 2))


@cache
def digits() -> Digits:
    """MNIST, 5,000 digits, 500 of each: read row by row, a picture is a sequence of 28 steps.

    Who wrote a digit is not noted in this extract, so the same hand may stand in two parts: judge
    models against each other here, not how they would do on a stranger's writing. A picture that
    stands twice would fall into one part.
    """
    data = np.frombuffer(content("digits"), dtype=np.uint8).reshape(-1, 785)
    images = data[:, 1:].reshape(-1, 28, 28)
    parts = by_group([image.tobytes().hex() for image in images], (0.7, 0.15, 0.15))
    return Digits(images, data[:, 0].astype(np.int64), parts, SETS["digits"])


@cache
def letters() -> dict[str, tuple[NDArray[np.float32], ...]]:
    """How 164 kana are written: for each letter its strokes in order, each ``(T, 2)``.

    x to the right and y down, in a frame of 0 to 1; neighbouring points are about 0.04 apart. One
    template a letter, by KanjiVG; :func:`handwriting` writes them as many hands would.
    """
    return {
        letter: tuple(
            (np.array([p.split(",") for p in stroke.split()], dtype=np.float64) / 109).astype(
                np.float32
            )
            for stroke in strokes.split(";")
        )
        for letter, strokes in table("strokes")
    }


def handwriting(
    rng: np.random.Generator, N: int, alphabet: str = "あいうえおかきくけこ"
) -> tuple[list[NDArray[np.float32]], NDArray[np.int64]]:
    """Draw N letters of ``alphabet``, each by a hand of its own.

    Returns N sequences ``(T_n, 3)``: the pen's move since the point before (two numbers) and a 1
    where it was lifted between the two; and labels ``(N,)``, places in the alphabet. A hand leans,
    stretches and turns all strokes together, and its pen trembles. The templates are the same in
    every draw: use other seeds for training, validation and test, and do not call the result
    recognition of a stranger's writing.

    Raises:
        ValueError: a letter has no template, or the alphabet is empty.
    """
    known = letters()
    if not alphabet or any(letter not in known for letter in alphabet):
        raise ValueError(f"the alphabet {alphabet!r} must be of kana that letters() knows")
    labels = rng.integers(len(alphabet), size=N)
    drawn: list[NDArray[np.float32]] = []
    for label in labels:
        angle, lean = rng.normal(0, 0.12), rng.normal(0, 0.15)
        wide, tall = np.exp(rng.normal(0, 0.12, size=2))
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        hand = np.array([[wide, 0], [lean, tall]]) @ turn
        strokes = known[alphabet[label]]
        points = np.concatenate(strokes) @ hand + rng.normal(0, 0.006, (sum(map(len, strokes)), 2))
        moves = np.diff(points, axis=0, prepend=points[:1])
        lifted = np.zeros(len(points))
        lifted[np.cumsum([len(stroke) for stroke in strokes])[:-1]] = 1
        drawn.append(np.column_stack([moves, lifted]).astype(np.float32))
    return drawn, labels.astype(np.int64)
