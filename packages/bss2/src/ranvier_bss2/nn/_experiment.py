"""An experiment: modules, a time step, and what computes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from ranvier.diagnostics import Diagnostic
from ranvier.errors import InputError

from .. import diagnostics as codes
from ..chip import VirtualChip
from ._dropout import BatchDropout
from ._handles import Handle
from ._instances import ExecutionInstance
from ._layer import NeuronLayer
from ._module import Call, input_error

if TYPE_CHECKING:
    from ranvier.artifacts import Recording
    from ranvier.graph import Graph

    from ..calibration import CalibrationResult
    from ..config import Bss2Config
    from ..driver import DeployOptions
    from ..records import RawRecords
    from ._backend import ChipBackend

Backend = Literal["numeric", "emulator", "hardware"]
Layout = Literal["batch_first", "time_first"]
BACKENDS: tuple[Backend, ...] = ("numeric", "emulator", "hardware")
LAYOUTS: tuple[Layout, ...] = ("batch_first", "time_first")


class Experiment:
    """Modules that run together. Changing the backend changes nothing else in a program.

    In a ``with`` block, the chip is released at its end, on errors too.

    Parameters
    ----------
    backend : {"numeric", "emulator", "hardware"}
        The model's numerics; a virtual chip; a chip. With the latter two, records replace the
        values of the model, and gradients flow through the model.
    dt : float
        Time step, in s of the chip.
    mock : bool, optional
        True: numeric, the name of older programs.
    chip : VirtualChip, optional
        For the emulator; a calibrated one with seed 0 by default.
    calibration : CalibrationResult or path, optional
        Of the virtual chip; or a file that the driver of a chip loads, never opened here.
    device : str, optional
        Chip to use, as `ranvier.devices` lists it; ``"loopback"`` is the emulator behind the
        driver. Never chosen on its own.
    deploy : DeployOptions, optional
        Settings of the driver.
    seed : int
        Of temporal noise: run k of an experiment has the same noise every time.
    layout : {"batch_first", "time_first"}
        Order of the axes in the tensors of handles: ``(batch, time, n)``, or ``(time, batch, n)``
        as in hxtorch.
    kappa : float, optional
        LSB of synaptic drive per weight LSB at nominal targets; the manifest's by default.
    substeps, decay, cadc_period
        See `ranvier_bss2.emulator.Emulator`.

    Raises
    ------
    InputError
        A setting out of range; all in one message.
    """

    def __init__(
        self,
        backend: Backend | None = None,
        dt: float = 1e-6,
        *,
        mock: bool | None = None,
        chip: VirtualChip | None = None,
        calibration: CalibrationResult | Path | str | None = None,
        device: str | None = None,
        deploy: DeployOptions | None = None,
        seed: int = 0,
        layout: Layout = "batch_first",
        kappa: float | None = None,
        substeps: int = 1,
        decay: Literal["euler", "exact"] = "euler",
        cadc_period: float | None = None,
    ) -> None:
        self.backend: Backend = backend or ("numeric" if mock is None or mock else "hardware")
        self.dt, self.layout, self.seed = float(dt), layout, seed
        self.chip = chip or VirtualChip.of(0)
        self.calibration, self.device, self.deploy = calibration, device, deploy
        self.kappa, self.substeps, self.decay, self.cadc_period = (
            kappa,
            substeps,
            decay,
            cadc_period,
        )
        self.runs = 0
        self._instance: ExecutionInstance | None = None
        self._names: dict[str, int] = {}
        self._calls: list[Call] = []
        self._last: tuple[Call, ...] = ()
        self._chip_backend: ChipBackend | None = None
        self._check(backend, mock)

    @property
    def mock(self) -> bool:
        """Whether only the model is computed."""
        return self.backend == "numeric"

    @property
    def default_execution_instance(self) -> ExecutionInstance:
        """Run of the chip for modules that name none; made when first asked for."""
        if self._instance is None:
            self._instance = ExecutionInstance()
        return self._instance

    @property
    def calls(self) -> tuple[Call, ...]:
        """Calls since the last run, or those of the last run."""
        return tuple(self._calls) or self._last

    @property
    def chip_backend(self) -> ChipBackend:
        """What runs on a chip; raises `InputError` before the first such run."""
        if self._chip_backend is None:
            raise InputError(
                f"bss2: nothing has run on a chip yet (backend {self.backend!r}); run with "
                "backend='emulator' or 'hardware' first"
            )
        return self._chip_backend

    @property
    def config(self) -> Bss2Config:
        """Configuration of the last run on a chip."""
        return self.chip_backend.config

    @property
    def last_run_chip_configs(self) -> list[Bss2Config]:
        """The same in a list, as hxtorch names it."""
        return [self.config]

    @property
    def raw(self) -> RawRecords:
        """Records of the last run on a chip."""
        return self.chip_backend.raw

    @property
    def recording(self) -> Recording:
        """The same by layer, in LSB and in units of the model."""
        return self.chip_backend.recording()

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What was noticed when the network was placed; empty before."""
        return () if self._chip_backend is None else self._chip_backend.diagnostics

    def to_graph(self) -> Graph:
        """Return the modules called since the last run, or in it, as a graph.

        Weights are those of the model; populations are ``bss2.neuron`` nodes, and times those of
        the chip (metadata ``hardware_time``).

        Raises
        ------
        InputError
            Nothing was called, or modules do not fit together.
        """
        from ._graph import graph_of
        from ._program import program_of

        return graph_of(program_of(self.calls), dt=self.dt)

    def clear(self) -> None:
        """Forget calls that have not run, and what is placed on a chip."""
        self._calls.clear()
        self.close()

    def close(self) -> None:
        """Release the chip, and forget what is placed on it."""
        if self._chip_backend is not None:
            self._chip_backend.close()
            self._chip_backend = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        """Leave out calls and chips: a copy starts with neither."""
        return self.__dict__ | {"_calls": [], "_last": (), "_chip_backend": None}

    def new_name(self, kind: str) -> str:
        """Return a name that no module has yet."""
        number = self._names.get(kind, 0)
        self._names[kind] = number + 1
        return kind if not number else f"{kind}_{number}"

    def record(self, call: Call) -> None:
        """Remember a call for the next run; used by modules."""
        if call.module.experiment is not self:
            raise input_error(
                codes.MISPLACED_MODULE.at(call.module.name, "belongs to another experiment")
            )
        self._calls.append(call)

    def is_from_neurons(self, handle: Handle) -> bool:
        """Say whether a handle comes from neurons that fire, called since the last run."""
        found = next((c.module for c in self._calls if c.output is handle), None)
        if isinstance(found, NeuronLayer):
            return found.fires
        return isinstance(found, BatchDropout)

    def take_calls(self) -> tuple[Call, ...]:
        """Return the calls since the last run, and start anew; used by `run`."""
        self._last = tuple(self._calls)
        self._calls.clear()
        return self._last

    def chip_backend_for_run(self) -> ChipBackend:
        """Return what runs on the chip, made when first needed; used by `run`."""
        from ._backend import ChipBackend

        if self._chip_backend is None:
            self._chip_backend = ChipBackend(self)
        return self._chip_backend

    def next_trial(self) -> int:
        """Return the seed of temporal noise of the next run."""
        self.runs += 1
        state = np.random.SeedSequence([self.seed, self.runs]).generate_state(1)
        return int(state[0])

    def _check(self, backend: Any, mock: bool | None) -> None:
        found = []
        if self.backend not in BACKENDS:
            found.append(f"backend is {self.backend!r}; use {', '.join(BACKENDS)}")
        if backend is not None and mock is not None and mock != (backend == "numeric"):
            found.append(f"backend is {backend!r} and mock {mock}; leave mock out")
        if self.layout not in LAYOUTS:
            found.append(f"layout is {self.layout!r}; use {', '.join(LAYOUTS)}")
        if not (np.isfinite(self.dt) and 0 < self.dt < 1e-3):
            found.append(f"dt is {self.dt:g} s; give 1e-6, for 1 us of the chip")
        if self.seed < 0:
            found.append(f"seed is {self.seed}; use a number >= 0")
        if self.kappa is not None and not self.kappa > 0:
            found.append(f"kappa is {self.kappa}; use a number > 0")
        if found:
            raise input_error(*(codes.BAD_CHOICE.at(None, text) for text in found))
