"""The verb *map*: Graph to MappedNetwork."""

from ..config.ranges import CADC_RELIABLE as CADC_RELIABLE, RANGES as RANGES, Range as Range
from ._network import map_network as map_network, placement_of as placement_of
from .options import MapOptions as MapOptions
from .strength import psp_peak as psp_peak, synaptic_strength as synaptic_strength
