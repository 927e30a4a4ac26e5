"""One place for the compiler options of the kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, cast

import numba
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
F = TypeVar("F", bound=Callable[..., object])


def jit(function: F) -> F:
    """Compile on first call, keep the result on disk, and run without the interpreter's lock.

    Neither reassociation nor contraction is allowed: every operation rounds as written.
    """
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy")(function))
