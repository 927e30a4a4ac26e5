"""One population in a configuration."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from ranvier.artifacts import Array


class Population(BaseModel):
    """Neurons of one layer; arrays are ``(n,)``.

    Model values and values of the chip are separate fields, and never stand for each other.

    Parameters
    ----------
    name : str
        Graph node.
    shape : tuple of int
        Its shape.
    switches : tuple of str
        Those of `ranvier_bss2.nodes.SWITCHES` that are on.
    instance : int
        Execution instance.
    circuits : int
        Circuits per neuron.
    model : dict of str to array
        `ranvier_bss2.nodes.MODEL` in model units, times in s of the chip.
    targets : dict of str to array
        `ranvier_bss2.network.TARGETS`: LSB of the CADC, s, codes, as the chip is calibrated to.
    trace_scale, trace_offset : array
        Model units per LSB, and LSB taken off before.
    cadc : {"off", "sram", "dram"}
        Recording by the slow converter.
    madc_neuron : int
        Neuron recorded by the fast one, -1: none.
    shift_to_first : bool
        Whether the first sample is taken off instead of ``trace_offset``.
    time_shift : int
        Steps by which traces move to earlier times.
    interpolation : {"linear", "nn"}
        Between samples.
    spike_mask : array of bool
        Neurons whose spikes are passed on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    name: str
    shape: tuple[int, ...]
    switches: tuple[str, ...]
    instance: int = 0
    circuits: int = 1
    model: dict[str, Array]
    targets: dict[str, Array]
    trace_scale: Array
    trace_offset: Array
    cadc: Literal["off", "sram", "dram"] = "sram"
    madc_neuron: int = -1
    shift_to_first: bool = False
    time_shift: int = 0
    interpolation: Literal["linear", "nn"] = "linear"
    spike_mask: Array

    @property
    def size(self) -> int:
        """Number of neurons."""
        size = 1
        for n in self.shape:
            size *= n
        return size
