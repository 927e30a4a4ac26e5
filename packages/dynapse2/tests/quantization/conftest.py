"""Mapped networks by hand: what *map* would return, for weights given as matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ranvier.artifacts import MappedNetwork, Placement
from ranvier.graph import Graph, Linear
from ranvier_dynapse2.network import DpiNetwork, Population
from ranvier_dynapse2.nodes import CURRENTS, Dpi
from ranvier_dynapse2.quantization import QuantizeOptions, quantize_network

SLOTS = 256


def by_port(weights: np.ndarray) -> np.ndarray:
    """Return magnitudes (sources, N, 4); a signed matrix goes to AMPA and GABA."""
    if weights.ndim == 3:
        return weights
    ports = np.zeros((*weights.shape, 4))
    ports[..., 0] = np.maximum(weights, 0)
    ports[..., 1] = np.maximum(-weights, 0)
    return ports


def network_by_hand(
    w_in: np.ndarray,
    w_rec: np.ndarray,
    *,
    core: np.ndarray,
    node: Dpi,
    chips: int,
    monitored: np.ndarray,
    cam_usable: np.ndarray,
) -> DpiNetwork:
    """Return a network whose groups are the sources with equal rows; a group's tag is unique."""
    n_in, n = w_in.shape[:2]
    magnitude = np.concatenate([by_port(w_in), by_port(w_rec)])
    rows = magnitude.reshape(n_in + n, -1)
    unique, index = np.unique(rows, axis=0, return_inverse=True)
    used, new = np.unique(index.ravel()[rows.any(axis=1)], return_inverse=True)
    group = np.full(n_in + n, -1)
    group[rows.any(axis=1)] = new
    per_group = unique[used].reshape(used.size, n, 4)
    target, own, port = np.nonzero(per_group.transpose(1, 0, 2))
    routes = []
    for g in range(used.size):
        reached = np.unique(core[per_group[g].any(axis=1)])
        for chip in np.unique(reached // 4):
            mask = sum(1 << int(c % 4) for c in reached if c // 4 == chip)
            routes.append((g, int(chip), mask, 100 + g))
    table = np.array(routes, dtype=np.int64).reshape(-1, 4)
    slot = np.zeros(n, dtype=np.int64)
    for c in np.unique(core):
        slot[core == c] = np.arange((core == c).sum())
    return DpiNetwork(
        model=node.model,
        chips=chips,
        inputs={"input": (n_in,)},
        populations=(Population("dpi", (n,), 0),),
        layout=_layout(node),
        chip=core // 4,
        core=core % 4,
        slot=slot,
        currents={name: np.full(n, float(np.max(getattr(node, name)))) for name in CURRENTS},
        i_scale=np.full(n, float(np.max(node.i_scale))),
        monitored=monitored,
        group=group,
        synapse_group=own,
        synapse_target=target,
        synapse_port=port,
        synapse_weight=per_group[own, target, port],
        route_group=table[:, 0],
        route_chip=table[:, 1],
        route_cores=table[:, 2],
        route_tag=table[:, 3],
        cam_usable=cam_usable,
    )


def _layout(node: Dpi) -> Any:
    from ranvier_dynapse2.layout import Layout

    return Layout(**{name: float(np.max(getattr(node, name))) for name in Layout.model_fields})


def placement_by_hand(network: DpiNetwork) -> Placement:
    """Return neurons, and one row per core that a channel reaches."""
    rows: list[tuple[int, int, int, int, int, int]] = [
        (0, i, *map(int, place), 0)
        for i, place in enumerate(zip(network.chip, network.core, network.slot, strict=True))
    ]
    for channel, group in enumerate(network.group[: network.n_channels]):
        for route in np.flatnonzero(network.route_group == group):
            for core in range(4):
                if network.route_cores[route] >> core & 1:
                    chip, tag = int(network.route_chip[route]), int(network.route_tag[route])
                    rows.append((1, channel, chip, core, tag, 1))
    columns = np.array(rows, dtype=np.int64).T
    names = ("node_id", "index", "chip", "core", "slot", "port_id")
    return Placement(
        node=("dpi", "input"),
        port=("neuron", "input"),
        **dict(zip(names, columns, strict=True)),
    )


def mapped_by_hand(
    w_in: Any,
    w_rec: Any = None,
    *,
    core: Any = None,
    chips: int = 1,
    monitored: Any = True,
    cam_usable: Any = None,
    dt: float = 1e-3,
    model: str = "merged_synapse",
    **currents: float,
) -> MappedNetwork:
    """Return what *map* would: weights (sources, N) signed, or (sources, N, 4) by port."""
    w_in = np.asarray(w_in, dtype=np.float64)
    n_in, n = w_in.shape[:2]
    w_rec = np.zeros((n, *w_in.shape[1:])) if w_rec is None else np.asarray(w_rec, float)
    node = Dpi(shape=(n,), model=model, **{k: np.array(v) for k, v in currents.items()})
    network = network_by_hand(
        w_in,
        w_rec,
        core=np.arange(n) // SLOTS if core is None else np.asarray(core, dtype=np.int64),
        node=node,
        chips=chips,
        monitored=np.broadcast_to(np.asarray(monitored, dtype=bool), (n,)).copy(),
        cam_usable=np.ones((chips, 4, SLOTS, 64), bool) if cam_usable is None else cam_usable,
    )
    arrays, document = network.to_parts()
    fc = Linear(weight=np.ones((n, n_in)))
    graph = Graph.sequential({"fc": fc, "dpi": Dpi(shape=(n,))}, dt=dt)
    return MappedNetwork(
        target="dynapse2",
        graph=graph,
        placement=placement_by_hand(network),
        arrays=arrays,
        settings={"network": document, "options": {"seed": 0}, "shown": {"output": "dpi"}},
    )


@pytest.fixture
def map_by_hand() -> Callable[..., MappedNetwork]:
    """Builder of mapped networks from weight matrices."""
    return mapped_by_hand


@pytest.fixture
def quantized() -> Callable[..., Any]:
    """Quantise a mapped network with options."""
    return lambda mapped, **options: quantize_network(mapped, QuantizeOptions(**options))


@pytest.fixture
def network_of() -> Callable[[MappedNetwork], DpiNetwork]:
    """Read the network of a mapped one."""
    return lambda mapped: DpiNetwork.from_parts(mapped.arrays, mapped.settings["network"])


@pytest.fixture
def tutorial() -> tuple[np.ndarray, np.ndarray]:
    """Weights of the kind of the quick start: 60 channels onto two coupled neurons."""
    rng = np.random.default_rng(2022)
    w_in = rng.normal(0.0, 4.0, (60, 2))
    w_in *= 15.03 / np.abs(w_in).max()
    return w_in, np.array([[10.719, -7.334], [-7.085, 10.118]])
