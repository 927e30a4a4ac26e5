"""A Xylo chip simulated bit for bit, on the graph's names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import AbstractSession, Recording, State
from ranvier.errors import InputError, SimulationError

from .config import XyloConfig
from .decoding import (
    ChipSignals,
    input_findings,
    joined_inputs,
    needed_traces,
    recordable_quantities,
    recording_from_signals,
)
from .kernels import CoreState, prepare, run


class XyloSession(AbstractSession):
    """An open simulation of one configuration; state carries over until `reset`.

    Records ``spikes``, ``i_syn``, ``i_syn2`` (two-synapse networks) and ``v_mem`` of every neuron
    node: currents after their decay, membranes after the reset, as raw integers with their scale
    to model units. Spikes are those of the graph's neurons: what aliases add is taken off.

    Parameters
    ----------
    config : XyloConfig
        From `ranvier.quantize`.

    Notes
    -----
    The arithmetic is that of the integer core, verified against xylosim 0.1.3: 16-bit saturation
    after every addition, decay by shifts after adding, at most 15 input counts per channel, 31
    hidden and 1 output spike per neuron and step.
    """

    def __init__(self, config: XyloConfig) -> None:
        super().__init__(input_shapes=config.input_shapes, dt=config.dt)
        self._config = config
        self._prepared = prepare(config.core_arrays())
        self._state: CoreState | None = None

    @property
    def config(self) -> XyloConfig:
        """The configuration in use."""
        return self._config

    def recordable(self) -> Mapping[str, tuple[str, ...]]:
        """Return the quantities that can be recorded, by graph node."""
        return recordable_quantities(self._config)

    def _run(
        self,
        inputs: Mapping[str, NDArray[Any]],
        *,
        record: Mapping[str, tuple[str, ...]],
        trial_seed: int | None,
    ) -> Recording:
        del trial_seed  # a digital chip has no noise
        config = self._config
        counts = joined_inputs(config, inputs)
        state = self._matching_state(len(counts))
        result = run(self._prepared, counts, state=state, record=needed_traces(config, record))
        self._state = result.state
        return recording_from_signals(
            config,
            ChipSignals(result.spikes, result.traces),
            record=record,
            diagnostics=tuple(input_findings(config, inputs)),
            provenance={"session": "simulator", **_input_totals(config, counts)},
        )

    def _matching_state(self, batch: int) -> CoreState | None:
        if self._state is not None and len(self._state.v_mem) != batch:
            raise SimulationError(
                f"the state holds {len(self._state.v_mem)} samples, the input {batch}; "
                "call reset() before a run with another batch size"
            )
        return self._state

    def get_state(self) -> State:
        """Return a copy of the state by the core's names, (batch, n_hid) and (batch, n_out).

        Before the first run it is that of one sample at rest.
        """
        config = self._config
        state = self._state or CoreState.zeros(1, config.n_hid, config.n_out)
        return {f.name: getattr(state, f.name).copy() for f in fields(state)}

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Set what `get_state` returned.

        Raises
        ------
        InputError
            A name is missing or unknown, or an array does not fit the network.
        """
        names = {f.name for f in fields(CoreState)}
        if set(state) != names:
            raise InputError(f"state: got {sorted(state)}, expected {sorted(names)}")
        arrays = {name: np.asarray(values) for name, values in state.items()}
        batch = len(np.atleast_1d(arrays["v_mem"]))
        self._state = CoreState(**arrays).checked(batch, self._config.n_hid, self._config.n_out)

    def reset(self) -> None:
        """Return to the state before the first step."""
        self._state = None

    def update(self, config: Any) -> None:
        """Replace the configuration; the state stays if the network has the same size.

        Raises
        ------
        SimulationError
            It is no XyloConfig, or of another target or with other inputs.
        """
        if not isinstance(config, XyloConfig):
            raise SimulationError(
                f"update: expected a XyloConfig, got {type(config).__name__}; open a new session"
            )
        if config.target != self._config.target or config.input_shapes != self._config.input_shapes:
            raise SimulationError(
                f"update: the session runs {self._config.target} with inputs "
                f"{self._config.input_shapes}, got {config.target} with {config.input_shapes}; "
                "open a new session"
            )
        if (config.n_hid, config.n_out) != (self._config.n_hid, self._config.n_out):
            self._state = None
        self._prepared = prepare(config.core_arrays())
        self._config = config


def _input_totals(config: XyloConfig, counts: NDArray[np.int64]) -> dict[str, Any]:
    """Return spikes per channel, as the chip counts them, and the fraction of bins with any."""
    seen = np.minimum(counts, config.limits.input_count_max)
    rate = float(np.mean(seen > 0)) if seen.size else 0.0
    return {"input_spikes": seen.sum(axis=(0, 1)).tolist(), "input_rate": rate}
