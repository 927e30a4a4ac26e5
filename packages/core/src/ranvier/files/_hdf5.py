"""HDF5 read with distrust: nothing outside the file, nothing larger than it says, no surprises."""

from __future__ import annotations

import math
import stat
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import FileError, RanvierError

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MAX_BYTES = 4 * 2**30
"""Default limit of the sizes that the arrays of one file declare together, in bytes."""
_MAX_OBJECTS = 100_000
_MAX_ATTRIBUTE = 1 << 16
_UNCHECKED_INFLATION = 1 << 26
_DEFLATE_RATIO = 1032
_TROUBLE = (
    OSError,
    LookupError,
    RuntimeError,
    ValueError,
    TypeError,
    AttributeError,
    EOFError,
    ArithmeticError,
    MemoryError,
)


def library() -> Any:
    """Return the module h5py, imported on first use only."""
    import h5py  # type: ignore[import-untyped]

    return h5py


def has_signature(path: Path) -> bool:
    """Say whether a file begins as HDF5 does; False if it cannot be read."""
    try:
        with path.open("rb") as stream:
            return stream.read(len(SIGNATURE)) == SIGNATURE
    except OSError:
        return False


@contextmanager
def open_hdf5(path: Path, *, form: str) -> Iterator[Any]:
    """Open an HDF5 file for reading and turn every trouble of the library into one `FileError`.

    Parameters
    ----------
    path : Path
        A regular file.
    form : str
        What it should be, for messages: ``"a ranvier file (.rv)"``.

    Yields
    ------
    h5py.File
    """
    _check_beginning(path, form)
    h5py = library()

    try:
        with h5py.File(path, "r", locking=False) as file:
            yield file
    except RanvierError:
        raise
    except _TROUBLE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        cut = "truncated" in reason or "eof" in reason.lower()
        problem = "is truncated" if cut else "is damaged or not laid out as expected"
        raise FileError(
            f"{path}: {problem} ({reason}); it is not {form}, copy or export it again"
        ) from error


def _check_beginning(path: Path, form: str) -> None:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise FileError(f"{path}: is not a regular file, expected {form}")
        with path.open("rb") as stream:
            start = stream.read(len(SIGNATURE))
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror or error})") from error
    if start != SIGNATURE:
        raise FileError(f"{path}: is not {form}: it {_looks_like(start)}; check the path")


def _looks_like(start: bytes) -> str:
    if not start:
        return "is empty"
    if start[:1] == b"\x80" or start.startswith((b"(", b"c__builtin__")):
        return "looks like a pickle, which ranvier never opens because it can run code"
    if start.startswith(b"PK"):
        return "is a zip archive (torch.save and .npz make such files), not HDF5"
    return "does not begin like HDF5"


def checked_datasets(
    file: Any, path: Path, *, max_bytes: int = MAX_BYTES, text: bool = False
) -> dict[str, Any]:
    """Return all datasets by full name after checking every object of the file.

    Nothing is read or allocated yet. Links out of the file or to another place in it, external and
    virtual storage, foreign compression, other types than numbers (and text), and sizes that the
    stored bytes cannot fill are refused.

    Parameters
    ----------
    file : h5py.File
        Open file.
    path : Path
        Its name, for messages.
    max_bytes : int
        Limit of the declared sizes together.
    text : bool
        Whether variable-length text is allowed.

    Raises
    ------
    FileError
        Names the object and the problem.
    """
    found: dict[str, Any] = {}
    total = 0
    for name, item in _objects(file, path):
        total += _checked_size(item, name, path, max_bytes, text)
        if total > max_bytes:
            raise FileError(
                f"{path}: its arrays declare {total} bytes up to {name!r}, the limit is "
                f"{max_bytes}; raise max_bytes if you trust the file"
            )
        found[name] = item
    return found


def _objects(file: Any, path: Path) -> Iterator[tuple[str, Any]]:
    h5py = library()

    waiting = [("", file)]
    seen = {h5py.h5o.get_info(file.id).addr}
    while waiting:
        prefix, group = waiting.pop()
        for name in group:
            full = f"{prefix}{name}"
            if name in (".", "..") or not name.isprintable():
                raise FileError(f"{path}: object name {full!r} is not allowed")
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise FileError(
                    f"{path}: {full!r} is a {type(link).__name__} to another place; "
                    "ranvier reads only what a file itself holds"
                )
            item = group[name]
            address = h5py.h5o.get_info(item.id).addr
            if address in seen or len(seen) >= _MAX_OBJECTS:
                problem = "is a second name of another object" if address in seen else "is too many"
                raise FileError(f"{path}: {full!r} {problem} (limit {_MAX_OBJECTS} objects)")
            seen.add(address)
            if isinstance(item, h5py.Group):
                waiting.append((f"{full}/", item))
            elif isinstance(item, h5py.Dataset):
                yield full, item
            else:
                raise FileError(f"{path}: {full!r} is a {type(item).__name__}, not an array")


