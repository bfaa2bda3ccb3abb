"""The LSTM: its equations (NumPy), the stages on the way to it, and its layer (torch)."""
