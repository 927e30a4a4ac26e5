"""Sessions take series and lists of samples, and recordings give results back in kind."""

import numpy as np
import pytest

import ranvier as rv
from ranvier.errors import InputError
from ranvier.events import ContinuousSeries, EventSeries
from ranvier.graph import LIF, Edge, Graph, Input, Linear, Output

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


@pytest.fixture
def two_inputs():
    nodes = {
        "a": Input(shape=(3,)),
        "b": Input(shape=(2,)),
        "fa": Linear(weight=np.full((2, 3), 0.4)),
        "lif": LIF(shape=(2,), tau_mem=0.02),
        "y": Output(shape=(2,)),
    }
    edges = [Edge("a", "fa"), Edge("fa", "lif"), Edge("b", "lif"), Edge("lif", "y")]
    return rv.build(Graph(nodes, edges, dt=DT), "reference")


def test_several_inputs_take_series_by_name(two_inputs, raster):
    arrays = {"a": raster, "b": raster[:, :2]}
    series = {name: EventSeries.from_raster(r, DT, t_start=2.0) for name, r in arrays.items()}

    answer = rv.simulate(two_inputs, series).output

    assert answer.t_start == 2.0
    np.testing.assert_array_equal(answer.raster(DT), rv.simulate(two_inputs, arrays).output)


def test_several_inputs_take_lists_of_series_by_name(two_inputs, raster):
    lists = {
        name: [EventSeries.from_raster(raster[:n, :width], DT) for n in (10, 30)]
        for name, width in (("a", 3), ("b", 2))
    }

    answers = rv.simulate(two_inputs, lists).output

    assert [round(a.duration / DT) for a in answers] == [10, 30]


def test_series_of_several_inputs_must_end_together(two_inputs, raster):
    series = {
        "a": EventSeries.from_raster(raster, DT),
        "b": EventSeries.from_raster(raster[:20, :2], DT),
    }

    with pytest.raises(
        InputError, match=r"input 'b': is series .* over 20 steps, 'a' is .* 30 steps"
    ):
        rv.simulate(two_inputs, series)


def test_series_without_a_name_for_several_inputs_ask_for_a_mapping(two_inputs, raster):
    with pytest.raises(InputError, match="pass a mapping by name"):
        rv.simulate(two_inputs, EventSeries.from_raster(raster, DT))


def test_a_list_with_empty_series_only_runs_no_step(config):
    answers = rv.simulate(config, [EventSeries([], [], shape=(3,), t_stop=0.0)]).output

    assert [len(answer) for answer in answers] == [0]
