"""Pictures of spikes, traces, parameters and training; functions return Axes or Figures."""

from .parameters import (
    time_constants as time_constants,
    weight_histograms as weight_histograms,
    weight_images as weight_images,
    weights as weights,
)
from .signals import traces as traces
from .spikes import in_out as in_out, raster as raster
from .training import learning_curve as learning_curve
