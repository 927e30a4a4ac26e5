"""A chip behind PyNN."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Diagnostic

from ...diagnostics import SAMPLE_TIMES_DIFFER
from ...records import CLOCK, RawRecords
from ..limits import cycles_of
from ..loops import groups_of
from ..release import given_back
from ..vendor import PYNN, load, speaking
from .collecting import MS_PER_S, Collection
from .network import Network

if TYPE_CHECKING:
    from ...config import Bss2Config
    from ..access import Access
    from ..options import DeployOptions
    from ..plan import Plan


class PynnBackend:
    """Everything that is said to PyNN.

    Sources are populations of one neuron per channel: they are sent at times in ms of the chip.
    Execution instances run one after the other; each has its own setup, and gets the spikes that
    earlier ones recorded. Samples of a batch run one after the other.

    Parameters
    ----------
    access : Access
        Device.
    options : DeployOptions
        Calibration and placement.
    resources : ExitStack
        Releases the chip when it is closed.

    Attributes
    ----------
    identifier : str
        Id of the device: PyNN does not name the chip.
    """

    def __init__(self, access: Access, options: DeployOptions, resources: ExitStack) -> None:
        self.name = self.identifier = access.name
        self.options = options
        self._pynn = load(PYNN, path="pynn")
        self._net: Network | None = None
        self._is_up = False
        resources.push(given_back(self.name, self._end))

    def _end(self) -> None:
        if self._is_up:
            self._is_up, self._net = False, None
            self._pynn.end()

    def use(self, config: Bss2Config, plan: Plan) -> None:
        """Build the network of a configuration's first execution instance.

        Raises
        ------
        DeviceError
            The stack refuses it.
        """
        groups_of(plan)  # says what cannot run one after the other
        self._config, self._plan = config, plan
        with speaking(self.name, "closing the network before"):
            self._end()
        self._network(0)

    def _network(self, instance: int) -> Network:
        """Return the network of an execution instance, set up if another one was."""
        if self._net is not None and self._net.instance == instance:
            return self._net
        with speaking(self.name, "closing the network before"):
            self._end()
        with speaking(self.name, "setting up the chip"):
            self._is_up = True
            self._pynn.setup(**self._setup(instance))
        with speaking(self.name, "building the network"):
            self._net = Network(
                self._pynn,
                self._config,
                self._plan,
                instance=instance,
                calibrated=self._calibrated,
            )
        return self._net

    @property
    def _calibrated(self) -> bool:
        return self.options.nightly or self.options.calibration is not None

    def _setup(self, instance: int) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        if self.options.nightly:
            arguments["initial_config"] = self._pynn.helper.chip_from_nightly()
        elif self.options.calibration is not None:
            path = str(self.options.calibration)
            arguments["initial_config"] = self._pynn.helper.chip_from_file(path)
        if self.options.placement == "config":
            own = [p.circuits[:, 0] for p in self._plan.in_instance(instance)]
            first = np.concatenate([np.zeros(0, np.int64), *own])
            rest = np.setdiff1d(np.arange(self._config.limits.neuron_circuits), first)
            arguments["neuronPermutation"] = [*first.tolist(), *rest.tolist()]
        return arguments

    def run(self, inputs: Mapping[str, NDArray[np.int64]]) -> tuple[RawRecords, list[Diagnostic]]:
        """Run a batch.

        Parameters
        ----------
        inputs : mapping of str to array of int, (batch, time, n)
            Spike counts; every entry that is not 0 is one event.

        Returns
        -------
        RawRecords, list of Diagnostic
            Records, and what was odd.

        Raises
        ------
        DeviceError
            The stack fails.
        """
        n_samples, n_steps = next(iter(inputs.values())).shape[:2]
        runtime = (n_steps + self.options.margin) * self._config.chip_dt * MS_PER_S
        found = Collection(self._plan, n_samples=n_samples)
        for instance in range(self._config.instances):
            net = self._network(instance)
            for sample in range(n_samples):
                with speaking(self.name, "running"):
                    self._send(net, inputs, found, sample=sample)
                    self._pynn.run(runtime)
                with speaking(self.name, "reading the records"):
                    for part in self._plan.in_instance(instance):
                        found.add(part, net.populations[part.number], sample=sample)
                    self._pynn.reset()
        duration = cycles_of(self._config, n_steps, where=self.name)
        raw = RawRecords(found.records(), n_samples, duration, self.identifier)
        return raw, self._findings(found)

    def _send(
        self,
        net: Network,
        inputs: Mapping[str, NDArray[np.int64]],
        found: Collection,
        *,
        sample: int,
    ) -> None:
        """Set the spikes of all sources: of inputs, and of what earlier instances recorded."""
        for source, channel in net.sources:
            if isinstance(source, str):
                steps = np.flatnonzero(inputs[source][sample, :, channel])
                times = steps * self._config.chip_dt * MS_PER_S
            else:
                times = found.spikes_of(source, channel, sample=sample) / CLOCK * MS_PER_S
            net.send(source, channel, times=times.tolist())

    @staticmethod
    def _findings(found: Collection) -> list[Diagnostic]:
        if not found.spread:
            return []
        message = f"sample times differ by up to {found.spread} cycles of 8 ns"
        return [SAMPLE_TIMES_DIFFER.at(None, message, value=found.spread, limit=0)]
