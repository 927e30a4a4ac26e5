"""From a program to a network of the chip, with places and all checks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Diagnostic, Findings

from .. import diagnostics as codes
from ..config.ranges import RANGES, applies
from ..layout import Layout
from ..mapping._chip import check_run, with_circuits
from ..mapping._errors import raise_errors
from ..mapping._neurons import shortest_refractory
from ..network import BssNetwork, BssPopulation, BssProjection
from ..placement import Budget, fit_circuits, partition, place_network
from ..targets import CHIP, limits_of
from ._instances import ExecutionInstance
from ._layer import TARGET_NAMES, NeuronLayer
from ._module import input_error
from ._parameters import HXParameter, ModelParameter
from ._program import Link, Program

MODEL_LARGEST = 10.0
"""Values up to here, where LSB or codes of 30 and more are meant, are values of the model."""
ALIGNED_LSB = 3.0
"""How far potentials of model and chip may be apart before it is told, in LSB (our choice)."""
TYPICAL = {
    "leak": 80,
    "reset": 80,
    "threshold": 125,
    "i_synin_gm": 500,
    "membrane_capacitance": 63,
    "synapse_dac_bias": 600,
}
"""Targets of hxtorch @3bfc7aa, for advice."""
_NOT_FINITE = "lower the learning rate, or clip gradients"
PARAMETER_OF = {target: name for name, targets in TARGET_NAMES.items() for target in targets}


@dataclass(frozen=True, kw_only=True, eq=False)
class Placed:
    """A network with its places.

    Parameters
    ----------
    network : BssNetwork
        With execution instances and circuits.
    layout : Layout
        Places.
    diagnostics : tuple of Diagnostic
        What was noticed.
    """

    network: BssNetwork
    layout: Layout
    diagnostics: tuple[Diagnostic, ...]


def place(program: Program, *, dt: float, seed: int) -> Placed:
    """Find a place for a program.

    Raises
    ------
    MappingError
        Everything that does not fit on the chip; `ResourceError` if only resources ran out.
    InputError
        Weights are not finite, or of another shape than the synapses.
    """
    _check_weights(program.links)
    findings = Findings()
    network = network_of(program, dt=dt, findings=findings)
    _check_available(program, findings)
    budget = Budget.of(limits_of(CHIP))
    if len(set(_instances(program).values())) > 1:
        network = fit_circuits(network, budget, findings=findings)
    else:
        network = partition(network, budget, findings, seed=seed)
    check_run(network, findings)
    raise_errors(findings, target=CHIP)
    layout = place_network(
        network, budget, constraints=_constraints(program), seed=seed, findings=findings
    )
    raise_errors(findings, target=CHIP)
    if layout is None:
        raise TypeError("a placement without errors has a layout")
    return Placed(network=network, layout=layout, diagnostics=findings.without_errors())


def network_of(program: Program, *, dt: float, findings: Findings) -> BssNetwork:
    """Return populations with all their values, and projections with weights in LSB.

    Parameters
    ----------
    program : Program
        What runs.
    dt : float
        Time step, in s of the chip.
    findings : Findings
        Receives values that the chip cannot be calibrated to.
    """
    instances = _instances(program)
    populations = []
    for name in program.neurons:
        own = population_of(program.layer(name), instances[name], findings)
        populations.append(own)
        findings.add(*_range_problems(program.layer(name), own))
        findings.add(*_alignment_problems(program.layer(name), own))
    return BssNetwork(
        dt=dt,
        time_scale=1.0,
        inputs={n: (program.size_of(n),) for n in program.inputs if _used(program, n)},
        populations=tuple(populations),
        projections=tuple(_projection(q) for q in program.links),
    )


def population_of(layer: NeuronLayer[Any], instance: int, findings: Findings) -> BssPopulation:
    """Return the population of a layer; notes neurons that get the shortest refractory time."""
    targets = layer.target_values()
    if layer.fires:
        shortest = shortest_refractory(layer.name, targets["refractory"], findings=findings)
        targets = targets | {"refractory": shortest}
    return BssPopulation(
        name=layer.name,
        shape=(layer.size,),
        switches=layer.switches,
        model=layer.model_values(),
        targets=targets,
        readout=layer.recording.readout(layer.size),
        circuits=layer.recording.circuits,
        instance=instance,
    )


def weights_of(program: Program, *, masked: bool = True) -> dict[int, NDArray[np.int64]]:
    """Return what is written to the chip, by number of the projection.

    Parameters
    ----------
    program : Program
        What runs.
    masked : bool
        Whether neurons that a dropout silences have weights of 0.

    Raises
    ------
    InputError
        Weights are not finite, or of another shape than the synapses; all of them are named.
    """
    _check_weights(program.links)
    found = {}
    for number, q in enumerate(program.links):
        weight = q.synapse.hardware_weight.cpu().numpy().astype(np.int64)
        if masked and q.mask is not None:
            weight = weight * (q.mask.numpy() > 0)
        found[number] = weight
    return found


def _check_weights(links: Iterable[Link]) -> None:
    problems = []
    for q in links:
        weight = q.synapse.weight.detach()
        shape = (q.synapse.out_features, q.synapse.in_features)
        odd = int((~weight.isfinite()).sum())
        if tuple(weight.shape) != shape:
            text, hint = f"weights have shape {tuple(weight.shape)}", f"give weights of {shape}"
        elif odd:
            text, hint = f"{odd} of {weight.numel()} weights are NaN or infinite", _NOT_FINITE
        else:
            continue
        problems.append(codes.BAD_CHOICE.at(q.call.module.name, text, hint=hint))
    if problems:
        raise input_error(*problems)


def spike_masks(program: Program) -> dict[str, NDArray[np.bool_]]:
    """Return which neurons a dropout lets through, by population."""
    return {q.source: q.mask.numpy() > 0 for q in program.links if q.mask is not None}


def topology_key(program: Program, *, dt: float) -> str:
    """Return a hash of everything but weights: if it is the same, places stay."""
    digest = hashlib.sha256(repr((dt, list(program.inputs))).encode())
    instances = _instances(program)
    for name in program.neurons:
        layer = program.layer(name)
        readout = layer.recording.readout(layer.size)
        plain = [layer.name, layer.size, layer.switches, instances[name], readout.cadc]
        plain += [readout.madc_neuron, readout.shift_to_first, readout.time_shift]
        plain += [readout.interpolation, layer.recording.circuits]
        digest.update(repr(plain).encode())
        arrays = [*layer.model_values().values(), *layer.target_values().values()]
        arrays += [readout.trace_scale, readout.trace_offset]
        if layer.recording.placement_constraint is not None:
            arrays.append(np.asarray(layer.recording.placement_constraint, dtype=np.float64))
        for values in arrays:
            digest.update(values.tobytes())
    for q in program.links:
        digest.update(repr((q.source, q.target, q.delay, q.call.module.name)).encode())
        connected = q.synapse.connected
        if connected is not None:
            digest.update(connected.cpu().numpy().tobytes())
    return digest.hexdigest()


def _projection(link: Link) -> BssProjection:
    weight = link.synapse.hardware_weight.cpu().numpy().astype(np.float64)
    mask = link.synapse.connected
    connected = np.ones(weight.shape, np.bool_) if mask is None else mask.cpu().numpy()
    return BssProjection(
        source=link.source,
        target=link.target,
        weight=weight,
        connected=connected.astype(np.bool_),
        delay=link.delay,
    )


def _used(program: Program, name: str) -> bool:
    return any(q.source == name for q in program.links)


def _instances(program: Program) -> dict[str, int]:
    """Return the execution instance of every layer, numbered in the order of computation."""
    order: list[ExecutionInstance] = []
    found = {}
    for name in program.neurons:
        own = program.layer(name).execution_instance
        if all(own is not known for known in order):
            order.append(own)
        found[name] = next(k for k, known in enumerate(order) if known is own)
    return found


def _constraints(program: Program) -> dict[str, NDArray[np.int64]] | None:
    given = {n: program.layer(n).recording.placement_constraint for n in program.neurons}
    return with_circuits({n: v for n, v in given.items() if v is not None}) or None


def _check_available(program: Program, findings: Findings) -> None:
    """Report weighted inputs and readouts that only the numeric backend has."""
    for name, call in program.neurons.items():
        layer = program.layer(name)
        fed = {id(q.call.output) for q in program.links}
        if any(id(h) not in fed for h in call.inputs):
            text = "gets weighted input that no synapse makes"
            hint = "chips take spikes: put a Synapse in front"
            findings.add(codes.MISPLACED_MODULE.at(name, text, hint=hint))
        if "adaptation" in (layer.cadc_readout, layer.madc_readout):
            text = "reads out the adaptation, which is not modelled on chips"
            findings.add(codes.BAD_CHOICE.at(name, text, hint="read out 'voltage'"))


def _range_problems(layer: NeuronLayer[Any], population: BssPopulation) -> Iterable[Diagnostic]:
    """Report targets that the chip cannot be calibrated to."""
    by_unit = {"s": codes.TIME_RANGE, "LSB": codes.POTENTIAL_RANGE, "code": codes.CODE_RANGE}
    for target, name in PARAMETER_OF.items():
        allowed, values = RANGES[target], population.targets[target]
        outside = allowed.outside(values)
        if name not in layer.parameter_names or not applies(target, layer.switches):
            continue
        if target == "tau_syn_inh" or not outside.any():
            continue
        worst = float(values[outside][0])
        text = f"{name} of the chip is {allowed.shown(worst)} in {int(outside.sum())} of "
        text += f"{values.size} neurons, allowed are {allowed}"
        limit = allowed.most if worst > allowed.most else allowed.least
        code, hint = by_unit[allowed.unit], None
        plain = isinstance(layer.parameter(name), HXParameter | ModelParameter)
        if plain and allowed.unit != "s" and abs(worst) <= MODEL_LARGEST:
            code = codes.MODEL_AS_HARDWARE
            hint = f"give both: {name}=MixedHXModelParameter({worst:g}, {TYPICAL[name]:g})"
        yield code.at(layer.name, text, value=worst, limit=limit, hint=hint)


def _alignment_problems(layer: NeuronLayer[Any], population: BssPopulation) -> Iterable[Diagnostic]:
    """Report values of model and chip that do not fit each other: numbers will differ."""
    model, targets, readout = population.model, population.targets, population.readout
    wanted = {}
    for name in ("reset", "threshold") if layer.fires else ():
        rise = (model[name] - model["leak"]) / readout.trace_scale
        wanted[name] = (targets[name], targets["leak"] + rise)
    if readout.cadc != "off" and not readout.shift_to_first:
        zero = targets["leak"] - model["leak"] / readout.trace_scale
        wanted["trace_offset"] = (readout.trace_offset, zero)
    for name, (given, expected) in wanted.items():
        worst = int(np.argmax(np.abs(given - expected)))
        if abs(given[worst] - expected[worst]) > ALIGNED_LSB:
            text = f"{name} is {given[worst]:.4g} LSB, values of model and chip with trace_scale "
            text += f"{readout.trace_scale[worst]:.4g} ask for {expected[worst]:.4g} LSB"
            hint = "use ranvier_bss2.alignment.align, or give MixedHXModelParameter, trace_scale "
            hint += "and trace_offset that fit each other"
            found, limit = float(given[worst]), float(expected[worst])
            yield codes.MISALIGNED.at(layer.name, text, value=found, limit=limit, hint=hint)
