"""The registers of a board, as arrays."""

from .codes import (
    CAM_FLAGS as CAM_FLAGS,
    DENDRITES as DENDRITES,
    LATCHES as LATCHES,
    MODELS as MODELS,
)
from .configuration import Dynapse2Config as Dynapse2Config
