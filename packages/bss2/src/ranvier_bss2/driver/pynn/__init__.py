"""Runs through PyNN."""

from .backend import PynnBackend as PynnBackend
