"""Biases of every core from its currents: codes, and what rounding them costs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np

from .. import diagnostics as codes
from ..biases import PARAMETER_BIASES, BiasCode
from ..nodes import CURRENTS, Dpi
from ..translation import SYNAPSES
from ._refractory import BIAS as REFRACTORY, blocked_steps, refractory_code
from ._task import Notes, Task

_UNIFORM = 1e-9
_SLACK = 1e-9
SYNAPTIC_GAINS = tuple(f"i_gain_{name}" for name in SYNAPSES)


@cache
def resting_currents() -> dict[str, float]:
    """Return the currents of the default neuron, which stays silent; for cores without neurons."""
    node = Dpi(shape=(1,))
    return {name: float(np.max(getattr(node, name))) for name in CURRENTS}


def refuse_uneven(task: Task) -> None:
    """Report parameters that differ within a core."""
    for core in task.cores:
        own = task.core == core
        for name, values in task.values().items():
            low, high = float(values[own].min()), float(values[own].max())
            if high - low > _UNIFORM * abs(high):
                text = f"{task.named(core)}: {name} is between {low:.4g} and {high:.4g} A"
                task.findings.add(codes.CORE_NOT_UNIFORM.at(None, text, value=high, limit=low))


def wanted_currents(core: int, change: float, task: Task) -> dict[str, float]:
    """Return the currents that the biases of a core are to give, in A.

    Parameters
    ----------
    core : int
        ``chip * 4 + core``.
    change : float
        Current scale of the core over the network's; synaptic gains are divided by it unless the
        options forbid it.
    task : Task
    """
    shared = task.shared(core)
    del shared["i_scale"]
    if task.options.gain_compensation:
        shared |= {name: shared[name] / change for name in SYNAPTIC_GAINS}
    return shared


def parameter_codes(
    core: int, wanted: Mapping[str, float], task: Task, notes: Notes
) -> dict[str, BiasCode]:
    """Return the code of every current of a core, by bias, and note what differs.

    Parameters
    ----------
    core : int
        ``chip * 4 + core``.
    wanted : mapping of str to float
        From `wanted_currents`.
    task : Task
        Its findings get errors.
    notes : Notes
        Gets losses and notes.
    """
    found: dict[str, BiasCode] = {}
    for name, bias in PARAMETER_BIASES.items():
        current = wanted[name]
        if not _within(name, bias, current, core=core, task=task, notes=notes):
            current = task.table.largest(bias)
        found[bias] = task.table.code(bias, current)
        if bias in task.options.biases:
            continue
        if bias == REFRACTORY and current > 0:
            found[bias] = _refractory(current, found[bias], core=core, task=task, notes=notes)
        else:
            _note_rounding(name, found[bias], current, core=core, task=task, notes=notes)
    return found


def _within(name: str, bias: str, current: float, *, core: int, task: Task, notes: Notes) -> bool:
    """Report a current above its bias; says whether it is within."""
    limit = task.table.largest(bias)
    if current <= limit * (1 + _SLACK):
        return True
    text = f"{name} is {current:.4g} A, {bias} gives at most {limit:.4g} A"
    if name in SYNAPTIC_GAINS and task.shared(core)[name] <= limit * (1 + _SLACK):
        notes.add(codes.GAIN_OUT_OF_RANGE, text, core=core, value=current, limit=limit)
    else:
        full = f"{task.named(core)}: {text}"
        task.findings.add(codes.BIAS_RANGE.at(None, full, value=current, limit=limit))
    return False


def _note_rounding(
    name: str, code: BiasCode, current: float, *, core: int, task: Task, notes: Notes
) -> None:
    bias = PARAMETER_BIASES[name]
    realised = float(task.table.current(bias, *code))
    dark = task.network.layout.i_o
    if name in SYNAPTIC_GAINS and current < dark <= task.shared(core)[name]:
        text = f"{name} is {current:.4g} A, below the dark current of {dark:.4g} A"
        notes.add(codes.GAIN_OUT_OF_RANGE, text, core=core, value=current, limit=dark)
    elif current <= dark * (1 + _SLACK):
        if current == 0 or abs(realised - current) > task.options.bias_tolerance * current:
            text = f"{name} is {current:.4g} A, {bias} gives {realised:.4g} A at {_shown(code)}"
            notes.add(codes.BIAS_FLOOR, text, core=core, value=realised, limit=dark)
    elif abs(realised - current) > task.options.bias_tolerance * current:
        error = realised / current - 1
        text = (
            f"{name} is {current:.4g} A, {bias} gives {realised:.4g} A at {_shown(code)}: "
            f"{100 * error:+.1f} %"
        )
        notes.add(
            codes.BIAS_ROUNDED, text, core=core, value=error, limit=task.options.bias_tolerance
        )


def _refractory(
    current: float, nearest: BiasCode, *, core: int, task: Task, notes: Notes
) -> BiasCode:
    """Return the code of the refractory period, and note what happens to its number of steps."""
    layout, dt, model = task.network.layout, task.mapped.graph.dt, task.network.model
    code = nearest
    if task.options.keep_refractory_steps:
        code, _ = refractory_code(current, table=task.table, layout=layout, dt=dt, model=model)

    def steps_of(value: float) -> int:
        return blocked_steps(value, layout=layout, dt=dt, model=model)

    realised = float(task.table.current(REFRACTORY, *code))
    wanted, got = steps_of(current), steps_of(realised)
    period = f"i_ref is {current:.4g} A and blocks {wanted} step(s) of {dt:g} s"
    if abs(got - wanted) > task.options.bias_tolerance * wanted:
        text = f"{period}, {REFRACTORY} at {_shown(code)} gives {realised:.4g} A: {got} step(s)"
        notes.add(codes.REFRACTORY_CHANGED, text, core=core, value=got, limit=wanted)
    elif code != nearest:
        closest = float(task.table.current(REFRACTORY, *nearest))
        text = (
            f"{period}; the closest code {_shown(nearest)} would block {steps_of(closest)}, "
            f"{_shown(code)} gives {realised:.4g} A and blocks {got}"
        )
        notes.add(codes.REFRACTORY_KEPT, text, core=core, value=got, limit=wanted)
    _note_rounding("i_ref", code, current, core=core, task=task, notes=notes)
    return code


def realised_currents(found: Mapping[str, BiasCode], task: Task) -> dict[str, float]:
    """Return the currents that codes of a core give, in A, by the name of the current."""
    return {
        name: float(task.table.current(bias, *found[bias]))
        for name, bias in PARAMETER_BIASES.items()
    }


def _shown(code: BiasCode) -> str:
    return f"({code.coarse}, {code.fine})"
