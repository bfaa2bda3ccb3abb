"""How hiragana and katakana are written, stroke by stroke, from KanjiVG."""

import itertools
import re

from vendoring import lines, package, write

folder = package("kanjivg", "20260714")
TOKEN = re.compile(r"[MmLlCcSsHhVv]|-?\d*\.?\d+(?:[eE]-?\d+)?")
SPACING = 4.0  # distance of two points along the pen's way; the frame is 109 wide


def segments(path: str) -> list[list[complex]]:
    """The cubic Bézier curves of an SVG path."""
    tokens = TOKEN.findall(path)
    out: list[list[complex]] = []
    here, control, command, place = 0j, None, "", 0

    def number() -> float:
        nonlocal place
        place += 1
        return float(tokens[place - 1])

    while place < len(tokens):
        if tokens[place].isalpha():
            command, place = tokens[place], place + 1
        base = here if command.islower() else 0j
        kind = command.lower()
        if kind == "m":
            here = base + complex(number(), number())
            command, control = ("l" if command == "m" else "L"), None
            continue
        if kind == "l":
            end = base + complex(number(), number())
            curve = [here, here, end, end]
        elif kind in "hv":
            value = number()
            end = complex(base.real + value, here.imag) if kind == "h" else None
            end = complex(here.real, base.imag + value) if end is None else end
            curve = [here, here, end, end]
        elif kind == "c":
            curve = [here, *(base + complex(number(), number()) for _ in range(3))]
        else:
            first = here if control is None else 2 * here - control
            curve = [here, first, *(base + complex(number(), number()) for _ in range(2))]
        control = curve[2] if kind in "cs" else None
        here = curve[3]
        out.append(curve)
    return out


def walk(path: str) -> list[complex]:
    """Points at equal distances along the stroke, both ends included."""
    fine: list[complex] = []
    for a, b, c, d in segments(path):
        for k in range(33):
            t = k / 32
            s = 1 - t
            fine.append(a * s**3 + 3 * b * s * s * t + 3 * c * s * t * t + d * t**3)
    ways = [0.0]
    for one, two in itertools.pairwise(fine):
        ways.append(ways[-1] + abs(two - one))
    count = max(2, round(ways[-1] / SPACING) + 1)
    points, at = [], 0
    for k in range(count):
        goal = ways[-1] * k / (count - 1)
        while at < len(ways) - 2 and ways[at + 1] < goal:
            at += 1
        length = ways[at + 1] - ways[at]
        share = (goal - ways[at]) / length if length else 0.0
        points.append(fine[at] + share * (fine[at + 1] - fine[at]))
    return points


kana = [chr(code) for code in (*range(0x3042, 0x3094), *range(0x30A2, 0x30F4))]
table: list[tuple[str, str]] = []
for letter in kana:
    source = (folder / f"kanji/{ord(letter):05x}.svg").read_text("utf-8")
    strokes = [walk(path) for path in re.findall(r'<path id="[^"]*" [^>]*\bd="([^"]+)"', source)]
    assert strokes, letter
    drawn = ";".join(" ".join(f"{p.real:.0f},{p.imag:.0f}" for p in stroke) for stroke in strokes)
    table.append((letter, drawn))
write(
    "strokes",
    "strokes.tsv.gz",
    lines([("letter", "strokes"), *table]),
    title=f"Pen strokes of {len(table)} hiragana and katakana",
    licence="CC BY-SA 3.0",
    credit="KanjiVG, copyright 2009-2011 Ulrich Apel, http://kanjivg.tagaini.net",
    source="kanjivg 20260714, kanji/*.svg",
    origin="https://kanjivg.tagaini.net/",
    changes="hiragana and katakana only; the curves sampled every four units of a frame of 109, "
    "rounded; this file is under CC BY-SA 3.0 too",
    why="handwriting as it happens, point by point and stroke by stroke; one template a letter, so "
    "the loader draws each as many hands would",
)
