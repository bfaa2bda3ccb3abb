"""Training loops: one model at a time with :func:`fit`, many small ones with train_members."""

from lstmkit.training.batches import Batch, Drawn, Sequences, Source
from lstmkit.training.fit import fit
from lstmkit.training.history import History
from lstmkit.training.members import one_cycle, train_members

__all__ = [
    "Batch",
    "Drawn",
    "History",
    "Sequences",
    "Source",
    "fit",
    "one_cycle",
    "train_members",
]
