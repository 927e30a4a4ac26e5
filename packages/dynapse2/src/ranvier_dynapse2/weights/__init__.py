"""The weights of a core: four base currents and four bits per synapse."""

from .codes import CodedLevels as CodedLevels, solve_codes as solve_codes
from .levels import (
    DEFAULT_STARTS as DEFAULT_STARTS,
    Levels as Levels,
    assign_masks as assign_masks,
    solve_levels as solve_levels,
    sums_of_masks as sums_of_masks,
)
from .objective import autoencoder_objective as autoencoder_objective
from .refinement import Refined as Refined, refine_masks as refine_masks
from .scale import choose_scale as choose_scale
