"""The 40-bit event records of ``.bs1`` and ``.bs2`` files.

References
----------
N-MNIST data set, Orchard et al. 2015, doi:10.3389/fnins.2015.00437 (two-dimensional layout);
lava-dl documentation, ``lava.lib.dl.slayer.io`` (one-dimensional layout).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ranvier.errors import FileError

from .binning import IntArray
from .series import EventSeries

RECORD_BYTES = 5
MAX_TIME_US = 2**23 - 1
"""Largest time stamp: 23 bits of microseconds, 8.388607 s."""
_LIMITS = {".bs1": {"neuron": 2**16}, ".bs2": {"row": 2**8, "column": 2**8}}


def decode(
    data: bytes, suffix: str, *, where: str
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Return times in µs, x, y and p of the records of a file.

    Parameters
    ----------
    data : bytes
        Whole file.
    suffix : {".bs1", ".bs2"}
        Layout: 16-bit neuron number, or 8-bit column and row.
    where : str
        File name for the message.

    Returns
    -------
    int64 arrays, shape (n_events,)
        Of ``.bs1``, y is 0 throughout.

    Raises
    ------
    FileError
        The length is no multiple of five bytes.

    Notes
    -----
    Big-endian, no header. ``.bs1``: id[15:8], id[7:0]; ``.bs2``: x, y; then in both
    p·128 + t[22:16], t[15:8], t[7:0].
    """
    if len(data) % RECORD_BYTES:
        raise FileError(
            f"{where}: {len(data)} bytes are no whole number of {RECORD_BYTES}-byte events; "
            "the file is truncated or no event file"
        )
    record = np.frombuffer(data, dtype=np.uint8).reshape(-1, RECORD_BYTES).astype(np.int64)
    times_us = (record[:, 2] & 0x7F) << 16 | record[:, 3] << 8 | record[:, 4]
    p = record[:, 2] >> 7
    if suffix == ".bs1":
        return times_us, record[:, 0] << 8 | record[:, 1], np.zeros_like(p), p
    return times_us, record[:, 0], record[:, 1], p


def encode(series: EventSeries, suffix: str, *, where: str) -> bytes:
    """Return the records of a series, times rounded to microseconds.

    Parameters
    ----------
    series : EventSeries
        Shape (n,) or (p ≤ 2, n) for ``.bs1``, (p ≤ 2, rows ≤ 256, columns ≤ 256) for ``.bs2``;
        plain events at 0 s ≤ t ≤ 8.388607 s.
    suffix : {".bs1", ".bs2"}
        Layout, see :func:`decode`.
    where : str
        File name for the message.

    Raises
    ------
    FileError
        Something does not fit the records; all reasons are listed.
    """
    times_us = np.rint(series.times * 1e6).astype(np.int64)
    problems = _problems(series, times_us, suffix)
    if problems:
        raise FileError(f"{where}: {'; '.join(problems)}; write .npz instead")
    record = np.empty((len(series), RECORD_BYTES), dtype=np.uint8)
    x = series.x
    p = np.zeros_like(x) if series.p is None else series.p
    first = (x >> 8, x & 0xFF) if series.y is None else (x, series.y)
    columns = (*first, p << 7 | times_us >> 16, times_us >> 8 & 0xFF, times_us & 0xFF)
    for k, column in enumerate(columns):
        record[:, k] = column
    return record.tobytes()


def _problems(series: EventSeries, times_us: npt.NDArray[np.int64], suffix: str) -> list[str]:
    """Return why a series does not fit the records."""
    problems = []
    if (len(series.shape) == 3) != (suffix == ".bs2"):
        allowed = "(polarity, row, column)" if suffix == ".bs2" else "(n,) or (polarity, n)"
        problems.append(f"shape {series.shape} is not {allowed} as {suffix} needs")
    else:
        parts = {"neuron": series.x, "column": series.x, "row": series.y}
        for name, size in _LIMITS[suffix].items():
            numbers = parts[name]
            if numbers is not None and numbers.size and numbers.max() >= size:
                problems.append(f"{name} {numbers.max()} is above {size - 1}")
    if series.p is not None and series.p.size and series.p.max() > 1:
        problems.append(f"polarity {series.p.max()} is above 1")
    if times_us.size and times_us.max() > MAX_TIME_US:
        problems.append(f"a time of {times_us.max() / 1e6} s is not below 8.388608 s")
    if times_us.size and times_us.min() < 0:
        problems.append(f"a time of {times_us.min() / 1e6} s is negative")
    if series.payload is not None:
        problems.append("payloads cannot be stored")
    return problems
