"""A board as a session: one sample at a time, released on every way out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack, nullcontext, suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import AbstractSession, Recording, State
from ranvier.diagnostics import Diagnostic
from ranvier.errors import DeviceError, SimulationError

from ..config import XyloConfig
from ..decoding import (
    ChipSignals,
    input_findings,
    joined_inputs,
    needed_traces,
    recordable_quantities,
    recording_from_signals,
)
from ..diagnostics import NEVER_ON_SILICON, NO_POWER_SAMPLES, STATE_NOT_CLEARED
from .accelerated import AcceleratedRunner
from .boards import MIN_TIMEOUT
from .configuration import build_configuration, validate
from .control import set_clock, soft_reset, start_audio2
from .devices import OpenBoard
from .link import Link
from .manual import ManualRunner
from .memory import ram_access, read_traces
from .options import DeployOptions
from .power import PowerMeter, Readings
from .realtime import RealTimeRunner
from .runner import Runner, Signals
from .vendor import speaking

_RUNNERS: dict[str, type[Runner]] = {
    "accelerated": AcceleratedRunner,
    "real-time": RealTimeRunner,
    "manual": ManualRunner,
}
_STATE = ("i_syn", "i_syn2", "v_mem", "spikes", "i_syn_out", "v_mem_out")


class BoardSession(AbstractSession):
    """An open board with a configuration on it.

    A chip holds the state of one sample: samples of a batch run one after the other, each from a
    cleared state; afterwards `reset` is needed before the next run. A single sample goes on where
    the last run ended. Any error during a run, an interrupt too, releases the board.

    Parameters
    ----------
    config : XyloConfig
    opened : OpenBoard
        Its stack must be closed by the caller if the constructor raises.
    options : DeployOptions

    Notes
    -----
    Never run on silicon: checked against an emulation of the SDK.
    """

    def __init__(self, config: XyloConfig, opened: OpenBoard, options: DeployOptions) -> None:
        super().__init__(input_shapes=config.input_shapes, dt=config.dt)
        self._config, self._options, self._opened = config, options, opened
        self._resources = ExitStack()
        self._used = self._scattered = False
        self._board, self._name = opened.board, opened.name
        self._cleared = self._prepare_board()
        self._link = self._opening(Link(opened.sdk, self._board, opened.hdk, name=self._name))
        self._meter = self._open_meter()
        if self._board.target == "xylo-audio2":
            start_audio2(self._link, timeout=options.timeout or MIN_TIMEOUT)
        self._vendor = self._built(config)
        validate(opened.sdk, self._board, self._vendor)
        runner = _RUNNERS[options.mode]
        self._runner = runner(self._link, config, self._vendor, options)
        self._write_cleared()

    def _prepare_board(self) -> bool:
        """Set clock or reset before anything is wired; return whether that cleared the state."""
        opened, clock = self._opened, self._options.clock
        audio3 = self._board.target == "xylo-audio3"
        if self._options.soft_reset and not audio3:
            raise DeviceError(
                f"{self._name}: soft_reset is for Audio 3; this board clears its state otherwise"
            )
        if clock is not None:
            set_clock(opened.sdk, opened.hdk, self._board, name=self._name, clock=clock)
        elif self._options.soft_reset:
            soft_reset(opened.sdk, opened.hdk, name=self._name, clock=None)
        return audio3 and (clock is not None or self._options.soft_reset)

    def _opening(self, link: Link) -> Link:
        self._opened.stack.callback(_quietly, link.close)
        return link

    def _open_meter(self) -> PowerMeter | None:
        if not self._options.power:
            return None
        opened, rate = self._opened, self._options.power_rate
        return PowerMeter(opened.sdk, opened.hdk, self._board, name=self._name, rate=rate)

    def _built(self, config: XyloConfig) -> Any:
        with speaking(self._name, "building the vendor's configuration"):
            vendor = build_configuration(self._opened.sdk, self._board, config)
            vendor.enable_hibernation_mode = self._options.hibernation
        return vendor

    def take_over(self, resources: ExitStack) -> None:
        """Own what was opened; `close` gives it back."""
        self._resources = resources

    @property
    def config(self) -> XyloConfig:
        """The configuration in use."""
        return self._config

    @property
    def power(self) -> Readings:
        """Power samples of the last run, in W, by channel; empty without the option ``power``."""
        return self._meter.readings if self._meter else {}

    def recordable(self) -> Mapping[str, tuple[str, ...]]:
        """Return what this board can record; Audio 3 has no read-out of the second current."""
        offered = recordable_quantities(self._config)
        if self._board.target == "xylo-audio2" or self._options.mode == "manual":
            return offered
        return {node: tuple(q for q in names if q != "i_syn2") for node, names in offered.items()}

    def _run(
        self,
        inputs: Mapping[str, NDArray[Any]],
        *,
        record: Mapping[str, tuple[str, ...]],
        trial_seed: int | None,
    ) -> Recording:
        del trial_seed  # a digital chip has no noise
        counts = joined_inputs(self._config, inputs)
        traces = needed_traces(self._config, record)
        self._check_run(counts)
        parts, power = self._released_on_error(lambda: self._samples(counts, traces))
        spikes = np.stack([part.pop("output_spikes") for part in parts])
        signals = {name: np.stack([part[name] for part in parts]) for name in traces}
        return recording_from_signals(
            self._config,
            ChipSignals(spikes, signals),
            record=record,
            diagnostics=(*input_findings(self._config, inputs), *self._findings(power)),
            provenance={"session": self._name, "mode": self._options.mode, "power": power},
        )

    def _check_run(self, counts: NDArray[np.int64]) -> None:
        for sample in counts:
            self._runner.check(sample)
        if 0 in counts.shape[:2]:
            raise SimulationError(
                f"{self._name}: the input has {counts.shape[0]} samples of {counts.shape[1]} "
                "steps; a board runs at least one step"
            )
        if self._scattered or (self._used and len(counts) > 1):
            raise SimulationError(
                f"{self._name}: the chip holds the state of one sample; call reset() before and "
                "after a run with several"
            )
        if len(counts) > 1:
            self._check_clearable()

    def _samples(
        self, counts: NDArray[np.int64], traces: Collection[str]
    ) -> tuple[list[Signals], dict[str, float | None]]:
        parts = []
        with self._meter.measuring() if self._meter else nullcontext():
            for number, sample in enumerate(counts):
                if number:
                    self._clear()
                self._used = True
                parts.append(self._runner.run(sample, traces))
        self._scattered = len(counts) > 1
        means = {
            name: float(values.mean()) if values.size else None
            for name, values in self.power.items()
        }
        return parts, means

    def _findings(self, power: Mapping[str, float | None]) -> list[Diagnostic]:
        found = [NEVER_ON_SILICON.at(None, f"{self._name}, {self._options.mode} mode")]
        if not self._cleared:
            found.append(STATE_NOT_CLEARED.at(None, f"{self._name} was opened with unknown state"))
        silent = [name for name, mean in power.items() if mean is None]
        if silent:
            found.append(NO_POWER_SAMPLES.at(None, f"no sample of {', '.join(silent)}"))
        return found

    def _released_on_error(self, action: Callable[[], Any]) -> Any:
        """Run an action; whatever ends it early releases the board."""
        try:
            return action()
        except BaseException:
            self.close()
            raise

    def _clears(self) -> bool:
        return self._board.clears_state and hasattr(self._vendor, "clear_network_state")

    def _check_clearable(self) -> None:
        if not self._clears() and not self._options.soft_reset:
            advice = "open it with soft_reset=True, or " if "audio3" in self._board.target else ""
            raise DeviceError(
                f"{self._name}: this board cannot clear the chip's state; {advice}close it and "
                "power-cycle the board, and run one sample at a time"
            )

    def _write_cleared(self) -> None:
        """Write the configuration so that the state is cleared, if the board can do that."""
        clears = self._clears()
        if clears:
            self._vendor.clear_network_state = True
        self._runner.use(self._vendor)
        self._runner.configure()
        if clears:
            self._vendor.clear_network_state = False
            self._cleared = True

    def _clear(self) -> None:
        self._check_clearable()
        if not self._clears():
            opened, clock = self._opened, self._options.clock
            soft_reset(opened.sdk, opened.hdk, name=self._name, clock=clock)
        self._write_cleared()

    def reset(self) -> None:
        """Clear the chip's state.

        Raises
        ------
        DeviceError
            The board cannot (Audio 3 without the option ``soft_reset``), after a run.
        """
        self._check_open()
        if self._used:
            self._check_clearable()
            self._released_on_error(self._clear)
        self._used = self._scattered = False

    def get_state(self) -> State:
        """Read the state from the chip's memory, by the core's names, (1, n_hid) and (1, n_out).

        Raises
        ------
        DeviceError
            The chip's memory map is not published (IMU).
        """
        self._check_open()
        if self._scattered:
            raise SimulationError(f"{self._name}: the last run had several samples; call reset()")
        values = self._released_on_error(self._read_state)
        state = {name: values[name][None].astype(np.int16) for name in _STATE}
        return {**state, "spikes": state["spikes"].astype(np.uint8)}

    def _read_state(self) -> dict[str, NDArray[np.int64]]:
        timeout = self._runner.timeout(1)
        self._runner.configure()
        with ram_access(self._link, self._vendor, timeout=timeout):
            return read_traces(self._link, self._config, _STATE, timeout=timeout)

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Refuse: no published way to write a state has been confirmed."""
        raise DeviceError(
            f"{self._name}: the state of a board can be read and cleared, not set; use "
            "ranvier.open_simulation to start from a state"
        )

    def update(self, config: Any) -> None:
        """Write another configuration of the same target and inputs; the state stays."""
        self._check_open()
        if (
            not isinstance(config, XyloConfig)
            or config.target != self._config.target
            or config.input_shapes != self._config.input_shapes
            or (config.n_hid, config.n_out) != (self._config.n_hid, self._config.n_out)
        ):
            raise SimulationError(
                f"{self._name}: update needs a XyloConfig for {self._config.target} with the same "
                f"inputs and numbers of neurons, got {config!r}; open a new session"
            )
        self._released_on_error(lambda: self._rewrite(config))

    def _rewrite(self, config: XyloConfig) -> None:
        vendor = self._built(config)
        validate(self._opened.sdk, self._board, vendor)
        self._config = self._runner.config = config
        self._vendor = vendor
        self._runner.use(vendor)
        self._runner.configure()

    def _check_open(self) -> None:
        if self._closed:
            raise SimulationError("this session is closed; open a new one")

    def _close(self) -> None:
        self._resources.close()


def _quietly(action: Callable[[], None]) -> None:
    """Do it if the board still answers; one that is gone needs no good-bye."""
    with suppress(Exception):
        action()
