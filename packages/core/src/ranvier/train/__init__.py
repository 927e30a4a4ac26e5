"""Training on Lightning Fabric: one function, safe checkpoints, resumable with equal results.

Needs ``pip install 'ranvier[torch]'``.
"""

from ranvier._require import require as _require

_require("torch", extra="torch")
_require("lightning_fabric", extra="torch")

from ._checkpoint import Checkpoint as Checkpoint
from ._data import TensorBatches as TensorBatches
from ._fit import FitResult as FitResult, fit as fit
from ._history import History as History
