"""The verb: build a network for every target, run all on one input, report the differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..graph import Graph
from ..plugins import manager
from .checks import at_least, checked_labels, checked_readout, checked_tau, chosen_output
from .comparison import Comparison, TargetReport
from .contender import Contender, Setback, Task, setback_of
from .inputs import chunk_size_for, stimulus_from
from .options import TargetOptions, VerbOptions, check_names, options_of
from .synapses import fan_out
from .tally import Readout

REFERENCE = "reference"


def compare(
    graph: Graph,
    targets: Sequence[str] | str = "all",
    spikes: Any = None,
    labels: Any = None,
    *,
    lengths: Sequence[int] | NDArray[np.int64] | None = None,
    target_options: TargetOptions | None = None,
    output: str | None = None,
    readout: Readout = "mean",
    tau: float | None = None,
    trial_seed: int = 0,
    membranes: bool = True,
    chunk_size: int | None = None,
) -> Comparison:
    """Run one network on several targets and compare each with the float reference.

    A target on which the network does not fit is skipped with its diagnostics; one whose plugin is
    missing, broken or fails is reported. Each target runs as many silent steps longer as its
    signals come late, and signals are moved back before they are compared.

    Parameters
    ----------
    graph : Graph
        The network.
    targets : sequence of str, or str
        Names of targets; ``"all"`` takes every installed one but the reference.
    spikes : array, series, list of samples, mapping of str to array, `Poisson` or None
        Input of all targets as in `AbstractSession.run`; None draws `Poisson()` spikes.
    labels : array of int, (n_samples,), or None
        Channel of the output that each sample should have.
    lengths : array of int, (n_samples,), or None
        Valid steps of each sample of a ragged batch.
    target_options : mapping of str to mapping, or None
        Options of the verbs ``map``, ``quantize`` and ``simulate`` by name of a target or of a chip
        (for all its targets): ``{"mychip": {"seed": 3}}``. Each goes to the verbs that know it.
    output : str or None
        Output node that decides; None takes the only one.
    readout : {"mean", "max"}
        Score of a channel of outputs that show a membrane; spikes are counted.
    tau : float or None
        Time constant of the van Rossum distance, in s, > 0; None takes ten steps.
    trial_seed : int
        Seed of the noise of targets that have noise, >= 0.
    membranes : bool
        Whether membranes are recorded and compared; without them less memory is needed.
    chunk_size : int or None
        Samples that run at a time, >= 1; None chooses by memory, from the sizes of network and
        input only. Noise depends on it, nothing else does.

    Returns
    -------
    Comparison
        Prints itself as tables; ``to_dict`` gives all figures.

    Raises
    ------
    InputError
        Input, labels or options do not fit, or there is nothing to compare with.
    MappingError
        The reference cannot run the network.
    """
    if not isinstance(graph, Graph):
        raise InputError(
            f"compare: expected a Graph, got {type(graph).__name__}; use net.to_graph()"
        )
    names, setbacks = _wanted(targets)
    options = dict(target_options or {})
    check_names(options, [*names, *setbacks])
    stimulus = stimulus_from(graph, spikes, lengths)
    decides = chosen_output(graph, output)
    task = Task(
        graph=graph,
        stimulus=stimulus,
        output=decides,
        labels=checked_labels(labels, n_samples=stimulus.n_samples, n=graph.nodes[decides].size),
        readout=checked_readout(readout),
        tau=checked_tau(tau, graph.dt),
        trial_seed=at_least(trial_seed, 0, name="trial_seed"),
        membranes=membranes,
        fan_out=fan_out(graph),
    )
    default = chunk_size_for(graph, stimulus)
    size = default if chunk_size is None else at_least(chunk_size, 1, name="chunk_size")
    reference, reports = _run_all(task, names, options, setbacks=setbacks, size=size)
    return Comparison(
        reference=reference,
        targets=tuple(reports[n] for n in dict.fromkeys((*names, *setbacks))),
        n_samples=stimulus.n_samples,
        n_steps=stimulus.n_steps,
        dt=graph.dt,
        tau=task.tau,
        source=stimulus.source,
        provenance={
            "graph": graph.content_hash,
            "trial_seed": trial_seed,
            "chunk_size": size,
            "readout": readout,
            "output": task.output,
            "target_options": {name: dict(chosen) for name, chosen in options.items()},
        },
    )


def _wanted(targets: Sequence[str] | str) -> tuple[list[str], dict[str, Setback]]:
    """Return the names to report, and why some of them cannot even be tried."""
    known, problems = manager().targets, manager().problems
    if targets == "all":
        names = [n for n in known if n != REFERENCE]
        setbacks = {chip: Setback("failed", why) for chip, why in problems.items()}
        if not names and not setbacks:
            raise InputError(
                "compare: no chip is installed; install one with: pip install ranvier-CHIP"
            )
        return names, setbacks
    names = list(dict.fromkeys([targets] if isinstance(targets, str) else targets))
    if not names:
        raise InputError("compare: no target is named; name some, or say 'all'")
    missing = {}
    for name in names:
        try:
            manager().target(name)
        except Exception as error:
            missing[name] = setback_of(error)
    return names, missing


def _run_all(
    task: Task,
    names: Sequence[str],
    options: TargetOptions,
    *,
    setbacks: dict[str, Setback],
    size: int,
) -> tuple[TargetReport, dict[str, TargetReport]]:
    """Return the report of the reference, and those of the targets by name."""
    failed = dict(setbacks)
    own = {REFERENCE: options_of(manager().target(REFERENCE), options)}
    for name in (n for n in names if n not in failed):
        try:
            own[name] = options_of(manager().target(name), options)
        except InputError:
            raise  # the caller's options are wrong, which is not the plugin's fault
        except Exception as error:
            failed[name] = setback_of(error)
    with ExitStack() as stack:
        reference = Contender(REFERENCE, task, own[REFERENCE])
        stack.callback(reference.close)
        running = _opened(task, [n for n in names if n not in failed], own, failed, stack)
        for first, chunk in task.stimulus.chunks(size):
            expected = reference.run(chunk, first=first)
            reference.add(expected, expected, chunk, first=first)
            for name in [n for n in running if n not in failed]:
                try:
                    seen = running[name].run(chunk, first=first)
                    running[name].add(seen, expected, chunk, first=first)
                except Exception as error:
                    failed[name] = setback_of(error)
        decided = reference.decisions()
        reports = {n: c.report(decided) for n, c in running.items() if n not in failed}
        reports |= {n: _not_run(n, why) for n, why in failed.items()}
        return reference.report(decided), reports


def _opened(
    task: Task,
    names: Sequence[str],
    options: Mapping[str, VerbOptions],
    failed: dict[str, Setback],
    stack: ExitStack,
) -> dict[str, Contender]:
    """Build and open the targets, and note in ``failed`` why one does not."""
    running: dict[str, Contender] = {}
    for name in names:
        try:
            running[name] = Contender(name, task, options[name])
        except Exception as error:
            failed[name] = setback_of(error)
        else:
            stack.callback(running[name].close)
    return running


def _not_run(name: str, why: Setback) -> TargetReport:
    return TargetReport(name, why.status, why.reason, diagnostics=why.diagnostics)
