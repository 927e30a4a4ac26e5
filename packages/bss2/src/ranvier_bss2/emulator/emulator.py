"""An emulated chip: instances one after the other, state kept between runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import InputError, SimulationError

from ..chip import VirtualChip
from ..config import Bss2Config
from ..layout import Layout
from ..records import CLOCK, RawRecords
from ..routing import connections
from . import _kernel as kernel
from ._parts import Part, Raster
from .collecting import collect
from .generators import generator_rasters, generator_records
from .neurons import realise
from .sampling import fast_converter, slow_converter
from .state import ChipState
from .trial import instance_keys, sample_keys, trial_of
from .weights import PlacedWeights
from .wiring import wire

Decay = Literal["euler", "exact"]
MAX_SUBSTEPS = 255
"""Most integration steps per time step."""


class Emulator:
    """Runs a configuration in LSB of the chip, with the silicon of a virtual chip.

    Per substep h of a neuron (potentials V, leak, reset, threshold in LSB)::

        V <- V + h / tau_mem (leak - V + sum of g_exc F(I_exc) - g_inh F(I_inh)) + noise
        I <- I (1 - h / tau_syn);  after the last one  I <- I + kappa |weight| (1 + deviation)
        spike where V > threshold; V <- reset there and while refractory

    The sum is over the circuits of a neuron; ``F(I) = S tanh(I / S)`` with the saturation S of the
    chip. On an ideal chip with one substep this is the model's own numerics in other units. A
    neuron passes on one spike per step at most.

    Parameters
    ----------
    config : Bss2Config
        Registers and targets; routing follows the registers.
    chip : VirtualChip
        Fixed pattern and noise.
    substeps : int
        Integration steps per time step, 1..255.
    decay : {"euler", "exact"}
        Forward Euler, or exponential decays.
    layout : Layout or None
        Places of the synapses, for `set_weights`.
    cadc_period : float or None
        Time between samples of the slow converter, in s of the chip, > 0, of endless depth; None:
        the chip's. With the time step every step is sampled, which no chip can.

    Raises
    ------
    SimulationError
        Time constants that are too short.
    InputError
        ``substeps``, ``decay`` or ``cadc_period`` out of range.

    Notes
    -----
    Times: a step t ends at ``t dt``; input of step t arrives there, and substeps before it belong
    to step t. Spikes carry the end of their substep on the 8 ns clock, rounded up. Converters read
    the straight line between the ends of two steps. Background generators start anew with every
    reset, see `ranvier_bss2.background`; an event acts with those of the step that ends nearest.

    References
    ----------
    hxtorch @3bfc7aa, spiking functionals (order of the operations); saturation, noise and
    deviations are our own assumptions, see `ranvier_bss2.Variability`.
    """

    def __init__(
        self,
        config: Bss2Config,
        chip: VirtualChip,
        *,
        substeps: int = 1,
        decay: Decay = "euler",
        layout: Layout | None = None,
        cadc_period: float | None = None,
    ) -> None:
        _check_options(substeps, decay, cadc_period)
        self.config, self.chip, self.substeps, self.decay = config, chip, substeps, decay
        found = connections(config)
        self._parts: list[Part] = []
        for instance in range(config.instances):
            real = realise(
                config, chip, instance=instance, substeps=substeps, exact=decay == "exact"
            )
            wiring = wire(config, chip, found, realised=real, instance=instance)
            slow = slow_converter(config, real, cadc_period)
            weights = wiring.weights(np.asarray(config.synapse_weight))
            self._parts.append(Part(real, wiring, slow, fast_converter(config, real), weights))
        self._layout, self._backgrounds = layout, config.backgrounds
        self._placed: PlacedWeights | None = None
        self._state: ChipState | None = None

    @property
    def identifier(self) -> str:
        """Name of the virtual chip."""
        return f"virtual chip {self.chip.seed}"

    @property
    def started(self) -> bool:
        """Whether there is a state of a run."""
        return self._state is not None

    def set_weights(self, weights: Mapping[int, NDArray[Any]]) -> None:
        """Write the weights of projections into the synapses that are placed for them.

        Parameters
        ----------
        weights : mapping of int to array of int, (n_target, n_source)
            Signed weights by number of the projection; others stay as they are.

        Raises
        ------
        SimulationError
            The emulator was made without a layout.
        InputError
            An unknown projection, a wrong shape, or weights that are no whole numbers.
        QuantizationError
            A weight is larger than its synapses hold, or has none of its sign.
        """
        if self._layout is None:
            raise SimulationError(
                "bss2: weights cannot be set without places of synapses; pass layout=..."
            )
        if self._placed is None:
            self._placed = PlacedWeights(self.config, self._layout)
        self._write(self._placed.write(weights))

    def reset(self) -> None:
        """Return to the state before the first step."""
        self._state = None

    def get_state(self, batch: int = 1) -> dict[str, NDArray[Any]]:
        """Return a copy of the state; before the first run that of ``batch`` samples at rest."""
        realised = [p.realised for p in self._parts]
        return (self._state or ChipState.rest(realised, batch)).to_arrays()

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Set what `get_state` returned; raises `SimulationError` if it does not fit."""
        self._state = ChipState.from_arrays(state, [p.realised for p in self._parts])

    def run(
        self,
        inputs: Mapping[str, NDArray[Any]],
        *,
        trial_seed: int | None = None,
        first_sample: int = 0,
    ) -> RawRecords:
        """Advance by the length of the inputs; state carries over until `reset`.

        Parameters
        ----------
        inputs : mapping of str to array, (batch, time, *shape)
            By input node; every entry above 0 is one event.
        trial_seed : int or None
            Seed of the temporal noise, >= 0: noise depends on it, on the number of the sample, on
            the step since reset and on the neuron, and on nothing else. None: fresh noise.
        first_sample : int
            Number of the first sample, for batches that are run in pieces.

        Raises
        ------
        InputError
            Missing or unknown inputs, shapes that do not fit.
        SimulationError
            The state is of another batch size.
        """
        rasters = checked_rasters(self.config, inputs)
        batch, n_steps = next(iter(rasters.values())).shape[:2]
        state = self._matching(batch)
        keys = sample_keys(trial_of(trial_seed), first_sample, batch)
        for p in self.config.populations:
            rasters[p.name] = np.zeros((batch, n_steps, p.size), dtype=np.bool_)
        own, dt = self._backgrounds, self.config.chip_dt
        span = {"batch": batch, "start": state.step, "n_steps": n_steps}
        events: dict[str, Raster] = {**rasters, **generator_rasters(own, dt=dt, **span)}
        runs = []
        for number, part in enumerate(self._parts):
            run = part.run(
                events,
                noise=self._noise(instance_keys(keys, number)),
                clock=kernel.Clock(state.step, self.substeps),
                state=state.parts[number],
                dt=self.config.chip_dt,
            )
            self._replay(rasters, part, run.spikes)
            runs.append(run)
        state.step += n_steps
        self._state = state
        return RawRecords(
            populations={
                **collect(self.config, self._parts, runs, substeps=self.substeps),
                **generator_records(own, dt=dt, **span),
            },
            n_samples=batch,
            duration=round(n_steps * self.config.chip_dt * CLOCK),
            identifier=self.identifier,
        )

    def _write(self, synapse_weight: NDArray[Any]) -> None:
        for part in self._parts:
            part.weights = part.wiring.weights(synapse_weight)

    def _noise(self, keys: NDArray[np.uint64]) -> kernel.Noise:
        v = self.chip.variability
        microseconds = self.config.chip_dt / self.substeps * 1e6
        return kernel.Noise(keys, v.membrane_noise * math.sqrt(microseconds), v.cadc_noise)

    def _replay(
        self, rasters: dict[str, NDArray[np.bool_]], part: Part, spikes: NDArray[np.uint8]
    ) -> None:
        """Put the spikes of an instance where later ones find them."""
        own = part.realised
        for number, p in enumerate(self.config.populations):
            columns = np.flatnonzero(own.population == number)
            if columns.size:
                rasters[p.name][:, :, own.index[columns]] = spikes[:, :, columns] > 0

    def _matching(self, batch: int) -> ChipState:
        if self._state is None:
            return ChipState.rest([p.realised for p in self._parts], batch)
        if self._state.batch != batch:
            raise SimulationError(
                f"bss2: the state holds {self._state.batch} samples, the input {batch}; call "
                "reset() before a run with another batch size"
            )
        return self._state


