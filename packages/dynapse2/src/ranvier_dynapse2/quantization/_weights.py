"""Current scale, base currents and masks of every core."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .. import diagnostics as codes
from ..biases import PARAMETER_BIASES, WEIGHT_BIASES, BiasCode
from ..network import Floats, Ints
from ..nodes import PORTS
from ..weights import choose_scale, solve_codes
from ._task import Task

LOW_PRECISION = 0.1
"""Root mean square error, relative, above which it is reported as a loss."""
SMALLEST_GAIN = 2e-11
"""Synaptic gains below it, in A, are rounded coarsely: an automatic scale keeps away from them."""
_AT_LIMIT = 0.999


@dataclass(frozen=True, kw_only=True, eq=False)
class CoreWeights:
    """The weights of one core.

    Parameters
    ----------
    core : int
        ``chip * 4 + core``.
    synapses : array of int, (n,)
        Its synapses in the network.
    i_scale : float
        Synaptic current of a weight of 1 on the chip, in A.
    change : float
        ``i_scale`` over the network's.
    codes : tuple of BiasCode
        Of the four base currents.
    bases : array, (4,)
        These currents, in A.
    masks : array of uint8, (n,)
        Base currents that each synapse adds up; 0: the synapse is left out.
    """

    core: int
    synapses: Ints
    i_scale: float
    change: float
    codes: tuple[BiasCode, ...]
    bases: Floats
    masks: NDArray[np.uint8]

    @property
    def realised(self) -> Floats:
        """Weights that the masks stand for, (n,), in units of ``i_scale``."""
        return realised_weights(self.masks, self.bases, self.i_scale)


def realised_weights(masks: NDArray[np.uint8], bases: Floats, i_scale: float) -> Floats:
    """Return the sum of base currents of every mask, in units of the current scale.

    Parameters
    ----------
    masks : array of uint8, (n,)
        0..15, bit k takes base k.
    bases : array, (4,)
        In A.
    i_scale : float
        In A, > 0.
    """
    bits = (masks[:, None] >> np.arange(len(WEIGHT_BIASES))) & 1
    return np.asarray(bits @ bases / i_scale)


def weights_of(core: int, task: Task) -> CoreWeights:
    """Choose the current scale of a core, its base currents and the masks of its synapses.

    Parameters
    ----------
    core : int
        ``chip * 4 + core``.
    task : Task
        Its findings get what is lost.
    """
    network = task.network
    own = np.flatnonzero(task.core[network.synapse_target] == core)
    shared = task.shared(core)
    magnitudes = network.synapse_weight[own]
    if not own.size:
        none = (BiasCode(0, 0),) * len(WEIGHT_BIASES)
        floor = [task.table.current(name, 0, 0) for name in WEIGHT_BIASES]
        return CoreWeights(
            core=core,
            synapses=own,
            i_scale=shared["i_scale"],
            change=1.0,
            codes=none,
            bases=np.array(floor, dtype=np.float64),
            masks=np.zeros(0, dtype=np.uint8),
        )
    i_scale = task.options.i_scale or automatic_scale(core, own, task)
    options = task.options
    solved = solve_codes(
        magnitudes, table=task.table, i_scale=i_scale, seed=options.seed, starts=options.starts
    )
    made = CoreWeights(
        core=core,
        synapses=own,
        i_scale=i_scale,
        change=i_scale / shared["i_scale"],
        codes=tuple(solved.codes),
        bases=np.asarray(solved.bases, dtype=np.float64),
        masks=np.asarray(solved.masks, dtype=np.uint8),
    )
    if set(options.biases) & set(WEIGHT_BIASES):
        return _with_bases_by_hand(made, magnitudes, task)
    _report_limits(made, task)
    return made


def _with_bases_by_hand(made: CoreWeights, magnitudes: Floats, task: Task) -> CoreWeights:
    """Return weights with base currents of the options, and the masks closest to the weights."""
    chosen = tuple(
        BiasCode(*task.options.biases.get(name, code))
        for name, code in zip(WEIGHT_BIASES, made.codes, strict=True)
    )
    currents = [
        task.table.current(name, *code) for name, code in zip(WEIGHT_BIASES, chosen, strict=True)
    ]
    bases = np.array(currents, dtype=np.float64)
    every = np.arange(1 << len(WEIGHT_BIASES), dtype=np.uint8)
    levels = realised_weights(every, bases, made.i_scale)
    masks = every[np.abs(magnitudes[:, None] - levels).argmin(axis=1)]
    return replace(made, codes=chosen, bases=bases, masks=masks)


def automatic_scale(core: int, own: Ints, task: Task) -> float:
    """Return the current scale at which nothing of a core saturates, in A.

    Parameters
    ----------
    core : int
        ``chip * 4 + core``.
    own : array of int, (n,)
        Its synapses in the network.
    task : Task
    """
    return choose_scale(
        task.network.synapse_weight[own],
        table=task.table,
        i_scale=task.shared(core)["i_scale"],
        factors=scale_factors(core, own, task),
        seed=task.options.seed,
        starts=task.options.starts,
    )


def scale_factors(core: int, own: Ints, task: Task) -> tuple[float, float]:
    """Return the smallest and largest change of the current scale that gains can make up for.

    Parameters
    ----------
    core, own, task
        As in `automatic_scale`.
    """
    if not task.options.gain_compensation:
        return 0.0, float("inf")
    shared = task.shared(core)
    low, high = 0.0, float("inf")
    for port in np.unique(task.network.synapse_port[own]).tolist():
        name = f"i_gain_{PORTS[port]}"
        gain, largest = shared[name], task.table.largest(PARAMETER_BIASES[name])
        low = max(low, min(gain / largest, 1.0))
        high = min(high, max(gain / SMALLEST_GAIN, 1.0))
    return low, high


def _report_limits(made: CoreWeights, task: Task) -> None:
    """Say where the scale is too large for the base currents, and which one fits."""
    magnitudes = task.network.synapse_weight[made.synapses]
    limits = np.array([task.table.largest(name) for name in WEIGHT_BIASES])
    top, limit = float(magnitudes.max()), float(limits.sum())
    where = f"{task.named(made.core)}: at the current scale {made.i_scale:.4g} A"
    if top * made.i_scale > limit:
        text = (
            f"{where} the largest weight, {top:.4g}, is {top * made.i_scale:.4g} A; the four base "
            f"currents give at most {limit:.4g} A, so that all larger weights become equal"
        )
        advice = _advice(made, task, f"at most {limit / top:.4g} A")
        found = codes.WEIGHTS_SATURATE.at(
            None, text, value=top * made.i_scale, limit=limit, hint=advice
        )
        task.findings.add(found)
    elif np.any(made.bases >= _AT_LIMIT * limits):
        options = task.options
        fits = choose_scale(
            magnitudes,
            table=task.table,
            i_scale=made.i_scale,
            seed=options.seed,
            starts=options.starts,
        )
        if fits >= made.i_scale:
            return
        k = int((made.bases / limits).argmax())
        base, most = float(made.bases[k]), float(limits[k])
        text = f"{where} {WEIGHT_BIASES[k]} is {base:.4g} A, it gives at most {most:.4g} A"
        advice = _advice(made, task, f"at most {fits:.4g} A, which fits without loss")
        task.findings.add(codes.BASE_AT_LIMIT.at(None, text, value=base, limit=most, hint=advice))


def _advice(made: CoreWeights, task: Task, fits: str) -> str:
    """Return what to do about a current scale that is too large."""
    if task.options.i_scale is None:
        return f"lower i_scale of the neurons and raise their synaptic gain; {fits}"
    chosen = automatic_scale(made.core, made.synapses, task)
    return f"leave the option i_scale out (it chooses {chosen:.4g} A), or use {fits}"


def report_weights(made: CoreWeights, task: Task) -> dict[str, object]:
    """Report precision and dropped synapses of a core; returns its entry of the provenance.

    Parameters
    ----------
    made : CoreWeights
        Final masks.
    task : Task
        Its findings get the diagnostics.
    """
    wanted = task.network.synapse_weight[made.synapses]
    realised = made.realised
    mse = float(np.mean(np.square(wanted - realised))) if wanted.size else 0.0
    power = float(np.mean(np.square(wanted))) if wanted.size else 0.0
    relative = float(np.sqrt(mse / power)) if power else 0.0
    levels = int(np.unique(made.masks[made.masks > 0]).size)
    dropped = wanted[made.masks == 0]
    where = task.named(made.core)
    if wanted.size:
        code = codes.LOW_PRECISION if relative > LOW_PRECISION else codes.WEIGHT_PRECISION
        text = (
            f"{where}: {wanted.size} weights on {levels} levels, root mean square error "
            f"{100 * relative:.2f} %"
        )
        task.findings.add(code.at(None, text, value=round(relative, 6), limit=LOW_PRECISION))
    if dropped.size:
        text = (
            f"{where}: {dropped.size} of {wanted.size} synapses are left out, the largest with a "
            f"weight of {dropped.max():.4g} (the smallest level is {_smallest(made):.4g})"
        )
        task.findings.add(codes.WEIGHTS_DROPPED.at(None, text, value=int(dropped.size), limit=0))
    return {
        "i_scale": made.i_scale,
        "bases": made.bases.tolist(),
        "codes": [list(code) for code in made.codes],
        "n": int(wanted.size),
        "levels": levels,
        "mse": mse,
        "relative_error": relative,
        "dropped": int(dropped.size),
        "largest_dropped": float(dropped.max(initial=0.0)),
    }


def _smallest(made: CoreWeights) -> float:
    """Return the smallest level in use, in units of the current scale."""
    kept = made.realised[made.masks > 0]
    return float(kept.min()) if kept.size else float(made.bases.min() / made.i_scale)
