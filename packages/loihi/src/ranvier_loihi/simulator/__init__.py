"""Loihi simulated bit for bit, on the graph's names."""

from .options import SimulateOptions as SimulateOptions
from .session import LoihiSession as LoihiSession
