"""Accelerated time: the host sends time-stamped spikes, the chip runs as fast as it can."""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import DeviceError, DeviceTimeoutError

from .events import events_from_counts
from .memory import ram_access
from .registers import A2_REGISTERS
from .runner import (
    STATE_TRACES,
    Runner,
    Signals,
    signals_from_readouts,
    signals_from_states,
)


class AcceleratedRunner(Runner):
    """Sends all events of a run in one write and waits for the last step's read-out."""

    def run(self, counts: NDArray[np.int64], traces: Collection[str]) -> Signals:
        """Advance by the counts ``(time, n_in)``."""
        steps, link = len(counts), self.link
        timeout = self.timeout(steps, traces)
        self.configure(traces)
        reads_states = bool(STATE_TRACES & set(traces))
        with ram_access(link, self.vendor, timeout=timeout) if reads_states else nullcontext():
            start = self._start(timeout)
            link.clear()
            link.write(self._events(counts, start))
            deadline = time.monotonic() + timeout
            events = link.wait(
                lambda found: any(self._time(e) >= start + steps - 1 for e in found),
                timeout=timeout,
                what=f"read-out of step {steps} of {steps}",
                readouts=True,
            )
            if link.states is not None:
                self._await_states(steps, deadline, timeout)
                return signals_from_states(self.config, link.states, steps, traces)
        return self._decoded(events, start, steps, traces)

    def _start(self, timeout: float) -> int:
        """Return the time stamp that the next step will have."""
        link = self.link
        link.clear()
        request = link.events.TriggerReadout()
        readout = link.ask(request, "Readout", timeout=timeout, what="read-out of the chip's time")
        now = link.time_of(readout)
        if link.board.target == "xylo-imu":
            now += 1  # its read-out bears the time of the last step, not of the next
        elif link.board.target == "xylo-audio3":
            now = max(now, 0)  # negative before the first step
        if now < 0:
            raise DeviceError(
                f"{link.name}: the chip's time is {now}, it cannot be negative; power-cycle the "
                "board and open it again"
            )
        return now

    def _events(self, counts: NDArray[np.int64], start: int) -> list[Any]:
        link, end = self.link, start + len(counts)
        most = self.config.limits.input_count_max
        steps, channels = events_from_counts(counts, most=most)
        pairs = zip(channels.tolist(), (steps + start).tolist(), strict=True)
        events = [link.spike(channel, step) for channel, step in pairs]
        if link.board.target != "xylo-audio2":
            return [*events, link.events.TriggerProcessing(target_timestep=end)]
        # A spike beyond the end makes the chip finish all steps before it; it is erased again.
        erase = [link.events.WriteRegisterValue(address=a, data=0) for a in A2_REGISTERS.inputs]
        return [*events, link.spike(0, end), *erase]

    def _time(self, event: Any) -> int:
        return int(getattr(event, self.link.board.time, -1))

    def _await_states(self, steps: int, deadline: float, timeout: float) -> None:
        """Wait until the state buffer, a stream of its own, has all steps too."""
        while (done := self.link.complete_steps()) < steps:
            if time.monotonic() > deadline:
                raise DeviceTimeoutError(
                    f"{self.link.name}: the state buffer holds {done} of {steps} steps after "
                    f"{timeout:g} s; allow more with timeout="
                )
            time.sleep(0.001)

    def _decoded(
        self, events: list[Any], start: int, steps: int, traces: Collection[str]
    ) -> Signals:
        link = self.link
        by_step = {link.time_of(r) - start: r for r in link.readouts_of(events)}
        missing = [step for step in range(steps) if step not in by_step]
        if missing:
            raise DeviceError(
                f"{link.name}: {len(missing)} of {steps} read-outs were lost, the first at step "
                f"{missing[0]}; run again, with fewer steps at a time"
            )
        return signals_from_readouts(self.config, [by_step[s] for s in range(steps)], traces)
