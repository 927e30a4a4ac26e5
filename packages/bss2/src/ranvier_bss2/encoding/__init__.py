"""Encoders, decoders and data of the published workflows, in numpy.

Arrays are ``(batch, time, n)``; the published tools use ``(time, batch, n)``: see `time_first`.
"""

from .axes import batch_first as batch_first, time_first as time_first
from .decoders import (
    max_over_time as max_over_time,
    mean_over_time as mean_over_time,
    sum_over_time as sum_over_time,
)
from .encoders import (
    coordinates_to_spikes as coordinates_to_spikes,
    pixels_to_spike_times as pixels_to_spike_times,
    spike_times_to_dense as spike_times_to_dense,
)
from .sines import sum_of_sines as sum_of_sines
from .yinyang import YinYang as YinYang, yinyang as yinyang
