"""Daily prices of three shares, 2000 to 2013, from bokeh_sampledata."""

from csv import DictReader
from gzip import decompress

from vendoring import lines, package, write

folder = package("bokeh-sampledata", "2026.1")
text = decompress((folder / "bokeh_sampledata/_data/stocks.csv.gz").read_bytes()).decode()
shares = ("AAPL", "IBM", "MSFT")
close: dict[str, dict[str, str]] = {name: {} for name in shares}
volume: dict[str, dict[str, str]] = {name: {} for name in shares}
for row in DictReader(text.splitlines()):
    if row["Ticker"] in shares:
        close[row["Ticker"]][row["Date"]] = f"{float(row['Adj Close']):.6g}"
        volume[row["Ticker"]][row["Date"]] = row["Volume"]
days = sorted(close["AAPL"])
assert all(sorted(table[name]) == days for table in (close, volume) for name in shares)
header = ("day", *shares, *(f"{name}_volume" for name in shares))
table = [
    (day, *(close[name][day] for name in shares), *(volume[name][day] for name in shares))
    for day in days
]
write(
    "stocks",
    "stocks.tsv.gz",
    lines([header, *table]),
    title="Shares of Apple, IBM and Microsoft, daily, March 2000 to March 2013",
    licence="public domain (the publisher's archived statement)",
    credit="Quandl WIKI Prices, through bokeh_sampledata",
    source="bokeh-sampledata 2026.1, bokeh_sampledata/_data/stocks.csv.gz",
    origin="https://data.nasdaq.com/databases/WIKIP",
    changes="three of five shares, the close adjusted for splits and dividends (six digits) and "
    "the volume",
    why="3,270 trading days with two crashes, and the one market series in reach whose publisher "
    "put it into the public domain; the adjusted close has no jumps at splits",
)