def _checked_size(item: Any, name: str, path: Path, max_bytes: int, text: bool) -> int:
    """Check one dataset and return how many bytes reading it may take."""
    h5py = library()

    where = f"{path}: array {name!r}"
    _check_type(item, where, text)
    settings = item.id.get_create_plist()
    layout = settings.get_layout()
    if settings.get_external_count() or layout == h5py.h5d.VIRTUAL:
        raise FileError(f"{where} keeps its values in another file; ranvier does not follow that")
    if item.shape is None:
        raise FileError(f"{where} has no values")
    width = max(int(item.id.get_type().get_size()), int(item.dtype.itemsize))
    declared = int(math.prod(item.shape)) * width
    if declared > max_bytes:
        raise FileError(
            f"{where} declares {item.shape} = {declared} bytes, the limit is {max_bytes}; "
            "raise max_bytes if you trust the file"
        )
    if layout == h5py.h5d.CHUNKED:
        return declared + _checked_chunks(item, settings, where, width, max_bytes)
    stored = int(item.id.get_storage_size())
    if stored < math.prod(item.shape) * int(item.id.get_type().get_size()):
        raise FileError(f"{where} declares {declared} bytes but the file holds {stored}")
    return declared


def _check_type(item: Any, where: str, text: bool) -> None:
    h5py = library()

    dtype = item.dtype
    kind = h5py.check_string_dtype(dtype)
    if kind is not None and (text or kind.length is not None):
        return
    if dtype.kind not in "biufc" or dtype.metadata or dtype.fields or dtype.subdtype:
        raise FileError(
            f"{where} has the type {dtype} ({dtype.metadata or 'compound'}); only plain numbers "
            "are read"
        )


def _checked_chunks(item: Any, settings: Any, where: str, width: int, max_bytes: int) -> int:
    """Check the pieces of a chunked array; return the size of one."""
    h5py = library()

    known = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}
    filters = [settings.get_filter(i)[0] for i in range(settings.get_nfilters())]
    if set(filters) - known:
        raise FileError(
            f"{where} uses the HDF5 filters {filters}; only gzip, shuffle and fletcher32 are read"
        )
    size = int(math.prod(item.chunks)) * width
    needed = math.prod(math.ceil(n / c) for n, c in zip(item.shape, item.chunks, strict=True))
    present = int(item.id.get_num_chunks())
    if present != needed or size > max_bytes:
        raise FileError(
            f"{where} declares {needed} pieces of {size} bytes, the file holds {present}; "
            f"a piece may have at most {max_bytes} bytes"
        )
    if h5py.h5z.FILTER_DEFLATE in filters:
        item.id.chunk_iter(lambda piece: _check_inflation(item, piece, size, where))
    return size


def _check_inflation(item: Any, piece: Any, size: int, where: str) -> None:
    """Refuse a compressed piece that grows beyond its declared size (a decompression bomb)."""
    if piece.size * _DEFLATE_RATIO <= max(size, _UNCHECKED_INFLATION):
        return
    _, raw = item.id.read_direct_chunk(piece.chunk_offset)
    allowed = size + 4  # a checksum may be inside
    try:
        grown = zlib.decompressobj().decompress(raw, allowed + 1)
    except zlib.error as error:
        raise FileError(f"{where} is damaged: {error}") from error
    if len(grown) > allowed:
        raise FileError(f"{where} holds compressed data that exceeds its declared {size} bytes")


def text_attribute(file: Any, name: str, path: Path) -> str | None:
    """Return a short text attribute of the root, None if it is missing."""
    h5py = library()

    if name not in file.attrs:
        return None
    attribute = h5py.h5a.open(file.id, name.encode())
    is_text = attribute.get_type().get_class() == h5py.h5t.STRING
    if not is_text or attribute.shape != () or attribute.get_storage_size() > _MAX_ATTRIBUTE:
        raise FileError(f"{path}: attribute {name!r} is not a short text")
    value = file.attrs[name]
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def scalar_text(item: Any) -> str:
    """Return a scalar text dataset."""
    value = item[()]
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def build_image(fill: Callable[[Any], None], *, modern: bool = False) -> bytes:
    """Return the bytes of a new HDF5 file; memory keeps a full disk away from the library.

    Parameters
    ----------
    fill : callable
        Gets the open file and writes into it.
    modern : bool
        Whether to use the layout of HDF5 1.10, whose metadata carry checksums; otherwise the one
        that every reader knows.
    """
    h5py = library()

    versions = ("v110", "v110") if modern else ("earliest", "v110")
    with h5py.File("image", "w", driver="core", backing_store=False, libver=versions) as file:
        fill(file)
        file.flush()
        image: bytes = file.id.get_file_image()
    return image