def checked_rasters(
    config: Bss2Config, inputs: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[np.bool_]]:
    """Return inputs as events, (batch, time, channels); raises `InputError` if they do not fit."""
    if set(inputs) != set(config.input_shapes):
        raise InputError(
            f"bss2: got inputs {sorted(inputs)}, expected {sorted(config.input_shapes)}"
        )
    rasters = {}
    for name, shape in config.input_shapes.items():
        values = np.asarray(inputs[name])
        size = math.prod(shape)
        if values.ndim < 2 or values.size != values.shape[0] * values.shape[1] * size:
            expected = ", ".join(map(str, shape))
            raise InputError(
                f"bss2: input {name!r} has shape {values.shape}, expected (batch, time, {expected})"
            )
        rasters[name] = values.reshape(*values.shape[:2], size) > 0
    if len({r.shape[:2] for r in rasters.values()}) != 1:
        sizes = {n: r.shape[:2] for n, r in rasters.items()}
        raise InputError(f"bss2: inputs differ in batch or time: {sizes}; make them equally long")
    return rasters


def _check_options(substeps: int, decay: str, cadc_period: float | None) -> None:
    problems = []
    if not 1 <= substeps <= MAX_SUBSTEPS:
        problems.append(f"substeps is {substeps}; use 1..{MAX_SUBSTEPS}")
    if decay not in ("euler", "exact"):
        problems.append(f"decay is {decay!r}; use 'euler' or 'exact'")
    if cadc_period is not None and not cadc_period > 0:
        problems.append(f"cadc_period is {cadc_period!r} s; it must be > 0")
    if problems:
        raise InputError(f"bss2: emulator: {'; '.join(problems)}")
