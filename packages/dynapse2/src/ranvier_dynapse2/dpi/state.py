"""Where neurons stand between two runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import SimulationError

from .parameters import DpiParameters

_FIELDS = ("i_syn", "i_ahp", "i_mem", "v_mem", "spikes", "timer")


@dataclass(frozen=True, kw_only=True, eq=False)
class DpiState:
    """Everything that a run leaves behind: the next one goes on as if there had been no break.

    Parameters
    ----------
    i_syn : array of float32, (batch, n, ports)
        Synaptic currents, in A.
    i_ahp, i_mem : array of float32, (batch, n)
        Adaptation and membrane current (after a reset), in A.
    v_mem : array of float32, (batch, n)
        Membrane voltage (before a reset), in V.
    spikes : array of float32, (batch, n)
        Spike counts of the last step.
    timer : array, (batch, n)
        Refractory time that is left: float32 in s in the merged model, int32 in steps in the other.
    """

    i_syn: NDArray[np.float32]
    i_ahp: NDArray[np.float32]
    i_mem: NDArray[np.float32]
    v_mem: NDArray[np.float32]
    spikes: NDArray[np.float32]
    timer: NDArray[Any]

    @classmethod
    def rest(cls, parameters: DpiParameters, batch: int) -> DpiState:
        """Return neurons at rest: currents at the dark current, all else 0."""
        shape = (batch, parameters.n)
        dark = np.broadcast_to(parameters.values["i_o"], shape)
        zeros = np.zeros(shape, dtype=np.float32)
        return cls(
            i_syn=np.repeat(dark[:, :, None], parameters.n_ports, axis=2),
            i_ahp=dark.copy(),
            i_mem=dark.copy(),
            v_mem=zeros,
            spikes=zeros.copy(),
            timer=np.zeros(shape, dtype=_timer_type(parameters)),
        )

    @property
    def batch(self) -> int:
        """Number of samples."""
        return int(self.i_mem.shape[0])

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by name."""
        return {name: getattr(self, name) for name in _FIELDS}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], parameters: DpiParameters) -> DpiState:
        """Build a state from what `to_arrays` returned.

        Raises
        ------
        SimulationError
            An array is missing, unknown, of another shape or type, or not finite; all problems in
            one message.
        """
        if set(arrays) != set(_FIELDS):
            raise SimulationError(
                f"dynapse2: the state lacks {sorted(set(_FIELDS) - set(arrays))} and has unknown "
                f"{sorted(set(arrays) - set(_FIELDS))}; give a state of this simulator back"
            )
        given = {name: np.asarray(arrays[name]) for name in _FIELDS}
        state = cls(**given)
        state.check(parameters)
        return cls(**{name: a.copy() for name, a in given.items()})

    def check(self, parameters: DpiParameters, batch: int | None = None) -> None:
        """Refuse a state of other neurons, or of another number of samples.

        Raises
        ------
        SimulationError
            All problems in one message.
        """
        size = self.i_mem.shape[0] if batch is None and self.i_mem.ndim else batch
        problems = []
        for name, found in self.to_arrays().items():
            shape = (size, parameters.n) + ((parameters.n_ports,) if name == "i_syn" else ())
            dtype = _timer_type(parameters) if name == "timer" else np.dtype(np.float32)
            if found.shape != shape or found.dtype != dtype:
                problems.append(f"{name} is {found.dtype} {found.shape}, must be {dtype} {shape}")
            elif not np.all(np.isfinite(found)):
                problems.append(f"{name} has values that are not finite")
        if not problems:
            problems = self._range_problems(parameters)
        if problems:
            raise SimulationError(
                f"dynapse2: the state does not fit {parameters.n} neurons ({parameters.model}): "
                + "; ".join(problems)
                + "; give the state of an earlier run of the same neurons, or none"
            )

    def _range_problems(self, parameters: DpiParameters) -> list[str]:
        dark = parameters.values["i_o"]
        problems = [
            f"{name} is {float(a.min()):g} A, below the dark current"
            for name, a in (("i_mem", self.i_mem), ("i_ahp", self.i_ahp))
            if np.any(a < dark)
        ]
        lows = (("i_syn", self.i_syn), ("spikes", self.spikes), ("timer", self.timer))
        return problems + [f"{n} is {a.min():g}, must be >= 0" for n, a in lows if np.any(a < 0)]


def _timer_type(parameters: DpiParameters) -> np.dtype[Any]:
    return np.dtype(np.float32 if parameters.n_ports == 1 else np.int32)
