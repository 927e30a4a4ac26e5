"""The model's numerics with the weights that a configuration's registers hold."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import SimulationError

from ..background import background_counts
from ..chip import VirtualChip
from ..config import Bss2Config
from ..emulator import realise, wire
from ..numerics import LayerState, NeuronParameters, run_layer
from ..routing import connections

Floats = NDArray[np.float32]
FIELDS = ("i_syn", "v_mem", "w_adaptation", "refractory")


@dataclass(frozen=True, eq=False)
class NumericRun:
    """What a run returns, by population: arrays (batch, time, n) in model units.

    Parameters
    ----------
    spikes, i_syn, v_mem, w_adaptation : dict of str to array of float32
        As `ranvier_bss2.numerics.LayerRun`.
    """

    spikes: dict[str, Floats]
    i_syn: dict[str, Floats]
    v_mem: dict[str, Floats]
    w_adaptation: dict[str, Floats]


class NumericModel:
    """A configuration as the network that it computes, in model units; state carries over.

    Weights come from the registers through the routing, and are scaled back by ``kappa``, the
    codes and ``trace_scale``. Inputs are graded: a count of 2 acts twice as much. Events of
    background generators are those of the emulator, counted per step.

    Parameters
    ----------
    config : Bss2Config
        Model values and registers.
    """

    def __init__(self, config: Bss2Config) -> None:
        self._config = config
        self._parameters = {
            p.name: NeuronParameters.of_values(p.model, dt=config.chip_dt, switches=p.switches)
            for p in config.populations
        }
        self.weights = model_weights(config)
        self._backgrounds, self._step = config.backgrounds, 0
        self._recurrent = any(late for _, _, late in self.weights)
        self._state: dict[str, LayerState] = {}
        self._fired: dict[str, Floats] = {}

    @property
    def started(self) -> bool:
        """Whether there is a state of a run."""
        return bool(self._state)

    def adapts(self, name: str) -> bool:
        """Say whether a population has an adaptation variable."""
        return self._parameters[name].adapts

    def reset(self) -> None:
        """Return to the state before the first step."""
        self._state, self._fired, self._step = {}, {}, 0

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> NumericRun:
        """Advance by the length of the inputs ``{name: (batch, time, *shape)}``.

        Raises
        ------
        SimulationError
            The state is of another batch size.
        """
        flat = {
            n: x.reshape(*x.shape[:2], math.prod(x.shape[2:])).astype(np.float32)
            for n, x in inputs.items()
        }
        batch, n_steps = next(iter(flat.values())).shape[:2]
        self._start(batch)
        drawn = self._drawn(batch, n_steps)
        flat |= drawn
        self._step += n_steps
        run = self._stepwise(flat, n_steps)
        run.spikes.update(drawn)
        return run

    def _drawn(self, batch: int, n_steps: int) -> dict[str, Floats]:
        """Return the events of background generators in the next steps, (batch, time, n)."""
        dt, found = self._config.chip_dt, {}
        for own in self._backgrounds:
            counts = background_counts(own, start=self._step, n_steps=n_steps, dt=dt)
            found[own.name] = np.tile(counts.astype(np.float32), (batch, 1, 1))
        return found

    def _stepwise(self, flat: Mapping[str, Floats], n_steps: int) -> NumericRun:
        """Run all steps at once, or one after the other where there is recurrence."""
        if not self._recurrent:
            return self._advance(flat)
        pieces = [
            self._advance({n: x[:, t : t + 1] for n, x in flat.items()}) for t in range(n_steps)
        ]
        if not pieces:
            return self._advance(flat)
        return NumericRun(
            *(
                {n: np.concatenate([getattr(p, field)[n] for p in pieces], 1) for n in self._state}
                for field in ("spikes", "i_syn", "v_mem", "w_adaptation")
            )
        )

    def _start(self, batch: int) -> None:
        if not self._state:
            for name, own in self._parameters.items():
                self._state[name] = LayerState.rest(own, batch)
                self._fired[name] = np.zeros((batch, own.n), dtype=np.float32)
        found = len(next(iter(self._fired.values())))
        if found != batch:
            raise SimulationError(
                f"bss2: the state holds {found} samples, the input {batch}; call reset() before a "
                "run with another batch size"
            )

    def _advance(self, signals: Mapping[str, Floats]) -> NumericRun:
        known, out = dict(signals), NumericRun({}, {}, {}, {})
        before = {name: fired[:, None] for name, fired in self._fired.items()}
        shape = next(iter(known.values())).shape[:2]
        for p in self._config.populations:
            x = np.zeros((*shape, p.size), dtype=np.float32)
            for (source, target, late), weight in self.weights.items():
                if target == p.name:
                    x += (before if late else known)[source] @ weight.T
            result = run_layer(self._parameters[p.name], x, state=self._state[p.name])
            spikes = result.spikes * p.spike_mask.astype(np.float32)
            known[p.name], out.spikes[p.name] = spikes, spikes
            out.i_syn[p.name], out.v_mem[p.name] = result.i_syn, result.v_mem
            out.w_adaptation[p.name] = result.w_adaptation
            self._state[p.name] = result.state
            if shape[1]:
                self._fired[p.name] = spikes[:, -1]
        return out

    def get_state(self, batch: int = 1) -> dict[str, NDArray[Any]]:
        """Return a copy of the state, (batch, n) each; at rest before the first run."""
        arrays: dict[str, NDArray[Any]] = {}
        for name, own in self._parameters.items():
            state = self._state.get(name) or LayerState.rest(own, batch)
            arrays |= {f"{name}/{field}": getattr(state, field).copy() for field in FIELDS}
            rest = np.zeros_like(state.v_mem)
            arrays[f"{name}/fired"] = self._fired.get(name, rest).copy()
        if self._backgrounds:
            size = len(next(iter(self._fired.values()))) if self._fired else batch
            arrays["step"] = np.full((size, 1), self._step, dtype=np.int64)
        return arrays

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Set what `get_state` returned.

        Raises
        ------
        SimulationError
            A name is missing or unknown, or a shape does not fit.
        """
        first = np.shape(next(iter(state.values()))) if state else ()
        wanted = self.get_state()
        shapes = {n: (*first[:1], *a.shape[1:]) for n, a in wanted.items()}
        bad = sorted(set(wanted) ^ set(state))
        bad += [n for n in wanted if n in state and np.shape(state[n]) != shapes[n]]
        if bad or not first:
            raise SimulationError(
                f"bss2: the state does not fit: {', '.join(bad) or 'it is empty'}; set a state "
                "that this configuration returned"
            )
        self._step = int(np.max(state.get("step", 0)))
        copies = {n: np.array(a, dtype=np.float32) for n, a in state.items()}
        for name in self._parameters:
            self._state[name] = LayerState(**{f: copies[f"{name}/{f}"] for f in FIELDS})
            self._fired[name] = copies[f"{name}/fired"]


