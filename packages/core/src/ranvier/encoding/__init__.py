"""Encoders: numbers in, spike counts (time, channels) out; every random one takes a seed."""

from .firing import latency as latency, poisson as poisson, rate as rate
from .lif import LIFEncoder as LIFEncoder
from .signals import (
    delta as delta,
    delta_decode as delta_decode,
    spread_counts as spread_counts,
)
