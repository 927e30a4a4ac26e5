"""The chip in float64, with its departures from the float network as switches.

All switches on gives the simulator's numbers; all off gives the float network, in the chip's order
of events (a spike needs one step to the next neuron). In between, one departure at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import AbstractSession, Recording, State
from ranvier.errors import InputError, SimulationError

from .config import XyloConfig
from .decoding import (
    ChipSignals,
    joined_inputs,
    recordable_quantities,
    recording_from_signals,
)
from .float_model import AliasedFiring
from .origin import recurrent_weights

Array = NDArray[np.float64]

LOW, HIGH = -32768.0, 32767.0


@dataclass(frozen=True, kw_only=True)
class Switches:
    """Departures of the chip from the float network, each on or off.

    Parameters
    ----------
    input_clip : bool
        Input counts above 15 act as 15.
    weight_rounding : bool
        Weights are 8-bit integers times a power of two.
    threshold_rounding : bool
        Thresholds and biases are integers.
    decay_rounding : bool
        Decays are ``1 - 2**-dash``.
    integer_leak : bool
        The leak is a shift of integers; needs ``decay_rounding``.
    saturation : bool
        States stay within 16 bits, after every single addition.
    spike_cap : bool
        31 spikes per step of a hidden neuron, aliases included, and 1 of an output neuron, instead
        of what the graph's neurons allow.
    """

    input_clip: bool = True
    weight_rounding: bool = True
    threshold_rounding: bool = True
    decay_rounding: bool = True
    integer_leak: bool = True
    saturation: bool = True
    spike_cap: bool = True


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """Per-neuron numbers of hidden or output neurons, in the unit of their states.

    ``drive`` multiplies what arrives at a synapse: 1 where the chip's decay follows the addition,
    ``1 / gain`` where the decay of the graph comes before it.
    """

    alpha: Array
    beta: Array
    drive: Array
    dash_mem: Array
    dash_syn: Array
    threshold: Array
    bias: Array
    most: Array


class ShadowSession(AbstractSession):
    """A configuration in float64 with switchable non-idealities; see `Switches`.

    Parameters
    ----------
    config : XyloConfig
        From `ranvier.quantize`, which keeps the float network in it.
    switches : mapping of str to bool
        Those not named are on.

    Raises
    ------
    InputError
        An unknown switch.
    SimulationError
        The configuration does not hold its float network, and a rounding is off.

    Notes
    -----
    What the mapper changed is no switch: resets, refractory times, ``>`` comparisons, resting
    values, biases in front of synapses.
    """

    def __init__(self, config: XyloConfig, switches: Mapping[str, bool]) -> None:
        super().__init__(input_shapes=config.input_shapes)
        known = [f.name for f in fields(Switches)]
        unknown = sorted(set(switches) - set(known))
        if unknown:
            raise InputError(f"shadow: unknown switches {unknown}; known: {', '.join(known)}")
        self._config = config
        self._on = Switches(**switches)
        if config.origin_alpha is None and self._on != Switches():
            raise SimulationError(
                f"{config.target}: this configuration does not hold the float network it came "
                "from; quantise the network again to switch departures off"
            )
        integers = self._on.weight_rounding or self._on.threshold_rounding
        integers |= self._on.integer_leak or self._on.saturation
        # States in counts of the chip, or in model units where nothing is an integer: no rounding
        # at all then. Recordings are in counts, which ``per_unit`` makes of them.
        counts, counts_out = 1.0 / config.v_lsb, 1.0 / config.v_lsb_out
        ones, ones_out = np.ones(config.n_hid), np.ones(config.n_out)
        self._scale: Array = counts if integers else ones
        self._scale_out: Array = counts_out if integers else ones_out
        self._per_unit: Array = ones if integers else counts
        self._per_unit_out: Array = ones_out if integers else counts_out
        self._hidden, self._output = self._layer(""), self._layer("_out")
        self._weights = self._weight_rows()
        self._firing = AliasedFiring(
            config.aliases.astype(np.int64),
            self._hidden.threshold,
            most=self._hidden.most,
            shared=self._on.spike_cap,
        )
        self._state: dict[str, Array] | None = None

    @property
    def switches(self) -> dict[str, bool]:
        """Which departures are on."""
        return {f.name: getattr(self._on, f.name) for f in fields(self._on)}

    def recordable(self) -> Mapping[str, tuple[str, ...]]:
        """Return the quantities that can be recorded, by graph node."""
        return recordable_quantities(self._config)

    def _layer(self, suffix: str) -> Layer:
        config, on = self._config, self._on

        def register(name: str) -> Array:
            return np.asarray(getattr(config, name + suffix), dtype=np.float64)

        dash_mem, dash_syn = register("dash_mem"), register("dash_syn")
        alpha, beta = 1.0 - np.exp2(-dash_mem), 1.0 - np.exp2(-dash_syn)
        drive = np.ones_like(beta)
        if not on.decay_rounding:
            alpha, beta = register("origin_alpha"), register("origin_beta")
            drive = 1.0 / register("origin_gain")
        threshold, bias = register("threshold"), register("bias")
        if not on.threshold_rounding:
            scale = self._scale_out if suffix else self._scale
            threshold = register("origin_threshold") * scale
            bias = register("origin_bias") * scale
        limits = config.limits
        most = limits.output_spikes_max if suffix else limits.hidden_spikes_max
        return Layer(
            alpha=alpha,
            beta=beta,
            drive=drive,
            dash_mem=dash_mem,
            dash_syn=dash_syn,
            threshold=threshold,
            bias=bias,
            most=np.full(threshold.size, float(most))
            if on.spike_cap
            else register("origin_max_spikes"),
        )

    def _weight_rows(self) -> tuple[Array, Array, Array]:
        """Return weights from inputs, hidden to hidden (sources, n_hid, S), hidden to output."""
        config = self._config
        w_in = np.zeros((config.n_in, config.n_hid, config.n_synapses))
        w_out = np.zeros((config.n_hid, config.n_out))
        if self._on.weight_rounding:
            w_in[:, : config.n_ien] = config.weights_in * 2.0**config.weight_shift_in
            w_rec = config.weights_rec * 2.0**config.weight_shift_rec
            w_out[config.n_hid - config.n_oen :] = config.weights_out * 2.0**config.weight_shift_out
            return w_in * self._hidden.drive, w_rec * self._hidden.drive, w_out * self._output.drive
        gain, gain_out = np.asarray(config.origin_gain), np.asarray(config.origin_gain_out)
        if not self._on.decay_rounding:
            gain, gain_out = np.ones_like(gain), np.ones_like(gain_out)
        w_in[:, : config.n_ien] = config.origin_weights_in
        w_out[config.n_hid - config.n_oen :] = config.origin_weights_out
        scale = gain * self._scale[:, None]
        return w_in * scale, recurrent_weights(config) * scale, w_out * gain_out * self._scale_out

    def _run(
        self,
        inputs: Mapping[str, NDArray[Any]],
        *,
        record: Mapping[str, tuple[str, ...]],
        trial_seed: int | None,
    ) -> Recording:
        del trial_seed  # the chip has no noise
        config = self._config
        counts = joined_inputs(config, inputs).astype(np.float64)
        if self._on.input_clip:
            counts = np.minimum(counts, config.limits.input_count_max)
        batch, time, _ = counts.shape
        state = self._state or self._at_rest(batch)
        if len(state["v_mem"]) != batch:
            raise SimulationError(
                f"the state holds {len(state['v_mem'])} samples, the input {batch}; "
                "call reset() before a run with another batch size"
            )
        traces: dict[str, list[Array]] = {
            name: [] for name in ("out", "spikes", "i_syn", "v_mem", "i_syn_out", "v_mem_out")
        }
        for t in range(time):
            state, fired = self._step(state, counts[:, t])
            for name, values in traces.items():
                values.append(fired if name == "out" else state[name])
        self._state = state
        return self._recorded(traces, batch, record)

    def _at_rest(self, batch: int) -> dict[str, Array]:
        n_hid, n_out, n_syn = self._config.n_hid, self._config.n_out, self._config.n_synapses
        return {
            "i_syn": np.zeros((batch, n_hid, n_syn)),
            "v_mem": np.zeros((batch, n_hid)),
            "spikes": np.zeros((batch, n_hid)),
            "i_syn_out": np.zeros((batch, n_out)),
            "v_mem_out": np.zeros((batch, n_out)),
        }

    def _step(self, state: dict[str, Array], x: Array) -> tuple[dict[str, Array], Array]:
        w_in, w_rec, w_out = self._weights
        hidden, output, last = self._hidden, self._output, state["spikes"]
        i_syn = self._synapse(state["i_syn"], [(x, w_in), (last, w_rec)], hidden)
        i_out = self._synapse(state["i_syn_out"], [(last, w_out)], output)
        v_mem = self._membrane(state["v_mem"], i_syn.sum(axis=2), hidden)
        v_out = self._membrane(state["v_mem_out"], i_out, output)
        spikes, v_mem = self._firing.fire(v_mem)
        fired = np.clip(np.floor(v_out / output.threshold), 0.0, output.most)
        finite = np.where(np.isinf(output.threshold), 0.0, output.threshold)
        new = {
            "i_syn": i_syn,
            "v_mem": v_mem,
            "spikes": spikes,
            "i_syn_out": i_out,
            "v_mem_out": v_out - fired * finite,
        }
        return new, fired

    def _synapse(self, current: Array, sources: list[tuple[Array, Array]], layer: Layer) -> Array:
        """Add what arrives, then decay; where the decay is the graph's, decay, then add."""
        if not self._on.decay_rounding:
            current = layer.beta * current
        current = self._added(current, sources)
        return self._leaked(current, layer.dash_syn) if self._on.decay_rounding else current

    def _added(self, current: Array, sources: list[tuple[Array, Array]]) -> Array:
        """Add counts times weights; one source after the other where a rail could be touched."""
        shape = current.shape
        total = current
        reach = np.abs(current)
        for counts, weights in sources:
            flat = weights.reshape(len(weights), -1)
            total = total + (counts @ flat).reshape(shape)
            reach = reach + (np.abs(counts) @ np.abs(flat)).reshape(shape)
        if not self._on.saturation or reach.max(initial=0.0) <= HIGH:
            return np.asarray(total)
        for counts, weights in sources:
            for source in np.flatnonzero(counts.any(axis=0)):
                addend = np.multiply.outer(counts[:, source], weights[source])
                current = np.clip(current + addend, LOW, HIGH)
        return current

    def _leaked(self, values: Array, dash: Array) -> Array:
        if not self._on.integer_leak:
            return values * (1.0 - np.exp2(-dash))
        lost = np.floor(values * np.exp2(-dash))
        # A positive state loses at least one count, but never more than it has.
        return values - np.where((lost == 0) & (values > 0), np.minimum(values, 1.0), lost)

    def _membrane(self, v_mem: Array, current: Array, layer: Layer) -> Array:
        if self._on.decay_rounding:
            decayed = self._leaked(v_mem, layer.dash_mem)
        else:
            decayed = layer.alpha * v_mem
        if not self._on.saturation:
            return decayed + current + layer.bias
        if self._config.limits.core_version == 1:
            return np.clip(decayed + current, LOW, HIGH)
        change = np.clip(current + (decayed - v_mem), LOW, HIGH)
        change = np.clip(change + layer.bias, LOW, HIGH)
        return np.clip(v_mem + change, LOW, HIGH)

    def _recorded(
        self, traces: dict[str, list[Array]], batch: int, record: Mapping[str, tuple[str, ...]]
    ) -> Recording:
        """Build the recording, states in counts of the chip."""
        config = self._config
        empty = {**self._at_rest(batch), "out": np.zeros((batch, config.n_out))}
        stacked = {
            name: np.stack(values, axis=1) if values else np.repeat(empty[name][:, None], 0, axis=1)
            for name, values in traces.items()
        }
        signals = {
            "spikes": stacked["spikes"].astype(np.int64),
            "v_mem": stacked["v_mem"] * self._per_unit,
            "i_syn": stacked["i_syn"][..., 0] * self._per_unit,
            "i_syn2": stacked["i_syn"][..., -1] * self._per_unit,
            "v_mem_out": stacked["v_mem_out"] * self._per_unit_out,
            "i_syn_out": stacked["i_syn_out"] * self._per_unit_out,
        }
        return recording_from_signals(
            config,
            ChipSignals(
                stacked["out"].astype(np.int64),
                signals,
                spike_cap=None if self._on.spike_cap else np.iinfo(np.int64).max,
            ),
            record=record,
            provenance={"session": "shadow", "switches": self.switches},
        )

    def get_state(self) -> State:
        """Return a copy of the state, in counts or model units as the switches have it."""
        state = self._state or self._at_rest(1)
        return {name: values.copy() for name, values in state.items()}

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Set what `get_state` returned; raises `InputError` if it does not fit."""
        batch = len(np.atleast_1d(state["v_mem"])) if "v_mem" in state else 1
        expected = self._at_rest(batch)
        if set(state) != set(expected):
            raise InputError(f"state: got {sorted(state)}, expected {sorted(expected)}")
        wrong = [n for n, v in expected.items() if np.shape(state[n]) != v.shape]
        if wrong:
            raise InputError(f"state: {wrong} do not have the network's shapes")
        self._state = {n: np.array(v, dtype=np.float64) for n, v in state.items()}

    def reset(self) -> None:
        """Return to the state before the first step."""
        self._state = None
