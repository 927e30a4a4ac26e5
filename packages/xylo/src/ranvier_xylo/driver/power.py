"""Supply power of a board during a run."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import DeviceError

from .boards import Board
from .vendor import speaking

Readings = dict[str, NDArray[np.float64]]
"""Power samples, in W, by channel."""


class PowerMeter:
    """The board's power monitor, started before a run and stopped after it on every way out.

    A measurement that somebody left running is stopped first: the SDK refuses to start a second one
    and the old one's samples do not belong to this run.

    Parameters
    ----------
    sdk, hdk : object
        SDK and opened device.
    board : Board
    name : str
        Id of the board, for messages.
    rate : float or None
        Samples per second; None takes the board's default.
    """

    def __init__(self, sdk: Any, hdk: Any, board: Board, *, name: str, rate: float | None) -> None:
        self._board, self._name, self._hdk = board, name, hdk
        self._rate = board.power_rate if rate is None else rate
        with speaking(name, "finding the power monitor"):
            self._monitor = hdk.get_power_monitor()
            self._channels = _channel_names(sdk, board)
            self._sink = sdk.graph.sink_from(self._monitor.get_source_node())
        self._readings: Readings = {}

    @property
    def readings(self) -> Readings:
        """Samples of the last measurement; a channel without finite samples is empty."""
        return dict(self._readings)

    @contextmanager
    def measuring(self) -> Iterator[None]:
        """Measure while the block runs; `readings` holds the result afterwards."""
        self._readings = {}
        with speaking(self._name, "starting the power measurement"):
            self._start()
        try:
            yield
        except BaseException:
            with suppress(DeviceError):
                self.stop()
            raise
        self.stop()
        with speaking(self._name, "reading the power samples"):
            self._readings = self._collected(self._sink.get_events())

    def stop(self) -> None:
        """Stop a measurement if one is running."""
        with speaking(self._name, "stopping the power measurement"):
            if self._monitor.is_auto_power_measurement_active():
                self._monitor.stop_auto_power_measurement()

    def _start(self) -> None:
        self.stop()
        self._sink.clear_events()
        if self._board.target == "xylo-audio3":
            self._hdk.get_stop_watch().start()
        self._monitor.start_auto_power_measurement(self._rate)

    def _collected(self, events: list[Any]) -> Readings:
        samples: dict[str, list[float]] = {name: [] for name in self._channels.values()}
        for event in events:
            name = self._channels.get(event.channel)
            if name is not None and math.isfinite(event.value):
                samples[name].append(float(event.value))
        return {name: np.array(values) for name, values in samples.items()}


def _channel_names(sdk: Any, board: Board) -> dict[Any, str]:
    """Return our name of each member of the SDK's enumeration of channels."""
    channels = getattr(sdk, board.board_namespace).MeasurementChannels
    if board.power_channels:
        return {getattr(channels, key): name for key, name in board.power_channels.items()}
    return {member: name for name, member in channels.__members__.items()}
