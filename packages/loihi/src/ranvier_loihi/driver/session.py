"""Lava as a session: a network is built, run and stopped for every sample of every run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import AbstractSession, Recording, State
from ranvier.diagnostics import Diagnostic
from ranvier.errors import InputError, SimulationError

from ..config import LoihiConfig
from ..diagnostics import NEVER_ON_SILICON
from .decoding import (
    Decoder,
    bias_drives,
    drives_of,
    late_biases,
    needed_probes,
    recordable_quantities,
    signals_from_rings,
    source_values,
)
from .description import describe
from .lava_network import check_network
from .options import DeployOptions
from .within import stopped, within
from .worker.lava_worker import IN_STEPS, OUT_STEPS, Network, Sdk

Arrays = dict[str, NDArray[Any]]


class Runner(Protocol):
    """Something that runs jobs of `ranvier_loihi.driver.worker.lava_worker`."""

    name: str

    def __call__(self, job: Mapping[str, Any], arrays: Arrays) -> Arrays:
        """Run one job and return its arrays."""

    def close(self) -> None:
        """Release everything."""


class InProcessRunner:
    """Lava in this interpreter, on its CPU backend.

    Parameters
    ----------
    name : str
        Id of the device.
    options : DeployOptions
        Its time-out is used.
    sdk : object or None
        Lava's classes by name; None: the installed ones.
    """

    def __init__(self, name: str, options: DeployOptions, sdk: Any = None) -> None:
        self.name, self._options, self._sdk = name, options, sdk or Sdk()

    def __call__(self, job: Mapping[str, Any], arrays: Arrays) -> Arrays:
        """Build, run and stop a network; it is stopped on every way out."""
        steps, networks = int(job["steps"]), []

        def run() -> Arrays:
            state = {k[6:]: v for k, v in arrays.items() if k.startswith("state/")}
            network = Network(job, arrays, sdk=self._sdk, steps=steps, state=state)
            networks.append(network)
            network.start()
            network.advance(steps, {k[6:]: v for k, v in arrays.items() if k[:6] == "drive/"})
            found = network.signals(steps)
            return found | {f"state/{k}": v for k, v in network.state().items()}

        doing = f"running {steps} steps"
        try:
            found: Arrays = within(self._options.timeout, run, device=self.name, doing=doing)
        except BaseException:
            for network in networks:
                stopped(network.stop, device=self.name)
            raise
        within(self._options.timeout, networks[0].stop, device=self.name, doing="stopping Lava")
        return found

    def close(self) -> None:
        """Hold nothing between runs."""


class LavaSession(AbstractSession):
    """A network on Lava's fixed-point models.

    State carries over between runs until `reset`, per sample of the batch: it is read when a run
    ends and written into the network of the next one, messages under way included.

    Parameters
    ----------
    config : LoihiConfig
        What runs.
    runner : Runner
        Where it runs.
    options : DeployOptions
    hardware : bool
        Whether the runner has a chip: then nothing carries over, and every run needs `reset`.
    host : mapping or None
        Where the board is, see `ranvier_loihi.driver.hardware.host_of`.

    Raises
    ------
    DeviceError
        Lava has no process for a part of the network; all reasons at once.
    """

    def __init__(
        self,
        config: LoihiConfig,
        runner: Runner,
        options: DeployOptions,
        *,
        hardware: bool = False,
        host: Mapping[str, Any] | None = None,
    ) -> None:
        spiking = not config.values
        super().__init__(input_shapes=config.input_shapes, dt=config.dt, spiking=spiking)
        self._findings = check_network(config, hardware=hardware)
        self._config, self._runner, self._options = config, runner, options
        self._hardware, self._host = hardware, host
        self._states: list[Arrays] | None = None
        self._elapsed = 0
        self._decoder = Decoder(config)

    @property
    def config(self) -> LoihiConfig:
        """The configuration in use."""
        return self._config

    def recordable(self) -> Mapping[str, tuple[str, ...]]:
        """Return the quantities that can be recorded, by graph node."""
        return recordable_quantities(self._config)

    def _run(
        self,
        inputs: Mapping[str, NDArray[Any]],
        *,
        record: Mapping[str, tuple[str, ...]],
        trial_seed: int | None,
    ) -> Recording:
        del trial_seed  # a digital chip has no noise
        config = self._config
        batch, steps = next(iter(inputs.values())).shape[:2]
        self._check_run(batch, steps)
        probes = needed_probes(config, record)
        drives = drives_of(config, inputs)
        sources = source_values(config, inputs, drives)
        shift = self._options.reset_shift if self._hardware else 0
        made = describe(config, record=probes, elapsed=self._elapsed, reset_shift=shift)
        job = {
            **made.job,
            "steps": steps,
            "hardware": self._hardware,
            "profile": self._options.profile,
            "host": dict(self._host) if self._host else None,
        }
        parts, states, measured = [], [], []
        for b in range(batch):
            arrays = {**made.arrays, **(self._states[b] if self._states else {})}
            for entry in made.job["sources"]:
                ring = made.layouts[entry["name"]].to_ring(sources[entry["name"]][b])
                arrays[f"source/{entry['name']}"] = ring
            own = {name: values[b] for name, values in drives.items()}
            for name, values in self._biases(own, steps).items():
                arrays[f"drive/{name}"] = made.layouts[name].to_drive(values)
            found = self._runner(job, arrays)
            parts.append(signals_from_rings(found, made.layouts))
            states.append({k: v for k, v in found.items() if k.startswith("state/")})
            measured.append(str(found.get("profile", "{}")))
        self._states, self._elapsed = states, self._elapsed + steps
        return self._decoder.recording(
            {key: np.stack([part[key] for part in parts]) for key in parts[0]},
            inputs=inputs,
            record=record,
            late=IN_STEPS + OUT_STEPS if self._hardware else 0,
            diagnostics=self._run_findings(),
            provenance={"session": self._runner.name, **self._profile(measured)},
        )

    def _biases(self, drives: Mapping[str, Any], steps: int) -> dict[str, NDArray[np.int64]]:
        if self._hardware:
            return late_biases(self._config, drives, steps)
        return bias_drives(self._config, drives)

    def _check_run(self, batch: int, steps: int) -> None:
        name = self._runner.name
        if not batch or not steps:
            raise SimulationError(
                f"{name}: the input has {batch} samples of {steps} steps; Lava runs at least one "
                "sample of one step"
            )
        if self._states is not None and self._hardware:
            raise SimulationError(
                f"{name}: a chip behind a worker keeps no state between runs; call reset()"
            )
        if self._states is not None and len(self._states) != batch:
            raise SimulationError(
                f"{name}: the state holds {len(self._states)} samples, the input {batch}; call "
                "reset() before a run with another batch size"
            )

    def _run_findings(self) -> tuple[Diagnostic, ...]:
        if not self._hardware:
            return self._findings
        return (*self._findings, NEVER_ON_SILICON.at(None, self._runner.name))

    def _profile(self, measured: list[str]) -> dict[str, Any]:
        if not (self._hardware and self._options.profile):
            return {}
        import json

        return {"profile": [json.loads(text) for text in measured]}

    def get_state(self) -> State:
        """Return what Lava keeps, ``"<process>/<variable>"``, (batch, ...); empty before a run."""
        if not self._states:
            return {}
        return {
            key[6:]: np.stack([state[key] for state in self._states]) for key in self._states[0]
        }

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Set what `get_state` returned; an empty state is that before the first step.

        Raises
        ------
        InputError
            Arrays differ in their number of samples, or names differ from the last state's.
        """
        sizes = {np.shape(values)[:1] for values in state.values()}
        if len(sizes) > 1:
            raise InputError(f"state: arrays have different batch sizes {sorted(sizes)}")
        if not state:
            self._states = None
            return
        known = self.get_state()
        if known and set(known) != set(state):
            raise InputError(f"state: got {sorted(state)}, expected {sorted(known)}")
        (batch,) = sizes.pop()
        self._states = [
            {f"state/{k}": np.asarray(v)[b].astype(np.int64) for k, v in state.items()}
            for b in range(batch)
        ]

    def reset(self) -> None:
        """Return to the state before the first step."""
        self._states, self._elapsed = None, 0
        self._decoder.reset()

    def _close(self) -> None:
        self._runner.close()
