"""Between torch tensors and the arrays of the kernels."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ranvier.errors import SimulationError

from ..functional import LifParameters
from ..surrogates import Surrogate
from ._dense import Constants, Rule
from ._lanes import WIDTH

Floats = NDArray[np.float32]
_LINE = 16


def array_of(tensor: Tensor) -> Floats:
    """View a tensor as a contiguous array, copying only where it is not contiguous."""
    values: Floats = tensor.detach().contiguous().numpy()
    return values


_SMALLEST = np.float32(1e-45)


def aligned(shape: tuple[int, ...], fill: float | None = None) -> Floats:
    """Give an array that begins with a cache line: vectors across two lines load half as fast."""
    size = math.prod(shape)
    room = np.empty(size + _LINE, np.float32)
    skip = -room.__array_interface__["data"][0] % (4 * _LINE) // 4
    result: Floats = room[skip : skip + size].reshape(shape)
    if fill is not None:
        result.fill(fill)
    return result


def padded(values: Floats, size: int, fill: float = 0.0) -> Floats:
    """Lengthen a row to ``size``."""
    result = aligned((size,), fill)
    result[: len(values)] = values
    return result


def constants_of(parameters: LifParameters, *, width: int | None = None) -> Constants:
    """Give the numbers of a layer, lengthened to ``width`` columns with neurons that do nothing.

    The numbers per neuron are then lengthened to whole vectors of the kernels.
    """
    p = parameters
    zeros = np.zeros(p.n, np.float32)
    columns = p.n * p.synapses
    beta = np.zeros(columns, np.float32) if p.beta is None else array_of(p.beta)
    if width is None:
        rows = (p.alpha, p.threshold, p.v_reset)
        alpha, threshold, v_reset = (np.ascontiguousarray(array_of(row)) for row in rows)
        bias = zeros if p.bias is None else np.ascontiguousarray(array_of(p.bias))
        return Constants(alpha, np.ascontiguousarray(beta), threshold, bias, v_reset)
    wide_n = -(-p.n // WIDTH) * WIDTH
    return Constants(
        alpha=padded(array_of(p.alpha), wide_n),
        beta=padded(beta, width),
        threshold=padded(array_of(p.threshold), wide_n, np.inf),
        bias=padded(zeros if p.bias is None else array_of(p.bias), wide_n),
        v_reset=padded(array_of(p.v_reset), wide_n),
    )


def rule_of(parameters: LifParameters, surrogate: Surrogate) -> Rule:
    """Give how a layer fires."""
    return Rule(
        fires=parameters.fires,
        subtract=parameters.reset == "subtract",
        strict=parameters.strict,
        max_spikes=np.float32(parameters.max_spikes),
        code=-1 if surrogate.code is None else surrogate.code,
        scale=np.float32(surrogate.scale),
    )


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Flush denormal numbers to zero in this thread; decaying states are slow otherwise.

    They lie 30 orders of magnitude below any threshold, so that no spike depends on them.
    """
    already = bool(_SMALLEST * np.float32(1.0) == 0)
    if already or not torch.set_flush_denormal(True):
        yield
        return
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def refuse_double_backward() -> None:
    """Raise where a backward pass is itself to be differentiated (``create_graph=True``).

    Raises
    ------
    SimulationError
        Gradients are enabled, as they are only then during a backward pass.
    """
    if torch.is_grad_enabled():
        raise SimulationError(
            "the kernels compute first derivatives only, and create_graph=True asks for second "
            "ones; set backend='loop' on the neuron modules"
        )
