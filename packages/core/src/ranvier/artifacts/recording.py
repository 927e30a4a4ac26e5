"""What came out of a run: spikes as events, traces on their own time base, by graph node."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..diagnostics import Diagnostic
from ..errors import InputError
from ..events import ContinuousSeries, EventSeries
from ..graph import payload_hash

Shape: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class SpikeTrain:
    """Spikes of one node, stored as events on a native clock.

    Parameters
    ----------
    sample, tick, index, count : array of int, (n_events,)
        Batch element, clock tick, flat neuron index and number of spikes (>= 1), sorted by sample,
        then tick, then index.
    n_samples, n_ticks : int
        Batch size and length of the recording in ticks.
    shape : tuple of int
        Shape of the population.
    tick_duration : float
        Length of one tick, in s of model time.
    """

    sample: NDArray[np.int64]
    tick: NDArray[np.int64]
    index: NDArray[np.int64]
    count: NDArray[np.int64]
    n_samples: int
    n_ticks: int
    shape: Shape
    tick_duration: float

    @classmethod
    def from_raster(cls, raster: NDArray[Any], *, dt: float) -> SpikeTrain:
        """Store a dense count array ``(batch, time, *shape)``."""
        n_samples, n_ticks, *shape = raster.shape
        flat = raster.reshape(n_samples, n_ticks, int(np.prod(shape)))
        sample, tick, index = np.nonzero(flat)
        count = flat[sample, tick, index].astype(np.int64)
        arrays = [a.astype(np.int64) for a in (sample, tick, index)]
        return cls(arrays[0], arrays[1], arrays[2], count, n_samples, n_ticks, tuple(shape), dt)

    def raster(self, dt: float | None = None) -> NDArray[np.int64]:
        """Return spike counts ``(batch, time, *shape)`` on a grid.

        Parameters
        ----------
        dt : float or None
            Grid step, in s, at least one tick; None takes the native ticks. The last bin may be
            partly filled.
        """
        bins = self.tick if dt is None else self._bins(dt)
        n_bins = self.n_ticks if dt is None else math.ceil(self.n_ticks / self._ratio(dt) - 1e-9)
        size = int(np.prod(self.shape, dtype=np.int64))
        dense = np.zeros((self.n_samples, n_bins, size), dtype=np.int64)
        np.add.at(dense, (self.sample, bins, self.index), self.count)
        return dense.reshape(self.n_samples, n_bins, *self.shape)

    def _ratio(self, dt: float) -> float:
        ratio = dt / self.tick_duration
        if not ratio >= 1 - 1e-9:
            raise InputError(
                f"raster: dt = {dt!r} s is shorter than one native tick ({self.tick_duration:g} s)"
            )
        return ratio

    def _bins(self, dt: float) -> NDArray[np.int64]:
        whole = self._ratio(dt)
        if abs(whole - round(whole)) < 1e-9 * whole:
            return self.tick // round(whole)
        return np.floor(self.tick / whole + 1e-9).astype(np.int64)

    @property
    def times(self) -> NDArray[np.float64]:
        """Start of the tick of each event, in s, (n_events,)."""
        return np.asarray(self.tick * self.tick_duration, dtype=np.float64)

    @property
    def total(self) -> int:
        """Number of spikes over all samples."""
        return int(self.count.sum())


@dataclass(frozen=True, eq=False)
class Trace:
    """A sampled quantity of one node.

    Parameters
    ----------
    values : array, (batch, samples, *shape)
        As recorded: integers on digital chips and converters, floats elsewhere.
    interval : float
        Time between samples, in s of model time.
    start : float
        Time of the first sample, in s.
    unit : str
        Unit of ``values * scale + offset``; empty for the model's own dimensionless units.
    scale, offset : array or float
        Conversion from raw to model units, broadcastable to ``values``.
    """

    values: NDArray[Any]
    interval: float
    start: float = 0.0
    unit: str = ""
    scale: NDArray[np.float64] | float = 1.0
    offset: NDArray[np.float64] | float = 0.0

    @property
    def shape(self) -> Shape:
        """Shape of the population."""
        return tuple(self.values.shape[2:])

    @property
    def model(self) -> NDArray[np.float64]:
        """Values in model units, float64, (batch, samples, *shape)."""
        return np.asarray(self.values * self.scale + self.offset, dtype=np.float64)

    @property
    def times(self) -> NDArray[np.float64]:
        """Time of each sample, in s, (samples,)."""
        steps = np.arange(self.values.shape[1], dtype=np.float64)
        return np.asarray(self.start + self.interval * steps, dtype=np.float64)

    def on_grid(self, dt: float, n_steps: int) -> NDArray[np.float64]:
        """Return model values at the end of each step of a grid, held from the last sample.

        Parameters
        ----------
        dt : float
            Step, in s.
        n_steps : int
            Length of the grid.

        Returns
        -------
        array, (batch, n_steps, *shape)
        """
        if math.isclose(dt, self.interval) and self.start == 0.0:
            index = np.minimum(np.arange(n_steps), self.values.shape[1] - 1)
        else:
            position = (np.arange(n_steps) * dt - self.start) / self.interval
            index = np.clip(np.floor(position + 1e-9), 0, self.values.shape[1] - 1).astype(np.int64)
        return np.asarray(self.model[:, index])


Signal: TypeAlias = SpikeTrain | Trace


@dataclass(frozen=True, eq=False)
class Recording:
    """Signals of a run, keyed by graph node and quantity.

    Parameters
    ----------
    signals : mapping of (node, quantity) to Signal
        Quantities are ``"spikes"``, ``"i_syn"``, ``"i_syn2"``, ``"v_mem"`` or the states that a
        node kind lists.
    dt : float
        Time step of the graph, in s.
    outputs : mapping of str to (node, quantity)
        Which signal each output of the graph is.
    lengths : array of int, (batch,), or None
        Valid steps of each sample of a ragged batch.
    batched : bool
        False if the input had no batch axis; views then drop it.
    t_starts : tuple of float
        Start of each sample, in s, if the input was a series; outputs are then series too.
    latency : mapping of str to int
        Extra steps with which a node's signal arrives, compared with the graph.
    diagnostics : tuple of Diagnostic
        Losses and notes gathered on the way.
    provenance : mapping
        Target, versions, content hash of what ran, seeds.
    """

    signals: Mapping[tuple[str, str], Signal]
    dt: float
    outputs: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    lengths: NDArray[np.int64] | None = None
    batched: bool = True
    t_starts: tuple[float, ...] = ()
    latency: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "signals", MappingProxyType(dict(self.signals)))

    def __getitem__(self, key: tuple[str, str]) -> Signal:
        try:
            return self.signals[key]
        except KeyError as error:
            known = ", ".join(f"{node}.{quantity}" for node, quantity in self.signals)
            raise InputError(
                f"recording: nothing recorded for {key!r}; recorded: {known or 'nothing'}; "
                "ask for more with record=[...]"
            ) from error

    def __contains__(self, key: object) -> bool:
        return key in self.signals

    def raster(self, node: str, dt: float | None = None) -> NDArray[np.int64]:
        """Return the spike counts of a node, ``([batch,] time, *shape)``, on the graph's grid."""
        signal = self[node, "spikes"]
        if not isinstance(signal, SpikeTrain):
            raise InputError(f"recording: {node!r} emits values, not spikes; use trace()")
        same = dt is None and math.isclose(signal.tick_duration, self.dt)
        return self._view(signal.raster(None if same else dt or self.dt))

    def trace(self, node: str, quantity: str = "v_mem") -> NDArray[np.float64]:
        """Return a quantity in model units on the graph's grid, ``([batch,] time, *shape)``."""
        signal = self[node, quantity]
        if isinstance(signal, SpikeTrain):
            return self.raster(node).astype(np.float64)
        duration = signal.start + signal.interval * signal.values.shape[1]
        return self._view(signal.on_grid(self.dt, max(1, round(duration / self.dt))))

    def raw(self, node: str, quantity: str) -> NDArray[Any]:
        """Return recorded values as they came from the chip, ``([batch,] samples, *shape)``."""
        signal = self[node, quantity]
        values = signal.raster() if isinstance(signal, SpikeTrain) else signal.values
        return self._view(values)

    def series(self, node: str, quantity: str = "spikes") -> Any:
        """Return a signal as series on the graph's grid, one per sample.

        Parameters
        ----------
        node, quantity : str
            What was recorded.

        Returns
        -------
        EventSeries or ContinuousSeries, or a list of them for a batch
            Spikes as events, traces as clocked values.
        """
        signal = self[node, quantity]
        spikes = isinstance(signal, SpikeTrain)
        values = self.raster(node) if spikes else self.trace(node, quantity)
        batch = values if self.batched else values[None]
        lengths = self.lengths if self.lengths is not None else [batch.shape[1]] * len(batch)
        starts = self.t_starts or (0.0,) * len(batch)
        unit = "" if isinstance(signal, SpikeTrain) else signal.unit
        made: list[EventSeries | ContinuousSeries] = []
        for sample, length, start in zip(batch, lengths, starts, strict=True):
            part = sample[: int(length)]
            if spikes:
                made.append(EventSeries.from_raster(part, self.dt, t_start=start))
            else:
                flat = part.reshape(len(part), -1)
                clocked = ContinuousSeries.from_clocked(flat, self.dt, t_start=start, unit=unit)
                made.append(clocked)
        return made if self.batched else made[0]

    @property
    def output(self) -> Any:
        """What the only output shows: an array ``([batch,] time, *shape)``, or series for series.

        Raises
        ------
        InputError
            The network has several outputs; name one with `output_of`.
        """
        if len(self.outputs) != 1:
            raise InputError(f"recording: there are {len(self.outputs)} outputs; use output_of()")
        return self.output_of(next(iter(self.outputs)))

    def output_of(self, name: str) -> Any:
        """Return what one output node shows, by its name in the graph; in the input's kind."""
        try:
            node, quantity = self.outputs[name]
        except KeyError as error:
            raise InputError(f"no output {name!r}; outputs: {list(self.outputs)}") from error
        if self.t_starts:
            return self.series(node, quantity)
        return self.raster(node) if quantity == "spikes" else self.trace(node, quantity)

    def _view(self, values: NDArray[Any]) -> NDArray[Any]:
        return values if self.batched else values[0]

    def to_payload(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return the recording as named arrays and a JSON-able document."""
        arrays: dict[str, NDArray[Any]] = {}
        entries = []
        for number, ((node, quantity), signal) in enumerate(self.signals.items()):
            own, entry = _signal_payload(signal)
            arrays |= {f"signals/{number}/{name}": values for name, values in own.items()}
            entries.append({"node": node, "quantity": quantity, **entry})
        if self.lengths is not None:
            arrays["lengths"] = self.lengths
        document = {
            "signals": entries,
            "dt": self.dt,
            "outputs": {name: list(key) for name, key in self.outputs.items()},
            "batched": self.batched,
            "t_starts": list(self.t_starts),
            "latency": dict(self.latency),
            "labels": {name: list(values) for name, values in self.labels.items()},
            "diagnostics": [d.to_dict() for d in self.diagnostics],
            "provenance": dict(self.provenance),
        }
        return arrays, document

    @classmethod
    def from_payload(
        cls, arrays: Mapping[str, NDArray[Any]], document: Mapping[str, Any]
    ) -> Recording:
        """Build a recording from what `to_payload` returned."""
        signals = {}
        for number, entry in enumerate(document["signals"]):
            prefix = f"signals/{number}/"
            own = {k[len(prefix) :]: v for k, v in arrays.items() if k.startswith(prefix)}
            signals[entry["node"], entry["quantity"]] = _signal_from_payload(own, entry)
        return cls(
            signals=signals,
            dt=document["dt"],
            outputs={name: (key[0], key[1]) for name, key in document["outputs"].items()},
            lengths=arrays.get("lengths"),
            batched=document["batched"],
            t_starts=tuple(document["t_starts"]),
            latency=document["latency"],
            labels=document["labels"],
            diagnostics=tuple(Diagnostic.from_dict(d) for d in document["diagnostics"]),
            provenance=document["provenance"],
        )

    @property
    def content_hash(self) -> str:
        """SHA-256 of the canonical content, hexadecimal."""
        return payload_hash(*self.to_payload())

    def __str__(self) -> str:
        lines = [f"Recording: {len(self.signals)} signals, dt = {self.dt:g} s"]
        for (node, quantity), signal in self.signals.items():
            if isinstance(signal, SpikeTrain):
                what = f"{signal.total} spikes, {signal.n_samples} x {signal.n_ticks} steps"
            else:
                what = f"trace {signal.values.shape} {signal.values.dtype}"
            lines.append(f"  {node}.{quantity}: {what}")
        return "\n".join(lines)

    __repr__ = __str__


def _signal_payload(signal: Signal) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    if isinstance(signal, SpikeTrain):
        arrays = {n: getattr(signal, n) for n in ("sample", "tick", "index", "count")}
        plain = {n: getattr(signal, n) for n in ("n_samples", "n_ticks", "tick_duration")}
        return arrays, {"type": "spikes", "shape": list(signal.shape), **plain}
    arrays = {
        "values": signal.values,
        "scale": np.asarray(signal.scale, dtype=np.float64),
        "offset": np.asarray(signal.offset, dtype=np.float64),
    }
    plain = {"interval": signal.interval, "start": signal.start, "unit": signal.unit}
    return arrays, {"type": "trace", **plain}


def _signal_from_payload(arrays: Mapping[str, NDArray[Any]], entry: Mapping[str, Any]) -> Signal:
    values: dict[str, Any] = dict(arrays)
    values |= {k: v for k, v in entry.items() if k not in ("node", "quantity", "type")}
    if entry["type"] == "spikes":
        values["shape"] = tuple(values["shape"])
        return SpikeTrain(**values)
    return Trace(**values)
