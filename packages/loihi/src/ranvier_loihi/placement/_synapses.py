"""Which source reaches which target, as compressed rows; zero weights are no synapses."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..network import MappedConnection

_CHUNK = 1 << 22


def rows_of(connection: MappedConnection, n_target: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the sources of each target.

    Parameters
    ----------
    connection : MappedConnection
        Any layout.
    n_target : int
        Neurons of the target.

    Returns
    -------
    counts : array of int64, (n_target,)
        Synapses per target.
    sources : array of int32, (sum of counts,)
        Their sources, target by target.
    """
    if connection.kind == "dense":
        return _dense_rows(connection.weight)
    if connection.kind == "sparse":
        return _sparse_rows(connection, n_target)
    return _conv_rows(connection)


def _dense_rows(weight: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    step = max(1, _CHUNK // max(1, weight.shape[1]))
    counts = np.zeros(weight.shape[0], dtype=np.int64)
    parts = []
    for start in range(0, weight.shape[0], step):
        used = weight[start : start + step] != 0
        counts[start : start + step] = used.sum(axis=1)
        parts.append(np.nonzero(used)[1].astype(np.int32))
    return counts, np.concatenate(parts) if parts else np.zeros(0, dtype=np.int32)


def _sparse_rows(connection: MappedConnection, n_target: int) -> tuple[NDArray[Any], NDArray[Any]]:
    used = connection.weight != 0
    before = np.concatenate([[0], np.cumsum(used)])
    counts = np.diff(before[connection.indptr[: n_target + 1]])
    return counts.astype(np.int64), connection.indices[used].astype(np.int32)


def conv_output(connection: MappedConnection) -> tuple[int, int, int]:
    """Return (c_out, h_out, w_out) of a convolution."""
    h, w = (
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(
            connection.input_shape[-2:],
            connection.weight.shape[2:],
            connection.stride,
            connection.padding,
            connection.dilation,
            strict=True,
        )
    )
    return int(connection.weight.shape[0]), h, w


def _taps(connection: MappedConnection) -> NDArray[np.int64]:
    """Return the flat source position of each (output position, kernel tap), -1 outside."""
    _, h_in, w_in = connection.input_shape
    _, h_out, w_out = conv_output(connection)
    kh, kw = connection.weight.shape[2:]
    (sh, sw), (ph, pw), (dh, dw) = connection.stride, connection.padding, connection.dilation
    y = np.arange(h_out)[:, None] * sh - ph + np.arange(kh) * dh
    x = np.arange(w_out)[:, None] * sw - pw + np.arange(kw) * dw
    flat = y[:, None, :, None] * w_in + x[None, :, None, :]
    inside = ((y >= 0) & (y < h_in))[:, None, :, None] & ((x >= 0) & (x < w_in))[None, :, None, :]
    return np.where(inside, flat, -1).reshape(h_out * w_out, kh * kw)


def _conv_rows(connection: MappedConnection) -> tuple[NDArray[Any], NDArray[Any]]:
    c_in, h_in, w_in = connection.input_shape
    c_out = connection.weight.shape[0]
    taps = _taps(connection)
    per_group = c_in // connection.groups
    counts, parts = [], []
    for channel in range(c_out):
        first = channel * connection.groups // c_out * per_group
        channels, kernel = np.nonzero(connection.weight[channel].reshape(per_group, -1))
        positions = taps[:, kernel]
        inside = positions >= 0
        sources = positions + (first + channels) * (h_in * w_in)
        counts.append(inside.sum(axis=1))
        parts.append(sources[inside].astype(np.int32))
    return np.concatenate(counts).astype(np.int64), np.concatenate(parts)
