"""Every synapse that a configuration makes, found at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import SimulationError

from .packets import packets_of

if TYPE_CHECKING:
    from ..config import Dynapse2Config

MAX_CONNECTIONS = 1 << 28
"""Most connections that are listed: beyond it memory runs out."""


@dataclass(frozen=True, eq=False)
class Connections:
    """Synapses by source and target, sorted by source, then target, then CAM entry.

    Parameters
    ----------
    n_channels, n_neurons : int
        Input channels, and physical neurons of the board.
    source : array of int64, (n,)
        Channels first, then neurons by position: ``n_channels + (chip * 4 + core) * 256 + neuron``.
    target : array of int64, (n,)
        Position of the receiving neuron.
    entry : array of int64, (n,)
        Its CAM entry.
    port : array of uint8, (n,)
        Index into `ranvier_dynapse2.nodes.PORTS`.
    mask : array of uint8, (n,)
        Base currents that add up to the weight.
    """

    n_channels: int
    n_neurons: int
    source: NDArray[np.int64]
    target: NDArray[np.int64]
    entry: NDArray[np.int64]
    port: NDArray[np.uint8]
    mask: NDArray[np.uint8]

    def __len__(self) -> int:
        return int(self.source.size)

    @property
    def indptr(self) -> NDArray[np.int64]:
        """Where each source's rows start, (n_channels + n_neurons + 1,)."""
        numbers = np.arange(self.n_channels + self.n_neurons + 1)
        return np.asarray(np.searchsorted(self.source, numbers), dtype=np.int64)


def connections(config: Dynapse2Config) -> Connections:
    """Return every synapse that opens for a spike, for all channels and neurons.

    The same as `ranvier_dynapse2.routing.walk` for every source. A synapse that two packets of one
    source open appears twice.

    Parameters
    ----------
    config : Dynapse2Config
        The board.

    Raises
    ------
    SimulationError
        There are more than `MAX_CONNECTIONS`.
    """
    limits, packets = config.limits, packets_of(config)
    entries = _sorted_entries(config)
    bits = np.arange(limits.cores_per_chip)
    hit = packets.arrives[:, None] & (((packets.cores[:, None] >> bits) & 1) == 1)
    row, core = np.nonzero(hit)
    wanted = (packets.chip[row] * limits.cores_per_chip + core) * limits.tags + packets.tag[row]
    first = np.searchsorted(entries.key, wanted, side="left")
    count = np.searchsorted(entries.key, wanted, side="right") - first
    total = int(count.sum())
    if total > MAX_CONNECTIONS:
        raise SimulationError(
            f"dynapse2: packets open {total} synapses in all, at most {MAX_CONNECTIONS} can be "
            "listed; give sources different tags"
        )
    start = np.cumsum(count) - count
    hits = np.repeat(first - start, count) + np.arange(total)
    source = np.repeat(packets.source[row], count)
    at = entries.cam[hits]
    order = np.argsort(source * config.cam_tag.size + at, kind="stable")
    source, at = source[order], at[order]
    return Connections(
        n_channels=config.n_channels,
        n_neurons=config.cam_tag.size // limits.synapses_per_neuron,
        source=source,
        target=at // limits.synapses_per_neuron,
        entry=at % limits.synapses_per_neuron,
        port=(config.cam_dendrite.reshape(-1)[at] - 1).astype(np.uint8),
        mask=config.cam_mask.reshape(-1)[at],
    )


@dataclass(frozen=True)
class _Entries:
    """CAM entries in use: ``core of the board * tags + tag``, rising, and their flat number."""

    key: NDArray[np.int64]
    cam: NDArray[np.int64]


def _sorted_entries(config: Dynapse2Config) -> _Entries:
    limits = config.limits
    used = np.flatnonzero(config.cam_dendrite.reshape(-1))
    core = used // (limits.neurons_per_core * limits.synapses_per_neuron)
    key = core * limits.tags + config.cam_tag.reshape(-1)[used]
    order = np.argsort(key, kind="stable")
    return _Entries(key[order], used[order])
