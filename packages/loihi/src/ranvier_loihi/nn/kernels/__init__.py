"""Kernels of the neurons: whole time loops, compiled, as differentiable functions."""

from ._leaky_functions import (
    Events as Events,
    Firing as Firing,
    Run as Run,
    fire as fire,
    fused_cuba as fused_cuba,
    integrate as integrate,
    keep_of as keep_of,
    list_events as list_events,
    on_grid as on_grid,
    threshold_of as threshold_of,
)
from ._rotate import Adaptation as Adaptation, Resonance as Resonance
from ._rotate_functions import (
    AdaptRun as AdaptRun,
    RotateRun as RotateRun,
    adapt as adapt,
    fire_phase as fire_phase,
    rotate as rotate,
)
from ._sigma_delta import DeltaRun as DeltaRun, encode_delta as encode_delta
