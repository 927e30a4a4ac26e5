"""Running a layer."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import InputError

from ..kernels.arrangement import Arrangement
from ..kernels.layers import Events, Observed, Records, States, run_forward, run_listed
from .parameters import NeuronParameters
from .state import FIELDS, LayerState

Floats = NDArray[np.float32]
NO_TRACE: Floats = np.zeros(0, dtype=np.float32)
"""A trace that is not there."""
NO_MASK: NDArray[np.uint8] = np.zeros(0, dtype=np.uint8)
"""A mask that is not kept."""

NOTHING_OBSERVED = Observed(NO_TRACE, NO_TRACE, NO_TRACE)
"""Of a run that is all model."""


class LayerRun(NamedTuple):
    """What a run returns; traces (batch, time, n) of float32, in model units.

    Attributes
    ----------
    spikes : array
        0 or 1; all 0 for neurons that do not fire.
    i_syn, v_mem, w_adaptation : array
        Current after its update, membrane after its reset, adaptation.
    state : LayerState
        State after the last step.
    """

    spikes: Floats
    i_syn: Floats
    v_mem: Floats
    w_adaptation: Floats
    state: LayerState


def run_layer(
    parameters: NeuronParameters,
    x: NDArray[Any],
    *,
    state: LayerState | None = None,
    v_hw: NDArray[Any] | None = None,
    z_hw: NDArray[Any] | None = None,
    w_hw: NDArray[Any] | None = None,
) -> LayerRun:
    """Run a layer over time, in the order that `ranvier_bss2.numerics` writes down.

    Parameters
    ----------
    parameters : NeuronParameters
        The layer.
    x : array, (batch, time, n)
        Sum of the weighted inputs of every step, in model units.
    state : LayerState, optional
        Where to start; at rest by default.
    v_hw, z_hw, w_hw : array, (batch, time or other, n), optional
        Observed membranes in model units, spikes (0 or 1) and adaptation, which replace those of
        the model. A trace that is longer than ``x`` is cut at its end. Where a trace is shorter,
        only its steps are computed: all results then have the shortest of the lengths.

    Returns
    -------
    LayerRun
        Traces of ``min(time)`` steps.

    Raises
    ------
    InputError
        A shape that does not fit, a spike that is neither 0 nor 1, or observed spikes of neurons
        that do not fire.

    Examples
    --------
    >>> import numpy as np
    >>> lif = {"leak": 80.0, "reset": 80.0, "threshold": 125.0}
    >>> neurons = NeuronParameters.of_values(lif, dt=1e-6)
    >>> x = np.zeros((1, 13, 1))
    >>> x[0, 10] = 50.0
    >>> run_layer(neurons, x).v_mem[0, 10:, 0]
    array([80., 85., 89.], dtype=float32)
    """
    found = {"v_hw": v_hw, "z_hw": z_hw, "w_hw": w_hw}
    traces = {k: np.asarray(v) for k, v in found.items() if v is not None}
    steps = check_input(parameters, np.shape(x), traces)
    given = np.ascontiguousarray(np.asarray(x)[:, :steps], dtype=np.float32)
    batch, n = given.shape[0], parameters.n
    arrangement = Arrangement.of(batch, steps, n)
    start = begin_of(parameters, state, arrangement)
    z, i, v, w = (arrangement.empty(np.float32) for _ in range(4))
    room = Records(z, i, v, w, NO_TRACE, NO_MASK)
    observed = observed_of(traces, arrangement)
    end = launch(parameters, arrangement.lay(given), observed, start, room, arrangement)
    take = arrangement.take
    return LayerRun(take(z), take(i), take(v), take(w), end)


def begin_of(
    parameters: NeuronParameters, state: LayerState | None, arrangement: Arrangement
) -> States:
    """Lay out where a run starts: at a state, or at rest.

    Raises
    ------
    InputError
        The state is of another batch or layer.
    """
    if state is None:
        return parameters.rest(arrangement)
    checked = state.checked(arrangement.batch, arrangement.n)
    return States(*(arrangement.lay_row(getattr(checked, name)) for name in FIELDS))


def launch(
    parameters: NeuronParameters,
    x: Floats,
    observed: Observed,
    start: States,
    records: Records,
    arrangement: Arrangement,
    *,
    events: Events | None = None,
) -> LayerState:
    """Run the kernel on checked arrays that are laid out for it; give the last state.

    With ``events``, ``x`` are the weights (n_in, n) of these inputs, flat.
    """
    ends = np.empty((len(FIELDS), start.i.size), dtype=np.float32)
    end = States(*ends)
    if not x.size:
        ends[:] = start
    elif events is None:
        run_forward(
            x, parameters.arranged(arrangement), parameters.terms, observed, start, end, records,
            arrangement.shape,
        )  # fmt: skip
    else:
        run_listed(
            events, x, parameters.arranged(arrangement), parameters.terms, observed, start, end,
            records, arrangement.shape,
        )  # fmt: skip
    batch, _, n = arrangement[:3]
    i, v, w, ref = ends[:, : batch * n].reshape(len(FIELDS), batch, n)
    return LayerState(i_syn=i, v_mem=v, w_adaptation=w, refractory=ref)


def observed_of(traces: dict[str, NDArray[Any]], arrangement: Arrangement) -> Observed:
    """Cut observed traces to a length, round them to float32 and lay them out for the kernel."""
    if not traces:
        return NOTHING_OBSERVED
    cut = {
        name: arrangement.lay(trace[:, : arrangement.time].astype(np.float32))
        for name, trace in traces.items()
    }
    v, z, w = (cut.get(name, NO_TRACE) for name in ("v_hw", "z_hw", "w_hw"))
    return Observed(v, z, w)


def check_input(
    parameters: NeuronParameters, shape: tuple[int, ...], traces: dict[str, NDArray[Any]]
) -> int:
    """Check the shape of the input, and observed traces; give the steps that everything has.

    Raises
    ------
    InputError
        See `run_layer`; all problems in one message.
    """
    n = parameters.n
    if len(shape) != 3 or shape[2] != n:
        raise InputError(
            f"bss2: the input has shape {tuple(shape)}; expected (batch, time, {n}), the sum of "
            "weighted inputs per neuron"
        )
    if not traces:
        return int(shape[1])
    batch = shape[0]
    problems = [
        f"{name} has shape {tuple(trace.shape)}; expected ({batch}, time, {n})"
        for name, trace in traces.items()
        if trace.ndim != 3 or trace.shape[0] != batch or trace.shape[2] != n
    ]
    spikes = traces.get("z_hw")
    if spikes is not None and not parameters.has("fire"):
        problems.append("z_hw is given for neurons that do not fire; leave it out")
    if spikes is not None and (others := np.count_nonzero((spikes != 0) & (spikes != 1))):
        problems.append(f"z_hw has {others} values other than 0 and 1; give 1 per spike")
    if "w_hw" in traces and not parameters.adapts:
        problems.append("w_hw is given for neurons without adaptation; leave it out")
    if problems:
        raise InputError("bss2: " + "; ".join(problems))
    return min([int(shape[1]), *(int(trace.shape[1]) for trace in traces.values())])
