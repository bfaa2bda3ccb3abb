"""Yearly sunspot numbers, 1700 to 2008, from statsmodels."""

from vendoring import lines, package, write

folder = package("statsmodels", "0.15.0")
text = (folder / "statsmodels/datasets/sunspots/sunspots.csv").read_text()
rows = [line.split(",") for line in text.splitlines()[1:]]
write(
    "sunspots",
    "sunspots.tsv.gz",
    lines([("year", "sunspots"), *((int(float(year)), value) for year, value in rows)]),
    title="Sunspots, yearly, 1700 to 2008",
    licence="public domain",
    credit="US National Geophysical Data Center, through statsmodels",
    source="statsmodels 0.15.0, statsmodels/datasets/sunspots/sunspots.csv",
    origin="http://www.ngdc.noaa.gov/stp/solar/solarda3.html",
    changes="none in the values",
    why="309 numbers with a cycle of about eleven years: a first forecast that prints in a page",
)
