"""Registers of a Loihi network: populations, synapses, taps; checked against the limits."""

from .configuration import LoihiConfig as LoihiConfig
from .population import Model as Model, Population as Population, Tap as Tap
from .synapse import (
    ConvSynapse as ConvSynapse,
    DenseSynapse as DenseSynapse,
    SparseSynapse as SparseSynapse,
    Synapse as Synapse,
)
