"""Real time: the board's own sensor is the input, one step lasts dt."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import DeviceError, DeviceTimeoutError, InputError

from ..energy import required_clock
from ..estimate import workload_of
from ..targets import target_named
from .configuration import MODES
from .registers import (
    A2_CTRL1,
    A2_HM_TR_WRAP,
    A2_MANUAL_BIT,
    A2_REGISTERS,
    A2_TR_WRAP,
    A2_WO,
    A2_WO_REAL_TIME,
)
from .runner import Runner, Signals, signals_from_readouts, signals_from_states
from .vendor import speaking

A2_SETTLING = 0.1
"""Wait before Audio 2 is switched to real time, in s (rockpool 3.1.0)."""
AUDIO3_PDM_CLOCK = 1.56e6
"""Clock of the Audio 3's digital microphone, in Hz (rockpool 3.1.0)."""
IMU_INTERFACE_CLOCK = 50e3
"""Clock of the IMU interface, in Hz (rockpool 3.1.0)."""
IMU_CONFIGURATION_TIMEOUT = 20000
"""``input_interface.configuration_timeout`` of the IMU (rockpool 3.1.0; its unit is not stated)."""


class RealTimeRunner(Runner):
    """Listens to the sensor for as many steps as the input has; the input itself must be zero."""

    @property
    def clock(self) -> float:
        """Main clock of the chip, in Hz: the one asked for, or the board's default."""
        default = target_named(self.config.target).fact("default_clock").value
        return self.options.clock or float(default or 0)

    def check(self, counts: NDArray[np.int64]) -> None:
        """Refuse spikes from the host."""
        if np.any(counts):
            raise InputError(
                f"{self.link.name}: in real-time mode the board's sensor is the input; give zeros "
                "of the length to listen for, or use mode='accelerated'"
            )

    def check_clock(self) -> None:
        """Raise `DeviceError` if the clock cannot finish a busy step within dt."""
        load, margin = workload_of(self.config), self.options.margin
        needed = required_clock(load, dt=self.config.dt, margin=margin)
        if self.clock < needed:
            raise DeviceError(
                f"{self.link.name}: a step of {self.config.dt:g} s needs a main clock of "
                f"{needed / 1e6:.3g} MHz with a margin of {margin:g}, it is "
                f"{self.clock / 1e6:.3g} MHz; set clock= higher, use a longer dt, or a smaller "
                "network"
            )

    def prepare(self, traces: Collection[str]) -> None:
        """Set step length, sensor and clock dividers in the configuration."""
        self.check_clock()
        super().prepare(traces)
        vendor, clock = self.vendor, self.clock
        if self.link.board.target == "xylo-audio3":
            vendor.time_resolution_wrap = int(self.config.dt * clock)
            sources = getattr(self.link.sdk, self.link.board.namespace).InputSource
            vendor.input_source = sources.DigitalMicrophone
            vendor.debug.always_update_omp_stat = True
            vendor.debug.sdm_clock_ratio = int(clock / AUDIO3_PDM_CLOCK / 2 - 1)
            vendor.digital_frontend.filter_bank.dn_enable = True
            vendor.digital_frontend.filter_bank.use_global_iaf_threshold = True
            vendor.digital_frontend.pdm_preprocessing.clock_direction = 1
            vendor.digital_frontend.pdm_preprocessing.clock_edge = 0
        elif self.link.board.target == "xylo-imu":
            vendor.time_resolution_wrap = int(self.config.dt * clock)
            vendor.imu_if_input_enable = True
            vendor.debug.imu_if_clk_enable = True
            vendor.debug.imu_if_clock_freq_div = int(clock / IMU_INTERFACE_CLOCK - 1)
            vendor.input_interface.configuration_timeout = IMU_CONFIGURATION_TIMEOUT

    def configure(self, traces: Collection[str] = ()) -> None:
        """Write the configuration; Audio 2 is then switched over by registers."""
        fresh = self._monitored != frozenset(traces)
        super().configure(traces)
        if fresh and self.link.board.target == "xylo-audio2":
            self._switch_audio2()

    def _switch_audio2(self) -> None:
        link, wrap = self.link, int(self.clock * self.config.dt)
        with speaking(link.name, "switching to real time"):
            handler = link.hdk.get_io_module().get_xylo_handler()
            handler.set_main_clk_rate(int(self.clock))
            link.write_registers({A2_TR_WRAP: wrap, A2_HM_TR_WRAP: wrap})
            link.write_registers(dict.fromkeys(A2_REGISTERS.inputs, 0))
            ctrl1 = link.read_registers([A2_CTRL1], timeout=self.timeout(1))[0]
            link.write_registers({A2_CTRL1: ctrl1 & ~(1 << A2_MANUAL_BIT), A2_WO: A2_WO_REAL_TIME})
            time.sleep(A2_SETTLING)
            modes = getattr(link.sdk, link.board.namespace).OperationMode
            handler.set_operation_mode(getattr(modes, MODES["real-time"]))

    def run(self, counts: NDArray[np.int64], traces: Collection[str]) -> Signals:
        """Listen for the length of the counts ``(time, n_in)``."""
        link, steps = self.link, len(counts)
        self.configure(traces)
        timeout = self.timeout(steps, traces)
        if self.options.timeout is None:
            timeout += 2 * steps * self.config.dt
        link.clear()
        if link.states is not None:
            self._listen_to_states(steps, timeout)
            return signals_from_states(self.config, link.states, steps, traces)
        if link.board.target == "xylo-audio3":
            link.write([link.events.TriggerProcessing()])
        events = link.wait(
            lambda found: len(link.readouts_of(found)) >= steps,
            timeout=timeout,
            what=f"{steps} read-outs of {self.config.dt:g} s each",
            readouts=True,
        )
        return signals_from_readouts(self.config, self._joined(events, steps), traces)

    def _listen_to_states(self, steps: int, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while (done := self.link.complete_steps()) < steps:
            if time.monotonic() > deadline:
                raise DeviceTimeoutError(
                    f"{self.link.name}: {done} of {steps} steps came within {timeout:g} s; check "
                    "the chip's clock, or allow more with timeout="
                )
            time.sleep(min(self.config.dt, 0.01))

    def _joined(self, events: list[Any], steps: int) -> list[Any]:
        """Return consecutive read-outs; a gap would shift everything behind it."""
        readouts = self.link.readouts_of(events)[:steps]
        times = [self.link.time_of(readout) for readout in readouts]
        if times != list(range(times[0], times[0] + steps)):
            raise DeviceError(
                f"{self.link.name}: read-outs were lost between steps {times[0]} and {times[-1]}; "
                "run again"
            )
        return readouts
