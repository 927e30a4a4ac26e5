"""Where an emulated chip stands between two runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import SimulationError

from ._kernel import State
from .neurons import Realised

KINDS = {
    "v_mem": np.float64,
    "i_syn": np.float64,
    "w_adaptation": np.float64,
    "refractory": np.int64,
    "fired": np.uint8,
}
"""Arrays of every execution instance: LSB, LSB of drive (batch, 2, circuits), LSB, substeps left,
and whether a neuron fired in the last step."""


@dataclass(eq=False)
class ChipState:
    """State of all execution instances of one emulated chip.

    Parameters
    ----------
    step : int
        Steps since reset: converters and noise go on from there.
    parts : list of State
        By execution instance; kernels change them.
    """

    step: int
    parts: list[State]

    @classmethod
    def rest(cls, realised: Sequence[Realised], batch: int) -> ChipState:
        """Return the state before the first step."""
        parts = []
        for own in realised:
            n, c = own.population.size, own.circuit.size
            parts.append(
                State(
                    np.tile(own.start, (batch, 1)),
                    np.zeros((batch, 2, c)),
                    np.zeros((batch, n)),
                    np.zeros((batch, n), dtype=np.int64),
                    np.zeros((batch, n), dtype=np.uint8),
                )
            )
        return cls(0, parts)

    @property
    def batch(self) -> int:
        """Number of samples."""
        return len(self.parts[0].v) if self.parts else 0

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return copies by name, each with a leading batch axis."""
        arrays: dict[str, NDArray[Any]] = {"step": np.full(self.batch, self.step, dtype=np.int64)}
        for number, part in enumerate(self.parts):
            for name, values in zip(KINDS, part, strict=True):
                arrays[f"{number}/{name}"] = values.copy()
        return arrays

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, NDArray[Any]], realised: Sequence[Realised]
    ) -> ChipState:
        """Build a state from what `to_arrays` returned.

        Raises
        ------
        SimulationError
            A name is missing or unknown, or a shape does not fit; all are named.
        """
        step = np.asarray(arrays.get("step", np.zeros(0)))
        expected = cls.rest(realised, step.size)
        wanted = expected.to_arrays()
        problems = [f"{n}: missing" for n in sorted(set(wanted) - set(arrays))]
        problems += [f"{n}: unknown" for n in sorted(set(arrays) - set(wanted))]
        problems += [
            f"{n}: shape {np.shape(arrays[n])}, expected {values.shape}"
            for n, values in wanted.items()
            if n in arrays and np.shape(arrays[n]) != values.shape
        ]
        if step.size == 0 or len(set(step.reshape(-1).tolist())) > 1:
            problems.append("step: all samples must be at the same step")
        if problems:
            raise SimulationError(
                f"bss2: the state does not fit: {'; '.join(problems)}; set a state that this "
                "configuration returned"
            )
        parts = [
            State(
                *(
                    np.array(arrays[f"{number}/{name}"], dtype=kind, order="C")
                    for name, kind in KINDS.items()
                )
            )
            for number in range(len(realised))
        ]
        return cls(int(step[0]), parts)
