"""Whether a mapped network is still what *map* wrote: shapes, ranges and references."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ranvier.errors import QuantizationError

from ..network import DpiNetwork
from ..nodes import CURRENTS, MODELS, PORTS
from ..targets import Limits

_PLACES = ("chip", "core", "slot", "i_scale", "monitored")
_SYNAPSES = ("synapse_group", "synapse_target", "synapse_port", "synapse_weight")
_ROUTES = ("route_group", "route_chip", "route_cores", "route_tag")


def refuse_altered(network: DpiNetwork, target: str, limits: Limits) -> None:
    """Raise if the arrays of a mapped network do not fit each other or the chip.

    Parameters
    ----------
    network : DpiNetwork
        From a mapped network that may have been edited.
    target : str
        Name of the target, for the message.
    limits : Limits
        Of the target.

    Raises
    ------
    QuantizationError
        All problems in one message.
    """
    problems = list(_shape_problems(network, limits))
    if not problems:
        problems = [*_range_problems(network, limits), *_value_problems(network)]
    if problems:
        raise QuantizationError(
            f"{target}: the arrays of the mapped network do not fit: {'; '.join(problems)}; map "
            "the graph again"
        )


def _shape_problems(network: DpiNetwork, limits: Limits) -> Iterator[str]:
    n = network.n_neurons
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(_PLACES, (n,))
    shapes |= dict.fromkeys(_SYNAPSES, network.synapse_group.shape[:1])
    shapes |= dict.fromkeys(_ROUTES, network.route_group.shape[:1])
    shapes["group"] = (network.n_channels + n,)
    board = (network.chips, limits.cores_per_chip, limits.neurons_per_core)
    shapes["cam_usable"] = (*board, limits.synapses_per_neuron)
    for name, shape in shapes.items():
        found = getattr(network, name).shape
        if found != shape:
            yield f"{name} has shape {found}, expected {shape}"
    for name in CURRENTS:
        if network.currents[name].shape != (n,):
            yield f"{name} has shape {network.currents[name].shape}, expected ({n},)"
    held = sum(p.size for p in network.populations)
    if held != n:
        yield f"the populations hold {held} neurons, there are places for {n}"


def _range_problems(network: DpiNetwork, limits: Limits) -> Iterator[str]:
    """Yield integers out of range."""
    if network.model not in MODELS:
        yield f"model {network.model!r} is unknown; models: {', '.join(MODELS)}"
    if not 1 <= network.chips <= limits.chips:
        yield f"{network.chips} chips, a board has 1..{limits.chips}"
    groups = int(network.group.max(initial=-1))
    ranges = {
        "chip": (0, network.chips - 1),
        "core": (0, limits.cores_per_chip - 1),
        "slot": (0, limits.neurons_per_core - 1),
        "group": (-1, groups),
        "synapse_group": (0, groups),
        "synapse_target": (0, network.n_neurons - 1),
        "synapse_port": (0, len(PORTS) - 1),
        "route_group": (0, groups),
        "route_chip": (0, network.chips - 1),
        "route_cores": (1, (1 << limits.cores_per_chip) - 1),
        "route_tag": (0, limits.tags - 1),
    }
    for name, (least, most) in ranges.items():
        values = getattr(network, name)
        if values.size and (values.min() < least or values.max() > most):
            yield f"{name} is {values.min()}..{values.max()}, allowed are {least}..{most}"
    place = (network.chip * limits.cores_per_chip + network.core) * limits.neurons_per_core
    taken, count = np.unique(place + network.slot, return_counts=True)
    if taken.size < network.n_neurons:
        yield f"{int((count > 1).sum())} places hold several neurons"


def _value_problems(network: DpiNetwork) -> Iterator[str]:
    """Yield currents and weights that have no meaning."""
    positive = {
        "synapse_weight": network.synapse_weight,
        "i_scale": network.i_scale,
        **{name: network.currents[name] for name in ("i_ref", "i_pulse", "i_pulse_ahp")},
    }
    for name, values in positive.items():
        if values.size and values.min() <= 0:
            yield f"{name} is {values.min():g}, it must be > 0"
    for name in CURRENTS:
        if network.currents[name].min(initial=0.0) < 0:
            yield f"{name} is {network.currents[name].min():g} A, it must be >= 0"
