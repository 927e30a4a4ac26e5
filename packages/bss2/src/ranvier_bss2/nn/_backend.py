"""Programs on a chip: placed once, then only weights and spikes are sent."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from torch import Tensor

from ranvier.artifacts import AbstractSession, Recording
from ranvier.diagnostics import Diagnostic
from ranvier.errors import DeviceError

from .. import diagnostics as codes
from ..chip import VirtualChip
from ..config import Bss2Config
from ..emulator import Emulator
from ..quantization import config_of
from ..records import RawRecords, observables, recording_of, spike_grid, trace_of
from ._module import input_error
from ._network import Placed, place, spike_masks, topology_key, weights_of
from ._numerics import Observed
from ._program import Program

if TYPE_CHECKING:
    from ..driver import DeployOptions
    from ._experiment import Experiment

Rasters = Mapping[str, NDArray[np.int64]]
LOOPBACK = "loopback"
"""Device behind which the driver has a virtual chip: by default, that of the experiment."""


class ChipBackend:
    """Runs the programs of one experiment on a virtual chip or a chip.

    Parameters
    ----------
    experiment : Experiment
        Chip, device, calibration and seeds are read from it.
    """

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        self._key = ""
        self._placed: Placed | None = None
        self._emulator: Emulator | None = None
        self._session: AbstractSession | None = None
        self._first: Bss2Config | None = None
        self._program: Program | None = None
        self._raw: RawRecords | None = None
        self._config: Bss2Config | None = None
        self._steps = 0
        self._findings: tuple[Diagnostic, ...] = ()
        self._foreign: tuple[Diagnostic, ...] = ()

    @property
    def config(self) -> Bss2Config:
        """Configuration of the last run."""
        if self._config is None:
            self._config = self._configured()
        return self._config

    @property
    def raw(self) -> RawRecords:
        """Records of the last run."""
        if self._raw is None:
            raise DeviceError("bss2: the last run ended with an error; run again")
        return self._raw

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What was noticed when the network was placed, and in the last run."""
        placed = () if self._placed is None else self._placed.diagnostics
        return (*placed, *self._foreign, *self._findings)

    def recording(self) -> Recording:
        """Return the last run by layer, with everything that was recorded."""
        return recording_of(
            self.config,
            self.raw,
            n_steps=self._steps,
            record=observables(self.config),
            diagnostics=tuple(
                d for d in (*self._foreign, *self._findings) if d.code != codes.SAMPLES_DROPPED.code
            ),
            provenance={"config": self.config.content_hash},
        )

    def observe(
        self,
        program: Program,
        inputs: Mapping[str, Tensor],
        *,
        batch: int,
        steps: int,
        runtime: int,
    ) -> dict[str, Observed]:
        """Run a program, and return what the chip showed by layer, on the grid.

        Parameters
        ----------
        program : Program
            What runs.
        inputs : mapping of str to Tensor, (batch, time, n)
            Spikes; every entry that is not 0 is one event.
        batch, steps, runtime : int
            Size of the results, and steps that run.
        """
        rasters = {n: _raster(x, runtime) for n, x in inputs.items()}
        if not rasters:
            text = "no input spikes: chips are driven by events"
            raise input_error(codes.BAD_INPUT.at(None, text))
        self._findings = tuple(_several(inputs))
        self._raw, self._config, self._program, self._steps = None, None, program, runtime
        key = topology_key(program, dt=self._experiment.dt)
        fresh = key != self._key or self._placed is None
        if fresh:
            self._forget()
            placed = place(program, dt=self._experiment.dt, seed=self._experiment.seed)
            self._placed, self._key = placed, key
        if self._experiment.backend == "emulator":
            self._raw = self._emulate(program, rasters)
        else:
            self._raw = self._deploy(program, rasters)
        self._findings += tuple(_dropped(self._raw))
        return {name: self._observed(name, program, batch, steps) for name in program.neurons}

    def close(self) -> None:
        """Release the chip."""
        self._forget()
        self._placed = None

    def _emulate(self, program: Program, rasters: Rasters) -> RawRecords:
        experiment = self._experiment
        if self._emulator is None:
            self._first = self._configured(masks=False)
            chip = chip_of(experiment)
            self._foreign = chip.foreign_targets(self._first)
            self._emulator = Emulator(
                self._first,
                chip,
                substeps=experiment.substeps,
                decay=experiment.decay,
                layout=self._network().layout,
                cadc_period=experiment.cadc_period,
            )
        self._emulator.set_weights(weights_of(program))
        self._emulator.reset()
        return self._emulator.run(rasters, trial_seed=experiment.next_trial())

    def _deploy(self, program: Program, rasters: Rasters) -> RawRecords:
        device = self._experiment.device
        if not device:
            text = "backend 'hardware' without a device; 'loopback' needs no chip"
            raise input_error(codes.NO_CHIP.at(None, text))
        _check_trained(program)
        try:
            session = self._opened(program, device)
            session.reset()
            found = session.run(dict(rasters), trial_seed=self._experiment.next_trial())
        except BaseException:
            self._forget()  # the chip is released; the next run opens it again
            raise
        raw = getattr(session, "raw", None)
        if not isinstance(raw, RawRecords):
            raise DeviceError(f"bss2: {device!r} returned no records; run again")
        known = {*self.config.diagnostics, *self._findings}
        own = codes.SAMPLES_DROPPED.code  # told below, in the words of modules
        self._findings += tuple(d for d in found.diagnostics if d not in known and d.code != own)
        return raw

    def _opened(self, program: Program, device: str) -> AbstractSession:
        """Return the chip with the configuration of this run on it."""
        if self._session is None:
            self._first = self.config
            self._session = _open(self._experiment, program, self.config, device)
        else:
            self._session.update(self.config)
        return self._session

    def _observed(self, name: str, program: Program, batch: int, steps: int) -> Observed:
        layer, own = program.layer(name), self.raw[name]
        dt = self._experiment.dt
        spikes = membrane = madc = None
        if layer.fires and layer.recording.enable_spike_recording:
            grid = spike_grid(own.spikes, n_samples=batch, size=layer.size, length=steps, dt=dt)
            spikes = torch.from_numpy(grid)
        if own.cadc is not None and layer.recording.enable_cadc_recording:
            config = self._first if self._first is not None else self.config
            rows = trace_of(config.population_of[name], self.raw, length=steps, dt=dt)
            membrane = torch.from_numpy(rows.astype(np.float32))
        if own.madc is not None:
            values = torch.from_numpy(own.madc.values.astype(np.float32))
            times = torch.from_numpy(own.madc.times.astype(np.float32))
            madc = torch.stack([times.expand_as(values), values])
        return Observed(spikes=spikes, membrane=membrane, madc=madc)

    def _network(self) -> Placed:
        if self._placed is None:
            raise DeviceError("bss2: nothing is placed on a chip yet; run first")
        return self._placed

    def _configured(self, *, masks: bool = True) -> Bss2Config:
        if self._program is None:
            raise DeviceError("bss2: nothing has run on a chip yet; run first")
        placed = self._network()
        weights = weights_of(self._program, masked=False)
        return config_of(
            placed.network,
            placed.layout,
            kappa=self._experiment.kappa,
            weights=[weights[k] for k in range(len(weights))],
            spike_masks=spike_masks(self._program) if masks else None,
            diagnostics=placed.diagnostics,
        )

    def _forget(self) -> None:
        if self._session is not None:
            self._session.close()
        self._session, self._emulator, self._first, self._key = None, None, None, ""


