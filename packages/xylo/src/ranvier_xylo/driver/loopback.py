"""The simulator behind the driver's interface: events in, read-outs back, no hardware."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import Recording
from ranvier.errors import DeviceError

from ..config import XyloConfig
from ..decoding import (
    ChipSignals,
    input_findings,
    joined_inputs,
    needed_traces,
    recording_from_signals,
)
from ..kernels import CoreRun, run
from ..simulator import XyloSession
from .events import counts_from_events, events_from_counts
from .options import DeployOptions
from .runner import Signals, signals_from_readouts

_READOUT_TRACES = ("spikes", "i_syn", "v_mem", "i_syn_out", "v_mem_out")


@dataclass(frozen=True)
class LoopbackReadout:
    """What a board reports of one step, with the SDK's field names."""

    timestep: int
    neuron_v_mems: list[int]
    neuron_i_syns: list[int]
    hidden_spikes: list[int]
    output_v_mems: list[int]
    output_spikes: list[int]


class LoopbackSession(XyloSession):
    """A board without a board: inputs become spike events, results come back as read-outs.

    Everything of the way to a board that needs no SDK is done: clipping and conversion of counts to
    single events, one read-out per step, decoding. In between is the bit-exact simulator. Other
    than a board it holds one state per sample.

    Parameters
    ----------
    config : XyloConfig
    options : DeployOptions
        Real-time mode, power, clock and soft reset need a board.
    """

    def __init__(self, config: XyloConfig, options: DeployOptions) -> None:
        needs_board = {
            "mode='real-time'": options.mode == "real-time",
            "power=True": options.power,
            "clock": options.clock is not None,
            "soft_reset=True": options.soft_reset,
        }
        asked = [name for name, is_asked in needs_board.items() if is_asked]
        if asked:
            raise DeviceError(
                f"{config.target}: the loopback has no sensor, clock or power monitor: leave out "
                f"{', '.join(asked)}, or open a board"
            )
        super().__init__(config)

    def _run(
        self,
        inputs: Mapping[str, NDArray[Any]],
        *,
        record: Mapping[str, tuple[str, ...]],
        trial_seed: int | None,
    ) -> Recording:
        config, given = self._config, joined_inputs(self._config, inputs)
        if not len(given):
            return super()._run(inputs, record=record, trial_seed=trial_seed)
        counts = np.stack([self._through_events(sample) for sample in given])
        traces = needed_traces(config, record)
        recorded = {*_READOUT_TRACES, *traces} if traces else set()
        result = run(
            self._prepared, counts, state=self._matching_state(len(counts)), record=recorded
        )
        self._state = result.state
        parts = [self._through_readouts(result, b, traces) for b in range(len(counts))]
        return recording_from_signals(
            config,
            ChipSignals(
                np.stack([part["output_spikes"] for part in parts]),
                {name: np.stack([part[name] for part in parts]) for name in traces},
            ),
            record=record,
            diagnostics=tuple(input_findings(config, inputs)),
            provenance={"session": "loopback"},
        )

    def _through_events(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        most = self._config.limits.input_count_max
        steps, channels = events_from_counts(counts, most=most)
        return counts_from_events(steps, channels, shape=(len(counts), counts.shape[1]))

    def _through_readouts(self, result: CoreRun, b: int, traces: tuple[str, ...]) -> Signals:
        """Return sample ``b`` as it is decoded from one read-out per step."""
        config, of = self._config, result.traces
        in_readout = [name for name in traces if name in _READOUT_TRACES]
        empty = np.zeros((result.spikes.shape[1], 0), np.int16)
        hidden = of["spikes"][b] if in_readout else empty
        v_mem = np.hstack([of["v_mem"][b], of["v_mem_out"][b]]) if in_readout else empty
        i_syn = np.hstack([of["i_syn"][b], of["i_syn_out"][b]]) if in_readout else empty
        readouts = [
            LoopbackReadout(
                timestep=t,
                neuron_v_mems=v_mem[t].tolist(),
                neuron_i_syns=i_syn[t].tolist(),
                hidden_spikes=hidden[t].tolist(),
                output_v_mems=v_mem[t, -config.n_out :].tolist(),
                output_spikes=result.spikes[b, t].tolist(),
            )
            for t in range(result.spikes.shape[1])
        ]
        found = signals_from_readouts(config, readouts, in_readout)
        if "i_syn2" in traces:  # Audio 2 reports it through its state buffer
            found["i_syn2"] = of["i_syn2"][b].astype(np.int64)
        return found
