"""Hourly temperature at Springfield, Illinois, from eemeter's samples."""

import itertools
from datetime import UTC, datetime
from gzip import decompress

from vendoring import lines, package, write

folder = package("eemeter", "4.1.1")
text = decompress((folder / "eemeter/eemeter/samples/il-tempF.csv.gz").read_bytes()).decode()
rows = [line.split(",") for line in text.splitlines()[1:]]
moments = [datetime.fromisoformat(stamp).astimezone(UTC) for stamp, _ in rows]
assert all((b - a).total_seconds() == 3600 for a, b in itertools.pairwise(moments))
write(
    "springfield",
    "springfield.tsv.gz",
    lines(
        [
            ("hour", "temperature"),
            *((f"{m:%Y-%m-%dT%H}", v) for m, (_, v) in zip(moments, rows, strict=True)),
        ]
    ),
    title="Temperature at Springfield, Illinois, hourly, November 2015 to February 2018",
    licence="Apache-2.0 (the package); the observations are US government work",
    credit="Station 724390 of the US National Weather Service, through OpenEEmeter",
    source="eemeter 4.1.1, eemeter/eemeter/samples/il-tempF.csv.gz",
    origin="https://github.com/openeemeter/eemeter",
    changes="times in UTC; values as they are, in degrees Fahrenheit",
    why="19,417 hours without a gap, two cycles at once (day and year): long enough to stream",
)
