"""Event and continuous series with time bases, their files, pictures and animations."""

from .animation import Animation as Animation
from .batch import (
    RasterInput as RasterInput,
    as_raster as as_raster,
    stack_rasters as stack_rasters,
    unstack_rasters as unstack_rasters,
)
from .binning import bin_index as bin_index, count_bins as count_bins
from .continuous import ContinuousSeries as ContinuousSeries
from .conversion import check_counts as check_counts
from .dtype import EVENT_DTYPE as EVENT_DTYPE
from .io import read_events as read_events, write_events as write_events
from .series import EventSeries as EventSeries
