"""Measures Parley's figures, each beside its bound on the same server: `python -m bench`."""
