"""Daily weather of Seattle, 2012 to 2015, from vega_datasets."""

from vendoring import lines, package, write

folder = package("vega-datasets", "0.9.0")
text = (folder / "vega_datasets/_data/seattle-weather.csv").read_text()
rows = [line.split(",") for line in text.splitlines()[1:]]
names = ("date", "precipitation", "temp_max", "temp_min", "wind")
write(
    "seattle",
    "seattle.tsv.gz",
    lines([names, *((date.replace("/", "-"), *rest) for date, *rest, _ in rows)]),
    title="Weather of Seattle, daily, 2012 to 2015",
    licence="public domain (US government work); the package is MIT",
    credit="US National Oceanic and Atmospheric Administration, through vega_datasets",
    source="vega-datasets 0.9.0, vega_datasets/_data/seattle-weather.csv",
    origin="https://www.ncdc.noaa.gov/cdo-web/datatools/records",
    changes="the column with the weather's name is dropped: it sums up the others of the same day",
    why="four real years with rain, wind and two temperatures; the package's other series of "
    "Seattle are thirty-year normals, which nobody measured",
)
