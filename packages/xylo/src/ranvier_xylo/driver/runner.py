"""What the three modes of a board have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import DeviceError

from .boards import MIN_TIMEOUT
from .configuration import monitor_start, set_mode, set_monitors, validate
from .link import Link

if TYPE_CHECKING:
    from ..config import XyloConfig
    from .options import DeployOptions

Signals = dict[str, NDArray[Any]]
"""``output_spikes`` and the traces, each (time, n)."""
STATE_TRACES = frozenset({"spikes", "i_syn", "i_syn2", "v_mem"})


class Runner(ABC):
    """Runs one sample at a time on an open board, in one mode.

    Parameters
    ----------
    link : Link
    config : XyloConfig
    vendor : object
        The SDK's configuration, filled; a runner sets mode and monitors in it.
    options : DeployOptions
    """

    def __init__(self, link: Link, config: XyloConfig, vendor: Any, options: DeployOptions) -> None:
        self.link, self.config, self.vendor, self.options = link, config, vendor, options
        self._monitored: frozenset[str] | None = None

    @abstractmethod
    def run(self, counts: NDArray[np.int64], traces: Collection[str]) -> Signals:
        """Advance by the counts ``(time, n_in)``, time ≥ 1, and return what was asked for."""

    def check(self, counts: NDArray[np.int64]) -> None:  # noqa: B027 - most modes take all
        """Raise `InputError` before anything is sent if the mode cannot take the input."""

    def use(self, vendor: Any) -> None:
        """Take another configuration; it is written before the next step."""
        self.vendor, self._monitored = vendor, None

    def configure(self, traces: Collection[str] = ()) -> None:
        """Write the configuration, if it is not the one on the chip."""
        if self._monitored == frozenset(traces):
            return
        board, sdk = self.link.board, self.link.sdk
        set_mode(sdk, board, self.vendor, self.options.mode)
        self.prepare(traces)
        validate(sdk, board, self.vendor)
        self.link.apply(self.vendor)
        self._monitored = frozenset(traces)

    def prepare(self, traces: Collection[str]) -> None:
        """Set what the mode needs in the configuration."""
        set_monitors(self.link.sdk, self.link.board, self.vendor, self.config, traces)

    def timeout(self, steps: int, traces: Collection[str] = ()) -> float:
        """Return how long to wait for a run, in s."""
        if self.options.timeout is not None:
            return self.options.timeout
        rule, config = self.link.board.timeouts, self.config
        wait = rule.factor * steps * config.n_hid / 100 * (config.dt if rule.uses_dt else 1)
        if STATE_TRACES & set(traces):
            wait *= rule.recording
        return max(MIN_TIMEOUT, wait)


def signals_from_readouts(
    config: XyloConfig, readouts: Sequence[Any], traces: Collection[str]
) -> Signals:
    """Return the signals in one `Readout` event per step (Audio 3 and IMU).

    Hidden neurons come first in ``neuron_v_mems`` and ``neuron_i_syns``; output membranes and
    spikes have fields of their own.
    """
    n_hid, n_out = config.n_hid, config.n_out
    columns = {
        "spikes": ("hidden_spikes", slice(0, n_hid)),
        "v_mem": ("neuron_v_mems", slice(0, n_hid)),
        "v_mem_out": ("output_v_mems", slice(0, n_out)),
        "i_syn": ("neuron_i_syns", slice(0, n_hid)),
        "i_syn_out": ("neuron_i_syns", slice(-n_out, None)),
    }
    found = {"output_spikes": _field(readouts, "output_spikes", slice(0, n_out), n_out)}
    for name in traces:
        field, part = columns[name]
        found[name] = _field(readouts, field, part, n_out if name.endswith("_out") else n_hid)
    return found


def _field(readouts: Sequence[Any], name: str, part: slice, size: int) -> NDArray[np.int64]:
    rows = [list(getattr(readout, name))[part] for readout in readouts]
    return _table(rows, size, name)


def signals_from_states(
    config: XyloConfig, states: Any, steps: int, traces: Collection[str]
) -> Signals:
    """Return the signals in the state buffer of Audio 2: one list per neuron, outputs last."""
    n_hid, n_out = config.n_hid, config.n_out
    both = {"v_mem": states.get_reservoir_v_mem, "i_syn": states.get_reservoir_i_syn}
    hidden = {"spikes": states.get_reservoir_spike, "i_syn2": states.get_reservoir_i_syn2}
    found = {"output_spikes": _columns(states.get_output_spike(), steps, n_out, "output spikes")}
    for name in traces:
        if name in hidden:
            found[name] = _columns(hidden[name](), steps, n_hid, name)
            continue
        kind = name.removesuffix("_out")
        size = n_hid + n_out - monitor_start(config, traces, kind)
        values = _columns(both[kind](), steps, size, kind)
        found[name] = values[:, -n_out:] if name.endswith("_out") else values[:, :n_hid]
    return found


def _columns(lists: Sequence[Any], steps: int, size: int, what: str) -> NDArray[np.int64]:
    cut = [list(values)[:steps] for values in lists]
    if len(cut) != size or any(len(values) != steps for values in cut):
        lengths = sorted({len(values) for values in cut})
        raise DeviceError(
            f"xylo: the board sent {what} of {len(cut)} neurons over {lengths} steps, "
            f"expected {size} over {steps}; run again"
        )
    return np.array(cut, dtype=np.int64).reshape(size, steps).T


def _table(rows: list[list[Any]], size: int, what: str) -> NDArray[np.int64]:
    short = next((row for row in rows if len(row) != size), None)
    if short is not None:
        raise DeviceError(
            f"xylo: the board sent {what} of {len(short)} neurons, expected {size}; run again"
        )
    return np.array(rows, dtype=np.int64).reshape(len(rows), size)
