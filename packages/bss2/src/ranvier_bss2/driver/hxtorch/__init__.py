"""Runs through hxtorch."""

from .backend import HxtorchBackend as HxtorchBackend
