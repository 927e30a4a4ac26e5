"""A chip as a session: one network, released on every way out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import AbstractSession, Recording, State
from ranvier.diagnostics import Diagnostic
from ranvier.errors import DeviceError, SimulationError

from ..background import mean_rate
from ..config import Bss2Config
from ..diagnostics import (
    GENERATOR_OF_STACK,
    NEVER_ON_SILICON,
    SEVERAL_SPIKES,
    STARTED_AT_REST,
    TARGETS_OF_FILE,
)
from ..records import RawRecords, observables, recording_of
from .limits import check, cycles_of, early_ends
from .plan import Plan, plan_of

if TYPE_CHECKING:
    from .access import Access
    from .options import DeployOptions


class Backend(Protocol):
    """A software stack with a chip: a network in, raw records out."""

    identifier: str

    def use(self, config: Bss2Config, plan: Plan) -> None:
        """Build the network of a configuration."""

    def run(self, inputs: Mapping[str, NDArray[np.int64]]) -> tuple[RawRecords, list[Diagnostic]]:
        """Run a batch; inputs are (batch, time, n)."""


class BoardSession(AbstractSession):
    """An open chip with a configuration on it.

    A run starts at rest: the chip carries no state over, and none can be read or set. `reset` only
    says that the next run is meant to start anew; a second run without it is told to the recording
    as a loss. Any error during a run, an interrupt too, releases the chip and closes the session.

    Calls of the stack block until they return; they cannot be given a time limit from here.

    Parameters
    ----------
    config : Bss2Config
        What runs.
    access : Access
        Device and stack.
    options : DeployOptions
        Calibration, initialisation, margins.
    resources : ExitStack
        Gets what must be released; the caller closes it if the constructor raises.

    Attributes
    ----------
    raw : RawRecords or None
        Records of the last run.

    Raises
    ------
    DeviceError
        The stack cannot run the configuration, or the chip cannot be initialised.

    Notes
    -----
    Never run on a chip: checked against an emulation of the stack (hxtorch @3bfc7aa,
    pynn-brainscales @fd4f926).
    """

    def __init__(
        self,
        config: Bss2Config,
        access: Access,
        *,
        options: DeployOptions,
        resources: ExitStack,
    ) -> None:
        super().__init__(input_shapes=config.input_shapes, dt=config.dt)
        self._access, self._options = access, options
        self._resources = ExitStack()
        self._runs_since_reset = 0
        self.raw: RawRecords | None = None
        plan = plan_of(config)
        check(config, plan, access=access, options=options)
        self._backend = _backend(access, options, resources)
        self._use(config, plan)

    def _use(self, config: Bss2Config, plan: Plan) -> None:
        self._backend.use(config, plan)
        self._config = config

    def take_over(self, resources: ExitStack) -> None:
        """Own what was opened; `close` gives it back."""
        self._resources = resources

    @property
    def config(self) -> Bss2Config:
        """The configuration in use."""
        return self._config

    @property
    def identifier(self) -> str:
        """Name of the chip, as the stack tells it."""
        return self._backend.identifier

    def recordable(self) -> Mapping[str, tuple[str, ...]]:
        """Return what the chip shows of every population through this stack."""
        drawn = self._config.background_shapes
        offers = {n: q for n, q in observables(self._config).items() if n not in drawn}
        if self._access.path == "hxtorch":
            return offers
        kept = {name: tuple(q for q in found if q != "v_mem") for name, found in offers.items()}
        return {name: found for name, found in kept.items() if found}

    def _run(
        self,
        inputs: Mapping[str, NDArray[Any]],
        *,
        record: Mapping[str, tuple[str, ...]],
        trial_seed: int | None,
    ) -> Recording:
        del trial_seed  # the noise of a chip has no seed
        flat = {
            name: values.reshape(*values.shape[:2], int(np.prod(values.shape[2:], dtype=np.int64)))
            for name, values in inputs.items()
        }
        n_samples, n_steps = next(iter(flat.values())).shape[:2]
        if 0 in (n_samples, n_steps):
            raise SimulationError(
                f"{self._access.name}: the input has {n_samples} samples of {n_steps} steps; a "
                "chip runs at least one step of one sample"
            )
        cycles_of(self._config, n_steps + self._options.margin, where=self._access.name)
        raw, found = self._released_on_error(lambda: self._backend.run(flat))
        self.raw = raw
        findings = (*self._findings(flat, n_steps), *found)
        recording = recording_of(
            self._config,
            raw,
            n_steps=n_steps,
            record=record,
            diagnostics=findings,
            provenance=self._provenance() | _activity(flat, raw, self._config),
        )
        self._runs_since_reset += 1
        return recording

    def _provenance(self) -> dict[str, Any]:
        options = self._options
        calibration = "nightly" if options.nightly else str(options.calibration or "by the stack")
        return {
            "session": self._access.name,
            "config": self._config.content_hash,
            "calibration": calibration,
        }

    def _findings(self, inputs: Mapping[str, NDArray[np.int64]], n_steps: int) -> list[Diagnostic]:
        found = [NEVER_ON_SILICON.at(None, self._access.name)]
        if self._runs_since_reset:
            text = f"run {self._runs_since_reset + 1} since the last reset started at rest"
            found.append(STARTED_AT_REST.at(None, text, value=self._runs_since_reset))
        if self._options.calibration is not None or self._options.nightly:
            found.append(
                TARGETS_OF_FILE.at(None, f"calibration: {self._provenance()['calibration']}")
            )
        for name, values in inputs.items():
            most, many = int(values.max(initial=0)), int(np.count_nonzero(values > 1))
            if many:
                text = f"{many} entries above 1, up to {most}"
                found.append(SEVERAL_SPIKES.at(name, text, value=most, limit=1))
        for b in self._config.backgrounds:
            text = f"{mean_rate(b):.6g} events per s of the chip, seed {b.seed}"
            found.append(GENERATOR_OF_STACK.at(b.name, text, value=mean_rate(b)))
        if self._access.path == "hxtorch":
            found += early_ends(self._config, n_steps + self._options.margin)
        return found

    def _released_on_error(self, action: Callable[[], Any]) -> Any:
        """Run an action; whatever ends it early releases the chip."""
        try:
            return action()
        except BaseException:
            with suppress(DeviceError):
                self.close()
            raise

    def reset(self) -> None:
        """Let the next run be the first; it starts at rest in any case."""
        self._check_open()
        self._runs_since_reset = 0

    def get_state(self) -> State:
        """Refuse: the state of an analogue chip is its charges, which cannot be read out."""
        raise DeviceError(
            f"{self._access.name}: the state of an analogue chip cannot be read; use "
            "ranvier.open_simulation, or record v_mem"
        )

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Refuse: see `get_state`."""
        raise DeviceError(
            f"{self._access.name}: the state of an analogue chip cannot be set; use "
            "ranvier.open_simulation to start from a state"
        )

    def update(self, config: Any) -> None:
        """Build the network of another configuration with the same inputs; the chip stays open."""
        self._check_open()
        if (
            not isinstance(config, Bss2Config)
            or config.input_shapes != self._config.input_shapes
            or config.dt != self._config.dt
        ):
            raise SimulationError(
                f"{self._access.name}: update needs a Bss2Config with the same inputs and time "
                f"step, got {config!r}; open a new session"
            )
        plan = plan_of(config)
        check(config, plan, access=self._access, options=self._options)
        self._released_on_error(lambda: self._use(config, plan))

    def _check_open(self) -> None:
        if self._closed:
            raise SimulationError("this session is closed; open a new one")

    def _close(self) -> None:
        self._resources.close()


def _activity(
    inputs: Mapping[str, NDArray[np.int64]], raw: RawRecords, config: Bss2Config
) -> dict[str, Any]:
    """Return how many events went in and came out, as estimates need them."""
    fired = {
        p.name: np.bincount(raw[p.name].spikes.neuron, minlength=p.size).tolist()
        for p in config.populations
    }
    sent = {name: int(np.count_nonzero(values)) for name, values in inputs.items()}
    return {"input_spikes": sent, "neuron_spikes": fired}


def _backend(access: Access, options: DeployOptions, resources: ExitStack) -> Backend:
    if access.path == "hxtorch":
        from .hxtorch import HxtorchBackend

        return HxtorchBackend(access, options, resources)
    from .pynn import PynnBackend

    return PynnBackend(access, options, resources)
