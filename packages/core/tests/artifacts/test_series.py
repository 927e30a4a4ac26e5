"""Sessions take series and lists of samples, and recordings give results back in kind."""

import numpy as np
import pytest

import ranvier as rv
from ranvier.errors import InputError
from ranvier.events import ContinuousSeries, EventSeries
from ranvier.graph import LIF, Graph, Linear

DT = 1e-3


@pytest.fixture
def config():
    nodes = {"fc": Linear(weight=np.full((2, 3), 0.4)), "lif": LIF(shape=(2,), tau_mem=0.02)}
    return rv.build(Graph.sequential(nodes, dt=DT), "reference")


@pytest.fixture
def raster():
    return np.random.default_rng(0).poisson(0.5, (30, 3))


def test_events_give_the_spikes_of_their_raster(config, raster):
    series = EventSeries.from_raster(raster, DT, t_start=2.0)

    answer = rv.simulate(config, series).output

    assert isinstance(answer, EventSeries)
    assert answer.t_start == 2.0
    np.testing.assert_array_equal(answer.raster(DT), rv.simulate(config, raster).output)


def test_a_list_of_series_gives_a_list_of_their_own_lengths(config, raster):
    parts = [EventSeries.from_raster(raster[:n], DT) for n in (10, 30)]

    answers = rv.simulate(config, parts).output

    assert [round(a.duration / DT) for a in answers] == [10, 30]
    for answer, n in zip(answers, (10, 30), strict=True):
        np.testing.assert_array_equal(answer.raster(DT), rv.simulate(config, raster[:n]).output)


def test_ragged_arrays_become_a_padded_batch(config, raster):
    recording = rv.simulate(config, [raster[:10], raster])

    assert recording.output.shape == (2, 30, 2)
    np.testing.assert_array_equal(recording.lengths, [10, 30])


def test_membranes_come_as_continuous_series(config, raster):
    series = EventSeries.from_raster(raster, DT)

    recording = rv.simulate(config, series, record=["v_mem"])
    membrane = recording.series("lif", "v_mem")

    assert isinstance(membrane, ContinuousSeries)
    np.testing.assert_allclose(membrane.to_clocked(DT), recording.trace("lif", "v_mem"))


def test_series_of_an_array_input_start_at_zero(config, raster):
    series = rv.simulate(config, raster).series("lif")

    assert series.t_start == 0.0


def test_a_recording_of_series_survives_its_file(config, raster, tmp_path):
    recording = rv.simulate(config, EventSeries.from_raster(raster, DT, t_start=1.0))

    rv.save(recording, tmp_path / "r.rv")
    loaded = rv.load(tmp_path / "r.rv")

    assert loaded.output == recording.output


def test_events_on_unknown_channels_are_refused(config):
    with pytest.raises(InputError, match="remap"):
        rv.simulate(config, EventSeries([1e-3], [4], shape=5, t_stop=0.01))
