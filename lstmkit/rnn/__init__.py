"""The plain recurrent network: its equations (NumPy) and its layer (torch)."""
