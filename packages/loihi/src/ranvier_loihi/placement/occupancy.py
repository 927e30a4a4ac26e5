"""What each core of a placement holds, counted afresh from synapses and places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import Placement

from ..network import LoihiNetwork, MappedConnection, MappedPopulation
from ._connectivity import Net, connectivity
from .budget import Budget

if TYPE_CHECKING:
    from ..config import LoihiConfig

RESOURCES = {
    "neurons": "neurons",
    "axons_in": "axons_in",
    "axons_out": "axons_out",
    "synapse_words": "synapse_words",
    "groups": "groups",
    "thresholds": "thresholds",
}
"""Field of `CoreUse` and the field of `Budget` that limits it."""


@dataclass(frozen=True, kw_only=True)
class CoreUse:
    """What one core holds.

    Parameters
    ----------
    chip, core : int
        Place.
    populations : mapping of str to int
        Neurons of each population on the core.
    neurons, axons_in, axons_out, synapse_words, groups, thresholds : int
        In use, as `Budget` counts them.
    budget : Budget
        What there is.
    """

    chip: int
    core: int
    populations: Mapping[str, int]
    neurons: int
    axons_in: int
    axons_out: int
    synapse_words: int
    groups: int
    thresholds: int
    budget: Budget

    @property
    def shares(self) -> dict[str, float]:
        """Used part of every resource; 1.0 is full."""
        return {
            name: getattr(self, name) / getattr(self.budget, limit)
            for name, limit in RESOURCES.items()
        }

    @property
    def fullest(self) -> str:
        """Name of the resource with the largest share."""
        shares = self.shares
        return max(shares, key=lambda name: shares[name])


def occupancy(network: LoihiNetwork, placement: Placement, budget: Budget) -> tuple[CoreUse, ...]:
    """Return what each core in use holds, ordered by chip and core.

    Parameters
    ----------
    network : LoihiNetwork
        Populations and connections.
    placement : Placement
        Places of all neurons.
    budget : Budget
        Limits, and how memory is counted.
    """
    net = connectivity(network, budget)
    places, core = _cores(network, placement)
    count = len(places)
    axons_in, axons_out = _axons(net, core, count)
    columns = {
        "neurons": np.bincount(core, minlength=count),
        "axons_in": axons_in,
        "axons_out": axons_out,
        "synapse_words": _words(net, core, count, budget=budget),
        "groups": _kinds(net.group, core, count),
        "thresholds": _kinds(net.threshold, core, count),
    }
    names = [p.name for p in network.populations]
    sizes = [p.size for p in network.populations]
    owner = np.repeat(np.arange(len(sizes)), sizes)
    table = np.zeros((count, len(names)), dtype=np.int64)
    np.add.at(table, (core, owner), 1)
    return tuple(
        CoreUse(
            chip=int(chip),
            core=int(number),
            populations={n: int(m) for n, m in zip(names, table[k], strict=True) if m},
            budget=budget,
            **{name: int(values[k]) for name, values in columns.items()},
        )
        for k, (chip, number) in enumerate(places)
    )


def occupancy_of(config: LoihiConfig) -> tuple[CoreUse, ...]:
    """Return what each core of a configuration holds, ordered by chip and core.

    Synapses are counted after quantisation: a weight that became zero takes no memory.
    """
    return occupancy(_network_of(config), config.placement, budget_of(config))


def budget_of(config: LoihiConfig) -> Budget:
    """Return the limits that a configuration was placed under."""
    fields = Budget.__dataclass_fields__
    known = {name: value for name, value in config.resources.items() if name in fields}
    return Budget.of(config.limits, **{"chips": config.chips, **known})


def occupancy_table(uses: Sequence[CoreUse]) -> str:
    """Return a table with one line per core: what it holds, in numbers and percent.

    Parameters
    ----------
    uses : sequence of CoreUse
        From `occupancy` or `occupancy_of`.
    """
    heading = ("chip", "core", *(name.replace("_", " ") for name in RESOURCES), "populations")
    rows = [heading, *(_row(use) for use in uses)]
    widths = [max(len(row[k]) for row in rows) for k in range(len(heading) - 1)]
    lines = [
        "  ".join([*(cell.rjust(w) for cell, w in zip(row, widths, strict=False)), row[-1]])
        for row in rows
    ]
    neurons = sum(use.neurons for use in uses)
    chips = len({use.chip for use in uses})
    lines.append(f"{len(uses)} core(s) of {chips} chip(s) in use, {neurons} neurons")
    return "\n".join(lines)


def _row(use: CoreUse) -> tuple[str, ...]:
    cells = [f"{getattr(use, name)} ({100 * share:.1f} %)" for name, share in use.shares.items()]
    names = ", ".join(f"{name}: {count}" for name, count in use.populations.items())
    return (str(use.chip), str(use.core), *cells, names)


def _cores(
    network: LoihiNetwork, placement: Placement
) -> tuple[list[tuple[int, int]], NDArray[np.int64]]:
    """Return the (chip, core) in use and the number of each neuron's core among them."""
    start, starts = 0, {}
    for p in network.populations:
        starts[p.name], start = start, start + p.size
    offset = np.array([starts.get(name, -1) for name in placement.node], dtype=np.int64)
    neuron = offset[placement.node_id] + placement.index
    pairs = np.stack([placement.chip, placement.core], axis=1)
    places, number = np.unique(pairs, axis=0, return_inverse=True)
    core = np.empty(start, dtype=np.int64)
    core[neuron] = number.ravel()
    return [(int(c), int(k)) for c, k in places], core


