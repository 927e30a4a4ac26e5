"""What is said to a board, and what it answers: one place for the SDK's calls."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ranvier.errors import DeviceError, DeviceTimeoutError

from .events import PACKET, Packets
from .monitors import EVENT
from .vendor import speaking

if TYPE_CHECKING:
    from .options import DeployOptions

CLOCK_BITS = 32
PERIOD = 1 << CLOCK_BITS
"""Ticks after which the board's clock starts again (Aramatos/dynapse2_adaptation)."""
FPGA_PAUSE = 0.1
"""Longest pause around the reset of the FPGA, in s (Aramatos/dynapse2_adaptation)."""
CONTROL_PORT = 0
"""Port of the input interface that control packets go to (rockpool 3.1.0)."""
ALL_CORES = 0b1111
RESETS = {"power-cycle": "PowerCycle", "config": "ConfigReset"}
_SHOWN = 3


class Link:
    """An open board.

    Parameters
    ----------
    sdk : module
        The vendor's SDK.
    board : object
        The opened device.
    options : DeployOptions
        Pauses and control packets.
    name : str
        Id of the board, for messages.
    """

    def __init__(self, sdk: Any, board: Any, options: DeployOptions, *, name: str) -> None:
        self.sdk, self.board, self.options, self.name = sdk, board, options, name
        self.model: Any = None

    def prepare(self) -> None:
        """Configure the FPGA if a bit file is given, then reset as the options say.

        Raises
        ------
        DeviceError
            The bit file does not exist or is refused.
        """
        options, pause = self.options, min(FPGA_PAUSE, self.options.settle)
        if options.bitfile is not None:
            self._configure(str(options.bitfile))
        if options.reset_fpga:
            with speaking(self.name, "resetting the FPGA"):
                time.sleep(pause)
                self.board.reset_fpga()
                time.sleep(pause)
        with speaking(self.name, "asking for the board's model"):
            self.model = self.board.get_model()
            chips = len(self.model.get_configuration().chips)
        if options.reset != "none":
            with speaking(self.name, "resetting the chips"):
                kind = getattr(self.sdk.dynapse2.ResetType, RESETS[options.reset])
                self.model.reset(kind, (1 << chips) - 1)
                time.sleep(options.reset_pause)

    def _configure(self, bitfile: str) -> None:
        if not self.options.bitfile or not self.options.bitfile.is_file():
            raise DeviceError(
                f"{self.name}: bitfile {bitfile!r} does not exist; give the FPGA's bit file of "
                "this board as the vendor ships it, or leave bitfile out if the board is configured"
            )
        with speaking(self.name, "configuring the FPGA"):
            done = self.board.configure_opal_kelly(bitfile)
        if not done:
            raise DeviceError(
                f"{self.name}: the board refuses bitfile {bitfile!r}; use the bit file of this "
                "kind of board, and check its power"
            )

    def configuration(self) -> Any:
        """Return the configuration that the SDK holds of the board."""
        with speaking(self.name, "reading the configuration"):
            return self.model.get_configuration()

    def apply(self, vendor: Any) -> None:
        """Write a configuration, wait until it has settled, and look at the SDK's error queue."""
        with speaking(self.name, "applying the configuration"):
            self.model.clear_error_queue()
            self.model.apply_configuration(vendor)
            time.sleep(self.options.settle)
        errors = self.errors()
        if errors:
            shown = "; ".join(errors[:_SHOWN])
            raise DeviceError(
                f"{self.name}: the configuration was rejected with {len(errors)} error(s): {shown}"
                "; reset the board, or open it with reset='power-cycle'"
            )

    def errors(self) -> list[str]:
        """Return what is in the SDK's error queue."""
        with speaking(self.name, "reading the error queue"):
            return [str(error) for error in self.model.get_error_events()]

    def control(self, time_stamp: int, count: int) -> list[Any]:
        """Return control packets: they come back to the host."""
        packets = np.zeros(count, dtype=PACKET)
        packets["time_us"], packets["tag"] = time_stamp, self.options.control_tag
        packets["cores"], packets["x"] = ALL_CORES, self.options.control_hop
        packets["y"] = self.options.control_hop
        return self.grid_events(packets)

    def grid_events(self, packets: Packets) -> list[Any]:
        """Return packets as the SDK's timed events; times start again after 32 bits."""
        space, events = self.sdk.dynapse2, []
        for row in packets[["time_us", "tag", "cores", "x", "y"]].tolist():
            event, destination = space.NormalGridEvent(), space.Dynapse2Destination()
            destination.tag, destination.x_hop, destination.y_hop = row[1], row[3], row[4]
            destination.core = [bool(row[2] >> bit & 1) for bit in range(4)]
            event.event, event.timestamp = destination, row[0] % PERIOD
            events.append(event)
        return events

    def write(self, events: Sequence[Any]) -> None:
        """Send timed events into the grid."""
        with speaking(self.name, f"sending {len(events)} event(s)"):
            self.board.grid_bus_write_events(list(events))

    def read(self) -> Packets:
        """Return what came since the last look, fields of `EVENT`, raw time stamps."""
        with speaking(self.name, "reading events"):
            found = [
                (int(e.timestamp), int(e.event.tag), int(e.event.x_hop), int(e.event.y_hop))
                for e in self.board.read_events()
            ]
        return np.array(found, dtype=EVENT)

    def drain(self) -> None:
        """Read until nothing is left over from before, `clock_timeout` at most."""
        deadline = time.monotonic() + self.options.clock_timeout
        while len(self.read()) and time.monotonic() < deadline:
            time.sleep(self.options.poll_interval)

    def is_control(self, events: Packets) -> Any:
        """Return which events are returned control packets."""
        hop = self.options.control_hop
        return (
            (events["tag"] == self.options.control_tag)
            & (events["x"] == hop + 1)
            & (events["y"] == hop)
        )

    def now(self) -> int:
        """Return the time of the board's clock, in ticks.

        Raises
        ------
        DeviceTimeoutError
            No control packet came back.

        Notes
        -----
        Control packets are sent through the input interface; the last one's time stamp is the
        time (rockpool 3.1.0, devices/dynapse/hardware).
        """
        wanted, wait = self.options.control_packets, self.options.clock_timeout
        self.read()  # what came since the network was written
        with speaking(self.name, "sending control packets"):
            self.board.input_interface_write_events(CONTROL_PORT, self.control(0, wanted))
        deadline, returned, others = time.monotonic() + wait, 0, 0
        last: int | None = None
        while True:
            events = self.read()
            control = events[self.is_control(events)]
            others += len(events) - len(control)
            returned += len(control)
            if len(control):
                last = int(control["time"][-1])
            if last is not None and (returned >= wanted or not len(control)):
                return last
            if time.monotonic() > deadline:
                raise DeviceTimeoutError(
                    f"{self.name}: none of {wanted} control packets came back within {wait:g} s "
                    f"({others} other event(s) came); check that the FPGA is configured (bitfile=)"
                    ", and control_tag= and control_hop="
                )
            time.sleep(self.options.poll_interval)
