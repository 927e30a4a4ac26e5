"""From Lava's arrays to the graph's names, and from inputs to what Lava is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import Recording, Signal, SpikeTrain, Trace
from ranvier.diagnostics import Diagnostic

from ..config import LoihiConfig
from ..simulator._inputs import driven_values, input_findings
from ..simulator._signals import delayed, quantities, scale_of, shape_of, shown_by
from .description import VARIABLES, drives_bias
from .layout import Layout
from .worker.lava_worker import IN_STEPS

Signals = Mapping[str, NDArray[np.int64]]
"""``sink/<population>`` and ``probe/<population>/<variable>``, (batch, time, n)."""
Record = Mapping[str, tuple[str, ...]]


def recordable_quantities(config: LoihiConfig) -> dict[str, tuple[str, ...]]:
    """Return what can be recorded, by population and tap."""
    found = {p.name: quantities(p) for p in config.populations}
    return found | {t.name: (shown_by(config, t),) for t in config.taps}


def wanted_signals(config: LoihiConfig, record: Record) -> list[tuple[str, str]]:
    """Return nodes and quantities of a recording: outputs first, then what is recorded."""
    wanted = [(c.node, c.quantity) for c in config.outputs]
    wanted += [(node, quantity) for node, names in record.items() for quantity in names]
    return list(dict.fromkeys(wanted))


def needed_probes(config: LoihiConfig, record: Record) -> dict[str, tuple[str, ...]]:
    """Return the quantities that need a probe, by population, taps' sources included."""
    wanted = wanted_signals(config, record)
    wanted += [(t.source, shown_by(config, t)) for t in config.taps]
    found: dict[str, dict[str, None]] = {}
    for name, quantity in wanted:
        p = config.population_of.get(name)
        if p is not None and quantity in VARIABLES[p.model]:
            found.setdefault(name, {})[quantity] = None
    return {name: tuple(names) for name, names in found.items()}


