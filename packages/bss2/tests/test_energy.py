import runpy
from pathlib import Path

import numpy as np
import pytest

from ranvier.artifacts import Recording, SpikeTrain
from ranvier.errors import InputError
from ranvier_bss2.energy import estimate

helpers = runpy.run_path(str(Path(__file__).with_name("small_graphs.py")))
chain, lif, li, build = (helpers[n] for n in ("chain", "lif", "li", "build"))


@pytest.fixture(scope="module")
def config():
    return build(chain(lif(3), li(2)))


def recording(node="layer0", *, steps=50):
    raster = np.zeros((2, steps, 3), dtype=np.int64)
    raster[:, 10] = 1
    train = SpikeTrain.from_raster(raster, dt=1e-3)
    return Recording({(node, "spikes"): train}, dt=1e-3)


def test_energy_is_published_power_times_run_time_and_marked_as_estimate(config):
    found = estimate(config, None, {"steps": 100})

    assert found["run_time"]["value"] == pytest.approx(100e-6)
    assert found["energy_per_sample"]["value"] == pytest.approx(0.2 * 100e-6)
    assert found["energy_per_sample"]["estimate"]
    assert found["energy_per_sample"]["certainty"] == "uncertain"
    assert "Cramer" in found["energy_per_sample"]["source"]


def test_a_recording_gives_steps_and_spikes(config):
    found = estimate(config, recording(), {})

    assert found["run_time"]["value"] == pytest.approx(50e-6)
    assert found["spikes_per_sample"]["value"] == 3


def test_several_runs_take_their_time_one_after_the_other():
    config = build(chain(lif(600), n_in=2, scale=0.1))

    found = estimate(config, None, {"steps": 10})

    assert found["execution_instances"]["value"] == 2
    assert found["run_time"]["value"] == pytest.approx(20e-6)
    assert found["utilisation_circuits"]["used"] == 512


def test_use_is_counted_against_the_limits(config):
    found = estimate(config, None, {})

    assert found["utilisation_circuits"]["used"] == 5
    assert found["utilisation_circuits"]["limit"] == 512
    assert found["utilisation_synapses"]["used"] == np.count_nonzero(config.synapse_weight)
    assert 0 < found["utilisation_rows_per_bus"]["value"] <= 1
    assert found["latency"]["value"] == pytest.approx(2e-6)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"hours": 1}, "unknown"), ({"steps": 0}, "above 0"), ({"power": "low"}, "above 0")],
)
def test_bad_options_are_refused(config, options, words):
    with pytest.raises(InputError, match=words):
        estimate(config, None, options)


def test_a_recording_of_another_network_is_refused(config):
    with pytest.raises(InputError, match="does not have"):
        estimate(config, recording("elsewhere"), {})
