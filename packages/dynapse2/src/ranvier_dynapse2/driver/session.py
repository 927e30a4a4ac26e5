"""A board as a session: one sample at a time, released on every way out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import AbstractSession, Recording, State
from ranvier.diagnostics import Diagnostic
from ranvier.errors import DeviceError, InputError, SimulationError

from ..config import Dynapse2Config
from ..diagnostics import ERROR_EVENTS, NEVER_ON_SILICON, STARTED_AT_REST, STEP_OVERFULL
from .analogue import monitor_analogue, restore, set_leak
from .comparison import differences
from .configuration import build_configuration, check_chips
from .decoding import Decoded, Decoder
from .events import Packets, joined_inputs, overfull_steps, ticks_per_step
from .link import Link
from .monitors import neurons_of, offered, places_of
from .options import DeployOptions
from .run import Runner
from .vendor import speaking

if TYPE_CHECKING:
    from .devices import OpenBoard

_SHOWN = 5


class BoardSession(AbstractSession):
    """An open board with a configuration on it.

    Samples run one after the other, each after the neurons and synapses were discharged by their
    largest leak: a board starts every run at rest, and carries no state over. What can be recorded
    are spikes of nodes whose neurons are all monitored; times are ticks of the board's clock. Any
    error during a run, an interrupt too, releases the board.

    Parameters
    ----------
    config : Dynapse2Config
        What runs.
    opened : OpenBoard
        Its stack must be closed by the caller if the constructor raises.
    options : DeployOptions
        Clock, pauses, monitors.

    Attributes
    ----------
    unknown : tuple of structured array
        Events of the last run that nothing stands behind, per sample.
    sadc : dict of int to sequence
        What the converters of a chip gave after the last sample, as the SDK returns it.

    Raises
    ------
    DeviceError
        An option is for the loopback, an output shows a state, the board has too few chips, or what
        it reads back is not what was written.

    Notes
    -----
    Never run on silicon: checked against an emulation of the SDK. Procedure: rockpool 3.1.0,
    devices/dynapse/hardware.
    """

    def __init__(self, config: Dynapse2Config, opened: OpenBoard, options: DeployOptions) -> None:
        super().__init__(input_shapes=config.input_shapes, dt=config.dt)
        self._options, self._name = options, opened.name
        self._resources = ExitStack()
        self._check_options(config)
        self._decoder = Decoder(config, options)
        self._link = Link(opened.sdk, opened.board, options, name=opened.name)
        self._runs_since_reset = 0
        self._vendor: Any = None
        self._running = False
        self.unknown: tuple[Packets, ...] = ()
        self.sadc: dict[int, Any] = {}
        self._link.prepare()
        opened.stack.callback(self._discharge_quietly)
        self._use(config)

    def _check_options(self, config: Dynapse2Config) -> None:
        options = self._options
        given = {"mismatch": options.mismatch, "chip_seed": options.chip_seed}
        wrong = [name for name, value in given.items() if value is not None]
        if wrong:
            raise DeviceError(
                f"{self._name}: {', '.join(wrong)}: a board has its own mismatch; leave it out, or "
                "use device='loopback'"
            )
        states = [f"{c.output!r} ({c.quantity})" for c in config.outputs if c.quantity != "spikes"]
        if states:
            raise DeviceError(
                f"{self._name}: output {', '.join(states)}: a board reports spikes only; let the "
                "output show spikes, or use device='loopback'"
            )
        try:
            ticks_per_step(config.dt, options.dt_fpga)
        except InputError as error:
            raise DeviceError(f"{self._name}: {error}") from error

    def _use(self, config: Dynapse2Config) -> None:
        """Write a configuration, check it, and leave the chips discharged."""
        self._config, self._runner = config, Runner(self._link, config, self._options)
        vendor = self._link.configuration()
        check_chips(config, len(vendor.chips), where=self._name)
        with speaking(self._name, "building the vendor's configuration"):
            self._vendor = build_configuration(self._link.sdk, config, start=vendor)
            self._check_same(self._vendor, "the SDK's object does not keep what is written to it")
            monitor_analogue(self._vendor, self._analogue_places(config), self._options.sadc)
        if self._options.sadc_period_ms is not None:
            with speaking(self._name, "setting the converters' period"):
                self._link.model.set_sadc_sample_period_ms(self._options.sadc_period_ms)
        self._discharge()
        self._start()
        if self._options.verify:
            found = self._link.configuration()
            with speaking(self._name, "comparing the configuration"):
                self._check_same(found, "the board holds another configuration than was written")
        self._discharge()

    def _check_same(self, vendor: Any, problem: str) -> None:
        found = differences(vendor, self._config)
        if found:
            raise DeviceError(
                f"{self._name}: {problem}: {len(found)} register(s) differ: "
                f"{'; '.join(found[:_SHOWN])}. Reset the board, or use another version of the SDK"
            )

    def _analogue_places(self, config: Dynapse2Config) -> list[tuple[int, int, int]]:
        found = []
        for node, index in self._options.monitor_neurons:
            if node not in config.node_shapes:
                raise DeviceError(
                    f"{self._name}: monitor_neurons: no node {node!r}; nodes: "
                    f"{', '.join(config.node_shapes)}"
                )
            places = np.stack(places_of(config, node), axis=1)
            if not 0 <= index < len(places):
                raise DeviceError(
                    f"{self._name}: monitor_neurons: {node!r} has no neuron {index}, it has "
                    f"0..{len(places) - 1}"
                )
            chip, core, slot = places[index].tolist()
            found.append((chip, core, slot))
        return found

    def _start(self) -> None:
        """Write the network's own codes: the chips are live."""
        self._running = True
        self._link.apply(self._vendor)

    def _discharge(self) -> None:
        """Let everything leak, and keep the network's own codes for the next run."""
        with speaking(self._name, "setting the leak"):
            before = set_leak(self._vendor)
        try:
            self._link.apply(self._vendor)
            self._running = False
        finally:
            restore(before)

    def _discharge_quietly(self) -> None:
        """Leave the chips discharged if the board still answers."""
        if self._running:
            with suppress(Exception):
                self._discharge()

    def take_over(self, resources: ExitStack) -> None:
        """Own what was opened; `close` gives it back."""
        self._resources = resources

    @property
    def config(self) -> Dynapse2Config:
        """The configuration in use."""
        return self._config

    def recordable(self) -> Mapping[str, tuple[str, ...]]:
        """Return the nodes all of whose neurons report spikes, and the outputs."""
        return offered(self._config, self._decoder.monitors)

    def _run(
        self,
        inputs: Mapping[str, NDArray[Any]],
        *,
        record: Mapping[str, tuple[str, ...]],
        trial_seed: int | None,
    ) -> Recording:
        del trial_seed  # the noise of a board has no seed
        counts = joined_inputs(self._config, inputs)
        if 0 in counts.shape[:2]:
            raise SimulationError(
                f"{self._name}: the input has {counts.shape[0]} samples of {counts.shape[1]} "
                "steps; a board runs at least one step"
            )
        errors: list[str] = []
        samples = self._released_on_error(lambda: self._samples(counts, errors))
        self.unknown = tuple(sample.unknown for sample in samples)
        recording = self._decoder.recording(
            samples,
            steps=counts.shape[1],
            record=record,
            diagnostics=tuple(self._findings(counts, errors)),
            provenance=self._provenance(counts, samples),
        )
        self._runs_since_reset += 1
        return recording

    def _provenance(self, counts: NDArray[np.int64], samples: list[Decoded]) -> dict[str, Any]:
        sources = np.concatenate([s.neurons.source for s in samples])
        fired = np.bincount(sources, minlength=self._decoder.monitors.monitored.size)
        seen = offered(self._config, self._decoder.monitors)
        return {
            "session": self._name,
            "tick": self._options.dt_fpga,
            "input_spikes": counts.sum(axis=(0, 1)).tolist(),
            "input_rate": float(np.mean(counts > 0)),
            "neuron_spikes": {n: fired[neurons_of(self._config, n)].tolist() for n in seen},
        }

    def _samples(self, counts: NDArray[np.int64], errors: list[str]) -> list[Decoded]:
        found = []
        for sample in counts:
            self._link.drain()  # an old control packet would be taken for the clock
            self._start()
            events = self._runner.run(sample)
            errors += self._link.errors()
            self._read_converters()
            self._discharge()
            found.append(self._decoder.decode(events, steps=len(sample)))
        return found

    def _read_converters(self) -> None:
        if self._options.sadc:
            with speaking(self._name, "reading the converters"):
                for chip in range(self._config.chips):
                    self.sadc[chip] = self._link.model.get_sadc_values(chip)

    def _findings(self, counts: NDArray[np.int64], errors: list[str]) -> list[Diagnostic]:
        found = [NEVER_ON_SILICON.at(None, f"{self._name}")]
        found += overfull_findings(self._config, counts, tick=self._options.dt_fpga)
        if self._runs_since_reset:
            text = f"run {self._runs_since_reset + 1} since the last reset started at rest"
            found.append(STARTED_AT_REST.at(None, text, value=self._runs_since_reset))
        if errors:
            text = f"{len(errors)} error(s): {'; '.join(errors[:_SHOWN])}"
            found.append(ERROR_EVENTS.at(None, text, value=len(errors), limit=0))
        return found

    def _released_on_error(self, action: Callable[[], Any]) -> Any:
        """Run an action; whatever ends it early releases the board."""
        try:
            return action()
        except BaseException:
            self.close()
            raise

    def reset(self) -> None:
        """Let the next run be the first; neurons and synapses are discharged already."""
        self._check_open()
        self._runs_since_reset = 0

    def get_state(self) -> State:
        """Refuse: the state of an analogue chip is its charges, which cannot be read out."""
        raise DeviceError(
            f"{self._name}: the state of an analogue chip cannot be read; use "
            "ranvier.open_simulation, or watch single neurons with monitor_neurons="
        )

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Refuse: see `get_state`."""
        raise DeviceError(
            f"{self._name}: the state of an analogue chip cannot be set; use "
            "ranvier.open_simulation to start from a state"
        )

    def update(self, config: Any) -> None:
        """Write another configuration with the same inputs; it starts at rest."""
        self._check_open()
        if (
            not isinstance(config, Dynapse2Config)
            or config.target != self._config.target
            or config.input_shapes != self._config.input_shapes
            or config.dt != self._config.dt
        ):
            raise SimulationError(
                f"{self._name}: update needs a Dynapse2Config with the same inputs and time step, "
                f"got {config!r}; open a new session"
            )
        self._check_options(config)
        decoder = Decoder(config, self._options)
        self._released_on_error(lambda: self._use(config))
        self._decoder = decoder

    def _check_open(self) -> None:
        if self._closed:
            raise SimulationError("this session is closed; open a new one")

    def _close(self) -> None:
        self._resources.close()


def overfull_findings(
    config: Dynapse2Config, counts: NDArray[np.int64], *, tick: float
) -> list[Diagnostic]:
    """Report steps with more input spikes than ticks."""
    steps, most = overfull_steps(config, counts, tick=tick)
    if not steps:
        return []
    limit = ticks_per_step(config.dt, tick)
    text = f"{steps} step(s) with up to {most} spikes, a step has {limit} ticks"
    return [STEP_OVERFULL.at(None, text, value=most, limit=limit)]
