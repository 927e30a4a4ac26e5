"""Writes the package of a new chip plugin from the files in ``template``."""

from __future__ import annotations

import re
import string
import tempfile
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from ...errors import FileError, InputError
from ...target import API_VERSION

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_SUFFIX = ".in"


def write_package(name: str, directory: Path) -> list[Path]:
    """Write a plugin package for a chip, completely or not at all.

    Parameters
    ----------
    name : str
        Name of the chip and its first target: lower-case letters, digits and single dashes.
    directory : Path
        Where to; must not exist, or be empty.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    InputError
        The name has another form.
    FileError
        The folder is not empty, or cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            f"new-chip: the name {name!r} must be lower-case letters, digits and single dashes, "
            "starting with a letter: my-chip"
        )
    _check_free(directory)
    values = _values(name)
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory.parent, prefix=f".{name}.") as scratch:
            staged = Path(scratch) / "package"
            _write(files(__name__) / "template", staged, values)
            (staged / "src").rename(staged / "package")
            (staged / "src").mkdir()
            (staged / "package").rename(staged / "src" / values["package"])
            if directory.exists():
                directory.rmdir()
            staged.rename(directory)
    except OSError as error:
        raise FileError(
            f"{directory}: cannot be written ({error.strerror or error}); nothing was changed"
        ) from error
    return sorted(path for path in directory.rglob("*") if path.is_file())


def _values(name: str) -> dict[str, str]:
    """Return what the template's placeholders stand for."""
    from importlib.metadata import version

    identifier = name.replace("-", "_")
    return {
        "name": name,
        "package": f"ranvier_{identifier}",
        "distribution": f"ranvier-{name}",
        "class": "".join(part.capitalize() for part in name.split("-")),
        "prefix": name.replace("-", "")[:3].upper(),
        "api_version": str(API_VERSION),
        "core_version": version("ranvier"),
    }


def _check_free(directory: Path) -> None:
    if directory.is_file() or (directory.is_dir() and any(directory.iterdir())):
        raise FileError(f"{directory}: already exists and is not empty; name a new folder")


def _write(source: Traversable, destination: Path, values: dict[str, str]) -> None:
    """Copy a folder of templates, placeholders filled in."""
    destination.mkdir()
    for entry in source.iterdir():
        if entry.is_dir():
            if entry.name != "__pycache__":
                _write(entry, destination / entry.name, values)
        elif entry.name.endswith(_SUFFIX):
            text = string.Template(entry.read_text(encoding="utf-8")).substitute(values)
            (destination / entry.name.removesuffix(_SUFFIX)).write_text(text, encoding="utf-8")
