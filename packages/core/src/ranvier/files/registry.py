"""Registry of file formats: `read` and `write` find the right one by content and ending."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from ..errors import FileError, InputError, PluginError
from . import container, nir
from ._hdf5 import has_signature, library


@dataclass(frozen=True)
class Format:
    """One file format; plugins contribute more through the hook ``ranvier_formats``.

    Parameters
    ----------
    name : str
        For messages: ``"NIR"``.
    suffixes : tuple of str
        Endings in lower case with the dot.
    read : callable or None
        ``read(path, **options)`` returns a graph, an artefact or a series; None: not readable.
    write : callable or None
        ``write(thing, path, **options)``; None: not writable.
    sniff : callable or None
        ``sniff(path) -> bool`` says whether the content of an existing file is this format.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Callable[..., Any] | None = None
    write: Callable[..., Any] | None = None
    sniff: Callable[[Path], bool] | None = None


def read(path: str | PathLike[str], **options: Any) -> Any:
    """Read any known file: ``.rv``, ``.nir``, event files, and what installed plugins add.

    Parameters
    ----------
    path : path
        The format is found by content, then by ending.
    **options
        Those of the format: for NIR see `read_nir`.

    Returns
    -------
    Graph, MappedNetwork, ChipConfig, Recording, EventSeries or ContinuousSeries

    Raises
    ------
    FileError
        Missing, unknown, or unreadable as what it is.
    InputError
        The format has no such option; the message lists those it has.
    """
    source = container.checked_path(path, "read")
    if not source.is_file():
        problem = "is a folder" if source.is_dir() else "does not exist or is no regular file"
        raise FileError(f"{source}: {problem}; check the path")
    chosen = _sniffed(source) or _by_suffix(source, reading=True)
    reader = chosen.read
    if reader is None:
        raise FileError(f"{source}: {chosen.name} can be written but not read")
    _check_options(reader, options, f"read: {chosen.name}")
    return reader(source, **options)


def write(thing: Any, path: str | PathLike[str], **options: Any) -> Any:
    """Write a graph, artefact or series in the format of the path's ending.

    Parameters
    ----------
    thing : Graph, MappedNetwork, ChipConfig, Recording, EventSeries or ContinuousSeries
        What the format can hold.
    path : path
        Its ending chooses the format; an existing file is replaced.
    **options
        Those of the format.

    Returns
    -------
    tuple of Diagnostic or None
        What was lost, from formats that report it.

    Raises
    ------
    FileError
        The ending is unknown or the file cannot be written; a previous file is intact.
    InputError
        The format cannot hold the thing or has no such option.
    """
    target = container.checked_path(path, "write")
    chosen = _by_suffix(target, reading=False)
    writer = chosen.write
    if writer is None:
        raise FileError(f"{target}: {chosen.name} can be read but not written")
    _check_options(writer, options, f"write: {chosen.name}")
    return writer(thing, target, **options)


def formats() -> tuple[Format, ...]:
    """Return the formats of the core, without importing any plugin."""
    return _CORE


def _sniffed(path: Path) -> Format | None:
    return next((f for f in _CORE if f.sniff is not None and f.sniff(path)), None)


def _by_suffix(path: Path, *, reading: bool) -> Format:
    suffix = path.suffix.lower()
    known = list(_CORE)
    found = next((f for f in known if suffix in f.suffixes), None)
    if found is not None:
        return found
    for extra in _contributed():
        known.append(extra)
        if suffix in extra.suffixes or (reading and extra.sniff is not None and extra.sniff(path)):
            return extra
    endings = ", ".join(dict.fromkeys(s for f in known for s in f.suffixes))
    raise FileError(f"{path}: ending {suffix!r} is no known format; known endings: {endings}")


def _contributed() -> Iterator[Format]:
    """Yield the formats of installed plugins, importing one plugin at a time."""
    from ..plugins import manager

    for chip in manager().catalogue.modules:
        try:
            plugin = manager().load(chip)
        except PluginError:
            continue  # a broken plugin is reported by `ranvier targets`
        hook = getattr(plugin, "ranvier_formats", None)
        for entry in (hook() if hook is not None else None) or ():
            if not isinstance(entry, Format):
                raise PluginError(
                    f"plugin {chip!r}: ranvier_formats returned a {type(entry).__name__}, "
                    "expected ranvier.files.Format objects"
                )
            yield entry


def _check_options(function: Callable[..., Any], options: dict[str, Any], where: str) -> None:
    parameters = inspect.signature(function).parameters.values()
    known = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    unknown = sorted(set(options) - set(known))
    if unknown and not any(p.kind is p.VAR_KEYWORD for p in parameters):
        raise InputError(
            f"{where} has no option {', '.join(unknown)}; known: {', '.join(known) or 'none'}"
        )


def _is_container(path: Path) -> bool:
    return has_signature(path) and _root_has(path, lambda file: "format" in file.attrs)


def _is_nir(path: Path) -> bool:
    return has_signature(path) and _root_has(path, lambda file: "node" in file)


def _root_has(path: Path, test: Callable[[Any], bool]) -> bool:
    h5py = library()

    try:
        with h5py.File(path, "r", locking=False) as file:
            return bool(test(file))
    except (OSError, RuntimeError, ValueError, KeyError):
        return False


def _read_events(
    path: Path,
    *,
    shape: int | tuple[int, ...] | None = None,
    t_stop: float | None = None,
    time_unit: float = 1e-3,
) -> Any:
    from ..events import read_events

    return read_events(path, shape=shape, t_stop=t_stop, time_unit=time_unit)


def _write_events(series: Any, path: Path, *, time_unit: float = 1e-3) -> None:
    from ..events import write_events

    write_events(series, path, time_unit=time_unit)


_CORE = (
    Format("ranvier", (container.SUFFIX,), container.load, container.save, _is_container),
    Format("NIR", (".nir",), nir.read_nir, nir.write_nir, _is_nir),
    Format("events", (".bs1", ".bs2", ".npy", ".npz"), _read_events, _write_events),
)
