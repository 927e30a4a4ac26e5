"""Synapses laid out for the compiled loops: weights by source, and the rings of what is under way.

The configuration's sparse arrays are used as they are; dense matrices and kernels are transposed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import InputError

from ..config import ConvSynapse, DenseSynapse, SparseSynapse
from .layout import Array, ConvNet, Events, Ring, Span, SparseNet

UNBOUNDED = 1 << 62
_INT32 = (1 << 31) - 1


@dataclass(frozen=True, eq=False)
class PreparedSynapse:
    """One synapse and its rings for one sample at a time.

    Parameters
    ----------
    source : DenseSynapse, SparseSynapse or ConvSynapse
        Of the configuration.
    weights : array, SparseNet or ConvNet
        As the loop reads them.
    delays : array of uint8 or None
        By source, like the weights.
    axon : array of uint8, (n_source,)
        Delays of the sources.
    largest : int
        Largest size of what arrives in one step.
    ring, first : Ring
        The ring that the target reads; the one before it, where sums of different delays are
        shifted apart, or None.
    slots, first_slots : array
        Their contents.
    lost : array of int64, (1,)
        Sums wrapped to 24 bits.
    """

    source: Any
    weights: Any
    delays: Array | None
    axon: NDArray[np.uint8]
    largest: int
    ring: Ring
    slots: Array
    first: Ring | None
    first_slots: Array | None
    lost: Array

    @property
    def fastest(self) -> int:
        """Shortest delay beyond the one step of every hop."""
        least = 0 if self.delays is None or not self.delays.size else int(self.delays.min())
        return least + int(self.axon.min(initial=255))

    def scatter(self, events: Events, span: Span) -> None:
        """Add the events of the span to the rings."""
        from . import _synapses

        ring = self.first or self.ring
        slots = self.slots if self.first_slots is None else self.first_slots
        kind = self.source.kind
        if kind == "conv":
            _synapses.scatter_conv(self.weights, slots, events, ring, self.axon, span)
        elif self.delays is None:
            add = _synapses.scatter_sparse if kind == "sparse" else _synapses.scatter_dense
            add(self.weights, slots, events, ring, self.axon, span)
        elif kind == "sparse":
            _synapses.scatter_sparse_delayed(
                self.weights, self.delays, slots, events, ring, self.axon, span
            )
        else:
            _synapses.scatter_delayed(
                self.weights, self.delays, slots, events, ring, self.axon, span
            )
        if self.first is not None and self.first_slots is not None:
            _synapses.spread_planes(self.first_slots, self.first, self.slots, self.ring, span)

    def hand_over(self, x: Array, span: Span) -> None:
        """Add what arrives in the span's steps to ``x``, (chunk, n_target)."""
        from . import _synapses

        if self.source.kind == "conv":
            channels = self.weights.c_out
            _synapses.hand_over_conv(self.slots, x, self.ring, span, channels, self.lost)
        else:
            _synapses.hand_over(self.slots, x, self.ring, span)

    @property
    def pending(self) -> dict[str, tuple[int, int]]:
        """Slots and width that are under way between two runs, by name."""
        most_axon = int(self.axon.max(initial=0))
        if self.first is not None:
            planes = self.first.width // self.ring.width
            return {
                "arriving": (planes, self.ring.width),
                "leaving": (most_axon, self.first.width),
            }
        slowest = most_axon
        if self.delays is not None:
            slowest += int(self.delays.max(initial=0))
        return {"arriving": (slowest + 1, self.ring.width)}

    def load(self, state: dict[str, Array]) -> None:
        """Begin a run with what is under way, (slots, width) each."""
        self.slots[:] = 0
        self.slots[: state["arriving"].size] = state["arriving"].reshape(-1)
        if self.first_slots is not None:
            self.first_slots[:] = 0
            self.first_slots[: state["leaving"].size] = state["leaving"].reshape(-1)

    def saved(self, t: int) -> dict[str, Array]:
        """Return what is under way after ``t`` steps of a run."""
        parts: dict[str, tuple[Any, Any]] = {
            "arriving": (self.ring, self.slots),
            "leaving": (self.first, self.first_slots),
        }
        found = {}
        for name, (count, width) in self.pending.items():
            ring, slots = parts[name]
            rows = slots.reshape(ring.slots, width)
            found[name] = rows[(t + np.arange(count)) % ring.slots]
        return found

    def checked(self, name: str, values: Any, batch: int, *, where: str) -> Array:
        """Return a state array as the rings hold it; raises `InputError` if it does not fit."""
        array = np.asarray(values)
        shape = (batch, *self.pending[name])
        if array.shape != shape or array.dtype.kind not in "iu":
            raise InputError(
                f"state {where}: {array.dtype} {array.shape}, expected integers {shape}"
            )
        limit = np.iinfo(self.slots.dtype).max
        if array.size and max(-int(array.min()), int(array.max())) > limit:
            raise InputError(f"state {where}: values beyond +-{limit}")
        return np.array(array, dtype=self.slots.dtype)


