"""The session: runs, state, recordings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import AbstractSession, Recording, State
from ranvier.errors import SimulationError

from ..config import Dynapse2Config
from ..dpi import DpiRun, DpiState, run_routed
from .board import prepare_board
from .findings import board_findings
from .options import SimulateOptions
from .signals import quantities, signal


class Dynapse2Session(AbstractSession):
    """An open simulation of one board; state carries over between runs until `reset`.

    Computes from the registers: codes become currents, tags and hops become connections. Records
    ``spikes``, the synaptic current ``i_syn`` (four-synapse model: ``i_ampa``, ``i_gaba``,
    ``i_nmda``, ``i_shunt``), ``i_ahp`` and ``i_mem`` in A and ``v_mem`` in V of every neuron node;
    ``i_mem`` as it is after a reset, ``v_mem`` before.

    Parameters
    ----------
    config : Dynapse2Config
        From `ranvier.quantize`.
    options : SimulateOptions or None
        Model of the synapses, mismatch and the virtual chip.

    Raises
    ------
    InputError
        The mismatch makes a current negative.
    SimulationError
        The packets open too many synapses.

    Notes
    -----
    A spike of an input acts in its step, a spike of a neuron in the next. Every neuron of the board
    that holds a neuron of the graph, receives, or sends to a chip is simulated. Deviations belong
    to the place on the board: two networks on one virtual chip meet the same neurons.

    References
    ----------
    rockpool 3.1.0, devices/dynapse/simulation; Chicca et al., Proc. IEEE 102 (2014).
    """

    def __init__(self, config: Dynapse2Config, options: SimulateOptions | None = None) -> None:
        super().__init__(input_shapes=config.input_shapes, dt=config.dt)
        self._options = options or SimulateOptions()
        self._state: DpiState | None = None
        self._use(config)

    def _use(self, config: Dynapse2Config) -> None:
        self._board = prepare_board(config, self._options)
        self._findings = board_findings(config)
        self._config, self._hash = config, config.content_hash

    @property
    def config(self) -> Dynapse2Config:
        """The configuration in use."""
        return self._config

    @property
    def options(self) -> SimulateOptions:
        """The options in use."""
        return self._options

    def recordable(self) -> Mapping[str, tuple[str, ...]]:
        """Return the quantities that can be recorded, by graph node."""
        return dict.fromkeys(self._config.node_shapes, quantities(self._board.model))

    def _run(
        self,
        inputs: Mapping[str, NDArray[Any]],
        *,
        record: Mapping[str, tuple[str, ...]],
        trial_seed: int | None,
    ) -> Recording:
        del trial_seed  # the model has no noise: a virtual chip's pattern is fixed
        config, board = self._config, self._board
        wanted = dict.fromkeys(
            [
                *((c.node, c.quantity) for c in config.outputs),
                *((node, quantity) for node, names in record.items() for quantity in names),
            ]
        )
        self._refuse_other_model(quantity for _, quantity in wanted)
        counts = self._joined(inputs)
        result = run_routed(
            board.parameters,
            counts,
            synapses_in=board.synapses_in,
            synapses_rec=board.synapses_rec,
            state=self._matching_state(len(counts)),
            record=tuple(dict.fromkeys(q for _, q in wanted if q != "spikes")),
        )
        self._state = result.state
        return Recording(
            signals={key: signal(config, board, result, key=key) for key in wanted},
            dt=config.dt,
            outputs={c.output: (c.node, c.quantity) for c in config.outputs},
            latency=dict(config.latency),
            diagnostics=(*config.diagnostics, *self._findings),
            provenance=self._provenance(counts, result),
        )

    def _refuse_other_model(self, names: Any) -> None:
        offered = quantities(self._board.model)
        odd = sorted(set(names) - set(offered))
        if odd:
            raise SimulationError(
                f"dynapse2: an output shows {', '.join(odd)}, the model {self._board.model!r} has "
                f"{', '.join(offered)}; simulate with the configuration's model "
                f"{self._config.model!r}"
            )

    def _joined(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.int64]:
        """Return inputs by graph name as channels, (batch, time, n_channels)."""
        size = next(iter(inputs.values())).shape[:2]
        flat = [inputs[n].reshape(*size, int(np.prod(s))) for n, s in self._input_shapes.items()]
        return np.ascontiguousarray(np.concatenate(flat, axis=2), dtype=np.int64)

    def _provenance(self, counts: NDArray[np.int64], result: DpiRun) -> dict[str, Any]:
        board, options = self._board, self._options
        fired = np.append(result.spikes.sum(axis=(0, 1), dtype=np.int64), 0)
        return {
            "target": self._config.target,
            "config": self._hash,
            "session": "simulator",
            "model": board.model,
            "chip_seed": options.chip_seed,
            "mismatch": options.mismatch,
            "mismatch_overrides": dict(options.mismatch_overrides),
            "input_spikes": counts.sum(axis=(0, 1)).tolist(),
            "input_rate": float(np.mean(counts > 0)) if counts.size else 0.0,
            "neuron_spikes": {n: fired[own].tolist() for n, own in board.columns.items()},
        }

    def _matching_state(self, batch: int) -> DpiState | None:
        if self._state is not None and len(self._state.i_mem) != batch:
            raise SimulationError(
                f"dynapse2: the state holds {len(self._state.i_mem)} samples, the input {batch}; "
                "call reset() before a run with another batch size"
            )
        return self._state

    def get_state(self) -> State:
        """Return a copy of the state, named arrays (batch, n, ...) of all simulated neurons.

        Before the first run it is that of one sample at rest.
        """
        state = self._state or DpiState.rest(self._board.parameters, 1)
        return {name: np.array(values) for name, values in state.to_arrays().items()}

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Set what `get_state` returned.

        Raises
        ------
        SimulationError
            A name is missing or unknown, or an array does not fit the network.
        """
        self._state = DpiState.from_arrays(dict(state), self._board.parameters)

    def reset(self) -> None:
        """Return to the state before the first step."""
        self._state = None

    def update(self, config: Any) -> None:
        """Replace the configuration; the state stays if the same neurons of the board run.

        Raises
        ------
        SimulationError
            It is no Dynapse2Config, or has another target, time step or other inputs.
        """
        if not isinstance(config, Dynapse2Config):
            raise SimulationError(
                f"update: expected a Dynapse2Config, got {type(config).__name__}; open a new "
                "session"
            )
        old, before = self._config, self._board
        if (config.target, config.dt, config.input_shapes) != (
            old.target,
            old.dt,
            old.input_shapes,
        ):
            raise SimulationError(
                f"update: the session runs {old.target} at {old.dt:g} s with inputs "
                f"{old.input_shapes}, got {config.target} at {config.dt:g} s with "
                f"{config.input_shapes}; open a new session"
            )
        self._use(config)
        same = np.array_equal(self._board.positions, before.positions)
        if not same or self._board.model != before.model:
            self._state = None
