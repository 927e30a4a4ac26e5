"""Handing out rows: jobs of a sensible length, the network on request, a second try."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait

from ..errors import SimulationError
from .engine import Engine
from .job import Evaluate, Job, Outcome, Parcel, Reply
from .space import Row
from .worker import run_job

JOB_SECONDS = 0.15
"""Length that jobs should have, in s: two orders above what handing one out costs."""
_GROWTH = 8
"""Largest factor from a job to the next: the first row compiles, and a failed one takes no time."""


class Dispatcher:
    """Runs rows on an engine and passes on their outcomes as they come.

    Parameters
    ----------
    parcel : Parcel
        What all rows share.
    evaluate : callable
        From a recording to numbers.
    engine : Engine
        Where jobs run.
    chunk : int or None
        Rows per job; None measures.
    keep : callable
        Takes the outcomes of each job.
    """

    def __init__(
        self,
        parcel: Parcel,
        evaluate: Evaluate,
        *,
        engine: Engine,
        chunk: int | None,
        keep: Callable[[Sequence[Outcome]], None],
    ) -> None:
        self._parcel = parcel
        self._evaluate = evaluate
        self._engine = engine
        self._chunk = chunk
        self._keep = keep
        self._pending: deque[Row] = deque()
        self._under_way: dict[Future[Reply], tuple[Row, ...]] = {}
        self._parcels_sent = 0
        self._largest = 1
        self._row_seconds: float | None = None
        self._renewed = False

    def run(self, rows: Sequence[Row]) -> None:
        """Run rows; returns when all are done.

        Raises
        ------
        SimulationError
            Workers died twice, or the executor is the user's and broke.
        Exception
            What the evaluation raised.
        """
        self._pending.extend(rows)
        try:
            while self._pending or self._under_way:
                self._fill()
                done, _ = wait(self._under_way, return_when=FIRST_COMPLETED)
                for future in done:
                    if future in self._under_way:  # else given back when workers died
                        self._take(future)
        except BaseException:
            for future in self._under_way:
                future.cancel()
            raise

    def _fill(self) -> None:
        """Hand out jobs: one per worker until a row has been timed, then two."""
        most = self._engine.workers * (1 if self._row_seconds is None else 2)
        while self._pending and len(self._under_way) < most:
            size = min(self._size(), len(self._pending))
            rows = tuple(self._pending.popleft() for _ in range(size))
            try:
                self._submit(rows, with_parcel=self._parcels_sent < self._first_parcels)
            except BrokenExecutor as error:
                self._pending.extendleft(reversed(rows))
                self._recover(error)

    @property
    def _first_parcels(self) -> int:
        """Parcels that go out unasked: one per worker of our own; others ask."""
        return self._engine.workers if self._engine.renewable else 1

    def _size(self) -> int:
        if self._chunk is not None:
            return self._chunk
        if not self._row_seconds:
            return 1
        wanted = math.ceil(JOB_SECONDS / self._row_seconds)
        return max(1, min(wanted, _GROWTH * self._largest))

    def _submit(self, rows: tuple[Row, ...], *, with_parcel: bool) -> None:
        parcel = self._parcel if with_parcel else None
        job = Job(self._parcel.key, rows, self._evaluate, parcel)
        self._under_way[self._engine.executor.submit(run_job, job)] = rows
        self._parcels_sent += with_parcel

    def _take(self, future: Future[Reply]) -> None:
        rows = self._under_way.pop(future)
        try:
            reply = future.result()
        except BrokenExecutor as error:
            self._pending.extendleft(reversed(rows))
            self._recover(error)
            return
        if reply.needs_parcel:
            self._submit(rows, with_parcel=True)
            return
        self._keep(reply.outcomes)
        self._largest = max(self._largest, len(rows))
        self._row_seconds = max(1e-6, reply.row_seconds)

    def _recover(self, error: BrokenExecutor) -> None:
        """Take back what was under way and go on in a fresh pool, once."""
        for rows in self._under_way.values():
            self._pending.extendleft(reversed(rows))
        self._under_way.clear()
        if self._renewed or not self._engine.renewable:
            again = "again, in a fresh pool" if self._renewed else "and the executor is closed"
            raise SimulationError(
                f"a worker died {again} ({error}); it ran out of memory, was killed, or, if it "
                "never started, the calling script lacks `if __name__ == '__main__':`"
            ) from error
        self._renewed = True
        self._parcels_sent = 0
        self._engine.renew()
