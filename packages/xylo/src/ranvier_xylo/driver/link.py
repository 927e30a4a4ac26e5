"""The streams of events between host and chip."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from ranvier.errors import DeviceError, DeviceTimeoutError

from .boards import Board
from .vendor import speaking

POLL_MS = 20
"""Longest uninterruptible wait inside the SDK, in ms."""


class Link:
    """Wired streams of one open board.

    Parameters
    ----------
    sdk : module
        The vendor's SDK.
    board : Board
    hdk : object
        The opened device.
    name : str
        Id of the board, for messages.
    """

    def __init__(self, sdk: Any, board: Board, hdk: Any, *, name: str) -> None:
        self.sdk, self.board, self.hdk, self.name = sdk, board, hdk, name
        self.events = getattr(sdk, board.namespace).event
        self.states: Any = None
        with speaking(name, "wiring the event streams"):
            if board.target == "xylo-audio2":
                self._wire_audio2()
            else:
                self._wire_filtered()

    def _wire_audio2(self) -> None:
        sdk, self.model = self.sdk, self.hdk.get_xylo_model()
        self._replies = self._readouts = sdk.BasicSinkNode_xylo_core2_event_output_event()
        self._source = sdk.BasicSourceNode_xylo_core2_event_input_event()
        self.states = sdk.xyloCore2.NeuronStateSinkNode()
        self._graph = sdk.graph.EventFilterGraph()
        self._graph.sequential([self.model.get_source_node(), self._replies])
        self._graph.sequential([self.model.get_source_node(), self.states])
        self._graph.sequential([self._source, self.model.get_sink_node()])
        self._graph.start()

    def _wire_filtered(self) -> None:
        graph, hdk = self.sdk.graph, self.hdk
        self.model = hdk.get_model()
        self._replies = graph.sink_from(hdk.get_model_source_node())
        self._source = graph.source_to(hdk.get_model_sink_node())
        imu = self.board.target == "xylo-imu"
        origin = hdk.get_model_source_node() if imu else self.model.get_source_node()
        self._graph = graph.EventFilterGraph()
        nodes = self._graph.sequential([origin, self.board.readout_filter, graph.JitSink()])
        nodes[1].set_desired_type(self.board.readout_type)
        self._readouts = nodes[2]
        self._graph.start()

    def apply(self, vendor: Any) -> None:
        """Write a validated configuration to the chip."""
        with speaking(self.name, "applying the configuration"):
            self.model.apply_configuration(vendor)
            if self.states is not None:
                self.states.set_configuration(vendor)

    def write(self, events: Sequence[Any]) -> None:
        """Send events in one go."""
        with speaking(self.name, f"sending {len(events)} event(s)"):
            self._source.write(list(events))

    def clear(self) -> None:
        """Forget everything received so far."""
        with speaking(self.name, "clearing the buffers"):
            self._replies.clear_events()
            self._readouts.clear_events()
            if self.states is not None:
                self.states.reset()

    def complete_steps(self) -> int:
        """Return how many steps of every output neuron the state buffer of Audio 2 holds."""
        with speaking(self.name, "reading the state buffer"):
            outputs = self.states.get_output_spike()
        return min((len(values) for values in outputs), default=0)

    def ask(self, request: Any, kind: str, *, timeout: float, what: str) -> Any:
        """Send one request and return the first reply of an event type."""
        self.write([request])
        found = self.wait(
            lambda events: any(_is(e, kind) for e in events),
            timeout=timeout,
            what=what,
            readouts=kind == "Readout",
        )
        return next(event for event in found if _is(event, kind))

    def wait(
        self,
        complete: Callable[[list[Any]], bool],
        *,
        timeout: float,
        what: str,
        readouts: bool = False,
    ) -> list[Any]:
        """Collect events until they are complete.

        Raises
        ------
        DeviceTimeoutError
            They were not within ``timeout`` s.
        """
        stream, collected = (self._readouts if readouts else self._replies), []  # type: Any, list[Any]
        deadline = time.monotonic() + timeout
        while True:
            with speaking(self.name, f"waiting for {what}"):
                collected += stream.get_events_blocking(timeout=POLL_MS)
            if complete(collected):
                return collected
            if time.monotonic() > deadline:
                raise DeviceTimeoutError(
                    f"{self.name}: no {what} within {timeout:g} s ({len(collected)} event(s) came);"
                    " check the board's power and clock, or allow more with timeout="
                )

    def readouts_of(self, events: Sequence[Any]) -> list[Any]:
        """Return the read-outs among events."""
        return [event for event in events if _is(event, "Readout")]

    def time_of(self, event: Any) -> int:
        """Return the time of an event, in steps."""
        return int(getattr(event, self.board.time))

    def spike(self, channel: int, step: int | None = None) -> Any:
        """Make an input spike, at a step or (manual mode) without time."""
        times = {} if step is None else {self.board.time: step}
        return self.events.Spike(neuron_id=channel, **times)

    def read_registers(self, addresses: Sequence[int], *, timeout: float) -> list[int]:
        """Return the contents of registers."""
        requests = [self.events.ReadRegisterValue(address=a) for a in addresses]
        return self._fetch(requests, addresses, "RegisterValue", "register", timeout=timeout)

    def read_memory(self, addresses: Sequence[int], *, timeout: float) -> list[int]:
        """Return the contents of memory words; the first is read twice, as the chip needs it."""
        if not addresses:
            return []
        asked = [addresses[0], *addresses]
        requests = [self.events.ReadMemoryValue(address=a) for a in asked]
        return self._fetch(requests, addresses, "MemoryValue", "memory", timeout=timeout)

    def write_registers(self, values: dict[int, int]) -> None:
        """Write registers in the order of the mapping."""
        make = self.events.WriteRegisterValue
        self.write([make(address=a, data=v) for a, v in values.items()])

    def _fetch(
        self,
        requests: list[Any],
        addresses: Sequence[int],
        kind: str,
        what: str,
        *,
        timeout: float,
    ) -> list[int]:
        with speaking(self.name, "clearing the buffers"):
            self._replies.clear_events()
        self.write(requests)
        events = self.wait(
            lambda found: sum(_is(e, kind) for e in found) >= len(requests),
            timeout=timeout,
            what=f"{len(requests)} {what} value(s)",
        )
        values = {int(e.address): int(e.data) for e in events if _is(e, kind)}
        missing = [address for address in addresses if address not in values]
        if missing:
            raise DeviceError(
                f"{self.name}: {what} address {missing[0]:#x} was asked for and not answered; "
                "open the board again"
            )
        return [values[address] for address in addresses]

    def close(self) -> None:
        """Stop the streams."""
        self._graph.stop()


def _is(event: Any, kind: str) -> bool:
    return type(event).__name__ == kind
