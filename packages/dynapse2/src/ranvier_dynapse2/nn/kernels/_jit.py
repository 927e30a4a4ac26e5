"""How the training kernels are compiled: cached on disk, without the GIL.

Forward kernels keep the written order of operations; backward kernels may fuse and reorder theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
_SUMS = {"reassoc", "contract", "nsz", "arcp"}


def exact(function: Kernel) -> Kernel:
    """Compile a kernel with IEEE arithmetic in the written order."""
    return cast("Kernel", njit(cache=True, **_OPTIONS)(function))


def reassociated(function: Kernel) -> Kernel:
    """Compile a kernel whose arithmetic may be reordered and fused; for gradients only."""
    return cast("Kernel", njit(cache=True, fastmath=_SUMS, **_OPTIONS)(function))
