"""Where events go: one walked gate by gate, and all connections of a chip at once."""

from .connections import (
    Connections as Connections,
    background_channels as background_channels,
    connections as connections,
)
from .events import (
    Event as Event,
    background_event as background_event,
    channel_labels as channel_labels,
    external_event as external_event,
    neuron_event as neuron_event,
)
from .registers import Registers as Registers, RoutingRegisters as RoutingRegisters
from .walking import Opened as Opened, walk as walk
