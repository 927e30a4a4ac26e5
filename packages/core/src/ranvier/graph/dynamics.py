"""Discrete decay factors of the canonical neuron, the one place where time constants meet dt."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import GraphError

Decay: TypeAlias = Literal["exponential", "euler", "bitshift"]
DECAYS: tuple[str, ...] = ("exponential", "euler", "bitshift")


def bitshift_code(tau: ArrayLike, *, dt: float) -> NDArray[np.int64]:
    """Return the bit shift k whose decay ``1 - 2**-k`` stands for a time constant.

    Parameters
    ----------
    tau : array_like
        Time constants, any shape, in s, > 0.
    dt : float
        Time step, in s, > 0.

    Returns
    -------
    ndarray of int64
        ``max(1, round(log2(tau / dt)))``, ties to even, same shape as ``tau``.

    Examples
    --------
    >>> int(bitshift_code(16e-3, dt=1e-3))
    4
    """
    ratio = np.asarray(tau, dtype=np.float64) / dt
    return np.maximum(1, np.rint(np.log2(ratio))).astype(np.int64)


def decay_factor(tau: ArrayLike, *, dt: float, decay: Decay = "exponential") -> NDArray[np.float64]:
    """Return the factor by which a state shrinks in one step.

    Parameters
    ----------
    tau : array_like
        Time constants, any shape, in s, > 0.
    dt : float
        Time step, in s, > 0.
    decay : {"exponential", "euler", "bitshift"}
        ``exp(-dt/tau)``, ``1 - dt/tau`` or ``1 - 2**-k`` with `bitshift_code`.

    Returns
    -------
    ndarray of float64
        Values in [0, 1), same shape as ``tau``.

    Raises
    ------
    GraphError
        The Euler scheme with ``tau < dt``, which would oscillate.
    """
    taus = np.asarray(tau, dtype=np.float64)
    if decay == "exponential":
        return np.asarray(np.exp(-dt / taus))
    if decay == "bitshift":
        return np.asarray(1.0 - np.exp2(-bitshift_code(taus, dt=dt).astype(np.float64)))
    if np.any(taus < dt):
        raise GraphError(
            f"Euler decay with tau = {taus.min():g} s below dt = {dt:g} s gives a negative factor; "
            "use a smaller dt or decay='exponential'"
        )
    return np.asarray(1.0 - dt / taus)


def tau_from_decay_factor(factor: ArrayLike, *, dt: float) -> NDArray[np.float64]:
    """Return the time constant whose exponential decay is a factor.

    Parameters
    ----------
    factor : array_like
        What remains of a state after one step, any shape, in (0, 1).
    dt : float
        Time step, in s, > 0.

    Returns
    -------
    array, shape of ``factor``
        ``-dt / ln(factor)``, in s.
    """
    return np.asarray(-dt / np.log(np.asarray(factor, dtype=np.float64)))
