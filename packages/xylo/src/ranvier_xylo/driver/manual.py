"""Manual mode: the host triggers every step and reads what it wants from the chip's memory."""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import nullcontext

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import DeviceError, DeviceTimeoutError

from .events import events_from_counts
from .memory import ram_access, read_traces
from .registers import Registers
from .runner import Runner, Signals


class ManualRunner(Runner):
    """Spikes without time, one trigger per step, then registers and memory."""

    def prepare(self, traces: Collection[str]) -> None:
        """Refuse a chip without published registers."""
        super().prepare(traces)
        self._registers()

    def _registers(self) -> Registers:
        if self.link.board.registers is None:
            raise DeviceError(
                f"{self.link.name}: the status registers of this chip are not published, so that "
                "manual mode cannot be driven; use mode='accelerated'"
            )
        return self.link.board.registers

    def run(self, counts: NDArray[np.int64], traces: Collection[str]) -> Signals:
        """Advance by the counts ``(time, n_in)``, step by step."""
        self.configure()  # without monitors: states are read from memory
        timeout = self.timeout(1)
        access = ram_access(self.link, self.vendor, timeout=timeout) if traces else nullcontext()
        rows: list[Signals] = []
        with access:
            for step in range(len(counts)):
                self._step(counts[step : step + 1], step, timeout)
                states = read_traces(self.link, self.config, traces, timeout=timeout)
                rows.append({"output_spikes": self._outputs(timeout), **states})
        return {name: np.stack([row[name] for row in rows]) for name in rows[0]}

    def _step(self, counts: NDArray[np.int64], step: int, timeout: float) -> None:
        link, registers = self.link, self._registers()
        _, channels = events_from_counts(counts, most=self.config.limits.input_count_max)
        spikes = [link.spike(channel) for channel in channels.tolist()]
        link.write([*spikes, link.events.TriggerProcessing()])
        deadline = time.monotonic() + timeout
        while True:
            status = link.read_registers([registers.status], timeout=timeout)[0]
            if status >> registers.ready_bit & 1:
                return
            if time.monotonic() > deadline:
                raise DeviceTimeoutError(
                    f"{link.name}: step {step} was not finished within {timeout:g} s; check the "
                    "chip's clock, or allow more with timeout="
                )

    def _outputs(self, timeout: float) -> NDArray[np.int64]:
        flags = self.link.read_registers([self._registers().output_flags], timeout=timeout)[0]
        return (flags >> np.arange(self.config.n_out)) & 1
