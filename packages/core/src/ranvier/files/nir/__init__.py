"""NIR, the Neuromorphic Intermediate Representation, both ways."""

from .conventions import CONVENTIONS as CONVENTIONS, Convention as Convention
from .reading import graph_from_nir as graph_from_nir, read_nir as read_nir
from .writing import write_nir as write_nir
