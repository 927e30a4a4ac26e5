"""From the arguments of a sweep to what is sent, run and written down."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..artifacts import ChipConfig, MappedNetwork
from ..artifacts.session import check_inputs, check_lengths
from ..errors import InputError
from ..events import ContinuousSeries, EventSeries, as_raster
from ..graph import Graph, payload_hash
from ..plugins import manager
from ..target import Target
from .canonical import describe_function, fingerprint
from .job import Evaluate, Parcel
from .measures import OutputActivity
from .space import Row, Space, check_space, space_from
from .worker import Network, packed

_VERBS = {
    Graph: ("map", "quantize", "simulate"),
    MappedNetwork: ("quantize", "simulate"),
    ChipConfig: ("simulate",),
}


@dataclass(frozen=True)
class Plan:
    """A checked sweep.

    Parameters
    ----------
    definition : mapping
        Everything that decides the rows, JSON-able: hashes, axes, seed, versions.
    parcel : Parcel
        What workers need.
    evaluate : callable
        From a recording to numbers.
    space : Space
        The axes.
    """

    definition: Mapping[str, Any]
    parcel: Parcel
    evaluate: Evaluate
    space: Space

    def rows(self, finished: Mapping[int, Any]) -> list[Row]:
        """Return the rows to run; those that share a build follow each other."""
        rows = [row for row in self.space.rows() if row.index not in finished]
        return sorted(rows, key=lambda r: json.dumps([r.varied("map"), r.varied("quantize")]))


def plan_sweep(
    network: Any,
    target: str | None,
    spikes: Any,
    *,
    vary: Mapping[str, Sequence[Any]],
    options: Mapping[str, Any],
    lengths: Any,
    record: Sequence[str] | bool,
    labels: Any,
    evaluate: Evaluate | None,
    seed: int,
) -> Plan:
    """Check the arguments of a sweep; see `ranvier.sweep` for their meaning and errors."""
    verbs = _verbs_of(network)
    chip = _chip_of(network, target)
    space = space_from(vary, seed=_checked_seed(seed))
    check_space(space, options, chip, verbs)
    inputs, steps = _inputs(network, spikes, lengths)
    chosen, described = _evaluation(evaluate, labels)
    kept = (
        record if isinstance(record, bool) else [record] if isinstance(record, str) else [*record]
    )
    definition = {
        "network": network.content_hash,
        "target": chip.name,
        "versions": _versions(chip),
        "inputs": payload_hash(inputs, {"lengths": fingerprint(steps)}),
        "vary": [[name, list(values)] for name, values in space.axes.items()],
        "options": fingerprint(dict(options)),
        "record": kept,
        "evaluate": described,
        "seed": space.seed,
    }
    key = hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()
    parcel = Parcel(key, packed(network), chip.name, inputs, steps, kept, dict(options))
    return Plan(definition, parcel, chosen, space)


def _verbs_of(network: Network) -> tuple[str, ...]:
    for kind, verbs in _VERBS.items():
        if isinstance(network, kind):
            return verbs
    raise InputError(
        f"sweep: expected a Graph, MappedNetwork or ChipConfig, got {type(network).__name__}; use "
        "net.to_graph() or ranvier.read(path)"
    )


def _chip_of(network: Network, target: str | None) -> Target:
    if isinstance(network, Graph):
        if target is None:
            raise InputError(
                f"sweep: a graph needs a target; installed: {', '.join(manager().targets)}"
            )
        return manager().target(target)
    if target not in (None, network.target):
        raise InputError(
            f"sweep: the network is for {network.target!r}, target says {target!r}; leave it out, "
            "or give the graph"
        )
    return manager().target(network.target)


def _checked_seed(seed: Any) -> int:
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or seed < 0:
        raise InputError(f"sweep: seed is {seed!r}; use a whole number >= 0")
    return int(seed)


def _inputs(
    network: Network, spikes: Any, lengths: Any
) -> tuple[dict[str, NDArray[Any]], NDArray[np.int64] | None]:
    """Return the input as arrays by name, series on the grid of the network, and its lengths."""
    if spikes is None:
        raise InputError("sweep: there is no input; give spikes, ([batch,] time, *shape)")
    if isinstance(network, ChipConfig):
        shapes, dt = network.input_shapes, network.dt
    else:
        graph = network if isinstance(network, Graph) else network.graph
        shapes, dt = {n: graph.nodes[n].output_shape for n in graph.inputs}, graph.dt
    given = spikes if isinstance(spikes, Mapping) else dict.fromkeys(shapes, spikes)
    if set(given) != set(shapes) or (len(shapes) > 1 and not isinstance(spikes, Mapping)):
        raise InputError(f"sweep: the network has inputs {sorted(shapes)}; give a mapping by name")
    arrays = {}
    for name, shape in shapes.items():
        arrays[name], steps = _on_grid(given[name], dt, shape)
        lengths = lengths if steps is None else steps
    checked, _ = check_inputs(arrays, shapes, counts=False)
    n_samples, n_steps = next(iter(checked.values())).shape[:2]
    return arrays, check_lengths(lengths, n_samples=n_samples, n_steps=n_steps)


def _on_grid(
    data: Any, dt: float, shape: tuple[int, ...]
) -> tuple[NDArray[Any], NDArray[np.int64] | None]:
    first = data[0] if isinstance(data, list | tuple) and data else data
    if isinstance(first, EventSeries | ContinuousSeries | np.ndarray) and first is not data:
        found = as_raster(data, dt=dt, shape=shape)
        return found.values, found.lengths
    if isinstance(data, EventSeries | ContinuousSeries):
        return as_raster(data, dt=dt, shape=shape).values[0], None
    return np.asarray(data), None


def _evaluation(evaluate: Evaluate | None, labels: Any) -> tuple[Evaluate, Any]:
    """Return what evaluates a recording, and a JSON-able stand-in of it."""
    if evaluate is None:
        known = None if labels is None else np.asarray(labels)
        if known is not None and (known.dtype.kind not in "iu" or known.ndim > 1):
            raise InputError(
                f"sweep: labels of shape {known.shape} and type {known.dtype}; give one whole "
                "number per sample"
            )
        return OutputActivity(known), {"default": fingerprint(known)}
    if labels is not None:
        raise InputError(
            "sweep: labels are for the default evaluation; bind them to yours with "
            "functools.partial"
        )
    if not callable(evaluate):
        raise InputError(f"sweep: evaluate is a {type(evaluate).__name__}, expected a function")
    return evaluate, describe_function(evaluate)


def _versions(chip: Target) -> dict[str, str]:
    """Return the versions of what computes the rows."""
    found = {}
    for name in dict.fromkeys(("ranvier", chip.distribution)):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found
