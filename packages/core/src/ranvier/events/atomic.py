"""Writing a file so that it is either complete or untouched."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ranvier.errors import FileError


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside the target and rename it when the block ends well.

    Parameters
    ----------
    path : str or path
        File to write or replace.

    Yields
    ------
    Path
        Temporary file with the same ending, in the same folder.

    Raises
    ------
    FileError
        The folder is missing, or the disk is full or refuses; the previous file is intact.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.stem}.{uuid.uuid4().hex[:12]}{target.suffix}")
    try:
        yield temporary
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.replace(target)
    except OSError as error:
        raise FileError(
            f"{target}: cannot be written ({error.strerror or error}); nothing was changed"
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
