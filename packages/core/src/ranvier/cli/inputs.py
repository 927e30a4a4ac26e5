"""Reading what a command is given: networks, artefacts of the pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import FileError

if TYPE_CHECKING:
    from ..files import FileHeader
    from ..graph import Graph

Artifact = TypeVar("Artifact")

_MADE_BY = {
    "Graph": "`ranvier convert NETWORK.nir OUT.rv`",
    "MappedNetwork": "`ranvier map NETWORK --target TARGET --out OUT.rv`",
    "ChipConfig": "`ranvier build NETWORK --target TARGET --out OUT.rv`",
    "Recording": "`ranvier simulate CONFIG SPIKES --out OUT.rv`",
}


def read_network(
    path: Path,
    *,
    dt: float | None = None,
    convention: str | None = None,
    reset: str | None = None,
    scheme: str | None = None,
) -> Graph:
    """Read a network from ``.nir``, ``.rv`` or a format of an installed plugin.

    Parameters
    ----------
    path : Path
        The file.
    dt : float or None
        Time step, in s, of files that state none.
    convention, reset, scheme : str or None
        As in `ranvier.read`.

    Raises
    ------
    FileError
        The file is missing or unreadable, holds something else, or needs ``--dt``.
    """
    from .. import files
    from ..graph import Graph

    check_exists(path)
    given = {"dt": dt, "convention": convention, "reset": reset, "scheme": scheme}
    stated = {name: value for name, value in given.items() if value is not None}
    if path.suffix.lower() == ".rv":
        if stated:
            flags = ", ".join(f"--{name}" for name in stated)
            raise FileError(
                f"{path}: a .rv network states all of this itself; {flags} is for .nir files"
            )
        return load_as(path, Graph)
    network = files.read(path, **stated)
    if not isinstance(network, Graph):
        raise FileError(f"{path}: holds a {type(network).__name__}, this command needs a network")
    return network


def load_as(path: Path, kind: type[Artifact]) -> Artifact:
    """Load a ``.rv`` file that must hold one kind of artefact.

    Raises
    ------
    FileError
        Missing or unreadable, or it holds another kind; the message says how to make the right one.
    """
    artifact = load_any(path)
    if not isinstance(artifact, kind):
        raise FileError(
            f"{path}: holds a {type(artifact).__name__}, this command needs a {kind.__name__}; "
            f"make one with {_MADE_BY.get(kind.__name__, 'ranvier')}"
        )
    return artifact


def load_any(path: Path) -> Any:
    """Load a ``.rv`` file of any kind."""
    from .. import files

    check_exists(path)
    return files.load(path)


def header_of(path: Path) -> FileHeader:
    """Return what a ``.rv`` file says about itself; needs no plugin."""
    from .. import files

    check_exists(path)
    return files.describe(path)


def save_artifact(artifact: Any, path: Path) -> None:
    """Save an artefact to ``.rv``, completely or not at all.

    Raises
    ------
    FileError
        The ending is another one, or the file cannot be written; a previous file is intact.
    """
    from .. import files

    if path.suffix.lower() != ".rv":
        raise FileError(f"{path}: artefacts are saved as .rv; name the output {path.stem}.rv")
    files.save(artifact, path)


def check_exists(path: Path) -> None:
    """Raise `FileError` if there is no such file, or if it is a device or a pipe."""
    if path.is_dir():
        raise FileError(f"{path}: is a directory, expected a file")
    if not path.exists():
        raise FileError(f"{path}: there is no such file; check the path")
    if not path.is_file():
        raise FileError(f"{path}: is a device or a pipe, expected a file; save its content first")
