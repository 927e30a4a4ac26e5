"""A configuration simulated as a chip, or as the model that it stands for."""

from .numeric import NumericModel as NumericModel, NumericRun as NumericRun
from .options import SimulateOptions as SimulateOptions
from .session import Bss2Session as Bss2Session
