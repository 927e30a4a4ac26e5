"""What a run leaves behind: raw records, the dense grid, and recordings."""

from .grid import (
    cadc_grid as cadc_grid,
    grid_length as grid_length,
    interpolate as interpolate,
    shift_rows as shift_rows,
    spike_bins as spike_bins,
    spike_grid as spike_grid,
    trace_of as trace_of,
)
from .raw import (
    CLOCK as CLOCK,
    CadcRecord as CadcRecord,
    MadcRecord as MadcRecord,
    PopulationRecords as PopulationRecords,
    RawRecords as RawRecords,
    SpikeRecord as SpikeRecord,
)
from .recording import (
    GRID_QUANTITY as GRID_QUANTITY,
    MADC_PER_CADC as MADC_PER_CADC,
    observables as observables,
    recording_of as recording_of,
)
