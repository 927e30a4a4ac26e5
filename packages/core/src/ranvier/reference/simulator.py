"""Session of the reference: a graph in float64, with state between runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..artifacts import AbstractSession, Recording, Signal, SpikeTrain, State, Trace
from ..errors import InputError, SimulationError
from ..graph import Graph
from . import opcodes as op
from .compilation import compile_graph
from .config import ReferenceConfig
from .outputs import recordable_quantities
from .program import Program, StateSlot

Key = tuple[str, str]


class ReferenceSession(AbstractSession):
    """An open reference.

    Parameters
    ----------
    config : ReferenceConfig
        What to run.
    graded_input : bool
        Whether inputs may be any real values.
    """

    def __init__(self, config: ReferenceConfig, *, graded_input: bool = False) -> None:
        super().__init__(input_shapes=config.input_shapes, dt=config.dt, spiking=not graded_input)
        self._config = config
        self._program = compile_graph(config.graph)
        self._state: NDArray[np.float64] | None = None

    def recordable(self) -> Mapping[str, tuple[str, ...]]:
        """Return what can be recorded: outputs, what neurons emit, and their states."""
        graph = self._config.graph
        offers = {name: recordable_quantities(graph, name) for name in graph.nodes}
        return {name: quantities for name, quantities in offers.items() if quantities}

    def _run(
        self,
        inputs: Mapping[str, NDArray[Any]],
        *,
        record: Mapping[str, tuple[str, ...]],
        trial_seed: int | None,
    ) -> Recording:
        """Run the compiled program; the state changes only if all of it stays finite."""
        from .kernels import interpret

        program, joined = self._program, _joined_inputs(inputs, self._config.graph)
        n_samples, n_steps = joined.shape[:2]
        state = self._state_for(n_samples).copy()
        keys = self._signals(record)
        plan = _recording_plan(program, self._config.graph, keys, rows=n_samples * n_steps)
        traces = np.empty(int(plan[plan[:, 0] != op.RECORD_SPIKES, 2].sum()) * n_samples * n_steps)
        events = interpret(
            program.code,
            program.par,
            program.matrices,
            program.weights,
            program.targets,
            program.pointers,
            plan,
            joined,
            state,
            program.n_values,
            traces,
        )
        _check_finite(state, program)
        _align_rings(state, program, n_steps)
        self._state = state
        signals = {
            key: self._signal(key, number, row, events, traces, joined.shape[:2])
            for number, (key, row) in enumerate(zip(keys, plan, strict=True))
        }
        return self._recording(signals)

    def _recording(self, signals: Mapping[Key, Signal]) -> Recording:
        config = self._config
        return Recording(
            signals=signals,
            dt=config.dt,
            outputs={c.output: (c.node, c.quantity) for c in config.outputs},
            latency=dict(config.latency),
            diagnostics=config.diagnostics,
            provenance={"target": config.target, "config": config.content_hash},
        )

    def _signals(self, record: Mapping[str, tuple[str, ...]]) -> list[Key]:
        """Return the signals to record, the outputs first, each once."""
        keys = [(c.node, c.quantity) for c in self._config.outputs]
        keys += [(node, quantity) for node, names in record.items() for quantity in names]
        return list(dict.fromkeys(keys))

    def _signal(
        self,
        key: Key,
        number: int,
        row: NDArray[np.int64],
        events: NDArray[np.int64],
        traces: NDArray[np.float64],
        grid: tuple[int, ...],
    ) -> Signal:
        """Cut one signal out of what the kernel recorded."""
        shape = self._config.node_shapes[key[0]]
        if row[0] == op.RECORD_SPIKES:
            own = events[events[:, 0] == number]
            sample, tick, index, count = (np.ascontiguousarray(own[:, k]) for k in range(1, 5))
            return SpikeTrain(sample, tick, index, count, grid[0], grid[1], shape, self._config.dt)
        size = grid[0] * grid[1] * int(row[2])
        values = traces[row[3] : row[3] + size].reshape(*grid, *shape)
        return Trace(values=values, interval=self._config.dt)

    def _state_for(self, n_samples: int) -> NDArray[np.float64]:
        if self._state is None:
            return np.tile(self._program.initial, (n_samples, 1))
        if self._state.shape[0] != n_samples:
            raise SimulationError(
                f"the state holds {self._state.shape[0]} sample(s), the input {n_samples}; "
                "call reset() before a run with another batch size"
            )
        return self._state

    def get_state(self) -> State:
        """Return all states, ``"node.quantity"`` to (batch, ...); one sample before the first run.

        Besides the states of the node kinds there are ``refractory_left`` (steps without firing),
        ``history`` (past outputs behind delayed edges) and ``delayed`` (past inputs of a Delay),
        both (batch, depth, ...) with the oldest step first.
        """
        state = self._program.initial[None] if self._state is None else self._state
        return {slot.name: _part(state, slot).copy() for slot in self._program.slots}

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Set all states.

        Raises
        ------
        InputError
            Names, shapes or values differ from what `get_state` returns; all problems are listed.
        """
        slots = {slot.name: slot for slot in self._program.slots}
        if set(state) != set(slots):
            raise InputError(f"state: got {sorted(state)}, expected {sorted(slots)}")
        arrays = {name: np.asarray(values) for name, values in state.items()}
        batch = {values.shape[:1] for values in arrays.values()}
        problems = [f"batch sizes differ: {sorted(batch)}"] if len(batch) > 1 else []
        for name, values in arrays.items():
            if values.ndim == 0 or values.shape[1:] != slots[name].shape:
                expected = ("batch", *slots[name].shape)
                problems.append(f"{name} has shape {values.shape}, expected {expected}")
            elif values.dtype.kind not in "biuf" or not np.all(np.isfinite(values)):
                problems.append(f"{name} has values that are not finite numbers")
        if problems:
            raise InputError("state: " + "; ".join(problems))
        if slots:
            new = np.empty((batch.pop()[0], self._program.initial.size))
            for name, values in arrays.items():
                _part(new, slots[name])[...] = values
            self._state = new

    def reset(self) -> None:
        """Return to the state before the first step; the batch size is free again."""
        self._state = None