def _pairs(items: NDArray[Any], cores: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    return items.astype(np.int64) * count + cores


def _kinds(kind: NDArray[Any], core: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    return np.bincount(np.unique(_pairs(kind, core, count)) % count, minlength=count)


def _axons(
    net: Net, core: NDArray[np.int64], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    target = np.repeat(core, np.diff(net.row))
    pairs = np.unique(_pairs(net.source[net.segment], target, count))
    neuron = pairs // count - net.n_inputs
    return (
        np.bincount(pairs % count, minlength=count),
        np.bincount(core[neuron[neuron >= 0]], minlength=count),
    )


def _words(net: Net, core: NDArray[np.int64], count: int, *, budget: Budget) -> NDArray[np.int64]:
    paid = ~net.free[net.segment]
    target = np.repeat(core, np.diff(net.row))[paid]
    pairs, synapses = np.unique(_pairs(net.segment[paid], target, count), return_counts=True)
    bits = synapses * budget.bits_per_synapse + budget.overhead_bits_per_axon
    words = np.zeros(count, dtype=np.int64)
    np.add.at(words, pairs % count, -(-bits // budget.bits_per_word))
    owner = np.repeat(core, np.diff(net.kernel_row))
    kernels = np.unique(_pairs(net.kernel, owner, count))
    kernel = kernels // count
    shared = int(net.kernel_connection.max(initial=-1)) + 1
    kept = np.zeros((count, shared), dtype=np.int64)
    np.add.at(kept, (kernels % count, net.kernel_connection[kernel]), net.kernel_bits[kernel])
    total: NDArray[np.int64] = words + (-(-kept // budget.bits_per_word)).sum(axis=1)
    return total


def _network_of(config: LoihiConfig) -> LoihiNetwork:
    """Return the populations and connections of a configuration, registers as numbers."""
    return LoihiNetwork(
        inputs=dict(config.input_shapes),
        populations=tuple(
            MappedPopulation(
                name=p.name,
                model=p.model,
                shape=p.shape,
                beta=p.decay_u,
                alpha=p.decay_v,
                threshold=p.threshold,
                threshold_low=p.threshold_low,
                refractory=p.refractory,
                cosine=p.cos_decay,
                sine=p.sin_decay,
            )
            for p in config.populations
        ),
        connections=tuple(_connections(config)),
    )


def _connections(config: LoihiConfig) -> Iterable[MappedConnection]:
    for s in config.synapses:
        ends: dict[str, Any] = {
            "source": s.source,
            "target": s.target,
            "port": s.port,
            "kind": s.kind,
        }
        if s.kind == "dense":
            yield MappedConnection(**ends, weight=s.weights)
        elif s.kind == "conv":
            yield MappedConnection(
                **ends,
                weight=s.weights,
                input_shape=s.input_shape,
                stride=s.stride,
                padding=s.padding,
                dilation=s.dilation,
                groups=s.groups,
            )
        else:
            weight, indices, indptr = _rows(s, config.size_of(s.target))
            yield MappedConnection(**ends, weight=weight, indices=indices, indptr=indptr)


def _rows(synapse: Any, n_target: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return weights, sources and row starts of a sparse synapse, target by target."""
    pointers = np.asarray(synapse.pointers)
    blocks, n_source = pointers.shape[0], pointers.shape[1] - 1
    counts = np.diff(pointers, axis=1)
    source = np.repeat(np.tile(np.arange(n_source), blocks), counts.ravel())
    block = np.repeat(np.arange(blocks), counts.sum(axis=1))
    target = block * synapse.block + synapse.targets
    order = np.argsort(target, kind="stable")
    indptr = np.searchsorted(target[order], np.arange(n_target + 1))
    return np.asarray(synapse.weights)[order], source[order], indptr
