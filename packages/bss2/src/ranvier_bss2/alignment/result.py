"""What an alignment measured, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Diagnostic

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Alignment:
    """How a layer of a chip relates to its model.

    A trace in model units is ``trace_scale (LSB - trace_offset)``, taken ``time_shift`` steps
    later; a weight of the model is ``weight_scale`` LSB.

    Parameters
    ----------
    name : str
        Population.
    trace_scale : array, (n,)
        Model units per LSB.
    trace_offset : array, (n,)
        Reading at the model's zero, in LSB; with a model leak of 0 the reading at rest.
    weight_scale : float
        Weight LSB per unit of model weight, mean of the neurons.
    time_shift : int
        Steps by which traces move to earlier times.
    kappa : float
        Drive per weight LSB at nominal codes, in LSB, mean of the neurons: the option of that name
        of `ranvier_bss2.MapOptions`.
    weight_scales : array, (n,)
        Weight LSB per unit of model weight, per neuron.
    baseline : array, (n,)
        Reading without input, in LSB.
    threshold : array, (n,)
        Highest reading under the weakest constant input that makes a neuron fire, in LSB, mean of
        the runs; not a number for neurons that do not fire.
    slope_exc, slope_inh : array, (n,)
        Drive per weight LSB, in LSB, by receptor: amplitude of the response to one spike over
        that of the model for one unit of weight.
    noise : float
        Standard deviation of a reading at rest between runs, in LSB.
    runs : int
        Over which everything is averaged.
    model_leak, model_threshold : array, (n,)
        Potentials of the model; the threshold is not a number without firing.
    diagnostics : tuple of Diagnostic
        Neurons that could not be measured (BS410, BS412), or left the converter's range (BS411).
    """

    name: str
    trace_scale: Floats
    trace_offset: Floats
    weight_scale: float
    time_shift: int
    kappa: float
    weight_scales: Floats
    baseline: Floats
    threshold: Floats
    slope_exc: Floats
    slope_inh: Floats
    noise: float
    runs: int
    model_leak: Floats
    model_threshold: Floats
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def mean_trace_scale(self) -> float:
        """Model units per LSB: model distance over the mean measured one."""
        return float(1.0 / np.mean(1.0 / self.trace_scale))

    @property
    def mean_trace_offset(self) -> float:
        """Mean reading at the model's zero, in LSB."""
        return float(self.trace_offset.mean())

    def explain(self) -> str:
        """Return every number with where it comes from."""
        fires = np.isfinite(self.threshold).any()
        lines = [f"{self.name}: {self.baseline.size} neurons, mean of {self.runs} runs"]
        lines.append(
            f"  baseline {_shown(self.baseline)} LSB: reading without input (noise "
            f"{self.noise:.2f} LSB); the model rests at {_shown(self.model_leak)}"
        )
        if fires:
            lines.append(
                f"  threshold {_shown(self.threshold)} LSB: highest reading under the weakest "
                "constant input that makes a neuron fire"
            )
            distance = self.model_threshold - self.model_leak
            lines.append(
                f"  trace_scale {_shown(self.trace_scale)} (1/{1 / self.mean_trace_scale:.2f}): "
                f"model distance of leak and threshold {_shown(distance)} over threshold - baseline"
            )
        else:
            lines.append(
                f"  trace_scale {_shown(self.trace_scale)}: as given, a layer that does not fire "
                "has no threshold to measure"
            )
        lines.append(
            f"  trace_offset {_shown(self.trace_offset)} LSB: baseline - model leak / trace_scale"
        )
        lines.append(
            f"  response per weight LSB {_shown(self.slope_exc)} LSB exciting, "
            f"{_shown(self.slope_inh)} LSB inhibiting: line through 0 over all weights, against "
            "the model's response to one spike"
        )
        lines.append(
            f"  weight_scale {self.weight_scale:.2f}: 1 / (response per weight LSB x trace_scale), "
            f"neurons {_shown(self.weight_scales)}"
        )
        lines.append(
            f"  kappa {self.kappa:.4g} LSB: response per weight LSB at the nominal codes (DAC 600, "
            "gm 500, capacitance 63)"
        )
        lines.append(
            f"  time_shift {self.time_shift}: steps by which the chip's response is later than "
            "the model's"
        )
        return "\n".join([*lines, *(f"  {d}" for d in self.diagnostics)])


def _shown(values: Floats) -> str:
    known = values[np.isfinite(values)]
    if not known.size:
        return "none"
    spread = f" +- {known.std():.3g}" if known.std() > 1e-9 * max(1.0, abs(known.mean())) else ""
    return f"{known.mean():.4g}{spread}"
