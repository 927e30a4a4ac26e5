"""A network laid out for the kernel: built once, run often."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .arrays import INT16_MAX, CoreArrays, IntArray

LANES = 64  # hidden arrays are padded to whole vectors
OUT_LANES = 8
LISTED_FAN_OUT = 200  # above, samples never run in lanes and the list would only cost memory
SPARSE_FRACTION = 1 / 128  # measured: above, adding the whole row is faster


class Fan(NamedTuple):
    """The weights of all sources onto one synapse of the hidden neurons.

    Input channels and hidden neurons are both *sources* and share one numbering, inputs first: the
    order in which the chip adds them.

    Attributes
    ----------
    rows : (n_in + n_hidden + 1, p_hidden), int8
        Weights of every source; the last row is zero.
    sparse : (n_in + n_hidden,), bool
        Whether the few targets of the source are visited one by one.
    pointers, targets, weights : (n_in + n_hidden + 1,) int64, (entries,) int64, (entries,) int16
        Targets of the sparse sources, ascending; of all sources if the network has few synapses.
    any_sparse : bool
        Whether there is such a source.
    """

    rows: NDArray[np.int8]
    sparse: NDArray[np.bool_]
    pointers: NDArray[np.int64]
    targets: NDArray[np.int64]
    weights: NDArray[np.int16]
    any_sparse: bool


class Layer(NamedTuple):
    """Registers of the hidden or the output neurons, padded with neurons that stay at 0."""

    threshold: NDArray[np.int16]
    dash_mem: NDArray[np.int16]
    dash_syn: NDArray[np.int16]
    dash_syn2: NDArray[np.int16]
    bias: NDArray[np.int16]
    aliases: NDArray[np.int16]


class Prepared(NamedTuple):
    """A network as the kernel reads it; made by :func:`prepare`.

    Attributes
    ----------
    fan, fan2 : Fan
        Weights onto the first and the second synapse.
    shift, most : (n_in + n_hidden,), int16
        Weight shift of each source, and the largest spike count whose product with each of its
        shifted weights fits into 16 bits. A larger count is added in parts: they have one sign, so
        that saturation gives the same result.
    out_rows : (n_hidden, p_out), int8
        Weights onto the output neurons, zero for hidden neurons without output.
    hidden, out : Layer
    n_in, n_hidden, n_out : int
    first_out : int
        First hidden neuron that may drive an output.
    shift_out : int
    version : int
    has_second, has_aliases : bool
        Whether any weight reaches a second synapse; whether any neuron has an alias.
    n_listed : int
        Number of synapses, if all are listed and samples may run in lanes; else 0.
    """

    fan: Fan
    fan2: Fan
    shift: NDArray[np.int16]
    most: NDArray[np.int16]
    out_rows: NDArray[np.int8]
    hidden: Layer
    out: Layer
    n_in: int
    n_hidden: int
    n_out: int
    first_out: int
    shift_out: int
    version: int
    has_second: bool
    has_aliases: bool
    n_listed: int


def prepare(arrays: CoreArrays) -> Prepared:
    """Lay a network out for :func:`~ranvier_xylo.kernels.run`.

    Parameters
    ----------
    arrays : CoreArrays

    Returns
    -------
    Prepared
        Independent of ``arrays``; about 1 MB per used synapse for 1000 hidden neurons.
    """
    dense = [_dense_rows(arrays, synapse) for synapse in (0, 1)]
    largest = np.abs(np.stack(dense).astype(np.int16)).max(axis=(0, 2), initial=1)[:-1]
    per_source = (arrays.n_in, arrays.n_hidden)
    shift = np.repeat(
        np.array([arrays.weight_shift_in, arrays.weight_shift_rec], np.int16), per_source
    )
    out_rows = np.zeros((arrays.n_hidden, _padded(arrays.n_out, OUT_LANES)), np.int8)
    first_out = arrays.n_hidden - arrays.weights_out.shape[0]
    out_rows[first_out:, : arrays.n_out] = arrays.weights_out
    has_second = bool(dense[1].any())
    n_synapses = sum(int(np.count_nonzero(rows)) for rows in dense)
    listed = n_synapses <= LISTED_FAN_OUT * (arrays.n_in + arrays.n_hidden)
    return Prepared(
        fan=_fan(dense[0], listed),
        fan2=_fan(dense[1] if has_second else dense[1][:, :0], listed),
        shift=shift,
        most=(INT16_MAX // (largest.astype(np.int64) << shift)).astype(np.int16),
        out_rows=out_rows,
        hidden=_hidden_layer(arrays),
        out=_out_layer(arrays),
        n_in=arrays.n_in,
        n_hidden=arrays.n_hidden,
        n_out=arrays.n_out,
        first_out=first_out,
        shift_out=int(arrays.weight_shift_out),
        version=int(arrays.version),
        has_second=has_second,
        has_aliases=bool(np.any(arrays.aliases != -1)),
        n_listed=n_synapses if listed else 0,
    )


def _dense_rows(arrays: CoreArrays, synapse: int) -> NDArray[np.int8]:
    """Stack the weights of inputs, hidden neurons and one zero row for one synapse."""
    n_in, n_hidden = arrays.n_in, arrays.n_hidden
    rows = np.zeros((n_in + n_hidden + 1, _padded(n_hidden, LANES)), np.int8)
    weights_in, weights_rec = arrays.weights_in, arrays.weights_rec
    if synapse < weights_in.shape[2]:
        rows[:n_in, : weights_in.shape[1]] = weights_in[:, :, synapse]
    if synapse < weights_rec.shape[2]:
        rows[n_in:-1, :n_hidden] = weights_rec[:, :, synapse]
    return rows


def _fan(rows: NDArray[np.int8], listed: bool) -> Fan:
    fan_out = np.count_nonzero(rows[:-1], axis=1)
    sparse = fan_out <= SPARSE_FRACTION * rows.shape[1]
    kept = sparse | listed
    source, targets = np.nonzero(rows[:-1] * kept[:, None])
    return Fan(
        rows=rows,
        sparse=sparse,
        pointers=np.concatenate(([0], np.cumsum(fan_out * kept))).astype(np.int64),
        targets=targets.astype(np.int64),
        weights=rows[source, targets].astype(np.int16),
        any_sparse=bool(sparse.any()),
    )


def _hidden_layer(arrays: CoreArrays) -> Layer:
    return _layer(
        LANES,
        threshold=arrays.threshold,
        dash_mem=arrays.dash_mem,
        dash_syn=arrays.dash_syn[:, 0],
        dash_syn2=arrays.dash_syn[:, 1],
        bias=arrays.bias,
        aliases=arrays.aliases,
    )


def _out_layer(arrays: CoreArrays) -> Layer:
    return _layer(
        OUT_LANES,
        threshold=arrays.threshold_out,
        dash_mem=arrays.dash_mem_out,
        dash_syn=arrays.dash_syn_out,
        dash_syn2=arrays.dash_syn_out,
        bias=arrays.bias_out,
        aliases=np.full(arrays.n_out, -1),
    )


def _layer(lanes: int, **registers: IntArray | Any) -> Layer:
    """Pad every register; a padding neuron never reaches its threshold and has no alias."""
    fill = {"threshold": INT16_MAX, "aliases": -1}
    padded = {}
    for name, values in registers.items():
        array = np.full(_padded(len(values), lanes), fill.get(name, 0), np.int16)
        array[: len(values)] = values
        padded[name] = array
    return Layer(**padded)


def _padded(size: int, lanes: int) -> int:
    return -(-size // lanes) * lanes
