"""Compiled loops over time; numba, no torch."""
