"""What all parts of the verb share while they work, and how they name a core."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ranvier.artifacts import MappedNetwork
from ranvier.diagnostics import Diagnostic, DiagnosticCode, Findings

from ..biases import BiasTable
from ..network import DpiNetwork, Floats, Ints
from ..targets import Limits
from ..translation import SYNAPSES
from .options import QuantizeOptions


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """What is quantised, and with what.

    Parameters
    ----------
    mapped : MappedNetwork
    network : DpiNetwork
        Its network.
    options : QuantizeOptions
    table : BiasTable
        Currents of the bias generator.
    limits : Limits
        Of the target.
    findings : Findings
        Collects all problems.
    """

    mapped: MappedNetwork
    network: DpiNetwork
    options: QuantizeOptions
    table: BiasTable
    limits: Limits
    findings: Findings = field(default_factory=Findings)

    @cached_property
    def core(self) -> Ints:
        """Core of every neuron on the board, ``chip * 4 + core``, (N,)."""
        return self.network.chip * self.limits.cores_per_chip + self.network.core

    @cached_property
    def cores(self) -> tuple[int, ...]:
        """Cores of the board that hold neurons, ascending."""
        return tuple(np.unique(self.core).tolist())

    @property
    def n_cores(self) -> int:
        """Cores of the board."""
        return self.network.chips * self.limits.cores_per_chip

    def shared(self, core: int) -> dict[str, float]:
        """Return the currents of a core, in A, and its ``i_scale``: those of its first neuron.

        The merged model has one synapse, AMPA's; all four synapses then get its time constant and
        gain, each by its own capacitance, so that inhibition lasts as long as excitation. rockpool
        3.1.0 gives all four the same currents, which makes GABA and NMDA 2 % slower.
        """
        first = int(np.flatnonzero(self.core == core)[0])
        found = {name: float(values[first]) for name, values in self.network.currents.items()}
        if self.network.model == "merged_synapse":
            layout = self.network.layout
            for synapse in SYNAPSES[1:]:
                ratio = getattr(layout, f"c_{synapse}") / layout.c_ampa
                for kind in ("i_tau", "i_gain"):
                    found[f"{kind}_{synapse}"] = found[f"{kind}_ampa"] * ratio
        return found | {"i_scale": float(self.network.i_scale[first])}

    def values(self) -> dict[str, Floats]:
        """Return every parameter that the neurons of a core share, (N,)."""
        return {**self.network.currents, "i_scale": self.network.i_scale}

    def named(self, core: int) -> str:
        """Return the name of a core: ``"core 1 of chip 0"``."""
        chip, own = divmod(core, self.limits.cores_per_chip)
        return f"core {own} of chip {chip}"


@dataclass
class Notes:
    """Findings that repeat on several cores, to be said once."""

    _cores: dict[tuple[DiagnosticCode, str], list[int]] = field(default_factory=dict)
    _numbers: dict[tuple[DiagnosticCode, str], tuple[float, float | None]] = field(
        default_factory=dict
    )

    def add(
        self,
        code: DiagnosticCode,
        text: str,
        *,
        core: int,
        value: float,
        limit: float | None = None,
    ) -> None:
        """Note what was found on one core."""
        self._cores.setdefault((code, text), []).append(core)
        self._numbers[code, text] = value, limit

    def diagnostics(self, task: Task) -> Iterable[Diagnostic]:
        """Yield one diagnostic per text, naming its cores."""
        for (code, text), cores in self._cores.items():
            value, limit = self._numbers[code, text]
            names = ", ".join(task.named(core) for core in cores)
            yield code.at(None, f"{names}: {text}", value=value, limit=limit)
