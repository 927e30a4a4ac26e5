"""What the float network does on calibration spikes, or on made-up ones where there are none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import MappedNetwork
from ranvier.artifacts.session import check_inputs
from ranvier.errors import InputError

from ..float_model import FloatRun, network_from_arrays, run_float
from ..targets import Limits
from .options import QuantizeOptions

MADE_UP_SAMPLES = 8
MADE_UP_STEPS = 64
SEED = 20240229


@dataclass(frozen=True, eq=False)
class Activity:
    """Input counts and the answer of the float network.

    Parameters
    ----------
    counts : array of int, (batch, time, n_in)
        At most 15, as the chip sees them.
    wanted : FloatRun
        With the decays of the graph.
    expected : FloatRun
        With the decays of the chip, the network that the integers approximate.
    measured : bool
        False if the counts are made up.
    """

    counts: NDArray[np.int64]
    wanted: FloatRun
    expected: FloatRun
    measured: bool

    @property
    def power_in(self) -> NDArray[np.float64]:
        """Mean square count per channel, (n_in,)."""
        return _power(self.counts)

    @property
    def power_rec(self) -> NDArray[np.float64]:
        """Mean square spike count per hidden neuron, (n_hid,)."""
        return _power(self.expected.spikes)


def _power(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean square, with a floor so that silent sources keep their weight in a fit."""
    power = np.mean(np.square(counts.astype(np.float64)), axis=(0, 1))
    return np.asarray(np.maximum(power, 0.05 * max(float(power.max(initial=0.0)), 1e-3)))


def activity_of(mapped: MappedNetwork, options: QuantizeOptions, limits: Limits) -> Activity:
    """Run the float network on the calibration spikes, or on random ones with a fixed seed."""
    measured = options.calibration is not None
    if measured:
        counts = calibration_counts(mapped, options.calibration)[: options.calibration_samples]
    else:
        counts = _made_up(int(mapped.arrays["weights_in"].shape[0]))
    counts = np.minimum(counts, limits.input_count_max)
    expected = run_float(network_from_arrays(mapped.arrays, chip_decays=True), counts)
    wanted = expected
    if measured:
        wanted = run_float(network_from_arrays(mapped.arrays, chip_decays=False), counts)
    return Activity(counts, wanted, expected, measured)


def calibration_counts(mapped: MappedNetwork, calibration: object) -> NDArray[np.int64]:
    """Return calibration spikes as (batch, time, n_in), inputs side by side.

    Raises
    ------
    InputError
        As a session's `run`: shapes, negative or fractional counts, unknown inputs; or no steps.
    """
    graph = mapped.graph
    shapes = {name: graph.nodes[name].output_shape for name in graph.inputs}
    arrays, _ = check_inputs(calibration, shapes, counts=True)
    if not all(a.size for a in arrays.values()):
        raise InputError("calibration: there are no samples or no steps; give at least one")
    return np.concatenate([a.reshape(*a.shape[:2], -1) for a in arrays.values()], axis=2)


def _made_up(n_in: int) -> NDArray[np.int64]:
    """Draw samples from nearly silent to busy, to see the order of magnitude of the states."""
    rng = np.random.default_rng(SEED)
    rate = np.geomspace(0.05, 1.0, MADE_UP_SAMPLES)[:, None, None]
    return rng.poisson(rate, (MADE_UP_SAMPLES, MADE_UP_STEPS, n_in))
