"""Configurations from networks and layouts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from ranvier.artifacts import MappedNetwork, OutputChannel
from ranvier.diagnostics import Diagnostic
from ranvier.errors import QuantizationError

from ..config import Bss2Config, Population
from ..config.configuration import ProjectionEnds
from ..layout import Layout
from ..mapping import placement_of
from ..network import TARGETS, BssNetwork, BssPopulation
from ..nodes import MODEL
from ..placement import synapse_arrays
from ..targets import CHIP, target_named
from ._weights import clip_weights, parts_of, round_weights

_REGISTERS = {
    "row_mode": np.uint8,
    "driver_mask": np.uint8,
    "node_enabled": np.bool_,
    "node_mask": np.uint16,
    "node_target": np.uint16,
    "circuit_address": np.int16,
}
_TABLES = (
    *(f"neuron_{n}" for n in ("instance", "population", "index", "rank", "circuit")),
    *(f"source_{n}" for n in ("instance", "projection", "channel", "link", "label")),
)


def network_of(mapped: MappedNetwork) -> tuple[BssNetwork, Layout]:
    """Return the network and the layout that a mapped network carries.

    Raises
    ------
    QuantizationError
        Something is missing, or not finite.
    """
    missing = [n for n in ("network", "shown", "kappa") if n not in mapped.settings]
    if missing:
        raise QuantizationError(
            f"{mapped.target}: the mapped network has no settings {missing}; map the graph again"
        )
    prefix = "layout/"
    own = {n.removeprefix(prefix): v for n, v in mapped.arrays.items() if n.startswith(prefix)}
    rest = {n: v for n, v in mapped.arrays.items() if not n.startswith(prefix)}
    return BssNetwork.from_parts(rest, mapped.settings["network"]), Layout.from_parts(own)


def sizes_of(network: BssNetwork) -> dict[str, int]:
    """Return the sizes of all inputs, background generators and populations."""
    sources = (*network.inputs, *(b.name for b in network.backgrounds))
    names = (*sources, *(p.name for p in network.populations))
    return {n: network.size_of(n) for n in names}


def config_of(
    network: BssNetwork,
    layout: Layout,
    *,
    shown: Mapping[str, str] | None = None,
    kappa: float | None = None,
    weights: Sequence[NDArray[Any]] | None = None,
    spike_masks: Mapping[str, NDArray[np.bool_]] | None = None,
    target: str = CHIP,
    dt: float | None = None,
    latency: Mapping[str, int] | None = None,
    diagnostics: Sequence[Diagnostic] = (),
    provenance: Mapping[str, Any] | None = None,
) -> Bss2Config:
    """Write a placed network into the registers of its chip.

    Parameters
    ----------
    network : BssNetwork
        Populations and projections.
    layout : Layout
        Their places.
    shown : mapping of str to str, optional
        Population by output; by default, populations without targets show themselves.
    kappa : float, optional
        LSB of synaptic drive per weight LSB; that of the manifest by default.
    weights : sequence of array of int, optional
        Per projection, (n_target, n_source); the network's, rounded and cut, by default.
    spike_masks : mapping of str to array of bool, (n,), optional
        Neurons whose spikes are passed on, by population; all by default.
    target : str
        Target.
    dt : float, optional
        Time step of the graph, in s; that of the network by default.
    latency : mapping of str to int, optional
        Extra steps by node; ``late`` of the populations by default.
    diagnostics, provenance
        What the configuration is to carry.

    Raises
    ------
    QuantizationError
        Network, layout and weights do not fit each other, or a register is out of range.
    """
    if weights is None:
        parts = parts_of(layout, network.projections, sizes_of(network))
        weights = [
            clip_weights(round_weights(q.weight), own)
            for q, own in zip(network.projections, parts, strict=True)
        ]
    if kappa is None:
        kappa = float(target_named(target).fact("kappa").value)  # type: ignore[arg-type]
    outputs = _outputs(network) if shown is None else dict(shown)
    masks = spike_masks or {}
    weight, label = synapse_arrays(layout, dict(enumerate(weights)))
    late = {p.name: p.late for p in network.populations}
    late |= {o: late[n] for o, n in outputs.items() if n in late}
    try:
        return Bss2Config(
            target=target,
            dt=network.dt / network.time_scale if dt is None else dt,
            input_shapes=dict(network.inputs),
            outputs=tuple(_channel(network, o, n) for o, n in outputs.items()),
            node_shapes={p.name: p.shape for p in network.populations}
            | {b.name: b.shape for b in network.backgrounds},
            placement=placement_of(network, layout),
            latency=late if latency is None else dict(latency),
            diagnostics=tuple(diagnostics),
            provenance=dict(provenance or {}),
            time_scale=network.time_scale,
            chip_dt=network.dt,
            populations=tuple(_population(p, masks.get(p.name)) for p in network.populations),
            projections=tuple(
                ProjectionEnds(source=q.source, target=q.target, delay=q.delay)
                for q in network.projections
            ),
            kappa=kappa,
            synapse_weight=weight,
            synapse_label=label,
            **{n: np.asarray(getattr(layout, n), dtype=kind) for n, kind in _REGISTERS.items()},
            **{n: np.asarray(getattr(layout, n), dtype=np.int64) for n in _TABLES},
            **_backgrounds(network, layout),
        )
    except ValidationError as error:
        raise QuantizationError(
            f"{target}: the network does not fit its layout: {error}; map the graph again"
        ) from error


def with_weights(
    config: Bss2Config, layout: Layout, weights: Mapping[int, NDArray[Any]]
) -> Bss2Config:
    """Return a configuration with other weights, and nothing else checked again.

    For training in the loop: only the synapse weights are written.

    Parameters
    ----------
    config : Bss2Config
        Made from this layout.
    layout : Layout
        Places of synapses.
    weights : mapping of int to array of int, (n_target, n_source)
        Whole weights of every projection.

    Raises
    ------
    QuantizationError
        A projection is missing, or a weight has no synapse.
    """
    missing = sorted(set(range(len(config.projections))) - set(weights))
    if missing:
        raise QuantizationError(
            f"{config.target}: weights of projections {missing} are missing; give all of "
            f"{len(config.projections)}"
        )
    weight, _ = synapse_arrays(layout, weights)
    weight.setflags(write=False)
    return config.model_copy(update={"synapse_weight": weight})


def _backgrounds(network: BssNetwork, layout: Layout) -> dict[str, Any]:
    """Return the tables of background generators: places, and the settings of their nodes."""
    used, number = np.unique(layout.background_node, return_inverse=True)
    own = [network.backgrounds[k] for k in used.tolist()]
    rows = [own[k] for k in number.tolist()]
    places = ("instance", "generator", "label", "mask")
    tables = {n: getattr(layout, f"background_{n}") for n in places}
    tables |= {n: [getattr(b, n) for b in rows] for n in ("period", "rate", "seed")}
    tables["node"] = number
    found: dict[str, Any] = {
        f"background_{n}": np.asarray(v, dtype=np.int64) for n, v in tables.items()
    }
    found["background_regular"] = np.array([b.regular for b in rows], dtype=np.bool_)
    return found | {"background_shapes": {b.name: b.shape for b in own}}


def _outputs(network: BssNetwork) -> dict[str, str]:
    """Return populations that drive nothing, as outputs of their own name."""
    sources = {q.source for q in network.projections}
    return {p.name: p.name for p in network.populations if p.name not in sources}


def _channel(network: BssNetwork, output: str, node: str) -> OutputChannel:
    fires = "fire" in network.population(node).switches
    return OutputChannel(output=output, node=node, quantity="spikes" if fires else "v_mem")


def _population(own: BssPopulation, mask: NDArray[np.bool_] | None) -> Population:
    readout = own.readout
    return Population(
        name=own.name,
        shape=own.shape,
        switches=own.switches,
        instance=own.instance,
        circuits=own.circuits,
        model={n: own.model[n] for n in MODEL},
        targets={n: own.targets[n] for n in TARGETS},
        trace_scale=readout.trace_scale,
        trace_offset=readout.trace_offset,
        cadc=readout.cadc,
        madc_neuron=readout.madc_neuron,
        shift_to_first=readout.shift_to_first,
        time_shift=readout.time_shift,
        interpolation=readout.interpolation,
        spike_mask=np.ones(own.size, np.bool_) if mask is None else np.asarray(mask, np.bool_),
    )
