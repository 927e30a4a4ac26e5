"""Virtual chips: a seed draws how much every parameter of every neuron is off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import InputError

from .nodes import CONSTANTS, CURRENTS
from .targets import limits_of

MISMATCHED = (*CURRENTS, *CONSTANTS)
"""Parameters that vary from neuron to neuron."""
SIGMAS = 3.0
"""A mismatch of p is three standard deviations (rockpool 3.1.0, transform/mismatch.py)."""
MAX_MISMATCH = 0.5
"""Largest mismatch: beyond it values near zero or below are no longer rare."""


@dataclass(frozen=True)
class VirtualChip:
    """The fixed pattern of one board.

    Every neuron of the board has its own deviations, whether a network uses it or not: two networks
    on one virtual chip meet the same silicon.

    Parameters
    ----------
    seed : int
        Names the board, >= 0.
    mismatch : float
        Deviation of every parameter, 0..0.5; 0.05 stands for 5 %: a standard deviation of a third.
    overrides : mapping of str to float
        Deviation of single parameters of `MISMATCHED`.

    Raises
    ------
    InputError
        A seed below 0, a deviation out of range, or an unknown parameter.

    Notes
    -----
    ``value (1 + mismatch / 3 n)`` with n normal, independent per neuron and parameter.
    """

    seed: int
    mismatch: float = 0.05
    overrides: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = sorted(set(self.overrides) - set(MISMATCHED))
        if unknown:
            raise InputError(
                f"dynapse2: unknown parameters {unknown} of a mismatch; known: "
                f"{', '.join(MISMATCHED)}"
            )
        for name, value in {"mismatch": self.mismatch, **self.overrides}.items():
            if not 0 <= value <= MAX_MISMATCH:
                raise InputError(
                    f"dynapse2: {name}: mismatch {value!r} is out of range 0..{MAX_MISMATCH}; "
                    "0.05 stands for 5 %"
                )
        if self.seed < 0:
            raise InputError(f"dynapse2: seed {self.seed} of a virtual chip must be >= 0")

    def factors(self, name: str, n: int | None = None) -> NDArray[np.float64]:
        """Return what a parameter is multiplied with, per neuron.

        Parameters
        ----------
        name : str
            One of `MISMATCHED`.
        n : int or None
            Number of neurons; None takes a full board of 4 chips, 4 cores, 256 neurons.

        Returns
        -------
        array, (n,)
            The first n of the board's.
        """
        limits = limits_of()
        board = limits.chips * limits.cores_per_chip * limits.neurons_per_core
        size = board if n is None else n
        spread = self.overrides.get(name, self.mismatch) / SIGMAS
        rng = np.random.default_rng([self.seed, MISMATCHED.index(name)])
        return np.asarray(1.0 + spread * rng.standard_normal(max(size, board))[:size])

    def apply(
        self,
        parameters: Mapping[str, NDArray[np.float64]],
        neurons: NDArray[np.int64] | None = None,
    ) -> dict[str, NDArray[np.float64]]:
        """Return parameters with this chip's deviations.

        Parameters
        ----------
        parameters : mapping of str to array, (n,)
            Names outside of `MISMATCHED` are returned unchanged.
        neurons : array of int, (n,), or None
            Position of every neuron on the board, ``(chip * 4 + core) * 256 + slot``; None: 0..n-1.

        Raises
        ------
        InputError
            A deviation made a value negative.
        """
        changed = dict(parameters)
        for name in MISMATCHED:
            if name not in parameters:
                continue
            values = np.asarray(parameters[name], dtype=np.float64)
            n = values.size if neurons is None else int(neurons.max(initial=-1)) + 1
            factors = self.factors(name, n)
            changed[name] = values * (factors if neurons is None else factors[neurons])
            if changed[name].min(initial=0.0) < 0:
                raise InputError(
                    f"dynapse2: virtual chip {self.seed} makes {name} negative at neuron "
                    f"{int(changed[name].argmin())}; use a smaller mismatch"
                )
        return changed
