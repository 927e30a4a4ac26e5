"""Where neurons stand between two runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import InputError

from .parameters import NeuronParameters

Floats = NDArray[np.float32]
FIELDS = ("i_syn", "v_mem", "w_adaptation", "refractory")
"""Names of the states."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerState:
    """Everything that a run leaves behind: the next one goes on as if there had been no break.

    Parameters
    ----------
    i_syn, v_mem, w_adaptation : array of float32, (batch, n)
        Current, membrane after a reset, adaptation, in model units.
    refractory : array of float32, (batch, n)
        Refractory time that is left, in steps.
    """

    i_syn: Floats
    v_mem: Floats
    w_adaptation: Floats
    refractory: Floats

    @classmethod
    def rest(cls, parameters: NeuronParameters, batch: int) -> LayerState:
        """Return neurons at the start: the membrane at the leak (or 0, without one), all else 0."""
        shape = (batch, parameters.n)
        v = np.zeros(shape, dtype=np.float32)
        if parameters.starts_at_leak:
            v[:] = parameters.values["leak"]
        others = {name: np.zeros(shape, dtype=np.float32) for name in FIELDS if name != "v_mem"}
        return cls(v_mem=v, **others)

    def checked(self, batch: int, n: int) -> LayerState:
        """Return the state if it fits a run.

        Raises
        ------
        InputError
            It is of another batch or layer.
        """
        shapes = {name: np.shape(getattr(self, name)) for name in FIELDS}
        if any(shape != (batch, n) for shape in shapes.values()):
            found = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
            raise InputError(
                f"bss2: the state has {found}; this run has {batch} samples of {n} neurons: "
                "start from rest, or go on with the same batch"
            )
        return self
