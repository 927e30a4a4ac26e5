"""Modules on event series."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import ranvier.nn as rnn  # noqa: E402
from ranvier.errors import InputError  # noqa: E402
from ranvier.events import ContinuousSeries, EventSeries  # noqa: E402


@pytest.fixture
def network():
    torch.manual_seed(0)
    return rnn.Sequential(rnn.Linear(3, 4), rnn.LIF(4, threshold=0.3))


@pytest.fixture
def raster():
    return np.random.default_rng(0).poisson(0.5, (40, 3))


def test_a_module_takes_and_returns_events(network, raster):
    expected = network(torch.from_numpy(raster).float()[None])[0]

    answer = rnn.Timed(network)(EventSeries.from_raster(raster, 1e-3, t_start=0.5))

    assert isinstance(answer, EventSeries)
    assert answer.t_start == 0.5
    np.testing.assert_array_equal(answer.raster(1e-3), expected.detach().numpy())


def test_continuous_series_are_sampled(network):
    samples = np.random.default_rng(1).normal(0, 1, (40, 3))
    expected = network(torch.from_numpy(samples).float()[None])[0]

    answer = rnn.Timed(network)(ContinuousSeries.from_clocked(samples, 1e-3))

    np.testing.assert_array_equal(answer.raster(1e-3), expected.detach().numpy())


def test_arrays_pass_as_they_are(network, raster):
    x = torch.from_numpy(raster).float()[None]

    assert torch.equal(rnn.Timed(network)(x), network(x))


def test_layers_that_disagree_about_the_step_are_refused():
    network = rnn.Sequential(rnn.LIF(2, dt=1e-3), rnn.LIF(2, dt=2e-3))

    with pytest.raises(InputError, match=r"found \[0.001, 0.002\]; pass dt="):
        rnn.Timed(network)


@pytest.mark.parametrize(
    "module", [rnn.Sequential(rnn.LIF(3)), rnn.LIF(3), rnn.Linear(3, 4), rnn.SynNet(2, 3)]
)
def test_a_module_refuses_arrays_with_advice(module, raster):
    with pytest.raises(InputError, match=r"torch\.as_tensor"):
        module(raster)


def test_a_layer_without_time_step_sends_series_to_timed(raster):
    with pytest.raises(InputError, match=r"ranvier\.nn\.Timed"):
        rnn.Linear(3, 4)(EventSeries.from_raster(raster, 1e-3))


@pytest.mark.parametrize(
    "make",
    [
        lambda: rnn.LIF(3),
        lambda: rnn.Sequential(rnn.Linear(3, 4), rnn.LIF(4)),
        lambda: rnn.SynNet(2, 3),
        lambda: rnn.from_graph(rnn.Sequential(rnn.Linear(3, 4), rnn.LIF(4)).to_graph()),
    ],
)
def test_neurons_and_networks_take_series_themselves(make, raster):
    module = make()
    series = [EventSeries.from_raster(raster[:n], 1e-3) for n in (20, 40)]

    answers = module(series)

    expected = rnn.Timed(module)(series)
    assert answers == expected
    assert [round(a.duration / 1e-3) for a in answers] == [20, 40]


def test_a_membrane_readout_gives_continuous_series(raster):
    network = rnn.SynNet(2, 3, output="vmem")

    answer = network(EventSeries.from_raster(raster, 1e-3))

    assert isinstance(answer, ContinuousSeries)


def test_series_give_no_traces(network, raster):
    with pytest.raises(InputError, match="pass a Tensor"):
        network(EventSeries.from_raster(raster, 1e-3), record=True)
