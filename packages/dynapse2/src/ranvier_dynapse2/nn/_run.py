"""Both ways to run a layer, with states and traces in the shapes that the module gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..nodes import synapse_states
from ._constants import Constants, repeat
from ._loop import loop_dpi
from ._surrogates import Surrogate
from .kernels import State, columns_of, fused_dpi

Parts = tuple[Tensor, ...]


class Done(NamedTuple):
    """Output ``(batch, time, n)``, final state, and traces by name if asked for."""

    out: Tensor
    state: Parts
    traces: Mapping[str, Tensor] | None


def run_loop(
    x: Tensor,
    weight: Tensor | None,
    constants: Constants,
    *,
    surrogate: Surrogate,
    start: Parts,
    trace: bool,
) -> Done:
    """Run a layer in plain torch; arguments as for `run_kernel`."""
    first = (start[0].transpose(1, 2), *start[1:])
    run = loop_dpi(x, weight, constants, surrogate=surrogate, state=first, trace=trace)
    final = (run.state[0].transpose(1, 2), *run.state[1:])
    return Done(run.out, final, _named(run.traces, run.out) if trace and x.shape[1] else None)


def run_kernel(
    x: Tensor,
    weight: Tensor | None,
    constants: Constants,
    *,
    surrogate: Surrogate,
    start: Parts,
    trace: bool,
) -> Done:
    """Run a layer in compiled loops; traces have no gradients.

    Parameters
    ----------
    x : Tensor
        Weighted input, float32 ``(batch, time, n * ports)``.
    weight : Tensor or None
        Recurrent weights, float32 ``(n * ports, n)``.
    constants : Constants
        Numbers of one step.
    surrogate : Surrogate
        Derivative of the spike counts.
    start : tuple of Tensor
        ``i_syn`` ``(batch, n, ports)``, then the other states ``(batch, n)``.
    trace : bool
        Also give the traces.
    """
    batch, time = x.shape[:2]
    ports, n = constants.keep_syn.shape
    first = State(
        start[0].permute(2, 0, 1).reshape(ports, batch * n).numpy(),
        *(part.reshape(-1).numpy() for part in start[1:]),
    )
    lanes = repeat(constants, batch)
    run = fused_dpi(x, weight, lanes, surrogate=surrogate, state=first, trace=trace)
    isyn = torch.from_numpy(run.state.i_syn).reshape(ports, batch, n).permute(1, 2, 0)
    final = (isyn, *(torch.from_numpy(part).reshape(batch, n) for part in run.state[1:]))
    if not trace:
        return Done(run.out, final, None)
    kept = run.kept
    rows = {
        "i_ahp": kept.i_ahp,
        "i_mem": np.where(kept.spikes > 0, lanes.i_o, kept.i_pre),
        "v_mem": kept.v_mem,
    }
    traces = {
        name: columns_of(torch.from_numpy(row).unsqueeze(1), (batch, time, n))
        for name, row in rows.items()
    }
    synapses = torch.from_numpy(kept.i_syn).reshape(time, ports, batch, n).permute(2, 0, 1, 3)
    return Done(run.out, final, _named({"i_syn": synapses, **traces}, run.out))


def _named(traces: Mapping[str, Tensor], out: Tensor) -> dict[str, Tensor]:
    """Name the synaptic currents ``(batch, time, ports, n)``, and add what records have."""
    isyn = traces["i_syn"]
    states = ("i_syn",) if isyn.shape[2] == 1 else synapse_states()
    named = {name: isyn[:, :, p] for p, name in enumerate(states)}
    rest = {name: traces[name] for name in ("i_ahp", "i_mem", "v_mem")}
    current = isyn.transpose(2, 3).flatten(2)
    always = {"current": current, "membrane": traces["i_mem"], "spikes": out}
    return {**always, **named, **rest}
