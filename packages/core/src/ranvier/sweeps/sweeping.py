"""The function `ranvier.sweep`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from ..errors import FileError, InputError
from .dispatch import Dispatcher
from .engine import Where, opened
from .job import Evaluate, Outcome
from .journal import Journal
from .plan import Plan, plan_sweep
from .result import SweepError, SweepResult


def sweep(
    network: Any,
    target: str | None = None,
    spikes: Any = None,
    *,
    vary: Mapping[str, Sequence[Any]],
    options: Mapping[str, Any] | None = None,
    labels: Any = None,
    lengths: Any = None,
    record: Sequence[str] | bool = (),
    evaluate: Evaluate | None = None,
    seed: int = 0,
    executor: Where = None,
    workers: int | None = None,
    chunk: int | None = None,
    results: str | PathLike[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> SweepResult:
    """Run a network with every combination of options, on processes, threads or a cluster.

    Parameters
    ----------
    network : Graph, MappedNetwork or ChipConfig
        What runs. A graph is mapped and quantised per combination, a configuration only simulated.
    target : str or None
        Target of a graph; other networks know theirs.
    spikes : array, series, list of these, or mapping of str to any of these
        Input, as in `AbstractSession.run`; the same for all rows. Series are rastered first.
    vary : mapping of str to sequence
        Values by ``"verb.option"`` (``"simulate.chip_seed"``, ``"quantize.method"``) or of
        ``"trial_seed"``. Numbers, text, lists, mappings. The rows are their product.
    options : mapping of str to value, or None
        Options by ``"verb.option"`` that are the same in all rows; may hold arrays.
    labels : array of int, (batch,), or None
        Right decisions, for the accuracy of the default evaluation.
    lengths : array of int, (batch,), or None
        Valid steps of each sample.
    record : sequence of str, or bool
        Quantities to record besides the outputs, for an evaluation that needs them.
    evaluate : callable or None
        ``evaluate(recording)`` returns a mapping of names to numbers or arrays of numbers. For
        processes it stands at the top of a module. None: `ranvier.sweeps.OutputActivity`.
    seed : int
        From which the trial seed of each row is drawn, unless it varies, >= 0.
    executor : Executor, {"processes", "threads", "inline"}, False or None
        Where rows run. None is a pool of processes (spawned, so that a script needs
        ``if __name__ == "__main__":``); False runs them here; any `concurrent.futures.Executor` is
        taken, and is left open: ``Client.get_executor(pure=False)`` of dask, for one.
    workers : int or None
        Processes or threads; None takes the cores. For an executor of your own: jobs that it gets
        at once.
    chunk : int or None
        Rows per job; None measures and takes jobs of about 0.15 s.
    results : path or None
        File (``.jsonl``) to which rows are appended as they finish. If it holds rows of the same
        sweep already, only the others run.
    progress : callable or None
        Called with the numbers of finished and of all rows.

    Returns
    -------
    SweepResult
        One row per combination, equal bit by bit whatever ran it, in whatever order.

    Raises
    ------
    InputError
        An unknown option or a value out of range, in any combination; input, labels or executor
        that do not fit. Nothing has run then.
    FileError
        ``results`` holds something else or another sweep.
    SweepError
        The evaluation failed, workers died twice, or the target refuses every row. ``.result`` has
        the rows that are finished.

    Notes
    -----
    A row that the target refuses (a network that does not fit with these options) has an ``error``
    and no results; the others go on. Every worker computes with one thread.

    Examples
    --------
    >>> import numpy as np
    >>> import ranvier as rv
    >>> from ranvier.graph import LIF, Graph
    >>> graph = Graph.sequential([LIF(shape=(2,), tau_mem=0.02)], dt=1e-3)
    >>> spikes = np.ones((1, 5, 2), int)
    >>> seeds = {"trial_seed": range(3)}
    >>> table = rv.sweep(graph, "reference", spikes, vary=seeds, executor="inline")
    >>> table["counts"].tolist()
    [[5, 5], [5, 5], [5, 5]]
    """
    if chunk is not None and (not isinstance(chunk, int) or chunk < 1):
        raise InputError(f"sweep: chunk is {chunk!r}; use a whole number of rows >= 1, or None")
    plan = plan_sweep(
        network,
        target,
        spikes,
        vary=vary,
        options=options or {},
        lengths=lengths,
        record=record,
        labels=labels,
        evaluate=evaluate,
        seed=seed,
    )
    journal = Journal(Path(results), plan.definition) if results is not None else None
    with journal or contextlib.nullcontext():
        run = _Run(plan, journal, progress)
        return run.finish(executor, workers, chunk)


class _Run:
    """One pass over the rows that are not finished."""

    def __init__(
        self, plan: Plan, journal: Journal | None, progress: Callable[[int, int], None] | None
    ) -> None:
        self._plan = plan
        self._journal = journal
        self._progress = progress
        self._outcomes: dict[int, Outcome] = dict(journal.finished) if journal else {}
        self._rows = {row.index: row for row in plan.rows(self._outcomes)}

    def finish(self, executor: Where, workers: int | None, chunk: int | None) -> SweepResult:
        plan, rows = self._plan, list(self._rows.values())
        self._report()
        with opened(executor, workers, jobs=len(rows), evaluate=plan.evaluate) as engine:
            dispatcher = Dispatcher(
                plan.parcel, plan.evaluate, engine=engine, chunk=chunk, keep=self._keep
            )
            try:
                dispatcher.run(rows)
            except FileError:
                raise
            except Exception as error:
                raise self._error(f"{type(error).__name__}: {error}") from error
        result = self._result()
        if len(result.failed) == len(result):
            problem = result.failed[0]["error"]
            raise SweepError(f"sweep: every row fails, the first with: {problem}", result)
        return result

    def _keep(self, outcomes: Sequence[Outcome]) -> None:
        if self._journal is not None:
            self._journal.append(self._rows, outcomes)
        self._outcomes |= {outcome.index: outcome for outcome in outcomes}
        self._report()

    def _report(self) -> None:
        if self._progress is not None:
            self._progress(len(self._outcomes), self._plan.space.size)

    def _result(self) -> SweepResult:
        return SweepResult(self._plan.definition, self._outcomes)

    def _error(self, problem: str) -> SweepError:
        result = self._result()
        kept = (
            f"finished rows are in {self._journal.path}, the same call goes on from there"
            if self._journal
            else "finished rows are in the error's .result; give results= to go on from them"
        )
        return SweepError(
            f"sweep: {problem}; {len(result.missing)} of {self._plan.space.size} rows are missing; "
            f"{kept}",
            result,
        )
