"""Placement: circuits, rows, labels and filters for a network; execution instances; pictures."""

from ._place import place_network as place_network
from .budget import Budget as Budget, circuits_needed as circuits_needed
from .drawing import draw_placement as draw_placement, draw_synapses as draw_synapses
from .occupancy import Occupancy as Occupancy, occupancy as occupancy
from .partitioning import fit_circuits as fit_circuits, partition as partition
from .synapses import synapse_arrays as synapse_arrays
