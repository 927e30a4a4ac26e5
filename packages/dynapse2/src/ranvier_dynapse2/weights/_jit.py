"""One place for the compiler options of the kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])


def jit(function: F) -> F:
    """Compile on first call, keep the result on disk, and run without the interpreter's lock.

    The cache notices a change of the file that a function is in, not of the files it calls into:
    after editing a kernel in place, delete the ``__pycache__`` of this folder.
    """
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy")(function))
