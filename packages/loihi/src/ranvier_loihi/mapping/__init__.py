"""The verb *map*: Graph to MappedNetwork."""

from ._network import map_network as map_network
from .options import MapOptions as MapOptions
