"""Reading ``.npy`` and ``.npz`` data that may be damaged or hostile: sizes first, never pickle."""

from __future__ import annotations

import io
import math
import tokenize
import zipfile
import zlib
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from ranvier.errors import FileError

MAX_BYTES = 2**32
"""Largest size that one file may declare, in bytes."""
_HEADER_BYTES = 10_000
_BAD_HEADER = (
    ValueError,
    SyntaxError,
    TypeError,
    KeyError,
    AttributeError,
    tokenize.TokenError,
    RecursionError,
    MemoryError,
    EOFError,
)
_BAD_ARCHIVE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
    ValueError,
)
_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_npy(stream: IO[bytes], *, size: int, where: str) -> npt.NDArray[Any]:
    """Return the array of a ``.npy`` stream.

    Parameters
    ----------
    stream : binary file
        At its start.
    size : int
        Length of the stream, in bytes.
    where : str
        File name for messages.

    Returns
    -------
    array

    Raises
    ------
    FileError
        It is no ``.npy`` data, holds Python objects, or its length is not the declared one.
    """
    try:
        version = np.lib.format.read_magic(stream)
        if version not in _READERS:
            raise FileError(f"{where}: .npy version {version} is not 1.0 or 2.0; save it again")
        shape, fortran, dtype = _READERS[version](stream, max_header_size=_HEADER_BYTES)
    except FileError:
        raise
    except _BAD_HEADER as error:
        raise FileError(f"{where}: is no readable .npy array ({error})") from error
    if dtype.hasobject:
        raise FileError(f"{where}: holds Python objects, which are never loaded; save numbers")
    length = math.prod(shape) * dtype.itemsize
    if length != size - stream.tell() or min(shape, default=0) < 0 or length > MAX_BYTES:
        raise FileError(
            f"{where}: declares {length} bytes of {dtype} data in shape {shape}, but holds "
            f"{size - stream.tell()}; the file is truncated or altered"
        )
    flat = np.frombuffer(stream.read(length), dtype=dtype)
    return flat.reshape(shape, order="F" if fortran else "C")


def read_npz(data: bytes, *, where: str) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of ``.npz`` data by name.

    Raises
    ------
    FileError
        It is no ``.npz`` data, is damaged, or unpacks to more than :data:`MAX_BYTES`.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            total = sum(member.file_size for member in members)
            if total > MAX_BYTES:
                raise FileError(f"{where}: unpacks to {total} bytes, allowed are {MAX_BYTES}")
            arrays = {}
            for member in members:
                name = member.filename.removesuffix(".npy")
                with archive.open(member) as stream:
                    arrays[name] = read_npy(stream, size=member.file_size, where=f"{where}/{name}")
            return arrays
    except FileError:
        raise
    except _BAD_ARCHIVE as error:
        raise FileError(f"{where}: is no readable .npz archive ({error})") from error
