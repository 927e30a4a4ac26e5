"""Placement: neurons onto cores and chips, and tags for what they send, within every limit."""

from .allocation import Routes as Routes, allocate_tags as allocate_tags
from .budget import Budget as Budget, errata_tags as errata_tags
from .grouping import Grouped as Grouped, group_sources as group_sources
from .occupancy import (
    CoreUse as CoreUse,
    interchip_packets as interchip_packets,
    occupancy as occupancy,
    occupancy_table as occupancy_table,
)
from .places import Places as Places, place_neurons as place_neurons