def model_weights(config: Bss2Config) -> dict[tuple[str, str, bool], Floats]:
    """Return the weights that the registers hold, in model units.

    Parameters
    ----------
    config : Bss2Config
        Registers, codes and scales.

    Returns
    -------
    dict of (source, target, late) to array of float32, (n_target, n_source)
        ``late``: spikes arrive in the next step. Pairs without weights are left out.
    """
    ideal, found = VirtualChip.of(0, "ideal"), connections(config)
    sizes = {n: int(np.prod(s, dtype=np.int64)) for n, s in config.input_shapes.items()}
    sizes |= {b.name: b.size for b in config.backgrounds}
    sizes |= {p.name: p.size for p in config.populations}
    names = [p.name for p in config.populations]
    total: dict[tuple[str, str, bool], NDArray[np.float64]] = {}
    for instance in range(config.instances):
        real = realise(config, ideal, instance=instance, substeps=1, exact=True)
        if not real.population.size:
            continue
        wiring = wire(config, ideal, found, realised=real, instance=instance)
        dense = wiring.weights(np.asarray(config.synapse_weight))
        begins = real.neurons.first[:-1]
        label = np.array(names)[real.population]
        outer = np.repeat(np.array(wiring.source_name, dtype=str), np.diff(wiring.source_first))
        blocks = (
            (dense.outside, outer, wiring.source_channel, False),
            (dense.forward, label, real.index, False),
            (dense.recurrent, label, real.index, True),
        )
        for rows, sources, channel, late in blocks:
            net = np.add.reduceat(rows[:, 0] - rows[:, 1], begins, axis=1)
            for source, target in itertools.product(np.unique(sources), np.unique(label)):
                row, column = np.flatnonzero(sources == source), np.flatnonzero(label == target)
                own = net[np.ix_(row, column)]
                if own.any():
                    shape = (sizes[str(target)], sizes[str(source)])
                    matrix = total.setdefault((str(source), str(target), late), np.zeros(shape))
                    matrix[np.ix_(real.index[column], channel[row])] += own.T
    return {key: _in_model_units(config, key[1], matrix) for key, matrix in total.items()}


def _in_model_units(config: Bss2Config, target: str, drive: NDArray[np.float64]) -> Floats:
    p = config.population_of[target]
    gain = np.asarray(p.trace_scale) * p.model["capacitance"] / p.model["tau_mem"]
    return np.asarray(drive * np.broadcast_to(gain, p.size)[:, None], dtype=np.float32)