def drives_of(config: LoihiConfig, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return biases or messages of driven populations, (batch, time, n) int64.

    Raises
    ------
    InputError
        A value is beyond the register that takes it.
    """
    of = config.population_of
    return {
        name: values + of[name].register("bias_mant") if drives_bias(of[name]) else values
        for name, values in driven_values(config, inputs).items()
    }


def bias_drives(config: LoihiConfig, drives: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return those drives that are written to biases."""
    return {n: x for n, x in drives.items() if drives_bias(config.population_of[n])}


def late_biases(
    config: LoihiConfig,
    drives: Mapping[str, NDArray[Any]],
    steps: int,
    before: Mapping[str, NDArray[Any]] | None = None,
) -> dict[str, NDArray[np.int64]]:
    """Return the biases of each step on a chip, (steps, n), as late as its inputs.

    Parameters
    ----------
    config : LoihiConfig
        What runs.
    drives : mapping of str to array, (time, n)
        Biases of driven populations, of one sample.
    steps : int
        Length of the result.
    before : mapping of str to array, (IN_STEPS, n), or None
        What the run before left over; None: rest, without bias.

    Returns
    -------
    dict of str to array, (steps, n)
        Of every population that has a bias.
    """
    found = {}
    for p in config.populations:
        if not drives_bias(p) or not (p.name in drives or np.any(p.bias_mant)):
            continue
        own = np.broadcast_to(p.register("bias_mant"), (steps, p.size))
        rest = np.zeros((IN_STEPS, p.size), dtype=np.int64)
        first = rest if before is None else before[p.name]
        found[p.name] = np.concatenate([first, drives.get(p.name, own)])[:steps].astype(np.int64)
    return found


def source_values(
    config: LoihiConfig, inputs: Mapping[str, NDArray[Any]], drives: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[np.int64]]:
    """Return what the ring buffers of the inputs send, (batch, time, n)."""
    found = {n: np.asarray(x).reshape(*x.shape[:2], -1) for n, x in inputs.items()}
    for p in config.populations:
        if p.drive is not None and not drives_bias(p):
            found[p.drive] = drives[p.name]
    return {name: x.astype(np.int64) for name, x in found.items()}


def signals_from_rings(rings: Mapping[str, Any], layouts: Mapping[str, Layout]) -> Signals:
    """Return the sinks and probes of one sample by neuron, (time, n)."""
    found = {}
    for key, ring in rings.items():
        kind, _, rest = key.partition("/")
        if kind in ("sink", "probe"):
            name = rest if kind == "sink" else rest.rsplit("/", 1)[0]
            found[key] = layouts[name].from_ring(np.asarray(ring))
    return found


class Decoder:
    """Recordings of consecutive runs: what taps delay beyond one run shows in the next.

    Parameters
    ----------
    config : LoihiConfig
        What runs.
    """

    def __init__(self, config: LoihiConfig) -> None:
        self._config = config
        self._pending: dict[str, NDArray[Any]] = {}

    def reset(self) -> None:
        """Forget what is under way."""
        self._pending = {}

    def recording(
        self,
        signals: Signals,
        *,
        inputs: Mapping[str, NDArray[Any]],
        record: Record,
        late: int = 0,
        diagnostics: tuple[Diagnostic, ...] = (),
        provenance: Mapping[str, Any] | None = None,
    ) -> Recording:
        """Build a recording keyed by the graph's nodes.

        Parameters
        ----------
        signals : mapping of str to array, (batch, time, n)
            Of every population, and of the probes that `needed_probes` lists.
        inputs : mapping of str to array, (batch, time, *shape)
            What was given; taps may show it.
        record : mapping of str to tuple of str
            Quantities wanted besides the outputs.
        late : int
            Steps that adapters add, to all signals alike.
        diagnostics, provenance
            Added to those of the configuration.
        """
        config = self._config
        delays = {t.name: self._tapped(t.name, signals, inputs) for t in config.taps}
        found = {
            (node, q): delays[node] if node in delays else self._signal(node, signals, q)
            for node, q in wanted_signals(config, record)
        }
        nodes = dict.fromkeys([*config.latency, *(node for node, _ in found)])
        latency = {n: config.latency.get(n, 0) + late for n in nodes}
        return Recording(
            signals=found,
            dt=config.dt,
            outputs={c.output: (c.node, c.quantity) for c in config.outputs},
            latency=latency if late else dict(config.latency),
            diagnostics=(*config.diagnostics, *input_findings(config, inputs), *diagnostics),
            provenance={
                "target": config.target,
                "config": config.content_hash,
                **dict(provenance or {}),
            },
        )

    def _raw(self, name: str, signals: Signals, quantity: str) -> NDArray[np.int64]:
        if quantity in ("spikes", "value"):
            return signals[f"sink/{name}"]
        model = self._config.population_of[name].model
        return signals[f"probe/{name}/{VARIABLES[model][quantity]}"]

    def _signal(self, name: str, signals: Signals, quantity: str) -> Signal:
        p = self._config.population_of[name]
        return self._of(
            self._raw(name, signals, quantity), quantity, p.shape, scale_of(p, quantity)
        )

    def _of(self, values: NDArray[Any], quantity: str, shape: Any, scale: Any) -> Signal:
        values = values.reshape(*values.shape[:2], *shape)
        if quantity == "spikes":
            return SpikeTrain.from_raster(values, dt=self._config.dt)
        return Trace(values, interval=self._config.dt, scale=scale)

    def _tapped(self, name: str, signals: Signals, inputs: Mapping[str, NDArray[Any]]) -> Signal:
        config = self._config
        tap = next(t for t in config.taps if t.name == name)
        quantity, scale = shown_by(config, tap), 1.0
        values: NDArray[Any]
        if tap.source in inputs:
            values = inputs[tap.source].reshape(*inputs[tap.source].shape[:2], -1)
        else:
            values = self._raw(tap.source, signals, quantity)
            scale = scale_of(config.population_of[tap.source], quantity)  # type: ignore[assignment]
        slots = (len(values), int(tap.delay.max()), values.shape[2])
        pending = self._pending.get(name, np.zeros(slots, dtype=values.dtype))
        shown, self._pending[name] = delayed(values, pending, tap.delay)
        return self._of(shown, quantity, shape_of(config, tap.source), scale)