def chip_of(experiment: Experiment) -> VirtualChip:
    """Return the virtual chip: that of the calibration, if there is one.

    Raises
    ------
    InputError
        The calibration is a file of a chip, or belongs to another virtual chip.
    """
    calibration = experiment.calibration
    if calibration is None:
        return experiment.chip
    if isinstance(calibration, str | Path):
        text = f"calibration is the path {str(calibration)!r}, the emulator takes a result"
        hint = "read it with ranvier_bss2.calibration.load_calibration(path)"
        raise input_error(codes.BAD_CHOICE.at(None, text, hint=hint))
    return calibration.chip()


def _open(
    experiment: Experiment, program: Program, config: Bss2Config, device: str
) -> AbstractSession:
    from ..driver import DeployOptions, open_device
    from ..driver.loopback import LoopbackSession

    if device == LOOPBACK and experiment.deploy is None:
        return LoopbackSession(config, DeployOptions(), chip=chip_of(experiment))
    return open_device(config, device, _deploy_options(experiment, program))


def _deploy_options(experiment: Experiment, program: Program) -> DeployOptions:
    """Return the options of the driver, with the calibration file that the program names."""
    from ..driver import DeployOptions

    options = experiment.deploy or DeployOptions()
    paths = [program.layer(n).execution_instance.calib_path for n in program.neurons]
    named = [c for c in (experiment.calibration, *paths) if c is not None]
    if not named:
        return options
    if not isinstance(named[0], str | Path):
        text = "calibration is the result of a virtual chip, a chip takes a file of calix"
        hint = "give the path of that file, or leave calibration out"
        raise input_error(codes.BAD_CHOICE.at(None, text, hint=hint))
    try:
        return DeployOptions(
            **{**options.model_dump(exclude_unset=True), "calibration": Path(named[0])}
        )
    except ValidationError as error:
        text = "; ".join(e["msg"].removeprefix("Value error, ") for e in error.errors())
        raise input_error(codes.BAD_CHOICE.at(None, text)) from error


def _check_trained(program: Program) -> None:
    problems = [
        codes.TRAINED_PARAMETER.at(name, f"{parameter} is trained")
        for name in program.neurons
        for parameter in program.layer(name).parameter_names
        if (own := program.layer(name).parameter(parameter)).trainable and own.set_on_chip is None
    ]
    if problems:
        raise input_error(*problems)


def _raster(x: Tensor, runtime: int) -> NDArray[np.int64]:
    events = (x.detach() != 0).numpy()
    raster = np.zeros((events.shape[0], runtime, events.shape[2]), dtype=np.int64)
    raster[:, : events.shape[1]] = events
    return raster


def _several(inputs: Mapping[str, Tensor]) -> list[Diagnostic]:
    found = []
    for name, x in inputs.items():
        odd = int(((x != 0) & (x != 1)).sum())
        if odd:
            text = f"{odd} entries are neither 0 nor 1; each is one event on the chip"
            found.append(codes.SEVERAL_SPIKES.at(name, text, value=odd, limit=0))
    return found


def _dropped(raw: RawRecords) -> list[Diagnostic]:
    found = []
    for name, own in raw.populations.items():
        if own.cadc is not None and own.cadc.dropped:
            kept = own.cadc.times.size
            text = f"{own.cadc.dropped} samples per trial are dropped, {kept} are kept"
            hint = "shorten the run, or set enable_cadc_recording_placement_in_dram"
            value = own.cadc.dropped
            found.append(codes.SAMPLES_DROPPED.at(name, text, value=value, limit=kept, hint=hint))
    return found
