"""What circuits are calibrated to, and the ranges in which that is possible."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ranvier.diagnostics import Findings, describe
from ranvier.errors import InputError, QuantizationError

from ..config.ranges import RANGES, applies
from ..diagnostics import TARGET_OUT_OF_RANGE, TARGETS_DIFFER
from ..targets import limits_of

if TYPE_CHECKING:
    from ..config import Bss2Config

Floats = NDArray[np.float64]

DEFAULTS: Mapping[str, float] = {
    "leak": 80.0,
    "reset": 80.0,
    "threshold": 125.0,
    "tau_mem": 10e-6,
    "tau_syn_exc": 10e-6,
    "tau_syn_inh": 10e-6,
    "refractory": 1e-6,
    "holdoff": 0.0,
    "i_synin_gm": 500.0,
    "membrane_capacitance": 63.0,
    "synapse_dac_bias": 600.0,
}
"""Targets of circuits for which nothing is asked (hxtorch @3bfc7aa)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CalibrationTargets:
    """Targets of every circuit.

    Parameters
    ----------
    leak, reset, threshold : array, (512,)
        Potentials, in LSB of the CADC.
    tau_mem, tau_syn_exc, tau_syn_inh : array, (512,)
        Time constants, in s of the chip.
    refractory, holdoff : array, (512,)
        Times after a spike, in s of the chip; digital, exact.
    i_synin_gm, membrane_capacitance, synapse_dac_bias : array, (512,)
        Codes.
    """

    leak: Floats
    reset: Floats
    threshold: Floats
    tau_mem: Floats
    tau_syn_exc: Floats
    tau_syn_inh: Floats
    refractory: Floats
    holdoff: Floats
    i_synin_gm: Floats
    membrane_capacitance: Floats
    synapse_dac_bias: Floats

    @classmethod
    def of(cls, **values: ArrayLike) -> CalibrationTargets:
        """Return targets from single values; the others are those of `DEFAULTS`.

        Parameters
        ----------
        **values
            Numbers or ``(512,)`` by field name; ``tau_syn`` stands for both receptors.

        Raises
        ------
        InputError
            A name is unknown or a shape does not fit.
        QuantizationError
            Targets outside `ranvier_bss2.config.ranges.RANGES` (BS401), all together.
        """
        given = dict(values)
        if "tau_syn" in given:
            tau = given.pop("tau_syn")
            given = {"tau_syn_exc": tau, "tau_syn_inh": tau} | given
        unknown = sorted(set(given) - set(DEFAULTS))
        if unknown:
            raise InputError(
                f"bss2 calibration: no target {', '.join(unknown)}; known: {', '.join(DEFAULTS)}"
            )
        targets = cls(**{n: _per_circuit(n, given.get(n, DEFAULTS[n])) for n in DEFAULTS})
        findings = Findings()
        targets.check(findings)
        _raise(findings)
        return targets

    @classmethod
    def of_config(cls, config: Bss2Config, findings: Findings) -> CalibrationTargets:
        """Return the targets of a configuration's circuits.

        Parameters
        ----------
        config : Bss2Config
            Circuits in several execution instances take the targets of the first.
        findings : Findings
            Gets BS403 where instances disagree.

        Raises
        ------
        QuantizationError
            Targets outside `ranvier_bss2.config.ranges.RANGES` (BS401), all together.
        """
        values = {n: _per_circuit(n, DEFAULTS[n]) for n in DEFAULTS}
        taken = np.zeros(limits_of().neuron_circuits, dtype=np.bool_)
        for number, population in enumerate(config.populations):
            mine = np.flatnonzero(config.neuron_population == number)
            circuits = np.asarray(config.neuron_circuit)[mine].astype(np.int64)
            neurons = np.asarray(config.neuron_index)[mine].astype(np.int64)
            wanted = {n: np.asarray(population.targets[n], np.float64)[neurons] for n in DEFAULTS}
            for name in (n for n in DEFAULTS if not applies(n, population.switches)):
                wanted[name] = np.full(len(neurons), DEFAULTS[name])
            again = taken[circuits]
            changed = again & np.any([values[n][circuits] != wanted[n] for n in DEFAULTS], axis=0)
            if changed.any():
                findings.add(
                    TARGETS_DIFFER.at(
                        population.name,
                        f"{int(changed.sum())} circuits keep the targets of an earlier instance",
                        value=int(changed.sum()),
                        limit=0,
                    )
                )
            for name in DEFAULTS:
                values[name][circuits[~again]] = wanted[name][~again]
            taken[circuits] = True
        targets = cls(**values)
        targets.check(findings)
        _raise(findings)
        return targets

    def check(self, findings: Findings) -> None:
        """Add BS401 for every quantity with targets outside its range."""
        for name, allowed in RANGES.items():
            values = getattr(self, name)
            outside = allowed.outside(values)
            if outside.any():
                first = int(np.flatnonzero(outside)[0])
                findings.add(
                    TARGET_OUT_OF_RANGE.at(
                        None,
                        f"{name} is {allowed.shown(values[first])} on circuit {first} "
                        f"({int(outside.sum())} circuits), possible is {allowed}",
                        value=float(values[first]),
                        limit=str(allowed),
                    )
                )

    def arrays(self) -> dict[str, Floats]:
        """Return the fields by name."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}


def _per_circuit(name: str, value: Any) -> Floats:
    count = limits_of().neuron_circuits
    try:
        return np.broadcast_to(np.asarray(value, dtype=np.float64), (count,)).copy()
    except (TypeError, ValueError) as error:
        raise InputError(
            f"bss2 calibration: {name} has the shape {np.shape(value)}, expected a number or "
            f"({count},)"
        ) from error


def _raise(findings: Findings) -> None:
    errors = findings.errors()
    if errors:
        raise QuantizationError(
            describe(errors, heading=f"bss2 calibration: {len(errors)} problems"), errors
        )
