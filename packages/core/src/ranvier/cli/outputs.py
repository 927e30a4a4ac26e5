"""Checks that come before the work: where the result goes, and that the file is for the target."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..errors import FileError, InputError


def check_writable(path: Path | None, *, suffixes: Sequence[str]) -> None:
    """Refuse an output that could not be written after the work is done.

    Raises
    ------
    FileError
        The ending is not among ``suffixes``, or the folder is missing or read-only.
    """
    if path is None:
        return
    if path.suffix.lower() not in suffixes:
        raise FileError(
            f"{path}: ending {path.suffix!r} cannot be written here; use {' or '.join(suffixes)}"
        )
    folder = path.parent
    if not folder.is_dir():
        raise FileError(f"{path}: the folder {folder} does not exist; create it first")
    if path.is_dir() or not os.access(folder, os.W_OK):
        raise FileError(f"{path}: cannot be written (a directory, or a folder without permission)")


def check_target(path: Path, found: str, wanted: str | None) -> None:
    """Raise `InputError` if a file is for another target than the one asked for."""
    if wanted is not None and found != wanted:
        raise InputError(
            f"{path}: is for the target {found!r}, --target says {wanted!r}; leave --target out, "
            f"or build again for {wanted}"
        )