def prepare_synapse(
    synapse: DenseSynapse | SparseSynapse | ConvSynapse,
    *,
    n_source: int,
    n_target: int,
    graded_source: bool,
    chunk: int,
) -> PreparedSynapse:
    """Lay a synapse out and allocate its rings.

    Parameters
    ----------
    synapse : DenseSynapse, SparseSynapse or ConvSynapse
        From the configuration.
    n_source, n_target : int
        Sizes of its ends.
    graded_source : bool
        Whether messages may have values other than 1.
    chunk : int
        Most steps between `scatter` and `hand_over`.
    """
    weights, delays, fan_in = _laid_out(synapse, n_source, n_target)
    graded = synapse.num_message_bits > 0 and graded_source
    narrow = not graded and fan_in <= _INT32
    axon = np.ascontiguousarray(np.broadcast_to(synapse.axon_delay, (n_source,)).astype(np.uint8))
    most_axon = int(axon.max(initial=0))
    planes = 1 if delays is None else int(delays.max(initial=0)) + 1
    even = bool(np.all(axon == axon[:1]))
    dtype = np.int32 if narrow else np.int64
    apart = synapse.weight_exp < 0 and planes > 1
    slowest = planes - 1 if apart else most_axon + planes - 1
    ring = Ring(
        slots=chunk + slowest + 1,
        width=n_target,
        left=0 if apart else synapse.weight_exp,
        even=even,
        graded=graded,
    )
    first = Ring(
        slots=chunk + most_axon,
        width=planes * n_target,
        lead=0,
        spread=0,
        left=synapse.weight_exp,
        even=even,
        graded=graded,
    )
    return PreparedSynapse(
        source=synapse,
        weights=weights,
        delays=delays,
        axon=axon,
        largest=UNBOUNDED if graded else _largest(fan_in, planes, synapse.weight_exp),
        ring=ring,
        slots=np.zeros(ring.slots * ring.width, dtype=dtype),
        first=first if apart else None,
        first_slots=np.zeros(first.slots * first.width, dtype=dtype) if apart else None,
        lost=np.zeros(1, dtype=np.int64),
    )


def _largest(fan_in: int, planes: int, exponent: int) -> int:
    """Bound what one step brings; rounding down adds up to one for each delay."""
    return fan_in << exponent if exponent >= 0 else (fan_in >> -exponent) + planes


def _laid_out(
    synapse: DenseSynapse | SparseSynapse | ConvSynapse, n_source: int, n_target: int
) -> tuple[Any, Array | None, int]:
    """Return weights and delays as the loops read them, and the largest sum of a target."""
    if isinstance(synapse, ConvSynapse):
        return _conv_net(synapse), None, _conv_fan_in(synapse)
    delays = synapse.delays
    if delays is not None and not np.any(delays):
        delays = None
    if isinstance(synapse, DenseSynapse):
        rows = np.ascontiguousarray(synapse.weights.T, dtype=np.int16)
        fan_in = int(np.abs(rows.astype(np.int32)).sum(axis=0, dtype=np.int64).max(initial=0))
        by_source = None if delays is None else np.ascontiguousarray(delays.T.astype(np.uint8))
        return rows, by_source, fan_in
    from . import _synapses

    sums = np.zeros(n_target, dtype=np.int64)
    pointers, targets, weights = synapse.pointers, synapse.targets, synapse.weights
    _synapses.fan_in_sparse(pointers, targets, weights, synapse.block, sums)
    net = SparseNet(pointers, targets, weights, synapse.block, n_target)
    return net, delays, int(sums.max(initial=0))


def _conv_fan_in(synapse: ConvSynapse) -> int:
    sizes = np.abs(np.asarray(synapse.weights, dtype=np.int64))
    return int(sizes.sum(axis=(1, 2, 3)).max(initial=0))


def _conv_net(synapse: ConvSynapse) -> ConvNet:
    groups = synapse.groups
    c_out, per_group, kh, kw = synapse.weights.shape
    kernels = np.asarray(synapse.weights, dtype=np.int16)
    by_group = kernels.reshape(groups, c_out // groups, per_group, kh, kw)
    by_source = by_group.transpose(0, 2, 3, 4, 1).reshape(groups * per_group, kh, kw, -1)
    _, h, w = synapse.input_shape
    h_out, w_out = synapse.output_shape[1:]
    rows = _taps(h, h_out, kh, synapse.stride[0], synapse.padding[0], synapse.dilation[0])
    columns = _taps(w, w_out, kw, synapse.stride[1], synapse.padding[1], synapse.dilation[1])
    return ConvNet(
        np.ascontiguousarray(by_source), (h, w), *rows, *columns, w_out, c_out, per_group
    )


def _taps(
    n: int, n_out: int, kernel: int, stride: int, padding: int, dilation: int
) -> tuple[Array, Array, Array]:
    """Return for each place on one axis which taps of the kernel reach which output."""
    place, tap = np.meshgrid(np.arange(n), np.arange(kernel), indexing="ij")
    shifted = place + padding - tap * dilation
    hit = (shifted % stride == 0) & (shifted >= 0) & (shifted // stride < n_out)
    ends = np.concatenate(([0], np.cumsum(hit.sum(axis=1)))).astype(np.int64)
    return ends, tap[hit].astype(np.int64), (shifted[hit] // stride).astype(np.int64)
