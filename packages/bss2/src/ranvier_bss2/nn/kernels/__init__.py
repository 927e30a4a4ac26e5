"""Kernels of training: time loops backward, compiled; used by the functions beside this folder."""
