"""The calls of one run: what is joined with what, and in which order it is computed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ranvier.diagnostics import Diagnostic

from .. import diagnostics as codes
from ._dropout import BatchDropout
from ._handles import Handle, LIFObservables
from ._layer import NeuronLayer
from ._lif import EventPropLIF
from ._module import Call, input_error
from ._synapse import EventPropSynapse, Synapse


@dataclass(frozen=True, kw_only=True, eq=False)
class Link:
    """A projection: a synapse with its source and its target.

    Parameters
    ----------
    call : Call
        Of the synapse.
    source : str
        Input or neurons.
    target : str
        Neurons.
    delay : int
        1 where spikes go back to neurons that are computed earlier or at the same time.
    mask : Tensor or None
        Of dropout between source and synapse, (n_source,).
    """

    call: Call
    source: str
    target: str
    delay: int
    mask: Tensor | None

    @property
    def synapse(self) -> Synapse:
        """The module."""
        module = self.call.module
        if not isinstance(module, Synapse):
            raise TypeError(type(module).__name__)
        return module


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """Checked calls of one run.

    Parameters
    ----------
    calls : tuple of Call
        As recorded.
    groups : tuple of tuple of Call
        In the order of computation; calls of a loop are one group.
    neurons : mapping of str to Call
        Calls of neurons by name, in that order.
    inputs : mapping of str to Handle
        Handles that the user filled, by name, if they carry spikes.
    links : tuple of Link
        All projections, in that order.
    """

    calls: tuple[Call, ...]
    groups: tuple[tuple[Call, ...], ...]
    neurons: Mapping[str, Call]
    inputs: Mapping[str, Handle]
    links: tuple[Link, ...]

    def layer(self, name: str) -> NeuronLayer[Any]:
        """Return neurons by name."""
        module = self.neurons[name].module
        if not isinstance(module, NeuronLayer):
            raise TypeError(type(module).__name__)
        return module

    def size_of(self, name: str) -> int:
        """Return the neurons or channels of a source."""
        if name in self.neurons:
            return self.layer(name).size
        return next(q.synapse.in_features for q in self.links if q.source == name)

    def loops(self) -> tuple[tuple[Call, ...], ...]:
        """Return the groups that need the step before."""
        return tuple(g for g in self.groups if len(g) > 1)


def program_of(calls: Sequence[Call]) -> Program:
    """Check calls and find their order.

    Raises
    ------
    InputError
        Modules that do not fit together, or are used several times; all problems in one message.
    """
    producer = {id(c.output): c for c in calls}
    problems = [*_repeats(calls), *_misfits(calls, producer)]
    if not any(isinstance(c.module, NeuronLayer) for c in calls):
        problems.append(codes.MISPLACED_MODULE.at(None, "no neurons were called before run"))
    if problems:
        raise input_error(*problems)
    groups = _groups(calls, producer)
    if adjoint := [p for g in groups for p in _adjoint_problems(g)]:
        raise input_error(*adjoint)
    order = [c for g in groups for c in g]
    neurons = {c.module.name: c for c in order if isinstance(c.module, NeuronLayer)}
    inputs = _inputs(order, producer)
    links = _links(order, producer, neurons=neurons, inputs=inputs)
    return Program(
        calls=tuple(calls), groups=groups, neurons=neurons, inputs=inputs, links=tuple(links)
    )


def _repeats(calls: Sequence[Call]) -> Iterable[Diagnostic]:
    called: dict[str, int] = {}
    for c in calls:
        called[c.module.name] = called.get(c.module.name, 0) + 1
    for name, count in called.items():
        if count > 1:
            yield codes.CALLED_TWICE.at(name, f"called {count} times", value=count, limit=1)
    for c in calls:
        if not isinstance(c.module, Synapse):
            continue
        users = [u.module.name for u in calls if any(h is c.output for h in u.inputs)]
        if len(users) != 1:
            text = f"its result goes to {len(users)} layers ({', '.join(users) or 'none'})"
            hint = None if users else "call neurons with it before run"
            found = codes.CALLED_TWICE.at(c.module.name, text, value=len(users), limit=1, hint=hint)
            yield found


def _misfits(calls: Sequence[Call], producer: Mapping[int, Call]) -> Iterable[Diagnostic]:
    for c in calls:
        wanted = _width_in(c)
        for handle in c.inputs:
            source = producer.get(id(handle))
            given = _width_out(source, handle)
            if given is not None and given != wanted:
                who = "its input" if source is None else repr(source.module.name)
                text = f"takes {wanted} channels, {who} has {given}"
                yield codes.SIZES_DIFFER.at(c.module.name, text, value=given, limit=wanted)
            yield from _wrong_source(c, source, handle)


def _wrong_source(call: Call, source: Call | None, handle: Handle) -> Iterable[Diagnostic]:
    name = call.module.name
    if source is None and isinstance(handle, LIFObservables) and handle.spikes is None:
        text = "its input is an empty handle that no module fills"
        yield codes.BAD_INPUT.at(name, text)
    if source is None or not isinstance(source.module, NeuronLayer | Synapse):
        return
    own, before = call.module, source.module
    if isinstance(before, NeuronLayer) and not before.fires:
        text = f"takes spikes, but {before.name!r} does not fire"
        yield codes.MISPLACED_MODULE.at(name, text)
    if isinstance(own, NeuronLayer) and (
        isinstance(own, EventPropLIF) != isinstance(before, EventPropSynapse)
    ):
        text = f"{type(own).__name__} follows {type(before).__name__} {before.name!r}"
        hint = "use EventPropLIF behind EventPropSynapse, and neither without the other"
        yield codes.MISPLACED_MODULE.at(name, text, hint=hint)


def _adjoint_problems(group: Sequence[Call]) -> Iterable[Diagnostic]:
    """Report what the adjoint method cannot do."""
    for c in group:
        if not isinstance(c.module, EventPropLIF):
            continue
        if len(group) > 1:
            text = "is part of a loop, for which there is no adjoint method"
            yield codes.MISPLACED_MODULE.at(c.module.name, text, hint="use Synapse and LIF there")
        if trained := c.module.trained():
            text = f"{', '.join(trained)} cannot be trained with EventProp"
            yield codes.BAD_CHOICE.at(c.module.name, text, hint="use LIF, or leave them fixed")


def _width_in(call: Call) -> int:
    module = call.module
    return module.in_features if isinstance(module, Synapse) else int(module.size)  # type: ignore[arg-type]


def _width_out(call: Call | None, handle: Handle) -> int | None:
    if call is None:
        found = next(iter(handle.tensors().values()), None)
        return None if found is None or found.ndim == 0 else int(found.shape[-1])
    module = call.module
    return module.out_features if isinstance(module, Synapse) else int(module.size)  # type: ignore[arg-type]


def _groups(calls: Sequence[Call], producer: Mapping[int, Call]) -> tuple[tuple[Call, ...], ...]:
    """Return strongly connected groups in topological order; inside a group as recorded.

    Two calls are in one group if each comes before the other.
    """
    number = {id(c): k for k, c in enumerate(calls)}
    before: list[set[int]] = []
    for c in calls:
        sources = (producer.get(id(h)) for h in c.inputs)
        before.append({number[id(s)] for s in sources if s is not None})
    reach = [_reached(k, before) for k in range(len(calls))]
    groups, seen = [], set()
    for k in sorted(range(len(calls)), key=lambda k: (len(reach[k] | {k}), k)):
        if k in seen:
            continue
        own = sorted({k} | {j for j in reach[k] if k in reach[j]})
        seen.update(own)
        groups.append(tuple(calls[j] for j in own))
    return tuple(groups)


def _reached(start: int, before: Sequence[set[int]]) -> set[int]:
    found: set[int] = set()
    waiting = list(before[start])
    while waiting:
        k = waiting.pop()
        if k not in found:
            found.add(k)
            waiting.extend(before[k])
    return found


def _inputs(calls: Sequence[Call], producer: Mapping[int, Call]) -> dict[str, Handle]:
    found: dict[int, Handle] = {}
    for c in calls:
        for handle in c.inputs:
            if id(handle) not in producer and isinstance(handle, LIFObservables):
                found.setdefault(id(handle), handle)
    names = ["input", *(f"input_{k}" for k in range(1, len(found)))]
    return dict(zip(names, found.values(), strict=False))


def _links(
    calls: Sequence[Call],
    producer: Mapping[int, Call],
    *,
    neurons: Mapping[str, Call],
    inputs: Mapping[str, Handle],
) -> Iterable[Link]:
    place = {name: k for k, name in enumerate(neurons)}
    named = {id(handle): name for name, handle in inputs.items()}
    taken = {id(h): n for n, c in neurons.items() for h in c.inputs}
    for c in calls:
        if not isinstance(c.module, Synapse):
            continue
        handle, mask = c.inputs[0], None
        while (before := producer.get(id(handle))) and isinstance(before.module, BatchDropout):
            own = before.mask
            mask = own if mask is None or own is None else mask * own
            handle = before.inputs[0]
        source = named[id(handle)] if before is None else before.module.name
        target = taken[id(c.output)]
        back = source in place and place[source] >= place[target]
        yield Link(call=c, source=source, target=target, delay=int(back), mask=mask)
