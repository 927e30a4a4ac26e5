"""A chip behind hxtorch."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Diagnostic
from ranvier.errors import DeviceError

from ...diagnostics import ON_STEPS, SAMPLE_TIMES_DIFFER
from ...records import RawRecords
from ..limits import cycles_of
from ..loops import groups_of, is_loop
from ..release import given_back
from ..vendor import PYNN, load, speaking
from .extraction import Extraction
from .modules import Builder, Network
from .stack import EVENTS, OUTPUT_HANDLE, load_stack

if TYPE_CHECKING:
    from ...config import Bss2Config
    from ..access import Access
    from ..options import DeployOptions
    from ..plan import Plan


class HxtorchBackend:
    """Everything that is said to hxtorch.

    Parameters
    ----------
    access : Access
        Device.
    options : DeployOptions
        Initialisation and calibration.
    resources : ExitStack
        Releases the chip when it is closed.

    Attributes
    ----------
    identifier : str
        Names the chip.

    Raises
    ------
    DeviceError
        The chip cannot be initialised, or the process is connected already.
    """

    def __init__(self, access: Access, options: DeployOptions, resources: ExitStack) -> None:
        self.name, self.options = access.name, options
        self._stack = load_stack()
        self._net: Network | None = None
        self._refuse_second()
        # the release comes first: an interrupt may hit after the chip was taken
        resources.push(given_back(self.name, self._stack.hxtorch.release_hardware))
        with speaking(self.name, "initialising the chip"):
            if options.init == "minimal":
                self._stack.hxtorch.init_hardware_minimal()
            elif options.ann:
                self._stack.hxtorch.init_hardware(ann=True)
            else:
                self._stack.hxtorch.init_hardware()
            self.identifier = str(self._stack.hxtorch.get_unique_identifier())
            self._calibration = self._calibration_file()

    def _refuse_second(self) -> None:
        """Raise if this process has a chip already: opening and closing would take it away."""
        try:
            there = self._stack.hxtorch.get_unique_identifier()
        except Exception:
            return  # "No connection present."
        raise DeviceError(
            f"{self.name}: this process is connected to {there} already, and hxtorch keeps one "
            "connection; close the other session first"
        )

    def _calibration_file(self) -> str | None:
        if self.options.nightly:
            return str(load(PYNN, path="pynn").helper.nightly_calib_path())
        return None if self.options.calibration is None else str(self.options.calibration)

    def use(self, config: Bss2Config, plan: Plan) -> None:
        """Build the network of a configuration.

        Raises
        ------
        DeviceError
            The stack refuses it.
        """
        self._config, self._plan, self._groups = config, plan, groups_of(plan)
        builder = Builder(self._stack, config, plan, options=self.options)
        with speaking(self.name, "building the network"):
            self._net = builder.network(self._groups, calibration=self._calibration)

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
            The stack fails, or its results have another shape.
        """
        n_samples, n_steps = next(iter(inputs.values())).shape[:2]
        runtime = n_steps + self.options.margin
        net = self._network()
        with speaking(self.name, "running"):
            handles = self._connect(net, inputs, runtime)
            self._stack.snn.run(net.experiment, runtime)
        found = Extraction(dt=self._config.chip_dt, n_samples=n_samples, n_steps=n_steps)
        for part in self._plan.parts:
            self._check_shape(part.population.name, handles[part.number], n_samples)
            found.add(part, handles[part.number])
        with speaking(self.name, "reading the records"):
            records = found.records()
        duration = cycles_of(self._config, n_steps, where=self.name)
        raw = RawRecords(records, n_samples, duration, self.identifier)
        return raw, self._findings(found)

    def _network(self) -> Network:
        if self._net is None:
            raise DeviceError(f"{self.name}: no network was built; open the device again")
        return self._net

    def _connect(
        self, net: Network, inputs: Mapping[str, NDArray[np.int64]], runtime: int
    ) -> dict[int, Any]:
        """Call all modules, and return the handles of neurons by part.

        The stack forgets the connections after every run.
        """
        sources = {name: self._events(values, runtime) for name, values in inputs.items()}
        batch = next(iter(inputs.values())).shape[0]
        silent = self._events(np.zeros((batch, 1, 1), dtype=np.int64), runtime)
        handles: dict[int, Any] = {}
        for group in self._groups:
            if is_loop(self._plan, group):
                handles |= {k: self._own_handle(net, k) for k in group}
            for k in group:
                known: dict[Any, Any] = {None: silent, **sources, **handles}
                own = [s for s in net.synapses if s.target == k]
                handles[k] = net.neurons[k](*[s.module(known[s.source]) for s in own])
        return handles

    def _own_handle(self, net: Network, part: int) -> Any:
        """Return the handle that a module will return: loops need it before the call."""
        handle = getattr(net.neurons[part], OUTPUT_HANDLE, None)
        if handle is None:
            raise DeviceError(
                f"{self.name}: modules of this release have no {OUTPUT_HANDLE}, which recurrence "
                "needs; use another release of hxtorch, or the path 'pynn'"
            )
        return handle

    def _events(self, values: NDArray[np.int64], runtime: int) -> Any:
        """Return input as a handle: spikes of shape (time, batch, n), by name."""
        torch = self._stack.torch
        batch, _, size = values.shape
        rows = torch.zeros((runtime, batch, size), dtype=torch.float32)
        rows[: values.shape[1]] = torch.from_numpy(
            np.ascontiguousarray((values > 0).transpose(1, 0, 2), dtype=np.float32)
        )
        return self._stack.name(*EVENTS)(spikes=rows)

    def _check_shape(self, name: str, handle: Any, n_samples: int) -> None:
        for field in ("spikes", "membrane_cadc"):
            rows = getattr(handle, field, None)
            if rows is not None and (rows.ndim != 3 or rows.shape[1] != n_samples):
                raise DeviceError(
                    f"{self.name}: {field} of {name!r} has shape {tuple(rows.shape)}, expected "
                    f"(time, {n_samples}, n); use another release of hxtorch"
                )

    def _findings(self, found: Extraction) -> list[Diagnostic]:
        findings = [ON_STEPS.at(None, f"grid of {self._config.chip_dt * 1e6:g} us")]
        if found.spread:
            message = f"sample times differ by up to {found.spread} cycles of 8 ns"
            findings.append(SAMPLE_TIMES_DIFFER.at(None, message, value=found.spread, limit=0))
        return findings
