"""Compiled loops (numba): elementary functions, one step of the neurons, the run of a network."""
