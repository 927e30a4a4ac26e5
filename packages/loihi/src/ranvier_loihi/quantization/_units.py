"""Units of the chip: what one in the graph is in messages, weights and states."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..network import LoihiNetwork, MappedConnection, MappedPopulation

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STATE_SCALE = 4096.0
"""Chip units of 1.0 in the graph for networks in the chip's numbers, and for fixed scales."""
MESSAGE_EXP = 12
"""Fractional bits of sigma-delta messages: lava-dl emits multiples of 1/4096."""
DELTA_SCALE = 2.0 ** (MESSAGE_EXP + 6)
"""State units of 1.0 for sigma-delta neurons: a message times a weight of 64."""
GRAIN = 64
"""Units of one step of a LIF threshold, and of one weight step with exponent 0."""
RAIL = (1 << 23) - 1
"""Largest voltage."""
LIF_MODELS = ("lif", "ternary")
RESONATORS = ("rf", "rf_iz")
DELTA_MODELS = ("delta", "sigma_delta", "sigma")
_INPUT_GAIN = {"lif": 64, "ternary": 64, "rf": 64, "rf_iz": 64, "delta": 1 << 18}
_MESSAGE = {"delta": 1 << MESSAGE_EXP, "sigma_delta": 1 << MESSAGE_EXP, "sigma": 1 << 18}
_MESSAGE_BITS = {"ternary": 16, "delta": 16, "sigma_delta": 16, "sigma": 24}


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """A population with everything that arrives at it.

    Parameters
    ----------
    population : MappedPopulation
    connections : tuple of MappedConnection
        Those that end in it.
    message : tuple of int
        Per connection: what 1.0 of the source is as a message.
    message_bits : tuple of int
        Per connection: 0 if a message only counts as one.
    """

    population: MappedPopulation
    connections: tuple[MappedConnection, ...]
    message: tuple[int, ...]
    message_bits: tuple[int, ...]

    @property
    def fixed_scale(self) -> bool:
        """Whether the scale is given, whatever the weights are."""
        return self.population.model in DELTA_MODELS

    @property
    def native_scale(self) -> float:
        """State units of 1.0 for networks in the chip's numbers."""
        return DELTA_SCALE if self.fixed_scale else STATE_SCALE

    @property
    def input_gain(self) -> int:
        """State units per unit of ``weights @ messages``."""
        return _INPUT_GAIN.get(self.population.model, 1)

    def weight_unit(self, number: int, scale: float) -> float:
        """Return the weight code (exponent 0) of a model weight of 1.0 over a connection."""
        return scale / (self.input_gain * self.message[number])


def layers_of(network: LoihiNetwork, *, input_message_bits: int) -> list[Layer]:
    """Return the populations with their incoming connections, in order."""
    models = {p.name: p.model for p in network.populations}
    result = []
    for population in network.populations:
        own = tuple(c for c in network.connections if c.target == population.name)
        bits = [
            _MESSAGE_BITS.get(models[c.source], 0) if c.source in models else input_message_bits
            for c in own
        ]
        message = [_MESSAGE.get(models.get(c.source, ""), 1) for c in own]
        result.append(
            Layer(
                population=population,
                connections=own,
                message=tuple(message),
                message_bits=tuple(bits),
            )
        )
    return result


def whole(values: Floats, *, tolerance: float = 1e-6) -> Ints | None:
    """Return values as integers, or None if one of them is none (relative to its size)."""
    nearest = np.rint(values)
    close = np.abs(values - nearest) <= tolerance * np.maximum(1.0, np.abs(nearest))
    if not bool(np.all(close)) or float(np.abs(nearest).max(initial=0.0)) > 2.0**53:
        return None
    return nearest.astype(np.int64)


def slowest_gain(factor: Floats, *, horizon: float = 4096.0) -> float:
    """Return how much a state piles up under constant drive: 1 / (1 - factor), bounded."""
    left = 1.0 - float(np.max(factor, initial=0.0))
    return min(horizon, 1.0 / left) if left > 0 else horizon


def row_reach(connection: MappedConnection, n_target: int) -> Floats:
    """Return the largest sum of magnitudes that arrives at each target, (n_target,) or (1,)."""
    weight = np.abs(connection.weight)
    if connection.kind == "dense":
        return np.asarray(weight.sum(axis=1))
    if connection.kind == "conv":
        return np.asarray([weight.sum(axis=(1, 2, 3)).max(initial=0.0)])
    rows = np.repeat(np.arange(n_target), np.diff(connection.indptr))
    return np.bincount(rows, weights=weight, minlength=n_target).astype(np.float64)
