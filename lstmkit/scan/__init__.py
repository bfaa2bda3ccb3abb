"""minGRU and minLSTM, and the linear recurrence under them: their equations (NumPy)."""
