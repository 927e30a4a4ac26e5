"""The verb *quantize*: MappedNetwork to Dynapse2Config."""

from ..weights import solve_levels as solve_levels
from ._network import quantize_network as quantize_network
from .options import QuantizeOptions as QuantizeOptions
