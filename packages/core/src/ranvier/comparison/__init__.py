"""One network on many targets, side by side: the verb `ranvier.compare` and what it measures.

The package is called ``comparison`` so that ``ranvier.compare`` is the verb and nothing else.
"""

from .comparison import (
    Comparison as Comparison,
    Difference as Difference,
    Figure as Figure,
    LayerReport as LayerReport,
    TargetReport as TargetReport,
)
from .inputs import Poisson as Poisson
from .metrics import (
    accuracy as accuracy,
    agreement as agreement,
    count_correlation as count_correlation,
    decisions as decisions,
    first_difference as first_difference,
    membrane_snr as membrane_snr,
    undecided as undecided,
    van_rossum as van_rossum,
)
from .synapses import fan_out as fan_out
from .verb import compare as compare
