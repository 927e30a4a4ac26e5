"""Compiler options of kernels that only other kernels call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])


def inner(function: F) -> F:
    """Compile without an entry from Python, which takes longer to compile than the kernel itself.

    Tuples of many arrays are unpacked field by field on every such entry.
    """
    options: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}
    options |= {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast(F, numba.njit(**options)(function))
