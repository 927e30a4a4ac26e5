"""Where a network sits: circuits, rows, drivers, labels, and the filters of the crossbar."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import QuantizationError

Ints = NDArray[np.int64]
CROSSBAR_INPUTS, CROSSBAR_OUTPUTS = 20, 12
"""Inputs: 0-7 neurons, 8-11 external links, 12-19 background; outputs: 0-3 buses of the top
array, 4-7 of the bottom one, 8-11 to the host."""
BACKGROUND_INPUT = 12
"""Crossbar input of the first background generator."""
ROW_MODES = ("disabled", "excitatory", "inhibitory")


def _none() -> Ints:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Layout:
    """Places of a network on one chip, for each of I execution instances.

    Parameters
    ----------
    instances : int
        I, >= 1.
    neuron_instance, neuron_population, neuron_index, neuron_rank, neuron_circuit : array, (N,)
        One row per circuit in use: execution instance (neurons of one population may lie in
        several; `ranvier_bss2.network.BssPopulation.instance` is the first), index of the
        population, neuron, rank of the circuit within the neuron (0 fires and leaks), circuit
        0..511 of that instance.
    circuit_address : array of int, (I, 512)
        Event address of a circuit, 0..255; -1: sends nothing. Bits 0-5 are the synapse label, bits
        6-7 the low bits of the row address; bits 8-10 of an event are its output, column div 32.
    source_instance, source_projection, source_channel, source_link, source_label : array, (R,)
        Labels that the host sends for an external source: execution instance, index of the
        projection that they serve, channel (or neuron of an earlier instance), link 0..3, label of
        14 bits. Within an instance no label serves two projections or channels. A source neuron
        that lies in the instance of its target takes the crossbar and has no row here.
    background_instance, background_node, background_generator : array, (G,)
        Background generators in use: execution instance, index into
        `ranvier_bss2.network.BssNetwork.backgrounds`, generator 0..7.
    background_label, background_mask : array, (G,)
        Label of 14 bits of their first channel, and the bits of it that are drawn for each event.
    row_mode : array of int, (I, 2, 256)
        Index into `ROW_MODES`, per array and synapse row.
    driver_mask : array of int, (I, 2, 128)
        Compare mask of a driver, 0..31: it takes an event if ``(address ^ position) & mask == 0``.
    node_enabled, node_mask, node_target : array, (I, 12, 20)
        Crossbar nodes, per output and input: passes if ``label & mask == target`` (14 bits).
    synapse_projection, synapse_target, synapse_source, synapse_sign, synapse_part : array, (S,)
        What a synapse of the chip stands for: projection, neurons, 0 exciting or 1 inhibiting, and
        which part of a weight beyond 63.
    synapse_instance, synapse_array, synapse_row, synapse_column, synapse_label : array, (S,)
        Where it is (in the instance of its target), and the label that it listens to.
    """

    instances: int
    neuron_instance: Ints
    neuron_population: Ints
    neuron_index: Ints
    neuron_rank: Ints
    neuron_circuit: Ints
    circuit_address: Ints
    source_instance: Ints
    source_projection: Ints
    source_channel: Ints
    source_link: Ints
    source_label: Ints
    row_mode: Ints
    driver_mask: Ints
    node_enabled: NDArray[np.bool_]
    node_mask: Ints
    node_target: Ints
    synapse_projection: Ints
    synapse_target: Ints
    synapse_source: Ints
    synapse_sign: Ints
    synapse_part: Ints
    synapse_instance: Ints
    synapse_array: Ints
    synapse_row: Ints
    synapse_column: Ints
    synapse_label: Ints
    background_instance: Ints = field(default_factory=_none)
    background_node: Ints = field(default_factory=_none)
    background_generator: Ints = field(default_factory=_none)
    background_label: Ints = field(default_factory=_none)
    background_mask: Ints = field(default_factory=_none)

    def to_parts(self) -> dict[str, NDArray[Any]]:
        """Return all arrays by name, as a `MappedNetwork` carries them below ``layout/``."""
        return {name: getattr(self, name) for name in _ARRAYS} | {
            "instances": np.array(self.instances)
        }

    @classmethod
    def from_parts(cls, arrays: Mapping[str, NDArray[Any]]) -> Layout:
        """Build a layout from what `to_parts` returned; raises `QuantizationError` otherwise."""
        wanted = {*_ARRAYS, "instances"}
        if set(arrays) != wanted:
            raise QuantizationError(
                f"bss2: the layout lacks {sorted(wanted - set(arrays))} and has unknown "
                f"{sorted(set(arrays) - wanted)}; map the graph again"
            )
        own = {name: arrays[name] for name in _ARRAYS}
        own["node_enabled"] = own["node_enabled"].astype(np.bool_)
        return cls(instances=int(arrays["instances"]), **own)


_ARRAYS = tuple(f.name for f in dataclasses.fields(Layout) if f.name != "instances")
