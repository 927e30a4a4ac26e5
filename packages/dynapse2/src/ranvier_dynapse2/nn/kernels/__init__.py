"""Compiled time loops of a layer, forward and backward, as a differentiable function."""

from ._function import (
    Kept as Kept,
    Run as Run,
    State as State,
    columns_of as columns_of,
    fused_dpi as fused_dpi,
)
