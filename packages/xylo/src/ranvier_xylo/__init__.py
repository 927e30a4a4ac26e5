"""Xylo family plugin."""
