"""The configuration of a board."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from ranvier.artifacts import Array, ChipConfig
from ranvier.errors import RanvierError

from ..biases import BiasTable
from ..layout import LAYOUT, Layout
from ..targets import Limits, limits_of
from ._checks import register_problems
from ._summary import describe


class Dynapse2Config(ChipConfig):
    """What `ranvier.quantize` writes for the target ``dynapse2``.

    Arrays are indexed by chip, core of the chip (0..3) and neuron of the core (0..255).

    Parameters
    ----------
    chips : int
        Chips of the board, 1..4; chip h sits at (h + 1, 0) of the grid.
    model : {"merged_synapse", "four_synapse"}
        How the simulator lets synapses act, see `ranvier_dynapse2.nodes.Dpi`.
    bias_names : tuple of str
        Biases per core.
    bias_coarse, bias_fine : array of uint8, (chips, 4, n_biases)
        Their codes, 0..5 and 0..255.
    chip_bias_names : tuple of str
        Biases per chip.
    chip_bias_coarse, chip_bias_fine : array of uint8, (chips, n)
        Their codes.
    latches : array of bool, (chips, 4, 256, 14)
        Switches, see `ranvier_dynapse2.config.LATCHES`.
    cam_tag, cam_mask, cam_dendrite, cam_flags : array of uint16 / uint8, (chips, 4, 256, 64)
        CAM: tag 0..2047; mask of base currents 0..15; type of synapse, an index of
        `ranvier_dynapse2.config.DENDRITES`, 0: unused; switches, bit k is ``CAM_FLAGS[k]``.
    sram_used : array of bool, (chips, 4, 256, 4)
        Words of the SRAM in use.
    sram_tag, sram_cores, sram_x, sram_y : array of uint16 / uint8 / int8, (chips, 4, 256, 4)
        Tag 0..2047, mask of cores (bit k is core k) and hops -7..7 of a word.
    input_channel : array of int64, (rows,)
        Channel of every packet that the host sends for an input spike: channels of all inputs in
        order, flattened. A channel may need several packets, or none.
    input_tag, input_cores, input_x, input_y : array of uint16 / uint8 / int8, (rows,)
        Its destination; hops count from chip 0.
    i_scale : array of float64, (chips, 4)
        Synaptic current that a weight of 1 has on the chip, in A.
    drive_factor : array of float64, (chips, 4)
        What the simulator multiplies synaptic currents with; 1 unless the current scale was changed
        without compensation by the synapses' gain.
    bias_table : array of float64, (2, 6, 256)
        Currents of the bias generator in A, see `ranvier_dynapse2.biases.BiasTable`.
    layout : Layout
        Capacitances and transistor constants of the model.
    target, dt, input_shapes, node_shapes, outputs, placement, latency, diagnostics, provenance
        As in `ranvier.artifacts.ChipConfig`. The placement's ports are ``"neuron"`` (slot: neuron
        of the core) and ``"input"`` (slot: tag, one row per core that a channel reaches).

    Raises
    ------
    pydantic.ValidationError
        Shapes, ranges, references; all problems in one error.
    """

    schema_version: ClassVar[int] = 1

    chips: int = Field(ge=1, le=4)
    model: str = "merged_synapse"
    bias_names: tuple[str, ...]
    bias_coarse: Array
    bias_fine: Array
    chip_bias_names: tuple[str, ...] = ()
    chip_bias_coarse: Array
    chip_bias_fine: Array
    latches: Array
    cam_tag: Array
    cam_mask: Array
    cam_dendrite: Array
    cam_flags: Array
    sram_used: Array
    sram_tag: Array
    sram_cores: Array
    sram_x: Array
    sram_y: Array
    input_channel: Array
    input_tag: Array
    input_cores: Array
    input_x: Array
    input_y: Array
    i_scale: Array
    drive_factor: Array
    bias_table: Array
    layout: Layout = LAYOUT

    @model_validator(mode="after")
    def _check(self) -> Self:
        try:
            limits = limits_of(self.target)
        except RanvierError as error:
            raise ValueError(str(error)) from error
        problems = register_problems(self, limits)
        if problems:
            raise ValueError(f"{self.target}: " + "; ".join(problems))
        return self

    @property
    def limits(self) -> Limits:
        """Limits of the target."""
        return limits_of(self.target)

    @property
    def table(self) -> BiasTable:
        """The bias generator of this board."""
        return BiasTable(self.bias_table)

    @property
    def n_channels(self) -> int:
        """Number of input channels."""
        return sum(int(np.prod(s, dtype=np.int64)) for s in self.input_shapes.values())

    def current(self, name: str) -> NDArray[np.float64]:
        """Return the current of a bias on every core, (chips, 4), in A.

        Parameters
        ----------
        name : str
            Bias, ``"SOIF_LEAK_N"``.
        """
        k = self.bias_names.index(name)
        return self.table.current(name, self.bias_coarse[..., k], self.bias_fine[..., k])

    def summary(self) -> str:
        """Return a readable overview with the resources in use, core by core."""
        return describe(self)
