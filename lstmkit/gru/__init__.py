"""The GRU: its equations (NumPy)."""
