"""The verb *quantize*: from currents and weights to registers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from pydantic import ValidationError

from ranvier.artifacts import MappedNetwork, OutputChannel
from ranvier.diagnostics import describe
from ranvier.errors import QuantizationError

from .. import diagnostics as codes
from ..biases import WEIGHT_BIASES, BiasCode, BiasTable, published_table
from ..config import Dynapse2Config
from ..network import DpiNetwork
from ..targets import limits_of
from ._biases import parameter_codes, refuse_uneven, wanted_currents
from ._by_hand import bias_registers, by_hand_notes, refuse_by_hand
from ._checks import refuse_altered
from ._coded import Coded
from ._connections import kept_synapses, packets_of
from ._latches import latch_registers, refuse_latches
from ._memory import cam_registers, input_registers, placement_of, sram_registers
from ._task import Notes, Task
from ._weights import CoreWeights, report_weights, weights_of
from .options import QuantizeOptions

RESTING_SCALE = 1e-8
"""``i_scale`` written for cores without neurons, in A."""


def quantize_network(mapped: MappedNetwork, options: QuantizeOptions) -> Dynapse2Config:
    """Turn a mapped network into the registers of its board.

    Per core: a current scale at which nothing saturates, four base currents and a mask per
    synapse, and the codes of all biases. Then the memories of all neurons.

    Parameters
    ----------
    mapped : MappedNetwork
        From `ranvier_dynapse2.mapping.map_network`.
    options : QuantizeOptions
        See there.

    Returns
    -------
    Dynapse2Config
        ``provenance["weights"]`` holds per core (``"core 1 of chip 0"``) the current scale, the
        base currents in A, the mean square error of the weights and the synapses left out.

    Raises
    ------
    QuantizationError
        A value has no code, a memory is full, an option names nothing, or the mapped network was
        altered; all problems at once.
    InputError
        The calibration spikes do not fit the network.
    """
    task = _task(mapped, options)
    refuse_uneven(task)
    refuse_by_hand(task)
    refuse_latches(task)
    _raise_errors(task)
    coded = _coded(task)
    agreement = None
    if options.calibration is not None:
        from ._calibration import calibrated

        coded, agreement = calibrated(coded, lambda trial: _config(trial, task), task)
    return _reported(_config(coded, task), coded, task, agreement=agreement)


def _task(mapped: MappedNetwork, options: QuantizeOptions) -> Task:
    missing = [name for name in ("network", "shown") if name not in mapped.settings]
    if missing:
        raise QuantizationError(
            f"{mapped.target}: the mapped network has no settings {missing}; map the graph again"
        )
    path, limits = options.bias_table, limits_of(mapped.target)
    network = DpiNetwork.from_parts(mapped.arrays, mapped.settings["network"])
    refuse_altered(network, mapped.target, limits)
    return Task(
        mapped=mapped,
        network=network,
        options=options,
        table=published_table() if path is None else BiasTable.from_csv(path),
        limits=limits,
    )


def _raise_errors(task: Task) -> None:
    errors = task.findings.errors()
    if errors:
        target = task.mapped.target
        heading = f"{target}: the network cannot be quantised, {len(errors)} problem(s)"
        raise QuantizationError(describe(errors, heading=heading), errors)


def _coded(task: Task) -> Coded:
    """Choose codes and masks of every core."""
    notes = Notes()
    weights, biases = [], {}
    for core in task.cores:
        made = weights_of(core, task)
        wanted = wanted_currents(core, made.change, task)
        found = parameter_codes(core, wanted, task, notes)
        found |= {
            name: BiasCode(*task.options.biases.get(name, code))
            for name, code in (*found.items(), *zip(WEIGHT_BIASES, made.codes, strict=True))
        }
        weights.append(made)
        biases[core] = found
        _note_scale(made, task)
    task.findings.add(*notes.diagnostics(task))
    return Coded(weights=tuple(weights), biases=biases)


def _note_scale(made: CoreWeights, task: Task) -> None:
    """Say where the current scale is not the network's."""
    if np.isclose(made.change, 1.0, rtol=1e-9):
        return
    own = made.i_scale / made.change
    text = (
        f"{task.named(made.core)}: a weight of 1 is {made.i_scale:.4g} A on the chip, "
        f"{own:.4g} A in the network"
    )
    compensated = task.options.gain_compensation
    code = codes.SCALE_CHANGED if compensated else codes.SCALE_NOT_COMPENSATED
    task.findings.add(code.at(None, text, value=made.i_scale, limit=own))


def _config(coded: Coded, task: Task) -> Dynapse2Config:
    """Fill all registers."""
    mapped, network = task.mapped, task.network
    kept = kept_synapses(coded.weights, task)
    packets = packets_of(kept, task)
    registers = {
        **cam_registers(kept, task),
        **sram_registers(packets, task),
        **input_registers(packets, task),
        **_scales(coded.weights, task),
        **bias_registers(coded.biases, task),
        "latches": latch_registers(kept, task),
    }
    _raise_errors(task)
    try:
        return Dynapse2Config(
            target=mapped.target,
            dt=mapped.graph.dt,
            input_shapes=dict(network.inputs),
            outputs=tuple(
                OutputChannel(output=output, node=node, quantity="spikes")
                for output, node in mapped.settings["shown"].items()
            ),
            node_shapes={p.name: p.shape for p in network.populations},
            placement=placement_of(kept, task),
            latency=dict(mapped.latency),
            diagnostics=mapped.diagnostics,
            chips=network.chips,
            model=network.model,
            bias_table=task.table.currents,
            layout=network.layout,
            **registers,
        )
    except ValidationError as error:
        raise QuantizationError(
            f"{mapped.target}: the mapped network does not fit: {error}; map the graph again"
        ) from error


def _reported(
    config: Dynapse2Config, coded: Coded, task: Task, *, agreement: Mapping[str, Any] | None
) -> Dynapse2Config:
    """Add diagnostics and provenance."""
    report = {task.named(made.core): report_weights(made, task) for made in coded.weights}
    task.findings.add(*by_hand_notes(task))
    diagnostics = (*config.diagnostics, *task.findings)
    provenance = _provenance(task, report, agreement)
    return config.model_copy(update={"diagnostics": diagnostics, "provenance": provenance})


def _scales(weights: Sequence[CoreWeights], task: Task) -> dict[str, Any]:
    """Return ``i_scale`` and ``drive_factor``, (chips, 4)."""
    i_scale = np.full(task.n_cores, RESTING_SCALE)
    factor = np.ones(task.n_cores)
    for made in weights:
        i_scale[made.core] = made.i_scale
        if not task.options.gain_compensation:
            factor[made.core] = 1.0 / made.change
    shape = (task.network.chips, task.limits.cores_per_chip)
    return {"i_scale": i_scale.reshape(shape), "drive_factor": factor.reshape(shape)}


def _provenance(
    task: Task, report: Mapping[str, Any], agreement: Mapping[str, Any] | None
) -> dict[str, Any]:
    options = task.options
    found = {
        "graph": task.mapped.graph.content_hash,
        "ranvier-dynapse2": version("ranvier-dynapse2"),
        "map": dict(task.mapped.settings.get("options", {})),
        "quantize": {
            **options.model_dump(mode="json", exclude={"calibration"}),
            "calibrated": options.calibration is not None,
        },
        "weights": dict(report),
    }
    return found if agreement is None else found | {"calibration": dict(agreement)}
