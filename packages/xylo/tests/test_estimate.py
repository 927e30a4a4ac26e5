import numpy as np
import pytest

import ranvier as rv
from ranvier.artifacts import Recording, SpikeTrain
from ranvier.errors import InputError
from ranvier_xylo.energy import cycles_per_step, required_clock
from ranvier_xylo.estimate import workload_of


@pytest.fixture
def config(make_chain, rng):
    return rv.build(make_chain(rng), "xylo-audio2")


def test_utilisation_counts_against_the_limits(config):
    found = rv.estimate(config)
    hidden = found["utilisation_hidden_neurons"]
    assert (hidden["value"], hidden["used"], hidden["limit"]) == (0.016, 16, 1000)
    assert found["utilisation_fan_out"]["used"] == 6
    assert all(entry["source"] and entry["unit"] for entry in found.values())


def test_without_a_recording_everything_fires(config):
    found = rv.estimate(config)
    load = workload_of(config)
    assert (load.p_in, load.p_hidden) == (1.0, 1.0)
    assert found["cycles_per_step"]["value"] == cycles_per_step(load).total
    assert found["required_clock"]["value"] == required_clock(load, dt=1e-3)
    assert found["required_clock"]["limit"] == 50e6
    assert "hidden_rate" not in found


def test_a_recording_gives_the_hidden_rate(config, rng):
    counts = rng.poisson(0.1, (2, 50, 4))
    record = rv.simulate(config, counts, record=["spikes"])
    found = rv.estimate(config, record)
    active = np.concatenate([record.raster("n0"), record.raster("n1")], axis=2) > 0
    assert found["hidden_rate"]["value"] == pytest.approx(active.mean())
    assert found["cycles_per_step"]["value"] < rv.estimate(config)["cycles_per_step"]["value"]
    assert found["required_clock"] == rv.estimate(config)["required_clock"]


def test_synaptic_operations_count_spikes_times_the_weights_of_their_source(config, rng):
    counts = rng.poisson(0.1, (2, 50, 4))
    record = rv.simulate(config, counts, record=["spikes"])
    n0, n1 = (record.raster(n).sum(axis=(0, 1)) for n in ("n0", "n1"))
    expected = (counts.sum(axis=(0, 1)) * (config.weights_in != 0).sum(axis=(1, 2))).sum()
    expected += (n0 * (config.weights_rec[:10] != 0).sum(axis=(1, 2))).sum()
    expected += (n1 * (config.weights_out != 0).sum(axis=1)).sum()
    found = rv.estimate(config, record)
    assert found["synaptic_operations"]["value"] == expected > 1000
    assert found["input_rate"]["value"] == pytest.approx((counts > 0).mean())
    outputs_only = rv.simulate(config, counts)
    assert "synaptic_operations" not in rv.estimate(config, outputs_only)


def test_a_silent_recording_is_not_the_worst_case(config):
    silent = rv.simulate(config, np.zeros((9, 4), int), record=["spikes"])
    assert rv.estimate(config, silent)["hidden_rate"]["value"] == 0.0


def test_on_small_expansion_targets_only_neurons_with_weights_count(make_chain, rng):
    graph = make_chain(rng)
    assert workload_of(rv.build(graph, "xylo-audio2")).n_ien == 16
    load = workload_of(rv.build(graph, "xylo-audio3"))
    assert (load.n_ien, load.n_oen) == (10, 6)


def test_latency_in_seconds(config):
    assert rv.estimate(config)["latency"]["value"] == pytest.approx(2e-3)


@pytest.mark.parametrize("options", [{"rate": 1}, {"margin": -1.0}])
def test_bad_options(config, options):
    with pytest.raises(InputError):
        rv.estimate(config, **options)


def test_a_recording_of_another_network_is_refused(config):
    train = SpikeTrain.from_raster(np.zeros((1, 5, 3), dtype=np.int64), dt=1e-3)
    other = Recording(signals={("stranger", "spikes"): train}, dt=1e-3)

    with pytest.raises(InputError, match=r"\['stranger'\].*pass a recording of the same network"):
        rv.estimate(config, other)
