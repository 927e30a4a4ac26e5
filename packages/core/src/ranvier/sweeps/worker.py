"""A worker's side of a sweep: keeps the network and what was built from it, runs rows."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from .. import files, pipeline
from ..artifacts import ChipConfig, MappedNetwork
from ..errors import RanvierError
from ..graph import Graph
from .job import Evaluate, Job, Outcome, Parcel, Reply
from .measures import checked_values
from .space import Row, fixed_of

Network: TypeAlias = Graph | MappedNetwork | ChipConfig
_MAX_BENCHES = 2
_MAX_BUILDS = 4


class Bench:
    """A network at a worker, and the last things that were built from it.

    Parameters
    ----------
    parcel : Parcel
        What all rows share.
    """

    def __init__(self, parcel: Parcel) -> None:
        self.parcel = parcel
        self._network = unpacked(parcel.network)
        self._built: OrderedDict[str, Network | RanvierError] = OrderedDict()
        self._lock = threading.RLock()

    def outcome(self, row: Row, evaluate: Evaluate) -> Outcome:
        """Build, simulate and evaluate one row; what the chip refuses is the row's error."""
        parcel = self.parcel
        try:
            config = self._config(row)
            recording = pipeline.simulate(
                config,
                parcel.inputs if len(parcel.inputs) > 1 else next(iter(parcel.inputs.values())),
                record=parcel.record,
                lengths=parcel.lengths,
                trial_seed=row.trial_seed,
                **fixed_of(parcel.fixed, "simulate"),
                **row.varied("simulate"),
            )
        except RanvierError as error:
            return Outcome(row.index, error=str(error) or type(error).__name__)
        return Outcome(row.index, checked_values(evaluate(recording), row.parameters))

    def _config(self, row: Row) -> ChipConfig:
        network = self._network
        if isinstance(network, Graph):
            network = self._once("map", network, row)
        if isinstance(network, MappedNetwork):
            network = self._once("quantize", network, row)
        return network

    def _once(self, verb: str, network: Any, row: Row) -> Any:
        """Build with the options of a row, or take what was built with the same ones."""
        used = ("map",) if verb == "map" else ("map", "quantize")
        key = json.dumps([verb, *(row.varied(v) for v in used)], sort_keys=True)
        with self._lock:
            if key not in self._built:
                self._built[key] = self._build(verb, network, row)
                while len(self._built) > _MAX_BUILDS:
                    self._built.popitem(last=False)
            self._built.move_to_end(key)
            built = self._built[key]
        if isinstance(built, RanvierError):
            raise built
        return built

    def _build(self, verb: str, network: Any, row: Row) -> Network | RanvierError:
        options = fixed_of(self.parcel.fixed, verb) | row.varied(verb)
        try:
            if verb == "map":
                return pipeline.map(network, self.parcel.target, **options)
            return pipeline.quantize(network, **options)
        except RanvierError as error:
            return error


_BENCHES: OrderedDict[str, Bench] = OrderedDict()
"""What arrived at this worker, by content; the only state that jobs share."""
_ARRIVAL = threading.Lock()


def run_job(job: Job) -> Reply:
    """Run the rows of a job in this process, with one compute thread."""
    bench = _bench_of(job)
    if bench is None:
        return Reply(needs_parcel=True)
    outcomes, seconds = [], []
    for row in job.rows:
        start = time.perf_counter()
        with _one_thread():
            outcomes.append(_named(bench, row, job.evaluate))
        seconds.append(time.perf_counter() - start)
    return Reply(tuple(outcomes), statistics.median(seconds))


def packed(network: Network) -> bytes:
    """Return a network as the bytes of a ``.rv`` file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "network.rv")
        files.save(network, path)
        return path.read_bytes()


def unpacked(image: bytes) -> Network:
    """Return the network that `packed` wrote, checked against its hash."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "network.rv")
        path.write_bytes(image)
        network: Network = files.load(path)
        return network


def _bench_of(job: Job) -> Bench | None:
    with _ARRIVAL:
        if job.key not in _BENCHES:
            if job.parcel is None:
                return None
            _BENCHES[job.key] = Bench(job.parcel)
            while len(_BENCHES) > _MAX_BENCHES:
                _BENCHES.popitem(last=False)
        _BENCHES.move_to_end(job.key)
        return _BENCHES[job.key]


def _named(bench: Bench, row: Row, evaluate: Evaluate) -> Outcome:
    try:
        return bench.outcome(row, evaluate)
    except Exception as error:
        error.add_note(f"in the row {dict(row.parameters)} of a sweep")
        raise


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let compiled kernels use one thread, in this thread only."""
    numba: Any = sys.modules.get("numba")
    if not hasattr(numba, "set_num_threads"):  # not imported yet, or just being imported
        yield
        return
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        yield
    finally:
        numba.set_num_threads(before)
