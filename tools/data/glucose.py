"""One person's blood glucose, every five minutes, from bokeh_sampledata."""

from datetime import datetime, timedelta
from gzip import decompress

from vendoring import lines, package, write

folder = package("bokeh-sampledata", "2026.1")
text = decompress((folder / "bokeh_sampledata/_data/CGM.csv.gz").read_bytes()).decode()
kept: list[tuple[datetime, str]] = []
for line in text.splitlines()[1:]:
    _, stamp, value = line.split(",")
    moment = datetime.fromisoformat(stamp)
    # The sensor sometimes repeats itself a minute later; a reading every five minutes stays.
    if not kept or moment - kept[-1][0] >= timedelta(minutes=3):
        kept.append((moment, value))
write(
    "glucose",
    "glucose.tsv.gz",
    lines([("minute", "glucose"), *((f"{m:%Y-%m-%dT%H:%M}", value) for m, value in kept)]),
    title="Blood glucose of one person, every five minutes, March to October 2010",
    licence="public domain (given as such by the person measured, who is not named)",
    credit="Given to the Bokeh project, through bokeh_sampledata",
    source="bokeh-sampledata 2026.1, bokeh_sampledata/_data/CGM.csv.gz",
    origin="https://github.com/bokeh/bokeh/commit/e5680ea999de55f5dfd9b36c95e3ac22ee4adeaa",
    changes="the sensor's raw current is dropped, and readings less than three minutes after the "
    "one before; values as they are, in mg/dl",
    why="a sensor that a small device really forecasts, item by item, with real gaps",
)
