"""The verb *quantize*: MappedNetwork to LoihiConfig."""

from ._network import quantize_network as quantize_network
from .options import QuantizeOptions as QuantizeOptions
