"""One place for the compiler options of the kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}


def exact(function: Kernel) -> Kernel:
    """Compile on first call, keep the result on disk; every operation rounds as written.

    The cache notices a change of the file that a function is in, not of the files it calls into:
    after editing a kernel in place, delete the ``__pycache__`` of its folder.
    """
    return cast("Kernel", njit(cache=True, **_OPTIONS)(function))


def part(function: Kernel) -> Kernel:
    """Mark a part of a kernel, to be inlined with the arithmetic of the kernel around it."""
    return cast("Kernel", njit(inline="always", **_OPTIONS)(function))
