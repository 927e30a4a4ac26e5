"""Where jobs run: processes, threads, this thread, or any executor of the user."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias

from .._one_thread import prepare_worker
from ..errors import InputError
from .job import Evaluate

Where: TypeAlias = Executor | Literal["processes", "threads", "inline", False] | None
_FOREIGN_JOBS = 64


class Engine:
    """An executor, how many jobs it is given at once, and how to get a fresh one.

    Parameters
    ----------
    executor : Executor
        Runs jobs.
    workers : int
        Jobs that it runs at once.
    make : callable or None
        Returns a fresh executor; None for one that belongs to the user.
    """

    def __init__(
        self, executor: Executor, workers: int, *, make: Callable[[], Executor] | None = None
    ) -> None:
        self.executor = executor
        self.workers = workers
        self._make = make

    @property
    def renewable(self) -> bool:
        """Whether a broken executor can be replaced."""
        return self._make is not None

    def renew(self) -> None:
        """Replace a broken executor."""
        if self._make is not None:
            self.stop()
            self.executor = self._make()

    def stop(self) -> None:
        """End an executor of our own without waiting for running jobs."""
        if self._make is None:
            return
        processes = list((getattr(self.executor, "_processes", None) or {}).values())
        self.executor.shutdown(wait=False, cancel_futures=True)
        for process in processes:  # Python 3.14 has terminate_workers() for this
            with contextlib.suppress(OSError, ValueError):
                process.terminate()

    def close(self) -> None:
        """Wait for an executor of our own to end."""
        if self._make is not None:
            self.executor.shutdown()


class InlineExecutor(Executor):
    """Runs a job where it is submitted."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a function and return its finished future."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def opened(where: Where, workers: int | None, *, jobs: int, evaluate: Evaluate) -> Iterator[Engine]:
    """Give an engine for a number of jobs; it ends with the block, at once if that fails.

    Raises
    ------
    InputError
        No such executor, no such number of workers, or ``evaluate`` cannot go to a process.
    """
    if workers is not None and (not isinstance(workers, int) or workers < 1):
        raise InputError(f"sweep: workers is {workers!r}; use a whole number >= 1, or None")
    engine = _engine(where, workers, max(1, jobs))
    if isinstance(engine.executor, ProcessPoolExecutor):
        _check_picklable(evaluate)
    try:
        yield engine
    except BaseException:
        engine.stop()
        raise
    engine.close()


def _engine(where: Where, workers: int | None, jobs: int) -> Engine:
    if isinstance(where, Executor):
        own = getattr(where, "_max_workers", None)
        return Engine(where, workers or (own if isinstance(own, int) else _FOREIGN_JOBS))
    count = min(workers or _cores(), jobs)
    if where is None or where == "processes":
        return Engine(_processes(count), count, make=lambda: _processes(count))
    if where == "threads":
        return Engine(ThreadPoolExecutor(count), count, make=lambda: ThreadPoolExecutor(count))
    if where is False or where == "inline":
        return Engine(InlineExecutor(), 1, make=InlineExecutor)
    raise InputError(
        f"sweep: executor is {where!r}; use 'processes', 'threads', 'inline', or an object of "
        "concurrent.futures.Executor such as dask's Client.get_executor(pure=False)"
    )


def _processes(count: int) -> Executor:
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(count, mp_context=context, initializer=prepare_worker)


def _cores() -> int:
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable is not None else os.cpu_count() or 1


def _check_picklable(evaluate: Evaluate) -> None:
    try:
        pickle.dumps(evaluate)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise InputError(
            f"sweep: evaluate cannot be sent to another process ({error}); define it at the top "
            "of a module, or use executor='threads'"
        ) from error
