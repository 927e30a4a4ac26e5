"""Running an experiment."""

from __future__ import annotations

import math
import numbers
from typing import NamedTuple

import torch
from torch import Tensor

from ranvier.diagnostics import Diagnostic

from .. import diagnostics as codes
from ..records import CLOCK
from ..targets import limits_of
from ._experiment import Experiment
from ._handles import SynapseHandle
from ._layout import batch_first, time_first
from ._module import input_error
from ._numerics import Computation, fill, spikes_of
from ._program import Program, program_of


class Job(NamedTuple):
    """Inputs (batch, time, n) of one run, and its sizes.

    Attributes
    ----------
    inputs : dict of str to Tensor
        Cut to ``steps``.
    graded : dict of int to Tensor
        Weighted inputs that the user made, by the identity of their handle.
    batch, steps, runtime : int
        Size of the results, and steps that a chip runs.
    """

    inputs: dict[str, Tensor]
    graded: dict[int, Tensor]
    batch: int
    steps: int
    runtime: int


def run(experiment: Experiment, runtime: int | None = None) -> None:
    """Compute all modules that were called since the last run, and fill their handles.

    Parameters
    ----------
    experiment : Experiment
        What runs, and on which backend.
    runtime : int or None
        Steps that a chip runs, >= 1; None: the length of the input. On every backend, results have
        the length of the input, or the runtime if that is shorter. Input ends are padded with
        silence.

    Raises
    ------
    InputError
        Modules, inputs or the runtime do not fit (BS240 to BS249); all problems in one message.
    MappingError
        The network does not fit on the chip; `ResourceError` if only resources ran out.
    DeviceError
        A chip is not there, or answers badly.

    Notes
    -----
    Every call of a module has its own handle: results are never overwritten. Calls are forgotten
    after the run, also if it failed; call the modules again before the next one.
    """
    program = program_of(experiment.take_calls())
    job = _job(program, experiment, runtime)
    observed = {}
    if experiment.backend != "numeric":
        backend = experiment.chip_backend_for_run()
        observed = backend.observe(
            program, job.inputs, batch=job.batch, steps=job.steps, runtime=job.runtime
        )
    turn = experiment.layout == "time_first"
    computation = Computation(
        program,
        job.inputs,
        observed,
        batch=job.batch,
        steps=job.steps,
        dt=experiment.dt,
        defer=not turn,
    )
    computation.values |= job.graded
    for handle, fields in computation.run():
        fill(handle, fields)
        if turn:
            fill(handle, time_first(handle).tensors())


def _job(program: Program, experiment: Experiment, runtime: int | None) -> Job:
    turn = experiment.layout == "time_first"
    given = {name: spikes_of(handle) for name, handle in program.inputs.items()}
    weighted = _weighted(program)
    problems = [p for n, x in given.items() for p in _input_problems(n, x)]
    problems += [p for x in weighted.values() for p in _input_problems("input", x)]
    problems += _runtime_problems(runtime, experiment.dt)
    if problems:
        raise input_error(*problems)
    tensors = {n: batch_first(x) if turn else x for n, x in given.items()}
    graded = {k: batch_first(x) if turn else x for k, x in weighted.items()}
    shapes = [x.shape[:2] for x in (*tensors.values(), *graded.values())]
    if len(set(shapes)) > 1:
        text = f"(batch, time) is {', '.join(str(tuple(s)) for s in shapes)}; all must be equal"
        raise input_error(codes.BAD_INPUT.at(None, text, value=len(set(shapes)), limit=1))
    if not shapes and runtime is None:
        raise input_error(codes.BAD_RUNTIME.at(None, "there is no input, and no runtime"))
    batch, length = shapes[0] if shapes else (1, runtime or 1)
    steps = min(length, runtime or length)
    cut = {n: x[:, :steps].to(torch.float32) for n, x in tensors.items()}
    return Job(cut, graded, batch, steps, int(runtime or length))


def _weighted(program: Program) -> dict[int, Tensor]:
    made = {id(c.output) for c in program.calls}
    return {
        id(h): h.graded_spikes
        for c in program.neurons.values()
        for h in c.inputs
        if isinstance(h, SynapseHandle) and id(h) not in made and h.graded_spikes is not None
    }


def _input_problems(name: str, x: Tensor) -> list[Diagnostic]:
    if x.ndim != 3 or 0 in x.shape:
        text = f"shape {tuple(x.shape)}, expected (batch, time, n), all >= 1"
        return [codes.BAD_INPUT.at(name, text)]
    given = x.detach()
    # A sum is finite only of finite values; where it is not, they are counted.
    bad = 0 if math.isfinite(given.sum()) else int((~torch.isfinite(given)).sum())
    if bad:
        return [codes.BAD_INPUT.at(name, f"{bad} of {x.numel()} values are not finite", value=bad)]
    return []


def _runtime_problems(runtime: object, dt: float) -> list[Diagnostic]:
    if runtime is None:
        return []
    if isinstance(runtime, bool) or not isinstance(runtime, numbers.Integral):
        text = f"runtime is {runtime!r}, a {type(runtime).__name__}"
        return [codes.BAD_RUNTIME.at(None, text)]
    longest = int(limits_of().timer_max / CLOCK / dt)
    if not 1 <= int(runtime) <= longest:
        text = f"runtime is {runtime} steps, allowed are 1 to {longest}"
        return [codes.BAD_RUNTIME.at(None, text, value=int(runtime), limit=longest)]
    return []
