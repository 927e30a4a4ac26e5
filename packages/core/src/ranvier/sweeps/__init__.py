"""Sweeps: one network over virtual chips, seeds and options, on any executor."""

from .journal import read_results as read_results
from .measures import OutputActivity as OutputActivity
from .result import SweepError as SweepError, SweepResult as SweepResult
from .sweeping import sweep as sweep
