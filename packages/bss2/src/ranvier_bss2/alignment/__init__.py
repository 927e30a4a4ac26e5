"""Alignment of the model with a chip: what one LSB is worth, and where its zero lies."""

from .bench import EmulatorBench as EmulatorBench, MembraneBench as MembraneBench
from .result import Alignment as Alignment
from .routine import align as align
