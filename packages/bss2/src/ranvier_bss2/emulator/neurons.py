"""From calibration targets to the parameters that a virtual chip realises."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import describe
from ranvier.errors import SimulationError

from .. import diagnostics as codes
from ..chip import VirtualChip
from ..config import Bss2Config, Population
from ..mapping import synaptic_strength
from ._kernel import Neurons

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
DRAWS = (
    "leak",
    "reset",
    "threshold",
    "tau_mem",
    "tau_syn_exc",
    "tau_syn_inh",
    "strength_exc",
    "strength_inh",
    "cadc_gain",
    "cadc_offset",
)
"""Properties of a circuit that a virtual chip draws, see `ranvier_bss2.VirtualChip.circuits`."""
RECEPTORS = ("exc", "inh")
NEGLIGIBLE = 0.1
"""Refractory times below this part of a step mask nothing."""


@dataclass(frozen=True, eq=False)
class Realised:
    """Neurons of one execution instance, ordered by population, neuron and circuit.

    Parameters
    ----------
    population, index : array of int64, (n,)
        Which neuron of the configuration.
    circuit : array of int64, (c,)
        Circuits, those of one neuron side by side, the first one fires.
    kappa : array, (c,)
        LSB of drive per LSB of weight.
    neurons : Neurons
        Parameters in LSB and substeps.
    start : array, (n,)
        Membrane before the first step, LSB.
    gain, offset : array, (n,)
        Of the channel of the slow converter.
    """

    population: Ints
    index: Ints
    circuit: Ints
    kappa: Floats
    neurons: Neurons
    start: Floats
    gain: Floats
    offset: Floats


def realise(
    config: Bss2Config, chip: VirtualChip, *, instance: int, substeps: int, exact: bool
) -> Realised:
    """Return the neurons of an execution instance as a virtual chip has them.

    Parameters
    ----------
    config : Bss2Config
        Targets of the calibration.
    chip : VirtualChip
        Fixed pattern: potentials deviate in LSB, time constants and strengths by a factor.
    instance : int
        Execution instance.
    substeps : int
        Integration steps per time step.
    exact : bool
        Whether decays are exponentials (else forward Euler).

    Raises
    ------
    SimulationError
        Time constants are too short; all are named.

    Notes
    -----
    The first circuit of a neuron gives potentials, membrane time constant and converter channel;
    each circuit has its own synaptic inputs. The exponential term and the adaptation are those of
    the model in LSB: the chip's own circuits for them are not calibrated (hxtorch @3bfc7aa), so
    their deviations are unknown and none are drawn.
    """
    here = np.flatnonzero(np.asarray(config.neuron_instance) == instance)
    keys = (config.neuron_rank, config.neuron_index, config.neuron_population)
    here = here[np.lexsort([np.asarray(k)[here] for k in keys])]
    columns = [np.asarray(a)[here].astype(np.int64) for a in (*keys, config.neuron_circuit)]
    rank, index, population, circuit = columns
    head = np.flatnonzero(rank == 0)
    p_of, n_of = population[head], index[head]
    h = config.chip_dt / substeps
    targets = _gather(config, p_of, n_of, h)
    owner = np.cumsum(rank == 0) - 1
    draws = {name: chip.circuits(name)[circuit] for name in DRAWS}
    v = chip.variability
    real = _potentials(targets, {k: d[head] for k, d in draws.items()}, chip)
    tau_mem = targets["tau_mem"] * np.exp(v.sigma_tau_mem * draws["tau_mem"][head])
    tau_syn = np.stack(
        [
            targets[f"tau_syn_{r}"][owner] * np.exp(v.sigma_tau_syn * draws[f"tau_syn_{r}"])
            for r in RECEPTORS
        ]
    )
    strength = np.exp(v.sigma_strength * np.stack([draws[f"strength_{r}"] for r in RECEPTORS]))
    if not exact:
        _refuse_short(config, [(p_of, tau_mem), (p_of[owner], tau_syn.min(axis=0))], h)
    times = {"mem": tau_mem, "syn": tau_syn, "w": targets["tau_adaptation"]}
    keep = {name: np.exp(-h / tau) if exact else 1.0 - h / tau for name, tau in times.items()}
    return Realised(
        population=p_of,
        index=n_of,
        circuit=circuit,
        kappa=targets["kappa"][owner],
        neurons=_neurons(
            {**targets, **real},
            keep,
            first=np.append(head, circuit.size).astype(np.int64),
            strength=np.ascontiguousarray(strength),
            gain=np.where(targets["leaky"] > 0, 1.0 - keep["mem"], h / tau_mem),
            saturation=np.inf if v.saturation is None else float(v.saturation),
        ),
        start=real["leak"] + targets["start"],
        gain=real["gain"],
        offset=real["offset"],
    )


def _neurons(
    values: dict[str, Floats],
    keep: dict[str, Floats],
    *,
    first: Ints,
    strength: Floats,
    gain: Floats,
    saturation: float,
) -> Neurons:
    fires = values["fire"] > 0
    return Neurons(
        first=first,
        leaky=values["leaky"],
        leak=values["leak"],
        reset=values["reset"],
        threshold=np.where(fires, values["threshold"], np.inf),
        gain=gain,
        refractory=np.where(fires, values["masked"], 0).astype(np.int64),
        passed=values["passed"].astype(np.uint8),
        slope=values["slope"],
        exp_threshold=values["exp_threshold"],
        adapts=values["adapts"].astype(np.uint8),
        keep_w=keep["w"],
        pull_w=(1.0 - keep["w"]) * values["a"],
        leak_w=values["leak_adaptation"],
        jump_w=values["b"],
        keep=np.ascontiguousarray(keep["syn"]),
        strength=strength,
        saturation=saturation,
    )


def _potentials(
    targets: dict[str, Floats], draws: dict[str, Floats], chip: VirtualChip
) -> dict[str, Floats]:
    v = chip.variability
    real = {
        name: targets[name] + getattr(v, f"sigma_{name}") * draws[name]
        for name in ("leak", "reset", "threshold")
    }
    real["gain"] = 1.0 + v.sigma_cadc_gain * draws["cadc_gain"]
    real["offset"] = v.sigma_cadc_offset * draws["cadc_offset"]
    return real


def _gather(config: Bss2Config, population: Ints, index: Ints, h: float) -> dict[str, Floats]:
    """Return targets and model terms in LSB of the neurons in their order."""
    each = [_in_lsb(config, p, h) for p in config.populations]
    if not each:
        raise SimulationError("bss2: the configuration has no populations; nothing can run")
    found = {}
    for name in each[0]:
        values = np.zeros(population.size)
        for k, own in enumerate(each):
            rows = population == k
            values[rows] = own[name][index[rows]]
        found[name] = values
    return found


def _in_lsb(config: Bss2Config, p: Population, h: float) -> dict[str, Floats]:
    def full(value: object) -> Floats:
        return np.broadcast_to(np.asarray(value, dtype=np.float64), p.size)

    t = {name: full(values) for name, values in p.targets.items()}
    m = {name: full(values) for name, values in p.model.items()}
    scale = full(p.trace_scale)
    on = {name: name in p.switches for name in ("leaky", "fire", "exponential")}
    pulled = "subthreshold_adaptation" in p.switches
    jumps = "spike_triggered_adaptation" in p.switches
    per_drive = m["tau_mem"] / m["capacitance"]
    kappa = synaptic_strength(config.kappa, t)
    own = {n: t[n] for n in ("leak", "reset", "threshold", "tau_mem", "tau_syn_exc", "tau_syn_inh")}
    return own | {
        "kappa": np.broadcast_to(kappa, p.size),
        "masked": masked_steps(t["refractory"], h).astype(np.float64),
        "leaky": full(on["leaky"]),
        "fire": full(on["fire"]),
        "passed": full(np.asarray(p.spike_mask, dtype=bool)),
        "slope": m["exp_slope"] / scale * on["exponential"],
        "exp_threshold": t["leak"] + (m["exp_threshold"] - m["leak"]) / scale,
        "adapts": full(pulled or jumps),
        "tau_adaptation": m["tau_adaptation"],
        "a": m["a"] * per_drive * pulled,
        "b": m["b"] * per_drive / scale * jumps,
        "leak_adaptation": t["leak"] + (m["leak_adaptation"] - m["leak"]) / scale,
        "start": np.zeros(p.size) if on["leaky"] or pulled else -m["leak"] / scale,
    }


def masked_steps(refractory: Floats, h: float) -> Ints:
    """Return the refractory time in whole steps, rounded up.

    Quotients within 1e-5 of a whole number are that number, and those below `NEGLIGIBLE` are 0: the
    chip has no refractory time shorter than 0.04 us, where a model may have none.

    Parameters
    ----------
    refractory : array, (n,)
        In s.
    h : float
        Step, in s.
    """
    quotient = np.asarray(refractory, dtype=np.float64) / h
    whole = np.round(quotient)
    near = np.abs(quotient - whole) <= 1e-5 * np.maximum(whole, 1.0)
    near |= quotient < NEGLIGIBLE
    return np.where(near, whole, np.ceil(quotient)).astype(np.int64)


def _refuse_short(config: Bss2Config, times: list[tuple[Ints, Floats]], h: float) -> None:
    """Raise `SimulationError` for time constants that forward Euler cannot follow."""
    found = []
    for population, tau in times:
        for k in np.unique(population[tau < h * (1 - 1e-9)]):
            least = float(tau[population == k].min())
            message = f"a time constant of {least:g} s on this chip, steps of {h:g} s"
            name = config.populations[k].name
            found.append(codes.TOO_FEW_STEPS.at(name, message, value=least, limit=h))
    if found:
        raise SimulationError(describe(found, heading="bss2: the emulation cannot start"))
