"""Compiler options of the kernels: cached on disk, without the interpreter's lock, IEEE."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, cast

import numba
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[Any]
Ints: TypeAlias = NDArray[Any]
Kernel = TypeVar("Kernel", bound=Callable[..., Any])

_OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}


def compiled(function: Kernel) -> Kernel:
    """Compile on first call. Parts take whole arrays and offsets: a slice costs more than a row."""
    return cast("Kernel", numba.njit(**_OPTIONS)(function))
