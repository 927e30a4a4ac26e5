"""The integer core of the Xylo chips, bit for bit: arrays in, spikes and states out.

Importing this package does not import numba; the first :func:`run` does.
"""

from .arrays import CoreArrays as CoreArrays, CoreState as CoreState
from .core import TRACES as TRACES, CoreRun as CoreRun, run as run
from .prepared import Prepared as Prepared, prepare as prepare
