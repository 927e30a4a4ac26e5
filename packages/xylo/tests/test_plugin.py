import numpy as np
import pytest

import ranvier as rv
from ranvier.errors import InputError, MappingError
from ranvier_xylo import XyloConfig
from ranvier_xylo.float_model import network_from_arrays, run_float


@pytest.mark.parametrize("target", ["xylo-v1", "xylo-audio2", "xylo-audio3", "xylo-imu"])
def test_a_trained_network_goes_all_the_way_on_every_target(make_chain, rng, target):
    graph = make_chain(rng)
    config = rv.build(graph, target)
    assert isinstance(config, XyloConfig)
    assert rv.simulate(config, rng.poisson(0.5, (20, 4))).output.shape == (20, 3)


@pytest.mark.parametrize("verb", ["map", "quantize"])
def test_every_option_is_documented(verb):
    from ranvier.pipeline import checked_options

    options = checked_options(verb, rv.targets()["xylo-imu"], {})
    fields = type(options).model_fields
    assert fields
    assert all(len(field.description) > 20 for field in fields.values())


def test_the_simulator_takes_no_options(make_chain, rng):
    config = rv.build(make_chain(rng), "xylo-imu")
    with pytest.raises(InputError, match="takes no options"):
        rv.open_simulation(config, n_threads=2)


def test_strict_turns_losses_into_errors(make_chain, rng):
    graph = make_chain(rng, decay="exponential")
    rv.map(graph, "xylo-audio3")
    with pytest.raises(MappingError, match="XY101"):
        rv.map(graph, "xylo-audio3", strict=True)


def test_the_float_model_of_a_mapping_equals_the_reference(make_chain, rng):
    graph = make_chain(rng, (4, 12, 9, 3), decay="exponential", tau_mem=5e-3, tau_syn=3e-3)
    counts = rng.poisson(0.5, (3, 50, 4))
    mapped = rv.map(graph, "xylo-audio3")
    run = run_float(network_from_arrays(mapped.arrays, chip_decays=False), counts)
    wanted = rv.simulate(rv.build(graph, "reference"), counts, record=["spikes"])
    for node in graph.neurons:
        late = mapped.latency[node]
        hidden = mapped.placement.slots_of(node, port="hidden")
        output = mapped.placement.slots_of(node, port="output")
        got = run.spikes[:, :, hidden] if hidden.size else run.spikes_out[:, :, output]
        assert np.array_equal(got[:, late:], wanted.raster(node)[:, : 50 - late])
        assert got.sum() > 10
