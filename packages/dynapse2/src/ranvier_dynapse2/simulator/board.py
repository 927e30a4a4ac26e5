"""From the registers of a board to neurons and synapses in amperes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..biases import PARAMETER_BIASES, WEIGHT_BIASES
from ..config import DENDRITES, LATCHES, Dynapse2Config
from ..dpi import DpiParameters, Synapses
from ..mismatch import VirtualChip
from ..nodes import CONSTANTS, CURRENTS, PORTS
from ..routing import Connections, connections
from ..routing.packets import packets_of
from .options import SimulateOptions


@dataclass(frozen=True, eq=False)
class Board:
    """What the simulator runs: the neurons in use and what connects them.

    Parameters
    ----------
    model : {"merged_synapse", "four_synapse"}
        How synapses act.
    positions : array of int64, (n,)
        Neurons that are simulated, ``(chip * 4 + core) * 256 + neuron``, rising: those that hold a
        neuron of the graph, receive, or send to a chip, without those that are switched off.
    parameters : DpiParameters
        Their currents and constants.
    synapses_in, synapses_rec : Synapses
        From input channels, and from neuron to neuron.
    columns : mapping of str to array of int64, (size,)
        By graph node and index: number among ``positions``, -1 for neurons that are switched off.
    """

    model: str
    positions: NDArray[np.int64]
    parameters: DpiParameters
    synapses_in: Synapses
    synapses_rec: Synapses
    columns: dict[str, NDArray[np.int64]]


def prepare_board(config: Dynapse2Config, options: SimulateOptions) -> Board:
    """Return the neurons and synapses that a configuration stands for.

    Parameters
    ----------
    config : Dynapse2Config
        The board.
    options : SimulateOptions
        Model of the synapses, and the virtual chip.

    Raises
    ------
    InputError
        The virtual chip makes a current negative.
    SimulationError
        There are too many connections.

    Notes
    -----
    Currents are those of the codes, from the configuration's table. With the latch ``so_dc`` off a
    neuron has no constant input; with ``soif_kill`` on it is left out. The base currents of the
    weights belong to the core, and have no mismatch: a virtual chip varies what belongs to a
    neuron.
    """
    model = options.model or config.model
    positions = _positions(config)
    values = _values(config, positions)
    if not options.is_ideal:
        chip = VirtualChip(options.chip_seed, options.mismatch, options.mismatch_overrides)
        values = chip.apply(values, positions)
    if model == "merged_synapse":
        values |= _merged(config, positions, values)
    found = connections(config)
    local = np.full(found.n_neurons, -1, dtype=np.int64)
    local[positions] = np.arange(positions.size)
    synapses_in, synapses_rec = _synapses(config, found, local)
    return Board(
        model=model,
        positions=positions,
        parameters=DpiParameters.of_values(values, model=model, dt=config.dt),
        synapses_in=synapses_in,
        synapses_rec=synapses_rec,
        columns={name: local[own] for name, own in placed_positions(config).items()},
    )


def placed_positions(config: Dynapse2Config) -> dict[str, NDArray[np.int64]]:
    """Return the physical neurons of every graph node, ordered by index.

    Parameters
    ----------
    config : Dynapse2Config
        Its placement is read.
    """
    place, limits = config.placement, config.limits
    number = place.port.index("neuron") if "neuron" in place.port else -1
    found = {}
    for name in config.node_shapes:
        node = place.node.index(name) if name in place.node else -1
        rows = np.flatnonzero((place.port_id == number) & (place.node_id == node))
        rows = rows[np.argsort(place.index[rows], kind="stable")]
        core = place.chip[rows] * limits.cores_per_chip + place.core[rows]
        found[name] = core * limits.neurons_per_core + place.slot[rows]
    return found


def switch(config: Dynapse2Config, name: str) -> NDArray[np.bool_]:
    """Return a latch of all physical neurons by position.

    Parameters
    ----------
    config : Dynapse2Config
        The board.
    name : str
        One of `ranvier_dynapse2.config.LATCHES`.
    """
    latches = config.latches.reshape(-1, len(LATCHES))
    return np.asarray(latches[:, LATCHES.index(name)])


def _positions(config: Dynapse2Config) -> NDArray[np.int64]:
    receives = (config.cam_dendrite != 0).any(axis=3).reshape(-1)
    wanted = receives.copy()
    packets = packets_of(config)
    sends = packets.source[packets.arrives & (packets.source >= config.n_channels)]
    wanted[sends - config.n_channels] = True
    for own in placed_positions(config).values():
        wanted[own] = True
    return np.flatnonzero(wanted & ~switch(config, "soif_kill"))


def _values(config: Dynapse2Config, positions: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """Return currents and constants of the neurons, in A, F and V."""
    core = positions // config.limits.neurons_per_core
    values = {name: config.current(PARAMETER_BIASES[name]).reshape(-1)[core] for name in CURRENTS}
    values["i_dc"] = np.where(switch(config, "so_dc")[positions], values["i_dc"], 0.0)
    for name in CONSTANTS:
        values[name] = np.full(positions.size, getattr(config.layout, name))
    values["i_scale"] = config.i_scale.reshape(-1)[core]
    return values


def _merged(
    config: Dynapse2Config,
    positions: NDArray[np.int64],
    values: dict[str, NDArray[np.float64]],
) -> dict[str, NDArray[np.float64]]:
    """Return gain and leak of one synapse: the mean over a neuron's CAM, weighted by masks.

    Currents of other synapses count as those that do the same with the capacitance of AMPA.
    """
    shape = (-1, config.limits.synapses_per_neuron)
    dendrite = config.cam_dendrite.reshape(shape)[positions]
    mask = config.cam_mask.reshape(shape)[positions].astype(np.float64)
    share = np.stack(
        [np.where(dendrite == DENDRITES.index(p), mask, 0.0).sum(axis=1) for p in PORTS]
    )
    total = share.sum(axis=0)
    share[PORTS.index("ampa"), total == 0] = 1.0
    share /= np.where(total == 0, 1.0, total)
    merged = {}
    for kind in ("gain", "tau"):
        each = [values[f"i_{kind}_{p}"] * values["c_ampa"] / values[f"c_{p}"] for p in PORTS]
        merged[f"i_{kind}_ampa"] = (share * np.stack(each)).sum(axis=0)
    return merged


def _weights(config: Dynapse2Config, found: Connections) -> NDArray[np.float64]:
    """Return the magnitude of every connection in units of its core's current scale."""
    base = np.stack([config.current(name).reshape(-1) for name in WEIGHT_BIASES], axis=1)
    bits = (np.arange(1 << base.shape[1])[:, None] >> np.arange(base.shape[1])) & 1
    level = base @ bits.T * (config.drive_factor / config.i_scale).reshape(-1, 1)
    return np.asarray(level[found.target // config.limits.neurons_per_core, found.mask])


def _synapses(
    config: Dynapse2Config, found: Connections, local: NDArray[np.int64]
) -> tuple[Synapses, Synapses]:
    """Return the synapses from channels and from neurons, numbered as they are simulated."""
    n, runs = found.n_channels, local >= 0
    number = np.concatenate([np.arange(n), local])
    carries = (found.mask != 0) & (number[found.source] >= 0) & runs[found.target]
    weight = _weights(config, found)

    def of(rows: NDArray[np.bool_], n_sources: int) -> Synapses:
        return Synapses.of_pairs(
            n_sources,
            number[found.source[rows]],
            target=local[found.target[rows]],
            port=found.port[rows],
            weight=weight[rows],
        )

    from_channel = found.source < n
    return of(carries & from_channel, n), of(carries & ~from_channel, int(runs.sum()))
