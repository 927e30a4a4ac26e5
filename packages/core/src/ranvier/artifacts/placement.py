"""Where each neuron of the graph sits on the chip, and which neuron a chip's slot holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError


@dataclass(frozen=True, eq=False)
class Placement:
    """Table of graph node and index against chip, core, port and slot; many to many.

    One row is one place. All columns have the length of the table.

    Parameters
    ----------
    node : tuple of str
        Names that ``node_id`` points to.
    node_id, index : array of int, (rows,)
        Graph node and flat neuron (or channel) index.
    chip, core, slot : array of int, (rows,)
        Place.
    port : tuple of str
        Names that ``port_id`` points to: ``"input"``, ``"hidden"``, ``"output"``, ...
    port_id : array of int, (rows,)
        What kind of slot it is.
    """

    node: tuple[str, ...]
    port: tuple[str, ...]
    node_id: NDArray[np.int64]
    index: NDArray[np.int64]
    chip: NDArray[np.int64]
    core: NDArray[np.int64]
    slot: NDArray[np.int64]
    port_id: NDArray[np.int64]

    @classmethod
    def from_rows(
        cls, rows: Iterable[tuple[str, Any, str, Any]], *, chip: int = 0, core: int = 0
    ) -> Placement:
        """Build a table for one core from blocks ``(node, indices, port, slots)``.

        Parameters
        ----------
        rows : iterable
            Per block: node name, flat neuron indices (n,), port name, slots (n,).
        chip, core : int
            Place of all rows.
        """
        blocks = list(rows)
        nodes = tuple(dict.fromkeys(b[0] for b in blocks))
        ports = tuple(dict.fromkeys(b[2] for b in blocks))
        columns: dict[str, list[NDArray[np.int64]]] = {
            "node_id": [],
            "index": [],
            "slot": [],
            "port_id": [],
        }
        for node, indices, port, slots in blocks:
            index = np.asarray(indices, dtype=np.int64).ravel()
            columns["node_id"].append(np.full(index.size, nodes.index(node), dtype=np.int64))
            columns["index"].append(index)
            columns["slot"].append(np.asarray(slots, dtype=np.int64).ravel())
            columns["port_id"].append(np.full(index.size, ports.index(port), dtype=np.int64))
        joined = {
            name: np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
            for name, parts in columns.items()
        }
        size = joined["index"].size
        return cls(
            node=nodes,
            port=ports,
            chip=np.full(size, chip, dtype=np.int64),
            core=np.full(size, core, dtype=np.int64),
            **joined,
        )

    def __len__(self) -> int:
        return int(self.index.size)

    def slots_of(self, node: str, *, port: str | None = None) -> NDArray[np.int64]:
        """Return the slots of a node's neurons, ordered by neuron index.

        Raises
        ------
        InputError
            The node is not placed; the message lists those that are.
        """
        if node not in self.node:
            raise InputError(f"placement: {node!r} is not placed; placed: {list(self.node)}")
        rows = self.node_id == self.node.index(node)
        if port is not None:
            rows &= self.port_id == (self.port.index(port) if port in self.port else -1)
        order = np.argsort(self.index[rows], kind="stable")
        slots: NDArray[np.int64] = self.slot[rows][order]
        return slots

    def owners_of(self, *, port: str) -> list[tuple[int, str, int]]:
        """Return ``(slot, node, index)`` of every used slot of a port, ordered by slot."""
        rows = np.flatnonzero(self.port_id == (self.port.index(port) if port in self.port else -1))
        rows = rows[np.argsort(self.slot[rows], kind="stable")]
        return [
            (int(self.slot[r]), self.node[int(self.node_id[r])], int(self.index[r])) for r in rows
        ]

    _COLUMNS = ("node_id", "index", "chip", "core", "slot", "port_id")

    def to_payload(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return the table as named arrays and a JSON-able document."""
        arrays = {name: getattr(self, name) for name in self._COLUMNS}
        return arrays, {"node": list(self.node), "port": list(self.port)}

    @classmethod
    def from_payload(
        cls, arrays: Mapping[str, NDArray[Any]], document: Mapping[str, Any]
    ) -> Placement:
        """Build a table from what `to_payload` returned."""
        return cls(node=tuple(document["node"]), port=tuple(document["port"]), **dict(arrays))
