"""What a comparison found, as frozen data: per target, and per layer of each target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from ..diagnostics import Diagnostic
from ..errors import InputError

Status: TypeAlias = Literal["ran", "skipped", "failed"]
"""``skipped``: the network does not fit, see the diagnostics; ``failed``: anything else."""


@dataclass(frozen=True)
class Figure:
    """An estimated quantity and where it is known from.

    Parameters
    ----------
    name : str
        What it is, ``"utilisation_neurons"``.
    value : float
        In ``unit``.
    unit : str
        ``"J"``, ``"fraction"``.
    source : str
        Publication, measurement or counting behind it.
    certainty : str
        As the plugin states it, ``"uncertain"``; empty where it states none.
    """

    name: str
    value: float
    unit: str = ""
    source: str = ""
    certainty: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a JSON-able dictionary."""
        return dict(vars(self))


@dataclass(frozen=True)
class Difference:
    """The first place at which two runs differ.

    Parameters
    ----------
    node : str
        Node of the graph.
    step, sample, neuron : int
        Step of the graph, sample, and flat index of the neuron.
    """

    node: str
    step: int
    sample: int
    neuron: int

    def __str__(self) -> str:
        return f"{self.node}[{self.neuron}] step {self.step} sample {self.sample}"

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a JSON-able dictionary."""
        return dict(vars(self))


@dataclass(frozen=True)
class LayerReport:
    """One neuron node on a target against the float reference, latency taken out.

    Parameters
    ----------
    node : str
        Name in the graph.
    latency : int
        Steps by which its signal arrives later than in the graph.
    spikes, reference_spikes : int or None
        Over all samples; None where not both fire.
    count_correlation : float or None
        Of spike counts over samples and neurons, see `count_correlation`.
    van_rossum : float or None
        Mean distance of a neuron's train in a sample, see `van_rossum`.
    van_rossum_relative : float or None
        Root of the summed squared distances, over the same of the reference to silence: 0 equal,
        1 as far away as silence. None if the reference is silent and the target is not.
    membrane_snr : float or None
        In dB, see `membrane_snr`; None where not both record a membrane in the same unit.
    membrane_error : float or None
        Root mean square of the membranes' difference, in model units.
    first_difference : Difference or None
        None if all spikes are equal.
    """

    node: str
    latency: int = 0
    spikes: int | None = None
    reference_spikes: int | None = None
    count_correlation: float | None = None
    van_rossum: float | None = None
    van_rossum_relative: float | None = None
    membrane_snr: float | None = None
    membrane_error: float | None = None
    first_difference: Difference | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a JSON-able dictionary."""
        first = self.first_difference
        return vars(self) | {"first_difference": first.to_dict() if first else None}


@dataclass(frozen=True)
class TargetReport:
    """One target in a comparison.

    Parameters
    ----------
    target : str
        Name of the target, or of a plugin that is broken.
    status : {"ran", "skipped", "failed"}
        Everything below but the diagnostics is empty unless it ran.
    reason : str
        Why it did not run.
    accuracy : float or None
        Share of samples decided as labelled, 0..1; None without labels.
    agreement : float or None
        Share of samples decided like the float reference; None for outputs of one channel.
    undecided : int or None
        Samples whose largest score is shared by several channels: the first of them was taken.
    decisions : tuple of int
        Of every sample.
    latency_steps : int
        Steps by which the output comes later than in the graph.
    latency : float or None
        The same in s of the chip's time, or what the plugin states.
    spikes : int
        Of all neuron nodes, over all samples, within the steps of the graph.
    synaptic_operations : int or None
        Each spike, those of the input too, times the connections of its source in the graph.
    utilisation : Figure or None
        The fullest resource of the chip.
    energy : Figure or None
        Of one sample, in J.
    estimates : mapping
        All that the plugin estimates, as `ranvier.estimate` returns it.
    layers : tuple of LayerReport
        In the order of the graph.
    diagnostics : tuple of Diagnostic
        Losses and notes; errors where the network does not fit.
    config_hash : str
        Content hash of what ran.
    """

    target: str
    status: Status
    reason: str = ""
    accuracy: float | None = None
    agreement: float | None = None
    undecided: int | None = None
    decisions: tuple[int, ...] = ()
    latency_steps: int = 0
    latency: float | None = None
    spikes: int = 0
    synaptic_operations: int | None = None
    utilisation: Figure | None = None
    energy: Figure | None = None
    estimates: Mapping[str, Any] = field(default_factory=dict)
    layers: tuple[LayerReport, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    config_hash: str = ""

    @property
    def losses(self) -> tuple[Diagnostic, ...]:
        """Diagnostics that say that numbers changed."""
        return tuple(d for d in self.diagnostics if d.severity == "loss")

    @property
    def first_difference(self) -> Difference | None:
        """The earliest difference of all layers; among equal steps that of the first layer."""
        found = [layer.first_difference for layer in self.layers if layer.first_difference]
        return min(found, key=lambda d: d.step) if found else None

    def layer(self, node: str) -> LayerReport:
        """Return the report of one neuron node; raises `InputError` with the known names."""
        for layer in self.layers:
            if layer.node == node:
                return layer
        raise InputError(
            f"{self.target}: no layer {node!r}; layers: {[x.node for x in self.layers]}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as a JSON-able dictionary."""
        first = self.first_difference
        return vars(self) | {
            "decisions": list(self.decisions),
            "utilisation": self.utilisation.to_dict() if self.utilisation else None,
            "energy": self.energy.to_dict() if self.energy else None,
            "estimates": dict(self.estimates),
            "first_difference": first.to_dict() if first else None,
            "layers": [layer.to_dict() for layer in self.layers],
            "diagnostics": [d.to_dict() for d in self.diagnostics],
        }


@dataclass(frozen=True)
class Comparison:
    """One network on several targets, fed with the same input.

    Parameters
    ----------
    reference : TargetReport
        The float reference, with accuracy and spikes.
    targets : tuple of TargetReport
        In the order asked for.
    n_samples, n_steps : int
        Size of the input.
    dt : float
        Time step of the graph, in s.
    tau : float
        Time constant of the van Rossum distance, in s.
    source : str
        Where the input comes from.
    provenance : mapping
        Hash of the graph, seeds, chunk size, options.
    """

    reference: TargetReport
    targets: tuple[TargetReport, ...]
    n_samples: int
    n_steps: int
    dt: float
    tau: float
    source: str
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, target: str) -> TargetReport:
        for report in self.targets:
            if report.target == target:
                return report
        raise InputError(
            f"comparison: no target {target!r}; compared: {[r.target for r in self.targets]}"
        )

    def below(self, min_agreement: float) -> tuple[TargetReport, ...]:
        """Return the targets that did not run, or agree with the reference less than this.

        Parameters
        ----------
        min_agreement : float
            Least share of samples decided alike, 0..1.
        """
        return tuple(
            r
            for r in self.targets
            if r.status != "ran" or (r.agreement is not None and r.agreement < min_agreement)
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as a JSON-able dictionary; infinite ratios stay float."""
        return vars(self) | {
            "reference": self.reference.to_dict(),
            "targets": [r.to_dict() for r in self.targets],
            "provenance": dict(self.provenance),
        }

    def __str__(self) -> str:
        from .table import text_of

        return text_of(self)
