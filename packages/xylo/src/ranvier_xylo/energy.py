"""Clock cycles of one network step, and the clock that a step length needs.

There is no published power model: power is measured on a board.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ranvier.errors import InputError

CLOCK_MARGIN = 0.2


@dataclass(frozen=True, kw_only=True)
class Workload:
    """What decides how long the core works on one step.

    Parameters
    ----------
    n_in, n_hidden, n_out : int
        Channels and neurons in use.
    n_ien, n_oen : int
        Hidden neurons with input weights and with output weights. On Audio 2 all hidden neurons.
    fan_out : float
        Mean number of recurrent targets per hidden neuron; a target reached through both synapses
        counts once.
    alias_targets, alias_sources : float
        Mean number of aliases that leave and that reach a hidden neuron.
    p_in, p_hidden : float, 0..1
        Fraction of (channel, step) and of (hidden neuron, step) with at least one spike; 1 is the
        worst case. Output spikes cost nothing.

    Raises
    ------
    InputError
        A value is negative, not finite, or a fraction above 1. All problems are named at once.
    """

    n_in: int
    n_hidden: int
    n_out: int
    n_ien: int
    n_oen: int
    fan_out: float
    alias_targets: float = 0.0
    alias_sources: float = 0.0
    p_in: float = 1.0
    p_hidden: float = 1.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        limits = {name: 1.0 if name.startswith("p_") else math.inf for name in vars(self)}
        problems = [
            f"{name} is {value}, allowed are 0..{limits[name]:g}"
            for name, value in vars(self).items()
            if not (math.isfinite(value) and 0 <= value <= limits[name])
        ]
        if problems:
            raise InputError("xylo workload: " + "; ".join(problems))


@dataclass(frozen=True, kw_only=True)
class StepCycles:
    """Clock cycles of one step, by what they are spent on.

    Parameters
    ----------
    inputs : float
        Reading the input channels and adding their weights.
    synapses : float
        Decay of the hidden currents and recurrent weights.
    output_synapses : float
        Weights from hidden to output neurons.
    spikes : float
        Membranes, thresholds and aliases of the hidden neurons.
    outputs : float
        Output neurons.
    """

    inputs: float
    synapses: float
    output_synapses: float
    spikes: float
    outputs: float

    @property
    def total(self) -> float:
        """All cycles of the step."""
        hidden = self.inputs + self.synapses + self.output_synapses + self.spikes
        return hidden + self.outputs


def cycles_per_step(load: Workload) -> StepCycles:
    """Count the clock cycles of one step.

    Parameters
    ----------
    load : Workload

    Returns
    -------
    StepCycles

    References
    ----------
    Cycle model of SynSense rockpool 3.1.0, ``devices/xylo``; compared with it on 50 random
    configurations.

    Examples
    --------
    >>> load = Workload(n_in=2, n_hidden=3, n_out=1, n_ien=3, n_oen=3, fan_out=1.0)
    >>> cycles_per_step(load).total
    158.0
    """
    p, targets, sources = load.p_hidden, load.alias_targets, load.alias_sources
    pairs = targets * sources
    per_neuron = (
        19 + 2 * max(p, pairs) + 3 * max(p * targets, pairs) + p + max(p, targets) * sources
    )
    return StepCycles(
        inputs=load.n_in * (3.5 * load.p_in * load.n_ien + 1),
        synapses=load.n_hidden * (7 * load.fan_out * p + 3),
        output_synapses=load.n_oen * p * (1 + 8 * load.n_out),
        spikes=load.n_hidden * per_neuron,
        outputs=12.0 * load.n_out,
    )


def second_synapse_operations(load: Workload) -> float:
    """Count the operations that the second synapse of Audio 2 adds to one step.

    They run in parallel to the cycles of :func:`cycles_per_step` and take no time of their own.

    Parameters
    ----------
    load : Workload

    Returns
    -------
    float

    References
    ----------
    As :func:`cycles_per_step`.
    """
    n = load.n_hidden
    return 1.5 * load.p_in * load.n_in * n + 5 * load.fan_out * load.p_hidden * n + n


def required_clock(load: Workload, *, dt: float, margin: float = CLOCK_MARGIN) -> float:
    """Estimate the slowest main clock that finishes every step in time.

    Parameters
    ----------
    load : Workload
        Its rates are ignored: the estimate holds for spikes on every channel and neuron.
    dt : float
        Length of a step, in s, > 0.
    margin : float, ≥ 0
        Fraction of cycles added for safety.

    Returns
    -------
    float
        Clock frequency, in Hz.

    Raises
    ------
    InputError
        ``dt`` or ``margin`` is out of range.

    References
    ----------
    As :func:`cycles_per_step`; the margin of 20 % is rockpool's.
    """
    if not (math.isfinite(dt) and dt > 0):
        raise InputError(f"xylo clock: dt is {dt} s, give a step length above 0")
    if not (math.isfinite(margin) and margin >= 0):
        raise InputError(f"xylo clock: margin is {margin}, allowed is 0 or more")
    worst = Workload(**{**vars(load), "p_in": 1.0, "p_hidden": 1.0})
    return cycles_per_step(worst).total * (1 + margin) / dt
