"""Computing a program with the model, around what a chip showed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..records import CLOCK
from ._dropout import BatchDropout
from ._graded import Field, fed_alone, graded_later, is_plain
from ._handles import AELIFObservables, Handle, LIFObservables, SynapseHandle
from ._layer import NeuronLayer
from ._lif import EventPropLIF
from ._module import Call
from ._program import Program
from ._recurrence import Member, Traces, run_loop
from ._synapse import EventPropSynapse, Synapse
from .functional import aelif, eventprop_lif, linear_aelif


@dataclass(frozen=True, kw_only=True, eq=False)
class Observed:
    """What a chip showed of a layer, on the grid and in model units.

    Parameters
    ----------
    spikes : Tensor or None, (batch, time, n)
        0 or 1.
    membrane : Tensor or None, (batch, time, n)
        From the slow converter.
    madc : Tensor or None, (2, batch, samples)
        Times in cycles, and LSB.
    """

    spikes: Tensor | None = None
    membrane: Tensor | None = None
    madc: Tensor | None = None

    def traces(self) -> dict[str, Tensor]:
        """Return what replaces values of the model."""
        found = {"z_hw": self.spikes, "v_hw": self.membrane}
        return {name: trace for name, trace in found.items() if trace is not None}


NOTHING = Observed()


class Computation:
    """Fills the handles of one run.

    Parameters
    ----------
    program : Program
        What runs.
    inputs : mapping of str to Tensor, (batch, time, n)
        Spikes by input.
    observed : mapping of str to Observed
        By layer; nothing for the numeric backend.
    batch, steps : int
        Of the results.
    dt : float
        Time step, in s.
    defer : bool
        Whether weighted spikes of synapses that alone feed a layer are computed with the layer, and
        given only when they are read.
    """

    def __init__(
        self,
        program: Program,
        inputs: Mapping[str, Tensor],
        observed: Mapping[str, Observed],
        *,
        batch: int,
        steps: int,
        dt: float,
        defer: bool = False,
    ) -> None:
        self.program, self.observed, self.batch, self.steps = program, observed, batch, steps
        self.dt = dt
        self.on_chip = bool(observed)
        self.links = {id(q.call): q for q in program.links}
        self.values: dict[int, Tensor] = {id(program.inputs[name]): x for name, x in inputs.items()}
        self.results: list[tuple[Handle, dict[str, Field]]] = []
        self.joined = set(fed_alone(program)) if defer else set()
        self.waiting: dict[int, tuple[Tensor, Tensor]] = {}

    def run(self) -> list[tuple[Handle, dict[str, Field]]]:
        """Return handles and what belongs into their fields."""
        for group in self.program.groups:
            if len(group) > 1:
                self._loop(group)
            else:
                self._call(group[0])
        return self.results

    def _call(self, call: Call) -> None:
        module = call.module
        if isinstance(module, Synapse):
            self._weigh(call, module)
        elif isinstance(module, BatchDropout):
            self._drop(call)
        elif isinstance(module, EventPropLIF):
            self._eventprop(call, module)
        elif isinstance(module, NeuronLayer):
            self._neurons(call, module)

    def _weigh(self, call: Call, module: Synapse) -> None:
        spikes = self.values[id(call.inputs[0])]
        if id(call.output) in self.joined and is_plain(module, spikes):
            weight = module.effective_weight
            self.waiting[id(call.output)] = spikes, weight
            later = graded_later(module.name, spikes, weight)
            self.results.append((call.output, {"graded_spikes": later}))
            return
        if isinstance(module, EventPropSynapse):
            with torch.no_grad():
                graded = module.weigh(spikes)
        else:
            graded = module.weigh(spikes)
        self.values[id(call.output)] = graded
        self.results.append((call.output, {"graded_spikes": graded}))

    def _drop(self, call: Call) -> None:
        spikes = self.values[id(call.inputs[0])]
        masked = spikes if call.mask is None else spikes * call.mask
        self.values[id(call.output)] = masked
        self.results.append((call.output, {"spikes": masked}))

    def _graded(self, handle: Handle) -> Tensor:
        found = self.values.get(id(handle))
        if found is None and isinstance(handle, SynapseHandle):
            found = handle.graded_spikes
        if found is None:
            raise KeyError(repr(handle))
        return self._cut(found)

    def _cut(self, trace: Tensor) -> Tensor:
        return trace if trace.shape[1] <= self.steps else trace[:, : self.steps]

    def _neurons(self, call: Call, module: NeuronLayer[Any]) -> None:
        seen = self.observed.get(module.name, NOTHING)
        parameters, trained = module.neuron_parameters(), module.trained()
        link = self.waiting.get(id(call.inputs[0]))
        if link is not None:
            done = linear_aelif(
                self._cut(link[0]),
                link[1],
                parameters,
                alpha=module.alpha,
                trained=trained,
                z_hw=seen.spikes,
                v_hw=seen.membrane,
            )
        else:
            x = self._graded(call.inputs[0])
            for handle in call.inputs[1:]:
                x = x + self._graded(handle)
            done = aelif(
                x,
                parameters,
                alpha=module.alpha,
                trained=trained,
                z_hw=seen.spikes,
                v_hw=seen.membrane,
            )
        traces = (done.spikes, done.v_mem, done.i_syn, done.w_adaptation)
        self._finish(call, module, traces, seen)

    def _eventprop(self, call: Call, module: EventPropLIF) -> None:
        calls = [self._producer(handle) for handle in call.inputs]
        parts = [self.values[id(c.inputs[0])] for c in calls]
        weights = [c.module.effective_weight for c in calls if isinstance(c.module, Synapse)]
        joined = torch.cat(parts, dim=2) if len(parts) > 1 else parts[0]
        weight = torch.cat(weights, dim=1) if len(weights) > 1 else weights[0]
        seen = self.observed.get(module.name, NOTHING)
        membrane = seen.membrane if seen.spikes is not None else None
        done = eventprop_lif(
            joined, weight, module.neuron_parameters(), z_hw=seen.spikes, v_hw=membrane
        )
        current = None if seen.spikes is not None else done.i_syn
        self._finish(call, module, (done.spikes, done.v_mem, current, None), seen)

    def _producer(self, handle: Handle) -> Call:
        return next(c for c in self.program.calls if c.output is handle)

    def _loop(self, group: tuple[Call, ...]) -> None:
        inside = {id(c) for c in group}
        members: dict[str, Member] = {}
        for name, call in self.program.neurons.items():
            if id(call) not in inside:
                continue
            own = [q for q in self.program.links if q.target == name]
            outer = None
            handles = {id(q.call.output) for q in own if id(q.call) in inside}
            for handle in call.inputs:
                if id(handle) not in handles:
                    part = self._graded(handle)
                    outer = part if outer is None else outer + part
            links = [q for q in own if id(q.call) in inside]
            seen = self.observed.get(name, NOTHING).traces()
            members[name] = Member(self.program.layer(name), outer, links, seen)
        traces, graded = run_loop(members, batch=self.batch, steps=self.steps)
        for name, found in traces.items():
            self.values[id(self.program.neurons[name].output)] = found.spikes
        for call in group:
            self._finish_in_loop(call, traces, graded)

    def _finish_in_loop(
        self, call: Call, traces: Mapping[str, Traces], graded: Mapping[str, Tensor]
    ) -> None:
        module = call.module
        if isinstance(module, Synapse):
            self.results.append((call.output, {"graded_spikes": graded[module.name]}))
        elif isinstance(module, BatchDropout):
            self._drop(call)
        elif isinstance(module, NeuronLayer):
            seen = self.observed.get(module.name, NOTHING)
            self._finish(call, module, tuple(traces[module.name]), seen)

    def _finish(
        self,
        call: Call,
        module: NeuronLayer[Any],
        traces: tuple[Tensor | None, ...],
        seen: Observed,
    ) -> None:
        spikes, v_mem, i_syn, adaptation = traces
        fields: dict[str, Field] = {"membrane_cadc": v_mem, "current": i_syn}
        if module.fires and spikes is not None:
            self.values[id(call.output)] = spikes
            fields["spikes"] = spikes
        adapts = isinstance(call.output, AELIFObservables) and module.neuron_parameters().adapts
        if adapts:
            fields["adaptation_cadc"] = adaptation
        fields |= self._fast(module, v_mem, adaptation if adapts else None, seen)
        self.results.append((call.output, fields))

    def _fast(
        self,
        module: NeuronLayer[Any],
        v_mem: Tensor | None,
        adaptation: Tensor | None,
        seen: Observed,
    ) -> dict[str, Tensor | None]:
        neuron = module.recording.madc_neuron
        if neuron < 0:
            return {}
        if self.on_chip:
            return {"membrane_madc": seen.madc}
        name, trace = "membrane_madc", v_mem
        if module.madc_readout == "adaptation":
            name, trace = "adaptation_madc", adaptation
        if trace is None:
            return {}
        values = trace[:, :, neuron].detach()
        times = torch.arange(values.shape[1], dtype=values.dtype) * (self.dt * CLOCK)
        return {name: torch.stack([times.expand_as(values), values])}


def fill(handle: Handle, fields: Mapping[str, Field]) -> None:
    """Put results into a handle."""
    for name, value in fields.items():
        setattr(handle, name, value)


def spikes_of(handle: Handle) -> Tensor:
    """Return the spikes of an input."""
    if not isinstance(handle, LIFObservables) or handle.spikes is None:
        raise TypeError(repr(handle))
    return handle.spikes
