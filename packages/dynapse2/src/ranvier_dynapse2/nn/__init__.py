"""Training in the chip's own currents: DPI neurons, their surrogates, and mismatch.

Everything runs over ``(batch, time, *shape)``. Needs ``pip install 'ranvier-dynapse2[torch]'``.
"""

import ranvier.nn as _core  # noqa: F401 - asks for torch, with advice, where it is missing

from ._dpi import DPI as DPI
from ._mismatch import with_mismatch as with_mismatch
from ._surrogates import (
    LogSigmoid as LogSigmoid,
    LogWindow as LogWindow,
    MembraneStep as MembraneStep,
    Surrogate as Surrogate,
)
from ._to_nodes import node_of_dpi as node_of_dpi