def _joined_inputs(inputs: Mapping[str, NDArray[Any]], graph: Graph) -> NDArray[np.float64]:
    """Return the inputs side by side, (batch, time, n_in)."""
    flat = [inputs[n].reshape(*inputs[n].shape[:2], graph.nodes[n].size) for n in graph.inputs]
    joined = flat[0] if len(flat) == 1 else np.concatenate(flat, axis=2)
    return np.ascontiguousarray(joined, dtype=np.float64)


def _recording_plan(
    program: Program, graph: Graph, keys: list[Key], *, rows: int
) -> NDArray[np.int64]:
    """Return kind, offset, size and start in the traces of every signal, (signals, 4)."""
    plan, start = np.zeros((len(keys), 4), dtype=np.int64), 0
    for k, (node, quantity) in enumerate(keys):
        size = graph.nodes[node].size
        if quantity == "spikes":
            plan[k] = op.RECORD_SPIKES, program.values[node], size, 0
            continue
        value = quantity == "value"
        offset = program.values[node] if value else program.slot(node, quantity).offset
        plan[k] = op.RECORD_VALUE if value else op.RECORD_STATE, offset, size, start
        start += size * rows
    return plan


def _part(state: NDArray[np.float64], slot: StateSlot) -> NDArray[np.float64]:
    """Return a view of one named state, (batch, *shape)."""
    return state[:, slot.offset : slot.offset + slot.size].reshape(-1, *slot.shape)


def _check_finite(state: NDArray[np.float64], program: Program) -> None:
    bad = np.flatnonzero(~np.isfinite(state).all(axis=0))
    if not bad.size:
        return
    names = [s.name for s in program.slots if np.any((bad >= s.offset) & (bad < s.offset + s.size))]
    raise SimulationError(
        f"reference: {', '.join(names)} left the range of float64 ({bad.size} element(s)); "
        "the state is as before the run; check weights, time constants and dt"
    )


def _align_rings(state: NDArray[np.float64], program: Program, n_steps: int) -> None:
    """Turn every ring so that its oldest step is first."""
    for slot in program.slots:
        if slot.ring:
            part = _part(state, slot)
            part[...] = np.roll(part, -(n_steps % slot.shape[0]), axis=1)
