"""What the chip holds: synapses, rows, crossbar, and the targets of its calibration."""

from .configuration import Bss2Config as Bss2Config
from .population import Population as Population
