"""How the training kernels are compiled: cached on disk, without the GIL.

Forward kernels keep the written order; sums of gradients may be reassociated and fused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

from ...kernels._jit import jit

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
_SUMS = {"reassoc", "contract", "nsz"}
exact = jit
"""Compile a kernel with IEEE arithmetic in the written order."""


def reassociated(function: Kernel) -> Kernel:
    """Compile a kernel whose sums may be reordered and fused; for gradients only."""
    return cast("Kernel", njit(cache=True, fastmath=_SUMS, **_OPTIONS)(function))


def part(function: Kernel) -> Kernel:
    """Mark a part of a kernel, to be inlined with the arithmetic of the kernel around it."""
    return cast("Kernel", njit(inline="always", **_OPTIONS)(function))
