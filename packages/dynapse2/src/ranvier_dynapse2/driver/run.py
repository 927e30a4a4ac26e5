"""One sample on a board: send, wait for the end, and give time stamps a common origin."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import DeviceError, DeviceTimeoutError

from .decoding import ECHO_TAG, ticks_of
from .events import Packets, input_packets
from .link import ALL_CORES, PERIOD, Link
from .monitors import EVENT, fact

if TYPE_CHECKING:
    from ..config import Dynapse2Config
    from .options import DeployOptions


def relative_times(stamps: NDArray[np.int64], start: int) -> NDArray[np.int64]:
    """Return ticks since a start from 32-bit time stamps, across the end of the clock.

    Parameters
    ----------
    stamps : array of int, (n,)
        Time stamps, 0..2**32 - 1.
    start : int
        Ticks, may be beyond 2**32. Stamps belong to the half period before or after it.
    """
    half = PERIOD // 2
    return np.asarray((stamps - start + half) % PERIOD - half, dtype=np.int64)


class Runner:
    """Runs samples on an open board.

    Parameters
    ----------
    link : Link
        The board.
    config : Dynapse2Config
        What is on it.
    options : DeployOptions
        Clock, waits and control packets.
    """

    def __init__(self, link: Link, config: Dynapse2Config, options: DeployOptions) -> None:
        self.link, self.config, self.options = link, config, options

    def run(self, counts: NDArray[np.int64]) -> Packets:
        """Run ``(time, n_channels)`` spikes; return the events, times in ticks since the start.

        Raises
        ------
        DeviceError
            The run would cross the end of the board's clock.
        DeviceTimeoutError
            The clock does not answer, or the end of the run does not come.
        """
        options, tick = self.options, self.options.dt_fpga
        now = self.link.now()
        start = now + round(options.start_delay / tick)
        ticks = ticks_of(self.config, len(counts), tick)
        packets = input_packets(self.config, counts, start=start * tick, tick=tick)
        last = max(start + ticks, int(packets["time_us"].max(initial=0)) + 1)
        self._check_clock(now, start, last)
        if options.echo_inputs:
            packets = _with_echoes(self.config, packets)
        events = self.link.grid_events(packets)
        self.link.write([*events, *self.link.control(last, options.control_packets)])
        return self._collect(start, last - start)

    def _check_clock(self, now: int, start: int, last: int) -> None:
        options = self.options
        if last - start >= PERIOD // 2:
            raise DeviceError(
                f"{self.link.name}: the run takes {last - start} ticks, time stamps of 32 bits "
                f"tell apart {PERIOD // 2 - 1}; split the input into shorter runs"
            )
        end = PERIOD - round(options.wrap_margin / options.dt_fpga)
        if last < end or options.wrap == "send":
            return
        tick, needed = options.dt_fpga, (last - start) * options.dt_fpga
        raise DeviceError(
            f"{self.link.name}: the run ends at tick {last}, the board's clock of 32 bits ends at "
            f"{PERIOD} and {options.wrap_margin:g} s before that are kept free: latest tick {end}. "
            f"The clock is at {now * tick:.1f} s and the run takes {needed:.1f} s; open the board "
            f"again with reset_fpga=True, wait {(PERIOD - now) * tick:.0f} s, or use wrap='send'"
        )

    def _collect(self, start: int, ticks: int) -> Packets:
        """Poll until the end marker came back, or the time is over, and nothing more comes."""
        options, link = self.options, self.link
        duration = options.start_delay + ticks * options.dt_fpga
        begun = time.monotonic()
        deadline = begun + duration + options.read_timeout
        idle_ticks = round(options.idle_time / options.dt_fpga)
        parts: list[Packets] = []
        ended, quiet_since = False, begun
        while True:
            events = link.read()
            clock = time.monotonic()
            if len(events):
                quiet_since = clock
                events["time"] = relative_times(events["time"], start)
                marker = link.is_control(events)
                ended |= bool(np.any(marker & (events["time"] >= ticks)))
                parts.append(events[~marker])
            if options.end == "duration":
                ended = clock >= begun + duration
            late = len(events) and int(events["time"].max()) >= ticks + idle_ticks
            if ended and (clock - quiet_since >= options.idle_time or late):
                return np.concatenate([np.zeros(0, dtype=EVENT), *parts])
            given_up = deadline + (options.read_timeout if ended or len(events) else 0.0)
            if clock > given_up:
                raise self._timeout(sum(map(len, parts)), ended=ended)
            time.sleep(options.poll_interval)

    def _timeout(self, received: int, *, ended: bool) -> DeviceTimeoutError:
        missing = "events do not stop" if ended else "the end marker did not come back"
        return DeviceTimeoutError(
            f"{self.link.name}: {missing} within {self.options.read_timeout:g} s after the run "
            f"({received} event(s) came); check the board's power, use end='duration', or allow "
            "more with read_timeout="
        )


def echoes_of(config: Dynapse2Config, packets: Packets) -> Packets:
    """Return packets that go straight back to the host, one per input spike.

    They carry the channel in their tag, above the tags of neurons (`ECHO_TAG`), so that they
    cannot be taken for a neuron's. Aramatos/dynapse2_adaptation sends back the input's own tag.
    """
    channels, first = np.unique(config.input_channel, return_index=True)
    row = first[np.searchsorted(channels, packets["channel"])]
    one = (packets["tag"] == config.input_tag[row]) & (packets["cores"] == config.input_cores[row])
    one &= (packets["x"] == config.input_x[row]) & (packets["y"] == config.input_y[row])
    echoes: Packets = packets[one].copy()
    echoes["tag"] = ECHO_TAG + echoes["channel"]
    echoes["cores"] = ALL_CORES
    echoes["x"], echoes["y"] = -int(fact("monitor_hops_x")), -int(fact("monitor_hops_y"))
    return echoes


def _with_echoes(config: Dynapse2Config, packets: Packets) -> Packets:
    both = np.concatenate([packets, echoes_of(config, packets)])
    return np.asarray(both[np.argsort(both["time_us"], kind="stable")])
