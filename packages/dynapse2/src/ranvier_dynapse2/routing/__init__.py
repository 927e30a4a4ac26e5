"""Where packets go: one walked hop by hop, and all connections of a configuration at once."""

from .connections import Connections as Connections, connections as connections
from .delivery import Heard as Heard, Lost as Lost, delivered as delivered, lost as lost
from .sources import (
    neuron_source as neuron_source,
    place_of as place_of,
    position_of as position_of,
)
from .walking import Packet as Packet, walk as walk
