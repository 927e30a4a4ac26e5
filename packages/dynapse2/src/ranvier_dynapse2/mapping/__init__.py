"""The verb *map*: Graph to MappedNetwork."""

from ._network import map_network as map_network
from .options import MapOptions as MapOptions
from .specification import (
    specification as specification,
    specification_rows as specification_rows,
)
