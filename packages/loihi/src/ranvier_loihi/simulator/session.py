"""The session: runs, state, recordings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import AbstractSession, Recording, Signal, SpikeTrain, State, Trace
from ranvier.errors import InputError, SimulationError

from ..config import LoihiConfig, Tap
from ..kernels.network import NetworkRun, NetworkState, prepare_network
from ._inputs import driven_values, input_findings, spike_inputs
from ._signals import (
    delayed,
    quantities,
    run_findings,
    scale_of,
    shape_of,
    shown_by,
    signal,
    values_of,
)
from .options import SimulateOptions


class LoihiSession(AbstractSession):
    """An open simulation of one configuration; state carries over until `reset`.

    Records, by population: "lif" and "ternary" ``i_syn`` and ``v_mem``, as they are after the
    step; "rf" and "rf_iz" ``re`` and ``im``; the delta kinds ``sigma``, ``activation`` and
    ``residual`` as far as they have them; and what is emitted: ``spikes``, or ``value`` for graded
    messages. Taps record what they delay. Traces are raw integers with their scale to model units.

    Parameters
    ----------
    config : LoihiConfig
        From `ranvier.quantize`.
    options : SimulateOptions or None
        Without choices so far.

    Raises
    ------
    SimulationError
        An input of real values leads to a synapse; a bias or drive that a model has no place for.

    Notes
    -----
    What is sent in one step arrives in the next or, with delays, later. "lif", with ``dz(p) =
    sign(p) (|p| >> 12)`` and M = 2**23::

        u <- dz(u (4096 - decay_u)) + (arriving << 6)       wraps once: u - 2M if u > M, ...
        v <- dz(v (4096 - decay_v)) + u + (bias_mant << bias_exp)    clipped to +-(M - 1)
        spike and v <- 0 if v > threshold << 6

    References
    ----------
    Lava 0.10.0 documentation: processes LIF, TernaryLIF, Dense, Conv, RF, RF_IZ, Delta,
    SigmaDelta; Davies et al., IEEE Micro 38(1), 2018.
    """

    def __init__(self, config: LoihiConfig, options: SimulateOptions | None = None) -> None:
        super().__init__(input_shapes=config.input_shapes, dt=config.dt, spiking=not config.values)
        self._options = options or SimulateOptions()
        self._state: NetworkState | None = None
        self._pending: dict[str, NDArray[Any]] = {}
        self._use(config)

    def _use(self, config: LoihiConfig) -> None:
        for s in config.synapses:
            if s.source in config.values:
                raise SimulationError(
                    f"loihi: synapse {s.source!r} -> {s.target!r}: the input takes real values, a "
                    "synapse spikes; let it drive a population"
                )
        self._config, self._net = config, prepare_network(config)
        self._hash = config.content_hash  # takes seconds for a thousand million synapses

    @property
    def config(self) -> LoihiConfig:
        """The configuration in use."""
        return self._config

    def recordable(self) -> Mapping[str, tuple[str, ...]]:
        """Return the quantities that can be recorded, by graph node."""
        config = self._config
        found = {p.name: quantities(p) for p in config.populations}
        return found | {t.name: (shown_by(config, t),) for t in config.taps}

    def _run(
        self,
        inputs: Mapping[str, NDArray[Any]],
        *,
        record: Mapping[str, tuple[str, ...]],
        trial_seed: int | None,
    ) -> Recording:
        del trial_seed  # a digital chip without noise
        config = self._config
        n_samples, n_steps = next(iter(inputs.values())).shape[:2]
        wanted = [(c.node, c.quantity) for c in config.outputs]
        wanted += [(node, quantity) for node, names in record.items() for quantity in names]
        drives = driven_values(config, inputs)
        state = self._matching_state(n_samples)
        taps = {t.name: t for t in config.taps}
        needed = {key for key in wanted if key[0] not in taps}
        needed |= {(t.source, shown_by(config, t)) for t in config.taps}
        result = self._net.run(
            spike_inputs(config, inputs),
            drives,
            state,
            record=self._traced(needed),
            n_steps=n_steps,
        )
        later = {
            t.name: self._delayed(t, inputs, result, (n_samples, n_steps)) for t in taps.values()
        }
        signals: dict[tuple[str, str], Signal] = {
            (node, quantity): later[node]
            if node in taps
            else signal(
                result,
                config.population_of[node],
                quantity,
                n_samples=n_samples,
                n_steps=n_steps,
                dt=config.dt,
            )
            for node, quantity in dict.fromkeys(wanted)
        }
        return self._recording(signals, inputs, result)

    def _recording(
        self,
        signals: dict[tuple[str, str], Signal],
        inputs: Mapping[str, NDArray[Any]],
        result: NetworkRun,
    ) -> Recording:
        config = self._config
        active = sum(int(np.count_nonzero(x)) for x in inputs.values())
        cells = sum(x.size for x in inputs.values())
        return Recording(
            signals=signals,
            dt=config.dt,
            outputs={c.output: (c.node, c.quantity) for c in config.outputs},
            latency=dict(config.latency),
            diagnostics=(
                *config.diagnostics,
                *input_findings(config, inputs),
                *run_findings(config, result),
            ),
            provenance={
                "target": config.target,
                "config": self._hash,
                "session": "simulator",
                "input_rate": active / cells if cells else 0.0,
                "events": dict(result.emitted),
            },
        )

    def _traced(self, needed: set[tuple[str, str]]) -> set[tuple[str, str]]:
        """Return what the loops must keep: the values of ternary neurons are in their events."""
        ternary = {p.name for p in self._config.populations if p.model == "ternary"}
        return {
            (node, "spikes") if node in ternary and quantity == "value" else (node, quantity)
            for node, quantity in needed
        }

    def _delayed(
        self,
        tap: Tap,
        inputs: Mapping[str, NDArray[Any]],
        result: NetworkRun,
        size: tuple[int, int],
    ) -> Signal:
        """Return what a tap shows and keep what is still under way."""
        config, quantity = self._config, shown_by(self._config, tap)
        shape = config.node_shapes.get(tap.name, shape_of(config, tap.source))
        scale: Any = 1.0
        if tap.source in inputs:
            values = inputs[tap.source].reshape(*size, config.size_of(tap.source))
        else:
            p = config.population_of[tap.source]
            values, scale = values_of(result, p, quantity, shape=size), scale_of(p, quantity)
        shown, self._pending[tap.name] = delayed(values, self._pending[tap.name], tap.delay)
        shown = shown.reshape(*size, *shape)
        if quantity == "spikes":
            return SpikeTrain.from_raster(shown, dt=config.dt)
        return Trace(shown, interval=config.dt, scale=scale)

    def _matching_state(self, batch: int) -> NetworkState:
        if self._state is None:
            self._state = self._net.at_rest(batch)
            self._pending = self._nothing_pending(batch)
        if self._state.batch != batch:
            raise SimulationError(
                f"loihi: the state holds {self._state.batch} samples, the input {batch}; "
                "call reset() before a run with another batch size"
            )
        return self._state

    def _nothing_pending(self, batch: int) -> dict[str, NDArray[Any]]:
        config = self._config
        return {
            t.name: np.zeros(
                (batch, int(t.delay.max()), config.size_of(t.source)),
                dtype=np.float64 if t.source in config.values else np.int64,
            )
            for t in config.taps
        }

    def get_state(self) -> State:
        """Return a copy of the state.

        ``"populations/<name>/<state>"`` are (batch, n); ``"synapses/<number>/arriving"`` is what
        is under way, (batch, slots, n_target), in the next step first (convolutions channels last,
        delays with negative exponents also ``leaving``); ``"taps/<name>"`` (batch, slots, n);
        ``"step"`` the steps since the last reset, (batch,). Before the first run it is that of one
        sample at rest.
        """
        state = self._state or self._net.at_rest(1)
        taps = self._pending if self._state else self._nothing_pending(1)
        arrays = {
            f"populations/{p.source.name}/{name}": values
            for p, part in zip(self._net.populations, state.populations, strict=True)
            for name, values in part.items()
        }
        for number, part in enumerate(state.synapses):
            arrays |= {f"synapses/{number}/{name}": values for name, values in part.items()}
        arrays |= {f"taps/{name}": values for name, values in taps.items()}
        arrays["step"] = np.full(state.batch, state.step, dtype=np.int64)
        return {name: values.copy() for name, values in arrays.items()}

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Set what `get_state` returned.

        Raises
        ------
        InputError
            A name is missing or unknown, or an array does not fit the network.
        """
        names = set(self.get_state())
        if set(state) != names:
            raise InputError(
                f"loihi: state: got {sorted(state)}, expected {sorted(names)}; pass what "
                "get_state() returned"
            )
        steps = np.asarray(state["step"])
        if steps.ndim != 1 or not steps.size or steps.dtype.kind not in "iu" or np.ptp(steps):
            raise InputError("loihi: state step: must be (batch,) equal integers")
        batch, net = len(steps), self._net
        populations = [
            {
                name: p.checked(name, state[f"populations/{p.source.name}/{name}"], batch)
                for name in p.states
            }
            for p in net.populations
        ]
        synapses = [
            {
                name: s.checked(name, state[f"synapses/{i}/{name}"], batch, where=f"synapses/{i}")
                for name in s.pending
            }
            for i, s in enumerate(net.synapses)
        ]
        pending = self._nothing_pending(batch)
        for name, values in pending.items():
            given = np.asarray(state[f"taps/{name}"])
            if given.shape != values.shape:
                raise InputError(
                    f"loihi: state taps/{name}: {given.shape}, expected {values.shape}"
                )
            values[:] = given
        self._state = NetworkState(populations, synapses, int(steps[0]))
        self._pending = pending

    def reset(self) -> None:
        """Return to the state before the first step."""
        self._state = None
        self._pending = {}

    def update(self, config: Any) -> None:
        """Replace the configuration; the state stays if it fits.

        Raises
        ------
        SimulationError
            It is no LoihiConfig, or of another target or with other inputs.
        """
        if not isinstance(config, LoihiConfig):
            raise SimulationError(
                f"update: expected a LoihiConfig, got {type(config).__name__}; open a new session"
            )
        old = self._config
        same = (config.target, config.input_shapes, config.values)
        if same != (old.target, old.input_shapes, old.values):
            raise SimulationError(
                f"update: the session runs {old.target} with inputs {old.input_shapes}, got "
                f"{config.target} with {config.input_shapes}; open a new session"
            )
        state = self.get_state() if self._state else None
        self._use(config)
        self.reset()
        if state is not None:
            try:
                self.set_state(state)
            except InputError:  # another network: it starts at rest
                self.reset()
