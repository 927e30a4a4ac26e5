"""What every target gets: the user's input, or a seeded Poisson process, in chunks of samples."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..artifacts.session import check_inputs, check_lengths, check_padding
from ..encoding import poisson
from ..errors import InputError
from ..events import as_raster
from ..graph import Graph

Arrays = Mapping[str, NDArray[Any]]
_VALUES_PER_CHUNK = 2**22
"""Largest number of values of one recorded quantity in one chunk: 32 MiB."""


@dataclass(frozen=True, kw_only=True)
class Poisson:
    """Spikes of independent Poisson processes, at most one per channel and step.

    Parameters
    ----------
    rate : float or None
        Rate of each channel, in Hz of model time, >= 0; None: one spike in ten steps.
    n_samples, n_steps : int
        Size, each >= 1.
    seed : int
        Same seed, same spikes.

    Raises
    ------
    InputError
        A value is out of range.
    """

    rate: float | None = None
    n_samples: int = 16
    n_steps: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.n_samples < 1 or self.n_steps < 1 or self.seed < 0:
            raise InputError(
                f"compare: Poisson input of {self.n_samples} samples x {self.n_steps} steps with "
                f"seed {self.seed}; give sizes >= 1 and a seed >= 0"
            )
        if self.rate is not None and not (math.isfinite(self.rate) and self.rate >= 0):
            raise InputError(f"compare: Poisson rate is {self.rate!r} Hz; give a rate >= 0")

    def draw(self, graph: Graph) -> dict[str, NDArray[np.int64]]:
        """Return spike counts of every input of a graph, (n_samples, n_steps, *shape)."""
        rate = 0.1 / graph.dt if self.rate is None else self.rate
        drawn = {}
        for number, name in enumerate(graph.inputs):
            shape = graph.nodes[name].output_shape
            rates = np.full((self.n_samples, math.prod(shape)), rate)
            seed = int(np.random.SeedSequence((self.seed, number)).generate_state(1)[0])
            counts = poisson(
                rates, dt=graph.dt, duration=self.n_steps * graph.dt, seed=seed, binary=True
            )
            drawn[name] = counts.reshape(self.n_samples, self.n_steps, *shape)
        return drawn

    def describe(self, graph: Graph) -> str:
        """Return a line that says what was drawn."""
        rate = 0.1 / graph.dt if self.rate is None else self.rate
        return f"Poisson spikes of {rate:g} Hz per channel, drawn with seed {self.seed}"


@dataclass(frozen=True, eq=False)
class Stimulus:
    """Checked input of a comparison.

    Parameters
    ----------
    arrays : mapping of str to array, (n_samples, n_steps, *shape)
        By name of the Input node.
    lengths : int array, (n_samples,), or None
        Valid steps of each sample.
    source : str
        Where it comes from, in words.
    """

    arrays: Arrays
    lengths: NDArray[np.int64] | None
    source: str

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return len(next(iter(self.arrays.values())))

    @property
    def n_steps(self) -> int:
        """Steps of the graph."""
        return int(next(iter(self.arrays.values())).shape[1])

    def chunks(self, size: int) -> Iterator[tuple[int, Stimulus]]:
        """Yield the number of the first sample and the part, ``size`` samples at a time."""
        for first in range(0, self.n_samples, size):
            part = slice(first, first + size)
            own = None if self.lengths is None else self.lengths[part]
            yield (
                first,
                Stimulus({n: a[part] for n, a in self.arrays.items()}, own, self.source),
            )

    def padded(self, steps: int) -> Arrays:
        """Return the arrays with silent steps at the end."""
        if steps <= 0:
            return self.arrays
        return {
            name: np.pad(a, [(0, 0), (0, steps), *[(0, 0)] * (a.ndim - 2)])
            for name, a in self.arrays.items()
        }


def stimulus_from(graph: Graph, spikes: Any, lengths: Any) -> Stimulus:
    """Return the input of a comparison, checked against the network.

    Parameters
    ----------
    graph : Graph
        The network.
    spikes : array, mapping of str to array, series, list of samples, Poisson or None
        As in `ranvier.compare`.
    lengths : array of int, (n_samples,), or None
        Valid steps of each sample.

    Raises
    ------
    InputError
        Shape, type or range do not fit, or there is no sample or no step.
    """
    if spikes is None or isinstance(spikes, Poisson):
        chosen = spikes or Poisson()
        return Stimulus(chosen.draw(graph), None, chosen.describe(graph))
    shapes = {name: graph.nodes[name].output_shape for name in graph.inputs}
    given = spikes
    if len(shapes) == 1 and not isinstance(spikes, Mapping):
        raster = as_raster(spikes, dt=graph.dt, shape=next(iter(shapes.values())))
        given = raster.values
        lengths = raster.lengths if lengths is None else lengths
    arrays, _ = check_inputs(given, shapes, counts=False)
    n_samples, n_steps = next(iter(arrays.values())).shape[:2]
    if not (n_samples and n_steps):
        raise InputError(
            f"compare: input of {n_samples} samples x {n_steps} steps; give at least 1"
        )
    checked = check_lengths(lengths, n_samples=n_samples, n_steps=n_steps)
    if checked is not None:
        check_padding(arrays, checked)
    return Stimulus(arrays, checked, "as given")


def chunk_size_for(graph: Graph, stimulus: Stimulus) -> int:
    """Return the number of samples whose recordings fit comfortably into memory."""
    neurons = sum(graph.nodes[name].size for name in graph.neurons)
    return max(1, _VALUES_PER_CHUNK // max(1, stimulus.n_steps * max(1, neurons)))


def seed_of_chunk(trial_seed: int, first: int) -> int:
    """Return the trial seed of the chunk that begins with a sample; the first keeps the seed."""
    if not first:
        return trial_seed
    return int(np.random.SeedSequence((trial_seed, first)).generate_state(1)[0])
