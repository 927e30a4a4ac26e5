"""The simulator behind the driver's interface: packets in, monitor events back, no hardware."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import Recording, SpikeTrain
from ranvier.errors import DeviceError, InputError

from ..config import Dynapse2Config
from ..diagnostics import ONLY_SIMULATED
from ..simulator import Dynapse2Session, SimulateOptions
from .decoding import Decoder
from .events import Packets, counts_from_packets, input_packets, joined_inputs, ticks_per_step
from .monitors import EVENT, neurons_of, offered
from .options import DeployOptions
from .run import echoes_of
from .session import overfull_findings


class LoopbackSession(Dynapse2Session):
    """A board without a board.

    Everything of the way to a board that needs no SDK is done: input spikes become packets with
    time stamps, spikes of monitored neurons become events with tags and hops, and both are decoded
    as those of a board are. In between is the simulator. Other than a board it holds a state per
    sample, carries it over between runs, and has no finer time than the step.

    Parameters
    ----------
    config : Dynapse2Config
        What runs.
    options : DeployOptions
        Mismatch and seed of the virtual chip, rules of decoding. Bit file, analogue monitors and
        converters need a board; what concerns its clock and pauses has no effect.

    Raises
    ------
    DeviceError
        An option needs a board, or dt is shorter than a tick of a board's clock.
    """

    def __init__(self, config: Dynapse2Config, options: DeployOptions) -> None:
        needs_board = {
            "bitfile": options.bitfile is not None,
            "monitor_neurons": bool(options.monitor_neurons),
            "sadc": bool(options.sadc),
            "sadc_period_ms": options.sadc_period_ms is not None,
        }
        asked = [name for name, is_asked in needs_board.items() if is_asked]
        if asked:
            raise DeviceError(
                f"{config.target}: the loopback has no FPGA and no analogue signals: leave out "
                f"{', '.join(asked)}, or open a board"
            )
        virtual = SimulateOptions(
            mismatch=options.mismatch or 0.0, chip_seed=options.chip_seed or 0
        )
        self._deploy = options
        super().__init__(config, virtual)

    def _use(self, config: Dynapse2Config) -> None:
        try:
            self._width = ticks_per_step(config.dt, self._deploy.dt_fpga)
        except InputError as error:
            raise DeviceError(f"loopback: {error}") from error
        self._decoder = Decoder(config, self._deploy)
        super()._use(config)

    def recordable(self) -> Mapping[str, tuple[str, ...]]:
        """Return what a board could record, and the states that outputs show."""
        return offered(self._config, self._decoder.monitors)

    def _run(
        self,
        inputs: Mapping[str, NDArray[Any]],
        *,
        record: Mapping[str, tuple[str, ...]],
        trial_seed: int | None,
    ) -> Recording:
        config = self._config
        counts = joined_inputs(config, inputs)
        if 0 in counts.shape[:2]:
            return super()._run(inputs, record=record, trial_seed=trial_seed)
        tick, steps = self._deploy.dt_fpga, counts.shape[1]
        packets = [input_packets(config, sample, tick=tick) for sample in counts]
        sent = np.stack([counts_from_packets(config, p, steps=steps, tick=tick) for p in packets])
        everything = {node: ("spikes",) for node in config.node_shapes}
        found = super()._run(self._by_name(sent, inputs), record=everything, trial_seed=trial_seed)
        samples = [
            self._decoder.decode(self._events(found, b, packets[b]), steps=steps)
            for b in range(len(counts))
        ]
        decoded = self._decoder.recording(samples, steps=steps, record=record, on_grid=True)
        states = [(c.node, c.quantity) for c in config.outputs if c.quantity != "spikes"]
        extra = [
            ONLY_SIMULATED.at(node, f"an output shows {quantity!r}") for node, quantity in states
        ]
        reported = (*found.diagnostics, *self._decoder.findings(samples))
        return dataclasses.replace(
            decoded,
            signals={**decoded.signals, **{key: found.signals[key] for key in states}},
            diagnostics=(
                *dict.fromkeys(reported),
                *overfull_findings(config, counts, tick=tick),
                *extra,
            ),
            provenance={**found.provenance, "session": "loopback"},
        )

    def _by_name(
        self, counts: NDArray[np.int64], inputs: Mapping[str, NDArray[Any]]
    ) -> dict[str, NDArray[np.int64]]:
        """Return channels as inputs by name, in their shapes."""
        named, start = {}, 0
        for name in self._config.input_shapes:
            size = int(np.prod(inputs[name].shape[2:], dtype=np.int64))
            named[name] = counts[..., start : start + size].reshape(inputs[name].shape)
            start += size
        return named

    def _events(self, found: Recording, b: int, packets: Packets) -> Packets:
        """Return the events that a board would send for the spikes of one sample.

        Spikes of a neuron in one step are spread evenly over it.
        """
        monitors, parts = self._decoder.monitors, []
        for node in self._config.node_shapes:
            train = found[node, "spikes"]
            if not isinstance(train, SpikeTrain):
                continue
            mine = train.sample == b
            step, count = train.tick[mine], train.count[mine]
            neuron = neurons_of(self._config, node)[train.index[mine]]
            rank = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
            begin = np.ceil(step * (self._config.dt / self._deploy.dt_fpga) - 1e-6)
            times = np.repeat(begin.astype(np.int64), count)
            times += rank * self._width // np.maximum(np.repeat(count, count), 1)
            parts.append(monitors.events(times, np.repeat(neuron, count)))
        if self._deploy.echo_inputs:
            parts.append(self._returned(packets))
        return np.concatenate([np.zeros(0, dtype=EVENT), *parts])

    def _returned(self, packets: Packets) -> Packets:
        echoes = echoes_of(self._config, packets)
        events = np.zeros(len(echoes), dtype=EVENT)
        events["time"], events["tag"] = echoes["time_us"], echoes["tag"]
        events["x"] = self._decoder.monitors.returned_x(0)
        events["y"] = echoes["y"]
        return events
