"""Neuron models that are computed step by step in torch."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from ._neuron import Advance, Neuron


class StepwiseNeuron(Neuron):
    """A neuron model given by one step; gradients by torch.

    Subclasses name their states in the order of `rest` and say which traces they record.
    """

    trace_names: tuple[str, ...] = ("current", "membrane", "spikes")

    @abstractmethod
    def rest(self, x: Tensor) -> tuple[Tensor, ...]:
        """Give the state at rest for an input ``(batch, time, columns)``."""

    @abstractmethod
    def constants(self) -> tuple[Tensor, ...]:
        """Resolve the parameters to what a step needs, once per call."""

    @abstractmethod
    def step(
        self, x: Tensor, state: tuple[Tensor, ...], constants: tuple[Tensor, ...]
    ) -> tuple[Tensor, tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Advance by one step; give output ``(batch, n)``, state, and the values to record."""

    def _advance(self, x: Tensor, state: tuple[Tensor, ...] | None, *, trace: bool) -> Advance:
        now = self.rest(x) if state is None else state
        constants = self.constants()
        outs: list[Tensor] = []
        seen: list[tuple[Tensor, ...]] = []
        for x_t in x.unbind(1):
            out, now, values = self.step(x_t, now, constants)
            outs.append(out)
            if trace:
                seen.append(values)
        stacked = torch.stack(outs, 1) if outs else x.new_zeros(x.shape[0], 0, self.n)
        if not trace:
            return Advance(stacked, now, None)
        columns = zip(*seen, strict=True)
        traces = {
            name: torch.stack(column, 1)
            for name, column in zip(self.trace_names, columns, strict=True)
        }
        return Advance(stacked, now, traces)

    def zeros(self, x: Tensor, columns: int | None = None) -> Tensor:
        """Give zeros ``(batch, columns)``, one column per neuron by default."""
        return x.new_zeros(x.shape[0], self.n if columns is None else columns)
