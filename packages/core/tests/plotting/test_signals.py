import numpy as np
import pytest

from ranvier import plotting
from ranvier.errors import InputError
from ranvier.events import ContinuousSeries

VALUES = np.random.default_rng(0).normal(size=(50, 3))


def test_staggered_traces_do_not_touch():
    ax = plotting.traces(VALUES, dt=1e-3, labels=["a", "b", "c"], unit="V")

    lines = [line.get_ydata() for line in ax.lines[:3]]
    assert lines[0].max() < lines[1].min()
    assert lines[1].max() < lines[2].min()
    np.testing.assert_allclose(lines[2] - ax.get_yticks()[2], VALUES[:, 2], atol=1e-12)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["a", "b", "c"]


def test_thresholds_are_dashed_at_their_trace():
    ax = plotting.traces(VALUES, dt=1e-3, thresholds=[1.0, 2.0, 3.0])

    dashed = [line.get_ydata()[0] for line in ax.lines if line.get_linestyle() == "--"]
    np.testing.assert_allclose(dashed, np.add(ax.get_yticks(), [1.0, 2.0, 3.0]))


def test_scale_bar_names_the_unit():
    ax = plotting.traces([[0.0, 0.0], [5.0, 1.0]], dt=1e-3, unit="mV")

    assert ax.texts[0].get_text() == "5 mV"


def test_common_axis_shows_the_values_themselves():
    ax = plotting.traces(ContinuousSeries.from_clocked(VALUES, 1e-3, unit="A"), stagger=False)

    assert np.array_equal(ax.lines[1].get_ydata(), VALUES[:, 1])
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("value (A)", "time (ms)")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"values": np.full((3, 1), np.nan)}, "finite numbers"),
        ({"values": np.zeros((2, 2, 2))}, "take one sample"),
        ({"values": VALUES, "thresholds": [1.0, 2.0]}, "2 thresholds for 3 traces"),
        ({"values": VALUES, "labels": ["a"]}, "1 labels for 3 traces"),
    ],
)
def test_malformed_traces_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        plotting.traces(**arguments)
