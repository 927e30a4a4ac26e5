"""The session: runs, state, recordings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import AbstractSession, Recording, Signal, SpikeTrain, State, Trace
from ranvier.diagnostics import Diagnostic, describe
from ranvier.errors import SimulationError

from .. import diagnostics as codes
from ..chip import VirtualChip
from ..config import Bss2Config
from ..emulator import Emulator
from ..emulator.trial import trial_of
from ..records import RawRecords, observables, recording_of
from .numeric import NumericModel, NumericRun
from .options import SimulateOptions


class Bss2Session(AbstractSession):
    """An open simulation of one configuration; state carries over between runs until `reset`.

    At the level ``"emulator"`` it shows what a chip shows: ``spikes``, ``v_mem`` as the slow
    converter samples it (in LSB, with scale and offset) and ``madc`` where the fast one is used. At
    the level ``"numeric"`` it shows ``spikes``, ``v_mem``, ``i_syn`` and ``w_adaptation`` of the
    model in every step.

    Parameters
    ----------
    config : Bss2Config
        From `ranvier.quantize`.
    options : SimulateOptions or None
        Level, virtual chip, integration.
    chip : VirtualChip or None
        For programs: a chip that options cannot name; None takes theirs.

    Attributes
    ----------
    raw : RawRecords or None
        Records of the last run at the level ``"emulator"``.

    Raises
    ------
    SimulationError
        An output shows a membrane that is not sampled, or the chip cannot be emulated.

    Notes
    -----
    Background generators show their events as ``spikes``; these depend on their own seeds and on
    the step since reset only, so that all samples and trials have the same.

    Noise depends on ``trial_seed``, on the sample's place in the batch, on the step since reset and
    on the neuron. Without a seed every run is a new trial; its seed is in the recording's
    provenance, so that it can be repeated.

    Runs without a `reset` between them are one run: the memory of the slow converter fills up over
    all of them, and what it does not hold is reported.
    """

    def __init__(
        self,
        config: Bss2Config,
        options: SimulateOptions | None = None,
        *,
        chip: VirtualChip | None = None,
    ) -> None:
        super().__init__(input_shapes=config.input_shapes, dt=config.dt)
        self._options = options or SimulateOptions()
        self._chip = chip if chip is not None else self._options.chip
        self._foreign: tuple[Diagnostic, ...] = ()
        self.raw: RawRecords | None = None
        self._use(config)

    def _use(self, config: Bss2Config) -> None:
        options = self._options
        self._model: Emulator | NumericModel
        if options.level == "numeric":
            self._model = NumericModel(config)
        else:
            _refuse_hidden_outputs(config)
            self._model = Emulator(
                config, self._chip, substeps=options.substeps, decay=options.decay
            )
            self._foreign = self._chip.foreign_targets(config)
        self._config, self._hash = config, config.content_hash

    @property
    def config(self) -> Bss2Config:
        """The configuration in use."""
        return self._config

    @property
    def options(self) -> SimulateOptions:
        """The options in use."""
        return self._options

    def recordable(self) -> Mapping[str, tuple[str, ...]]:
        """Return the quantities that can be recorded, by graph node."""
        if isinstance(self._model, Emulator):
            return observables(self._config)
        drawn: dict[str, tuple[str, ...]] = dict.fromkeys(
            self._config.background_shapes, ("spikes",)
        )
        return drawn | {
            p.name: (
                *(("spikes",) if "fire" in p.switches else ()),
                "v_mem",
                "i_syn",
                *(("w_adaptation",) if self._model.adapts(p.name) else ()),
            )
            for p in self._config.populations
        }

    def _run(
        self,
        inputs: Mapping[str, NDArray[Any]],
        *,
        record: Mapping[str, tuple[str, ...]],
        trial_seed: int | None,
    ) -> Recording:
        if isinstance(self._model, NumericModel):
            return self._numeric(self._model, inputs, record)
        seed = trial_of(trial_seed)
        self.raw = raw = self._model.run(inputs, trial_seed=seed)
        options = self._options
        fired = {
            p.name: np.bincount(raw[p.name].spikes.neuron, minlength=p.size)
            for p in self._config.populations
        }
        provenance = {
            "preset": options.preset if type(self._chip) is VirtualChip else "calibration",
            "chip_seed": self._chip.seed,
            "variability": self._chip.variability.model_dump(),
            "substeps": options.substeps,
            "decay": options.decay,
            "trial_seed": seed,
        }
        return recording_of(
            self._config,
            raw,
            n_steps=next(iter(inputs.values())).shape[1],
            record=record,
            diagnostics=(*self._foreign, *_repeated(inputs)),
            provenance=self._provenance(inputs, fired) | provenance,
        )

    def _provenance(
        self, inputs: Mapping[str, NDArray[Any]], fired: Mapping[str, NDArray[Any]]
    ) -> dict[str, Any]:
        return {
            "target": self._config.target,
            "config": self._hash,
            "session": self._options.level,
            "input_spikes": {n: int(np.count_nonzero(x)) for n, x in inputs.items()},
            "neuron_spikes": {n: count.astype(np.int64).tolist() for n, count in fired.items()},
        }

    def _numeric(
        self,
        model: NumericModel,
        inputs: Mapping[str, NDArray[Any]],
        record: Mapping[str, tuple[str, ...]],
    ) -> Recording:
        config, run = self._config, model.run(inputs)
        outputs = {c.output: (c.node, c.quantity) for c in config.outputs}
        wanted = dict.fromkeys(
            [*outputs.values(), *((node, q) for node, names in record.items() for q in names)]
        )
        fired = {p.name: run.spikes[p.name].sum(axis=(0, 1)) for p in config.populations}
        return Recording(
            signals={key: _signal(config, run, key) for key in wanted},
            dt=config.dt,
            outputs=outputs,
            latency=dict(config.latency),
            diagnostics=tuple(config.diagnostics),
            provenance=self._provenance(inputs, fired),
        )

    def get_state(self) -> State:
        """Return a copy of the state; before the first run that of one sample at rest."""
        return self._model.get_state()

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Set what `get_state` returned; raises `SimulationError` if it does not fit."""
        self._model.set_state(state)

    def reset(self) -> None:
        """Return to the state before the first step."""
        self._model.reset()

    def update(self, config: Any) -> None:
        """Replace the configuration; the state stays if it fits.

        Raises
        ------
        SimulationError
            It is no Bss2Config, or has another target, time step or other inputs.
        """
        if not isinstance(config, Bss2Config):
            raise SimulationError(
                f"update: expected a Bss2Config, got {type(config).__name__}; open a new session"
            )
        old = self._config
        own = (old.target, old.dt, old.input_shapes)
        if (config.target, config.dt, config.input_shapes) != own:
            raise SimulationError(
                f"update: the session runs {old.target} at {old.dt:g} s with inputs "
                f"{old.input_shapes}, got {config.target} at {config.dt:g} s with "
                f"{config.input_shapes}; open a new session"
            )
        state = self._model.get_state() if self._model.started else None
        self._use(config)
        shapes = {n: a.shape[1:] for n, a in self._model.get_state().items()}
        if state is not None and shapes == {n: a.shape[1:] for n, a in state.items()}:
            self._model.set_state(state)


def _signal(config: Bss2Config, run: NumericRun, key: tuple[str, str]) -> Signal:
    node, quantity = key
    values = getattr(run, quantity)[node]
    values = values.reshape(*values.shape[:2], *config.node_shapes[node])
    if quantity == "spikes":
        return SpikeTrain.from_raster(values.astype(np.int64), dt=config.dt)
    return Trace(values, interval=config.dt)


def _refuse_hidden_outputs(config: Bss2Config) -> None:
    found = [
        codes.NO_READOUT.at(c.node, f"output {c.output!r} shows {c.quantity}, cadc is 'off'")
        for c in config.outputs
        if c.quantity != "spikes" and config.population_of[c.node].cadc == "off"
    ]
    if found:
        raise SimulationError(describe(found, heading="bss2: outputs cannot be read"))


def _repeated(inputs: Mapping[str, NDArray[Any]]) -> list[Diagnostic]:
    """Report counts above one: the chip gets one event per channel and step."""
    found = []
    for name, counts in inputs.items():
        many = int(np.count_nonzero(counts > 1))
        if many:
            message = f"{many} counts above 1, up to {int(counts.max())}, are one event each"
            found.append(codes.SEVERAL_SPIKES.at(name, message, value=int(counts.max()), limit=1))
    return found
