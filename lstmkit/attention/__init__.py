"""Attention, position codes and the Transformer block: their equations (NumPy)."""
