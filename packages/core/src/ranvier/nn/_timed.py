"""Modules on event series: series in, series out."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import nn

from ..errors import InputError
from ..events import ContinuousSeries, EventSeries, as_raster
from ._neuron import Neuron


def _signal_of(module: nn.Module) -> Literal["spikes", "trace"]:
    """Say what the last neuron layer of a module gives."""
    neurons = [m for m in module.modules() if isinstance(m, Neuron)]
    if not neurons:
        return "trace"
    last = neurons[-1]
    return "spikes" if getattr(last, "spiking", last.readout == "spikes") else "trace"


class Timed(nn.Module):
    """Wraps a module so that it takes and returns series.

    Parameters
    ----------
    module : torch.nn.Module
        Maps ``(batch, time, *shape)`` to ``(batch, time, *shape_out)``.
    dt : float or None
        Time step, in s; that of the module's neuron layers by default.
    signal : {"spikes", "trace"} or None
        Whether the result is given back as events or as continuous series; None: as the last neuron
        layer gives it.

    Raises
    ------
    InputError
        The time step is unknown, or neuron layers disagree about it.

    Examples
    --------
    >>> from ranvier.events import EventSeries
    >>> from ranvier.nn import LIF, Timed
    >>> series = EventSeries([1e-3, 2e-3], [0, 1], shape=2, t_stop=10e-3)
    >>> Timed(LIF(2))(series)
    EventSeries(2 events, shape=(2,), 0 s to 0.01 s)
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        dt: float | None = None,
        signal: Literal["spikes", "trace"] | None = None,
    ) -> None:
        super().__init__()
        steps = {m.dt for m in module.modules() if isinstance(m, Neuron)} if dt is None else {dt}
        if len(steps) != 1:
            raise InputError(f"Timed: one time step is needed, found {sorted(steps)}; pass dt=")
        self.module = module
        self.dt = steps.pop()
        self.signal: Literal["spikes", "trace"] = signal or _signal_of(module)

    def forward(self, data: Any) -> Any:
        """Run on a series or a list of series, or on an array ``(batch, time, *shape)``."""
        first = data[0] if isinstance(data, list) and data else data
        if isinstance(first, EventSeries):
            shape = first.shape
        elif isinstance(first, ContinuousSeries):
            shape = (first.num_channels,)
        else:
            return self.module(data)
        given = as_raster(data, dt=self.dt, shape=shape)
        values = torch.as_tensor(given.values, dtype=torch.get_default_dtype())
        with torch.no_grad():
            result = self.module(values).numpy()
        counts = result.round().astype("int64") if self.signal == "spikes" else result
        return given.restore(counts, signal=self.signal)
