"""A Loihi board through the vendor's Lava-Loihi: one network stays on the chip until `reset`.

References
----------
Lava 0.10.0 documentation, `lava.utils.loihi` and run configurations; lava-dl 0.6.0 tutorials, which
name the adapters and their steps.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import AbstractSession, Recording, State
from ranvier.errors import DeviceError, SimulationError

from ..config import LoihiConfig
from ..diagnostics import NEVER_ON_SILICON
from .decoding import (
    Decoder,
    drives_of,
    late_biases,
    needed_probes,
    recordable_quantities,
    signals_from_rings,
    source_values,
)
from .description import describe
from .lava_network import check_network
from .layout import Layout
from .options import DeployOptions
from .within import stopped, within
from .worker.lava_worker import IN_STEPS, OUT_STEPS, Network, Sdk, use_host

_GENERATIONS = {"loihi1": "N2A2", "loihi2": "N3B3"}
Rings = dict[str, NDArray[np.int64]]


def host_of(target: str, options: DeployOptions) -> dict[str, Any] | None:
    """Return where the board is, from options and environment; None if nothing says it.

    Parameters
    ----------
    target : str
        Name of the target.
    options : DeployOptions
        Take precedence over ``NXSDKHOST``, ``HOST_BINARY``, ``SLURM``, ``PARTITION``, ``BOARD``
        and ``LOIHI_GEN``.

    Returns
    -------
    dict or None
        ``generation``, and ``address`` and ``binary``, or ``partition`` and ``board``.
    """
    env = os.environ
    generation = options.generation or env.get("LOIHI_GEN") or _GENERATIONS[target]
    address = options.host or env.get("NXSDKHOST")
    partition = options.partition or env.get("PARTITION")
    board = options.board or env.get("BOARD")
    over_slurm = options.partition or options.board or env.get("SLURM", "0") not in ("", "0")
    if options.host or (address and not over_slurm):
        binary = options.host_binary or env.get("HOST_BINARY")
        return {"generation": generation, "address": address, "binary": binary}
    if over_slurm or partition or board:
        return {"generation": generation, "partition": partition, "board": board}
    return None


def device_name(target: str, host: Mapping[str, Any]) -> str:
    """Return the id of a board: ``"loihi2:slurm"`` or ``"loihi2:192.168.1.4"``."""
    if host.get("address"):
        return f"{target}:{host['address']}"
    return f"{target}:{host.get('board') or host.get('partition') or 'slurm'}"


class HardwareSession(AbstractSession):
    """A network on a chip.

    It is compiled with the first run after opening or `reset`; later runs go on where that ended.
    A chip holds the state of one sample: samples of a batch run one after the other, each on a
    freshly loaded network, and afterwards `reset` is needed. Adapters make every signal later;
    the recording's ``latency`` says by how much. Any error during a run, an interrupt too, stops
    the vendor's runtime and closes the session.

    Parameters
    ----------
    config : LoihiConfig
        What runs.
    host : mapping
        From `host_of`.
    options : DeployOptions
    sdk : object or None
        Lava's classes by name; None: the installed ones.

    Raises
    ------
    DeviceError
        Lava has no process for a part of the network (all reasons at once), or the host does not
        answer.

    Notes
    -----
    Never run on silicon: checked against an emulation of the SDK.
    """

    def __init__(
        self,
        config: LoihiConfig,
        host: Mapping[str, Any],
        options: DeployOptions,
        *,
        sdk: Any = None,
    ) -> None:
        super().__init__(input_shapes=config.input_shapes, dt=config.dt, spiking=not config.values)
        self._findings = check_network(config, hardware=True)
        self._config, self._options, self._sdk = config, options, sdk or Sdk()
        self._name = device_name(config.target, host)
        self._network: Network | None = None
        self._layouts: dict[str, Layout] = {}
        self._probes: dict[str, tuple[str, ...]] = {}
        self._before: dict[str, NDArray[np.int64]] | None = None
        self._scattered = False
        self._decoder = Decoder(config)
        self._wait(lambda: use_host(self._sdk, host), "finding the board")

    def _wait(self, action: Any, doing: str) -> Any:
        return within(self._options.timeout, action, device=self._name, doing=doing)

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
        config, probes = self._config, needed_probes(self._config, record)
        batch, steps = next(iter(inputs.values())).shape[:2]
        self._check_run(batch, steps, probes)
        drives = drives_of(config, inputs)
        sources = source_values(config, inputs, drives)
        parts, profiles = [], []
        try:
            for b in range(batch):
                if b:
                    self._unload()
                own = {n: x[b] for n, x in sources.items()}
                driven = {n: x[b] for n, x in drives.items()}
                parts.append(self._sample(own, driven, steps, probes))
                profiles.append(self._network.profile() if self._network else {})
        except BaseException:
            self.close()
            raise
        self._scattered = batch > 1
        return self._decoder.recording(
            {key: np.stack([part[key] for part in parts]) for key in parts[0]},
            inputs=inputs,
            record=record,
            late=IN_STEPS + OUT_STEPS,
            diagnostics=(*self._findings, NEVER_ON_SILICON.at(None, self._name)),
            provenance={
                "session": self._name,
                **({"profile": profiles} if self._options.profile else {}),
            },
        )

    def _check_run(self, batch: int, steps: int, probes: Mapping[str, tuple[str, ...]]) -> None:
        if not batch or not steps:
            raise SimulationError(
                f"{self._name}: the input has {batch} samples of {steps} steps; a chip runs at "
                "least one sample of one step"
            )
        if self._scattered or (self._network is not None and batch > 1):
            raise SimulationError(
                f"{self._name}: the chip holds the state of one sample; call reset() before and "
                "after a run with several"
            )
        missing = [
            f"{name}.{q}"
            for name, quantities in probes.items()
            for q in quantities
            if self._network is not None and q not in self._probes.get(name, ())
        ]
        if missing:
            raise SimulationError(
                f"{self._name}: {', '.join(missing)} cannot be recorded now: probes are part of "
                "the loaded network; call reset() first, or record them from the first run on"
            )

    def _sample(
        self,
        sources: Mapping[str, NDArray[np.int64]],
        drives: Mapping[str, NDArray[np.int64]],
        steps: int,
        probes: Mapping[str, tuple[str, ...]],
    ) -> Rings:
        """Advance one sample: the first run loads the network, later ones reuse its buffers."""
        fresh = self._network is None
        network = self._network or self._load(sources, steps, probes)
        biases = late_biases(self._config, drives, steps, self._before)
        self._before = self._last_biases(drives, steps)
        found: list[Rings] = []
        for first in range(0, steps, network.steps):
            n = min(network.steps, steps - first)
            chunk = slice(first, first + n)
            if not fresh:
                rings = {
                    name: self._layouts[name].to_ring(sources[name][chunk])
                    for name in network.sources
                }
                self._wait(lambda rings=rings: network.load(rings), "writing the inputs")
            own = {name: self._layouts[name].to_drive(x[chunk]) for name, x in biases.items()}
            self._wait(lambda n=n, own=own: network.advance(n, own), f"running {n} steps")
            raw = self._wait(lambda n=n: network.signals(n), "reading the results")
            found.append(dict(signals_from_rings(raw, self._layouts)))
        return {key: np.concatenate([part[key] for part in found]) for key in found[0]}

    def _load(
        self,
        sources: Mapping[str, NDArray[np.int64]],
        steps: int,
        probes: Mapping[str, tuple[str, ...]],
    ) -> Network:
        made = describe(self._config, record=probes, reset_shift=self._options.reset_shift)
        rings = {
            f"source/{e['name']}": made.layouts[e["name"]].to_ring(sources[e["name"]])
            for e in made.job["sources"]
        }
        self._layouts, self._probes = made.layouts, dict(probes)

        def build() -> Network:
            arrays = {**made.arrays, **rings}
            network = Network(made.job, arrays, sdk=self._sdk, steps=steps, hardware=True)
            network.start(profile=self._options.profile)
            return network

        network: Network = self._wait(build, "building the network")
        self._network = network
        return network

    def _last_biases(
        self, drives: Mapping[str, NDArray[np.int64]], steps: int
    ) -> dict[str, NDArray[np.int64]]:
        """Return the biases that the next run begins with."""
        whole = late_biases(self._config, drives, steps + IN_STEPS, self._before)
        return {name: values[steps:] for name, values in whole.items()}

    def _unload(self) -> None:
        network, self._network, self._before = self._network, None, None
        if network is not None:
            self._wait(network.stop, "stopping the chip")

    def reset(self) -> None:
        """Stop the network; the next run loads it afresh."""
        if self._closed:
            raise SimulationError("this session is closed; open a new one")
        try:
            self._unload()
        except BaseException:
            self.close()
            raise
        self._scattered = False
        self._decoder.reset()

    def get_state(self) -> State:
        """Read the neurons' states, ``"<population>/<variable>"``, (1, ...).

        Messages under way cannot be read from a chip. Before the first run there is nothing.
        """
        network = self._network
        if network is None:
            return {}
        if self._scattered:
            raise SimulationError(f"{self._name}: the last run had several samples; call reset()")
        names = {p.name for p in self._config.populations}
        state: dict[str, Any] = self._wait(lambda: network.state(only=names), "reading the state")
        return {name: values[None] for name, values in state.items()}

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Refuse: messages under way cannot be written to a chip."""
        raise DeviceError(
            f"{self._name}: the state of a chip can be read and cleared, not set; use "
            "ranvier.open_simulation or device='lava-worker' to start from a state"
        )

    def _close(self) -> None:
        network, self._network = self._network, None
        if network is not None:
            stopped(network.stop, device=self._name)
