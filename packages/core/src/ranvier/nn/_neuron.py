"""What all neuron modules share: shapes, parameters, state and recording."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ranvier.errors import GraphError, InputError
from ranvier.events import ContinuousSeries, EventSeries

from ._export import ToGraph
from ._recording import LayerRecord, Record, record as record_network

Values = float | Sequence[float] | Tensor | Any


class Advance(NamedTuple):
    """Result of a neuron model on flat arrays: output, final state, traces if asked for."""

    out: Tensor
    state: tuple[Tensor, ...]
    traces: Mapping[str, Tensor] | None


def holds_series(x: object) -> bool:
    """Say whether an input is a series or a list of series."""
    first = x[0] if isinstance(x, list) and x else x
    return isinstance(first, EventSeries | ContinuousSeries)


def on_series(module: nn.Module, x: object, *, record: bool) -> Any:
    """Run a module on series; gives back series."""
    from ._timed import Timed

    if record:
        raise InputError("record: series give no traces; pass a Tensor (batch, time, *shape)")
    return Timed(module)(x)


def require_tensor(x: object, where: str) -> None:
    """Refuse arrays and lists, and series where the time step is unknown."""
    if isinstance(x, EventSeries | ContinuousSeries | np.ndarray | list):
        raise InputError(
            f"{where}: the input is of type {type(x).__name__}, expected a Tensor (batch, time, "
            "*shape); wrap the network in ranvier.nn.Timed for series, use torch.as_tensor for "
            "arrays"
        )


def forget_states(modules: Iterable[nn.Module]) -> None:
    """Call ``reset_state`` of every module that has one."""
    for module in modules:
        forget = getattr(module, "reset_state", None)
        if callable(forget):
            forget()


class Neuron(ToGraph, nn.Module):
    """A layer of neurons over ``(batch, time, *shape)``.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of the layer.
    dt : float
        Time step, in s, > 0.
    stateful : bool
        Start each call from the state in which the last one ended, instead of at rest.
    readout : {"spikes", "vmem"}
        What the layer gives. With ``"vmem"`` it does not fire and gives its membrane. May be
        changed at any time.

    Attributes
    ----------
    state : tuple of Tensor or None
        State after the last call, detached, batch first; None before the first call.
    recorder : tuple or None
        Where `record` collects the traces; None when nothing is recorded.

    Raises
    ------
    GraphError
        A shape, a time step or a parameter is out of range.
    """

    def __init__(
        self,
        shape: int | tuple[int, ...],
        *,
        dt: float = 1e-3,
        stateful: bool = False,
        readout: Literal["spikes", "vmem"] = "spikes",
    ) -> None:
        super().__init__()
        self.shape = (shape,) if isinstance(shape, int) else tuple(int(k) for k in shape)
        if not self.shape or min(self.shape) < 1:
            raise GraphError(f"{self._where}: shape is {self.shape}; every axis must be >= 1")
        if not (math.isfinite(dt) and dt > 0):
            raise GraphError(f"{self._where}: dt is {dt!r} s; it must be finite and > 0")
        self.dt = float(dt)
        self.stateful = stateful
        self.readout = readout
        self.state: tuple[Tensor, ...] | None = None
        self.recorder: tuple[Record, str] | None = None

    @property
    def readout(self) -> Literal["spikes", "vmem"]:
        """What the layer gives: ``"spikes"`` or, without firing, ``"vmem"``."""
        return self._readout

    @readout.setter
    def readout(self, value: Literal["spikes", "vmem"]) -> None:
        if value not in ("spikes", "vmem"):
            raise GraphError(f"{self._where}: readout is {value!r}; use 'spikes' or 'vmem'")
        self._readout = value

    @property
    def n(self) -> int:
        """Number of neurons."""
        return math.prod(self.shape)

    @property
    def columns(self) -> int:
        """Number of input columns; a model with several synapses per neuron has more than `n`."""
        return self.n

    @property
    def _where(self) -> str:
        return type(self).__name__

    def reset_state(self) -> None:
        """Forget the state of the last call, so that the next one starts at rest."""
        self.state = None

    def forward(
        self, x: Tensor, *, state: tuple[Tensor, ...] | None = None, record: bool = False
    ) -> Any:
        """Run the layer over time.

        Parameters
        ----------
        x : Tensor, series or list of series
            Weighted input, ``(batch, time, *shape)`` or with the columns flattened. Series give
            series back, without gradients.
        state : tuple of Tensor, optional
            Where to start, as ``module.state`` gave it.
        record : bool
            Also return the traces.

        Returns
        -------
        Tensor or (Tensor, Record)
            Output, ``(batch, time, *shape)``; with ``record=True`` also the traces.

        Raises
        ------
        InputError
            ``x`` has another shape.
        """
        if holds_series(x):
            return on_series(self, x, record=record)
        if record:
            with record_network(self) as traces:
                return self.forward(x, state=state), traces
        flat = self.flat_input(x)
        start = state if state is not None else (self.state if self.stateful else None)
        if start is not None and start[0].shape[0] != x.shape[0]:
            raise InputError(
                f"{self._where}: the state is of {start[0].shape[0]} samples, the input has "
                f"{x.shape[0]}; call reset_state() or pass samples of the same batch"
            )
        done = self._advance(flat, start, trace=self.recorder is not None)
        return self.finish(done)

    def finish(self, done: Advance) -> Tensor:
        """Keep the final state and the traces of a run, and give its output its shape."""
        self.state = tuple(part.detach() for part in done.state)
        if self.recorder is not None and done.traces is not None:
            traces, name = self.recorder
            traces.put(name, self._layer_record(done.traces))
        return done.out.reshape(*done.out.shape[:2], *self.shape)

    def flat_input(self, x: Tensor) -> Tensor:
        """Check an input and flatten it to ``(batch, time, columns)``."""
        require_tensor(x, self._where)
        if x.ndim >= 3 and x.shape[2:].numel() == self.columns:
            return x.flatten(2)
        raise InputError(
            f"{self._where}: the input has shape {tuple(x.shape)}; expected (batch, time, "
            f"{', '.join(map(str, self.shape))}) with {self.columns} values per step"
        )

    @abstractmethod
    def _advance(self, x: Tensor, state: tuple[Tensor, ...] | None, *, trace: bool) -> Advance:
        """Run on ``(batch, time, columns)``; give ``(batch, time, n)``."""

    def _layer_record(self, traces: Mapping[str, Tensor]) -> LayerRecord:
        """Give the traces the shape of the layer."""
        shaped = {
            name: trace.reshape(*trace.shape[:2], *self.shape, *self._tail(trace))
            for name, trace in traces.items()
        }
        extra = {n: t for n, t in shaped.items() if n not in ("current", "membrane", "spikes")}
        return LayerRecord(
            current=shaped["current"],
            membrane=shaped["membrane"],
            spikes=shaped["spikes"],
            extra=extra,
        )

    def _tail(self, trace: Tensor) -> tuple[int, ...]:
        """Axes of a trace after those of the layer: the synapses where there are several."""
        return () if trace.shape[2] == self.n else (trace.shape[2] // self.n,)

    def add_values(
        self, name: str, values: Values, *, train: bool = False, tail: tuple[int, ...] = ()
    ) -> None:
        """Register a parameter of the model: scalar or per neuron, trained or fixed.

        Parameters
        ----------
        name : str
            Attribute.
        values : float or array
            Broadcastable to the layer's shape followed by ``tail``.
        train : bool
            Make it a `torch.nn.Parameter`; a buffer otherwise.
        tail : tuple of int
            Further axes, the synapses for instance.
        """
        tensor = torch.as_tensor(values, dtype=torch.get_default_dtype()).detach().clone()
        full = (*self.shape, *tail)
        try:
            tensor.expand(full)
        except RuntimeError as error:
            raise GraphError(
                f"{self._where}: {name} has shape {tuple(tensor.shape)}; "
                f"it must be a scalar or broadcast to {full}"
            ) from error
        if torch.isnan(tensor).any():
            raise GraphError(f"{self._where}: {name} contains NaN; give finite values")
        if train:
            self.register_parameter(name, nn.Parameter(tensor))
        else:
            self.register_buffer(name, tensor)

    def check(self, name: str, *, above: float, finite: bool = True) -> None:
        """Refuse values of a parameter that are not greater than ``above``."""
        values: Tensor = getattr(self, name).detach()
        low = float(values.min())
        smallest = above * (1.0 + 1e-6)  # a single-precision bound may round up
        if not low > smallest or (finite and bool(values.isinf().any())):
            found = low if not low > smallest else float(values.max())
            raise GraphError(
                f"{self._where}: {name} contains {found:g}; it must be > {above:g}"
                f"{' and finite' if finite else ''}"
            )

    def flat_values(self, name: str, tail: tuple[int, ...] = ()) -> Tensor:
        """Give a parameter per column, ``(n,)`` or ``(n * prod(tail),)``, with its gradient."""
        values: Tensor = getattr(self, name)
        return values.expand((*self.shape, *tail)).reshape(-1)

    def describe(self, *names: str) -> str:
        """Describe the layer for printing: shape, then parameters with their range."""
        parts = [f"shape={self.shape}"]
        for name in names:
            values = getattr(self, name, None)
            if isinstance(values, Tensor):
                low, high = float(values.detach().min()), float(values.detach().max())
                text = f"{low:g}" if low == high else f"{low:g}…{high:g}"
                parts.append(f"{name}={text}{' (trained)' if values.requires_grad else ''}")
            elif values is not None:
                parts.append(f"{name}={values!r}")
        return ", ".join(parts)
