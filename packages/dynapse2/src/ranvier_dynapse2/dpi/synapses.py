"""Synapses by source."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ranvier.errors import InputError

from ..kernels.network import Wiring
from ..nodes import PORTS
from .parameters import DpiParameters

DENSE_SHARE = 1 / 8
"""Rows filled by more than this are kept full: adding one then is faster than scattering."""
DENSE_NEURONS = 32
"""Populations smaller than this never have full rows: too short for vector lanes."""
_SIGNS = np.array([1, -1, 1, -1], dtype=np.float32)


@dataclass(frozen=True, kw_only=True, eq=False)
class Synapses:
    """Synapses in compressed rows, one row per source.

    Parameters
    ----------
    indptr : array of int64, (n_sources + 1,)
        Where the synapses of every source begin.
    target : array of int32, (synapses,)
        Neuron.
    port : array of uint8, (synapses,)
        Index into `ranvier_dynapse2.nodes.PORTS`. The merged model adds AMPA and NMDA and subtracts
        GABA and shunt.
    weight : array of float32, (synapses,)
        In units of the target's ``i_scale``.

    Raises
    ------
    InputError
        Arrays that do not fit together, a negative target, an unknown port, or a weight that is not
        finite; all problems in one message.
    """

    indptr: NDArray[np.int64]
    target: NDArray[np.int32]
    port: NDArray[np.uint8]
    weight: NDArray[np.float32]
    _wired: dict[tuple[int, int], Wiring] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        types = {"indptr": np.int64, "target": np.int32, "port": np.uint8, "weight": np.float32}
        problems = []
        for name, dtype in types.items():
            given = np.asarray(getattr(self, name))
            if given.ndim != 1:
                problems.append(f"{name} has {given.ndim} axes, must have 1")
            if name != "weight" and given.size and given.dtype.kind not in "iu":
                problems.append(f"{name} is {given.dtype}, must be whole numbers")
            elif name != "weight" and given.size and int(given.min()) < 0:
                problems.append(f"{name} is {int(given.min())}, must be >= 0")
            if name == "port" and given.size and int(given.max()) >= len(PORTS):
                problems.append(f"port is {int(given.max())}, must be below {len(PORTS)}")
            with np.errstate(over="ignore"):
                copied = np.array(given, dtype=dtype)
            copied.setflags(write=False)
            object.__setattr__(self, name, copied)
        problems = problems or self._problems()
        if problems:
            raise InputError("dynapse2: synapses: " + "; ".join(problems))

    def _problems(self) -> list[str]:
        n, problems = self.target.size, []
        if {self.port.size, self.weight.size} != {n}:
            problems.append(
                f"{n} targets, {self.port.size} ports and {self.weight.size} weights must be equal "
                "numbers"
            )
        ends = self.indptr
        if not ends.size or ends[0] != 0 or ends[-1] != n or np.any(np.diff(ends) < 0):
            problems.append(f"indptr must rise from 0 to the number of synapses, {n}")
        bad = int(np.sum(~np.isfinite(self.weight)))
        return [*problems, f"{bad} weights are not finite"] if bad else problems

    @classmethod
    def of_pairs(
        cls,
        n_sources: int,
        source: ArrayLike,
        *,
        target: ArrayLike,
        weight: ArrayLike,
        port: ArrayLike = 0,
    ) -> Synapses:
        """Take synapses in any order.

        Parameters
        ----------
        n_sources : int
            Number of sources.
        source, target, port : array of int, (synapses,)
            Ends of every synapse; one port for all may be a scalar.
        weight : array, (synapses,)
            In units of the target's ``i_scale``.
        """
        sources = np.asarray(source, dtype=np.int64).reshape(-1)
        if sources.size and (sources.min() < 0 or sources.max() >= n_sources):
            raise InputError(
                f"dynapse2: synapses: sources {int(sources.min())}..{int(sources.max())}, there "
                f"are {n_sources}"
            )
        order = np.argsort(sources, kind="stable")
        ports = np.broadcast_to(np.asarray(port, dtype=np.int64), sources.shape)
        counts = np.bincount(sources, minlength=n_sources)
        return cls(
            indptr=np.concatenate([[0], np.cumsum(counts)]),
            target=np.asarray(target).reshape(-1)[order],
            port=ports[order].astype(np.uint8),
            weight=np.asarray(weight).reshape(-1)[order],
        )

    @classmethod
    def of_matrix(cls, weight: ArrayLike, *, port: int = 0) -> Synapses:
        """Take the entries of a matrix, (n_sources, n_targets), that are not 0."""
        matrix = np.asarray(weight)
        if matrix.ndim != 2:
            raise InputError(f"dynapse2: synapses: a matrix has {matrix.ndim} axes, must have 2")
        source, target = np.nonzero(matrix)
        return cls.of_pairs(
            matrix.shape[0], source, target=target, weight=matrix[source, target], port=port
        )

    @classmethod
    def none(cls, n_sources: int) -> Synapses:
        """Return no synapses."""
        return cls.of_pairs(n_sources, (), target=(), weight=())

    @property
    def n_sources(self) -> int:
        """Number of sources."""
        return int(self.indptr.size - 1)

    def wiring(self, parameters: DpiParameters) -> Wiring:
        """Return the synapses as the kernels need them; kept for the next run.

        Raises
        ------
        InputError
            A target beyond the neurons.
        """
        n, ports = parameters.n, parameters.n_ports
        if self.target.size and int(self.target.max()) >= n:
            raise InputError(
                f"dynapse2: a synapse has the target {int(self.target.max())}, there are {n} "
                "neurons; targets count from 0"
            )
        if (n, ports) not in self._wired:
            self._wired[n, ports] = self._wire(n, ports)
        return self._wired[n, ports]

    def _wire(self, n: int, ports: int) -> Wiring:
        port = self.port if ports > 1 else np.zeros_like(self.port)
        weight = self.weight if ports > 1 else self.weight * _SIGNS[self.port]
        rows = np.zeros((0, ports, n), dtype=np.float32)
        source = np.repeat(np.arange(self.n_sources), np.diff(self.indptr))
        if n >= DENSE_NEURONS and source.size > DENSE_SHARE * self.n_sources * ports * n:
            place: Any = (source, port, self.target)
            full = np.zeros((self.n_sources, ports, n), dtype=np.float32)
            taken = np.zeros(full.shape, dtype=bool)
            full[place], taken[place] = weight, True
            rows = full if int(taken.sum()) == source.size else rows
        return Wiring(self.indptr, self.target, port, weight, rows)
