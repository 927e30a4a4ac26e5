"""How the kernels are compiled: cached on disk, without the GIL, IEEE arithmetic by default.

Forward kernels multiply and add in the order of the plain loop and never contract the two, so
that spikes are equal. Sums of gradients may be reassociated. The parts of a kernel are inlined and
no reference is counted (a kernel allocates nothing; its scratch is an argument): a call that passes
a dozen arrays, or counts them, costs more than a row of neurons.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
_SUMS = {"reassoc", "contract", "nsz"}


def exact(function: Kernel) -> Kernel:
    """Compile a kernel with IEEE arithmetic in the written order."""
    return cast("Kernel", njit(cache=True, **_OPTIONS)(function))


def reassociated(function: Kernel) -> Kernel:
    """Compile a kernel whose sums may be reordered and fused; for gradients only."""
    compile_ = njit(cache=True, fastmath=_SUMS, **_OPTIONS)
    return cast("Kernel", compile_(function))


def part(function: Kernel) -> Kernel:
    """Mark a part of a kernel, to be inlined with the arithmetic of the kernel around it."""
    compile_ = njit(inline="always", **_OPTIONS)
    return cast("Kernel", compile_(function))
