import numpy as np
import pytest

from ranvier import plotting
from ranvier.errors import InputError
from ranvier.events import EventSeries


def test_counts_are_dots_at_bin_centres():
    counts = np.zeros((10, 3), dtype=int)
    counts[2, 1], counts[7, 0] = 1, 4

    ax = plotting.raster(counts, dt=1e-3)

    dots = ax.collections[0]
    np.testing.assert_allclose(dots.get_offsets(), [[2.5, 1], [7.5, 0]])
    assert dots.get_sizes()[1] == 4 * dots.get_sizes()[0]
    assert (ax.get_xlabel(), ax.get_xlim()) == ("time (ms)", (0.0, 10.0))


def test_counts_without_dt_are_drawn_over_steps():
    assert plotting.raster(np.eye(3)).get_xlabel() == "time (steps)"


def test_labels_become_ticks():
    ax = plotting.raster(np.eye(3), labels=["a", "b", "c"])

    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["a", "b", "c"]
    with pytest.raises(InputError, match="2 labels for 3 channels"):
        plotting.raster(np.eye(3), labels=["a", "b"])


def test_input_stands_above_output_on_one_time_axis():
    series = EventSeries([0.1], [3], t_stop=1.0, shape=5)

    figure = plotting.in_out(series, np.ones((100, 2), int), dt=10e-3, output_labels=["x", "y"])

    top, bottom = figure.axes
    assert top.get_position().y0 > bottom.get_position().y1
    assert top.get_xlim() == bottom.get_xlim() == (0.0, 1000.0)
    assert bottom.get_ylabel() == "output channel"


@pytest.mark.parametrize("spikes", [np.ones((2, 3, 4)), np.full((2, 3), 0.5), -np.ones((2, 3))])
def test_what_is_no_raster_is_refused(spikes):
    with pytest.raises(InputError, match="plotting"):
        plotting.raster(spikes)
