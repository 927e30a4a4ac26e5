"""What came out of a run: spikes and traces by graph node."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..diagnostics import Diagnostic
from ..errors import InputError
from ..events import ContinuousSeries, EventSeries
from ..graph import payload_hash
from .signal import (
    Signal as Signal,
    SpikeTrain as SpikeTrain,
    Trace as Trace,
    signal_from_payload,
    signal_payload,
)


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
    labels : mapping of str to sequence of str
        Names of the channels of an input or output, where they have any.
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
        n_steps = max(1, round(duration / self.dt)) if signal.values.shape[1] else 0
        return self._view(signal.on_grid(self.dt, n_steps))

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
                flat = part.reshape(len(part), math.prod(part.shape[1:]))
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
            own, entry = signal_payload(signal)
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
            signals[entry["node"], entry["quantity"]] = signal_from_payload(own, entry)
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
