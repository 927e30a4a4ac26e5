"""Placement: neurons onto cores and chips, within every limit; tables and pictures of it."""

from ._place import place_network as place_network
from .budget import Budget as Budget
from .occupancy import (
    CoreUse as CoreUse,
    occupancy as occupancy,
    occupancy_of as occupancy_of,
    occupancy_table as occupancy_table,
)
from .picture import draw_occupancy as draw_occupancy, floorplan as floorplan
