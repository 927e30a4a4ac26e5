"""First derivatives only: a second one is refused, not silently left out."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import torch

from ranvier.errors import SimulationError

Backward = Callable[..., Any]


def first_order(backward: Backward) -> Backward:
    """Raise where a backward pass is itself to be differentiated (``create_graph=True``).

    Raises
    ------
    SimulationError
        Gradients are enabled, as they are only then during a backward pass.
    """

    @wraps(backward)
    def checked(ctx: Any, *gradients: torch.Tensor) -> Any:
        if torch.is_grad_enabled():
            raise SimulationError(
                "dynapse2: the kernels compute first derivatives only, and create_graph=True asks "
                "for second ones; leave create_graph out, or use DPI(backend='loop')"
            )
        return backward(ctx, *gradients)

    return checked
