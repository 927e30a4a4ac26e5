"""One target under comparison: built, opened, fed chunk by chunk; or the reason why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import pipeline
from ..artifacts import AbstractSession, ChipConfig
from ..diagnostics import Diagnostic
from ..errors import MappingError, QuantizationError
from ..graph import Graph
from ..plugins import manager
from . import metrics
from .alignment import Aligned, valid_steps
from .comparison import Status, TargetReport
from .figures import chip_latency, energy_of_a_sample, fullest
from .inputs import Stimulus, seed_of_chunk
from .options import VerbOptions
from .tally import ActivityTally, LayerTally, Readout, scores_of


@dataclass(frozen=True, eq=False)
class Task:
    """What is the same for all targets of a comparison."""

    graph: Graph
    stimulus: Stimulus
    output: str
    labels: NDArray[np.int64] | None
    readout: Readout
    tau: float
    trial_seed: int
    membranes: bool
    fan_out: dict[str, NDArray[np.int64]] | None


@dataclass(frozen=True)
class Setback:
    """Why a target did not run."""

    status: Status
    reason: str
    diagnostics: tuple[Diagnostic, ...] = ()


class Contender:
    """A target with its configuration, session and sums.

    Parameters
    ----------
    target : str
        Name of an installed target.
    task : Task
        What to run.
    options : VerbOptions
        Keywords of the verbs.

    Raises
    ------
    Exception
        Whatever the plugin raises while it builds or opens.
    """

    def __init__(self, target: str, task: Task, options: VerbOptions) -> None:
        self.name = target
        self._task = task
        mapped = pipeline.map(task.graph, target, **options.map)
        self._config: ChipConfig = pipeline.quantize(mapped, **options.quantize)
        self._session: AbstractSession = pipeline.open_simulation(self._config, **options.simulate)
        self._late = max(0, *self._config.latency.values(), 0)
        self._layers = [
            LayerTally(
                name, getattr(task.graph.nodes[name], "v_rest", 0.0), task.graph.dt, task.tau
            )
            for name in task.graph.neurons
        ]
        self._activity = ActivityTally(task.fan_out)
        self._scores: list[NDArray[np.float64]] = []
        self._estimates: dict[str, Any] = {}
        self._diagnostics: dict[tuple[str, str | None], list[Diagnostic]] = {}
        self._note(self._config.diagnostics)

    def run(self, chunk: Stimulus, *, first: int) -> Aligned:
        """Run one chunk from rest, long enough for the last spike to arrive, and align it."""
        self._session.reset()
        recording = self._session.run(
            dict(chunk.padded(self._late)),
            record=self._wanted(),
            trial_seed=seed_of_chunk(self._task.trial_seed, first),
        )
        if not first:
            self._estimates = pipeline.estimate(self._config, recording)
        self._note(recording.diagnostics)
        valid = valid_steps(chunk.lengths, batch=chunk.n_samples, n_steps=chunk.n_steps)
        return Aligned(recording, self._config.latency, chunk.n_steps, valid)

    def add(self, seen: Aligned, reference: Aligned, chunk: Stimulus, *, first: int) -> None:
        """Compare one chunk with the reference."""
        task = self._task
        for layer in self._layers:
            layer.add(seen, reference, first=first)
            if seen.has_spikes(layer.node):
                self._activity.add_layer(layer.node, seen.raster(layer.node))
        for name, counts in chunk.arrays.items():
            self._activity.add_input(name, counts)
        self._scores.append(scores_of(seen, task.output, readout=task.readout))

    def _note(self, diagnostics: Sequence[Diagnostic]) -> None:
        """Keep diagnostics; those that every chunk repeats with other numbers only once."""
        known = {d for group in self._diagnostics.values() for d in group}
        seen = set(self._diagnostics)
        for found in diagnostics:
            key = (found.code, found.node)
            if found not in known and key not in seen:
                self._diagnostics.setdefault(key, []).append(found)

    def _wanted(self) -> list[str]:
        quantities = ("spikes", "v_mem") if self._task.membranes else ("spikes",)
        offers: Mapping[str, tuple[str, ...]] = self._session.recordable()
        return [
            f"{node}.{quantity}"
            for node in self._task.graph.neurons
            for quantity in quantities
            if quantity in offers.get(node, ())
        ]

    def decisions(self) -> NDArray[np.int64]:
        """Return what was decided for each sample so far."""
        return metrics.decisions(np.concatenate(self._scores))

    def report(self, reference: NDArray[np.int64]) -> TargetReport:
        """Return the result, given the reference's decisions."""
        task, scores = self._task, np.concatenate(self._scores)
        decided = metrics.decisions(scores)
        choice = scores.shape[1] > 1
        target = manager().target(self.name)
        late = int(self._config.latency.get(task.output, 0))
        duration = (task.stimulus.n_steps + self._late) * task.graph.dt * target.time_scale
        layers = [layer.report() for layer in self._layers]
        return TargetReport(
            target=self.name,
            status="ran",
            accuracy=metrics.accuracy(decided, task.labels) if task.labels is not None else None,
            agreement=metrics.agreement(decided, reference) if choice else None,
            undecided=metrics.undecided(scores) if choice else None,
            decisions=tuple(decided.tolist()),
            latency_steps=late,
            latency=chip_latency(self._estimates, late * task.graph.dt * target.time_scale),
            spikes=self._activity.spikes,
            synaptic_operations=self._activity.synaptic_operations,
            utilisation=fullest(self._estimates),
            energy=energy_of_a_sample(self._estimates, duration=duration),
            estimates=self._estimates,
            layers=tuple(layer for layer in layers if layer is not None),
            diagnostics=tuple(d for group in self._diagnostics.values() for d in group),
            config_hash=self._config.content_hash,
        )

    def close(self) -> None:
        """Release the session."""
        self._session.close()


def setback_of(error: Exception) -> Setback:
    """Return why a target did not run; a network that does not fit is told from a failure."""
    diagnostics: tuple[Diagnostic, ...] = getattr(error, "diagnostics", ())
    lines = str(error).splitlines() or [type(error).__name__]
    if isinstance(error, MappingError | QuantizationError):
        reason = lines[0].rstrip(":") if diagnostics else " ".join(lines)
        return Setback("skipped", reason, diagnostics)
    return Setback("failed", f"{type(error).__name__}: {' '.join(lines)}", diagnostics)
