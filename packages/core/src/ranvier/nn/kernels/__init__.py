"""CPU kernels: fused over time, and event-driven. Imports numba; import it only when needed."""

from __future__ import annotations

from typing import cast

from torch import Tensor

from ..functional import LifParameters, LifState, LifTraces
from ..surrogates import Surrogate
from ._chain import ChainLayer as ChainLayer, run_chain as run_chain
from ._layer import run_dense_layer as run_dense_layer


def run_layer_kernel(
    x: Tensor,
    parameters: LifParameters,
    *,
    surrogate: Surrogate,
    state: LifState | None,
    weight_rec: Tensor | None,
    record: bool,
) -> tuple[Tensor, LifState, LifTraces | None]:
    """Run one layer; see `ranvier.nn.functional.cuba_lif`."""
    if weight_rec is None or not parameters.fires:
        return run_dense_layer(x, parameters, surrogate=surrogate, state=state, record=record)
    layer = ChainLayer(parameters, surrogate, state, weight_rec=weight_rec, record=record)
    out = run_chain(x, [layer])
    return out, cast("LifState", layer.final), layer.traces
