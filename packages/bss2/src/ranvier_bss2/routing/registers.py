"""The registers that decide where events go, whoever holds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..layout import Layout


class RoutingRegisters(Protocol):
    """Arrays that `ranvier_bss2.config.Bss2Config` and `Registers` have in common."""

    @property
    def synapse_weight(self) -> NDArray[Any]:
        """Weights, (I, 2, 256, 256)."""

    @property
    def synapse_label(self) -> NDArray[Any]:
        """Labels, (I, 2, 256, 256)."""

    @property
    def row_mode(self) -> NDArray[Any]:
        """Modes of rows, (I, 2, 256)."""

    @property
    def driver_mask(self) -> NDArray[Any]:
        """Compare masks, (I, 2, 128)."""

    @property
    def node_enabled(self) -> NDArray[Any]:
        """Crossbar nodes in use, (I, 12, 20)."""

    @property
    def node_mask(self) -> NDArray[Any]:
        """Masks of their filters, (I, 12, 20)."""

    @property
    def node_target(self) -> NDArray[Any]:
        """Targets of their filters, (I, 12, 20)."""

    @property
    def circuit_address(self) -> NDArray[Any]:
        """Event addresses, (I, 512)."""

    @property
    def source_instance(self) -> NDArray[Any]:
        """Execution instance of every outer source, (R,)."""

    @property
    def source_link(self) -> NDArray[Any]:
        """Its link, (R,)."""

    @property
    def source_label(self) -> NDArray[Any]:
        """Its label, (R,)."""

    @property
    def background_instance(self) -> NDArray[Any]:
        """Execution instance of every background generator in use, (G,)."""

    @property
    def background_generator(self) -> NDArray[Any]:
        """Its number, (G,)."""

    @property
    def background_label(self) -> NDArray[Any]:
        """Label of its first channel, (G,)."""

    @property
    def background_mask(self) -> NDArray[Any]:
        """Bits of its label that are drawn, (G,)."""


@dataclass(frozen=True, eq=False)
class Registers:
    """A layout together with the contents of the synapses.

    Parameters
    ----------
    layout : Layout
        All but the synapses.
    synapse_weight, synapse_label : array of uint8, (I, 2, 256, 256)
        From `ranvier_bss2.placement.synapse_arrays`.
    """

    layout: Layout
    synapse_weight: NDArray[np.uint8]
    synapse_label: NDArray[np.uint8]

    @property
    def row_mode(self) -> NDArray[np.int64]:
        """Modes of rows, (I, 2, 256)."""
        return self.layout.row_mode

    @property
    def driver_mask(self) -> NDArray[np.int64]:
        """Compare masks, (I, 2, 128)."""
        return self.layout.driver_mask

    @property
    def node_enabled(self) -> NDArray[np.bool_]:
        """Crossbar nodes in use, (I, 12, 20)."""
        return self.layout.node_enabled

    @property
    def node_mask(self) -> NDArray[np.int64]:
        """Masks of their filters, (I, 12, 20)."""
        return self.layout.node_mask

    @property
    def node_target(self) -> NDArray[np.int64]:
        """Targets of their filters, (I, 12, 20)."""
        return self.layout.node_target

    @property
    def circuit_address(self) -> NDArray[np.int64]:
        """Event addresses, (I, 512)."""
        return self.layout.circuit_address

    @property
    def source_instance(self) -> NDArray[np.int64]:
        """Execution instance of every outer source, (R,)."""
        return self.layout.source_instance

    @property
    def source_link(self) -> NDArray[np.int64]:
        """Its link, (R,)."""
        return self.layout.source_link

    @property
    def source_label(self) -> NDArray[np.int64]:
        """Its label, (R,)."""
        return self.layout.source_label

    @property
    def background_instance(self) -> NDArray[np.int64]:
        """Execution instance of every background generator in use, (G,)."""
        return self.layout.background_instance

    @property
    def background_generator(self) -> NDArray[np.int64]:
        """Its number, (G,)."""
        return self.layout.background_generator

    @property
    def background_label(self) -> NDArray[np.int64]:
        """Label of its first channel, (G,)."""
        return self.layout.background_label

    @property
    def background_mask(self) -> NDArray[np.int64]:
        """Bits of its label that are drawn, (G,)."""
        return self.layout.background_mask
