import sys

import numpy as np
import pytest

from ranvier.errors import MissingDependencyError
from ranvier.events import ContinuousSeries, EventSeries

pyplot = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def _headless():
    pyplot.switch_backend("agg")
    yield
    pyplot.close("all")


def test_events_are_drawn_at_their_times_and_channels():
    series = EventSeries([0.1, 0.2], [0, 2], t_stop=0.5, shape=3, name="burst")

    ax = series.show()

    np.testing.assert_allclose(ax.collections[0].get_offsets(), [[100, 0], [200, 2]])
    assert ax.get_xlabel() == "time (ms)"
    assert ax.get_title() == "burst"


def test_polarities_have_their_own_colours():
    ax = EventSeries([0.1, 0.2], [0, 3], shape=(2, 2)).show()

    assert [len(dots.get_offsets()) for dots in ax.collections] == [1, 1]


def test_camera_shows_positive_minus_negative_events():
    ax = EventSeries([0.1, 0.2, 0.3], [0, 6, 6], shape=(2, 2, 3)).show()

    assert ax.images[0].get_array().tolist() == [[1, 0, 0], [0, 0, 0]]


def test_held_samples_are_drawn_as_steps():
    ax = ContinuousSeries.from_clocked([[1.0], [2.0]], 1.0, unit="mV").show()

    assert ax.lines[0].get_drawstyle() == "steps-post"
    assert ax.get_ylabel() == "value (mV)"


def test_given_axes_are_used():
    _, ax = pyplot.subplots()

    assert EventSeries([0.0], [0]).show(ax) is ax


def test_missing_matplotlib_names_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)

    with pytest.raises(MissingDependencyError, match=r"ranvier\[plot\]"):
        EventSeries([0.0], [0]).show()
