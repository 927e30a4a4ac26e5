import dataclasses
import runpy
from pathlib import Path

import numpy as np
import pytest

from ranvier.errors import InputError, QuantizationError
from ranvier.graph import AdEx
from ranvier_bss2 import diagnostics as codes
from ranvier_bss2.quantization import (
    QuantizeOptions,
    clip_weights,
    config_of,
    network_of,
    quantize_network,
    realised,
    round_weights,
    with_weights,
)
from ranvier_bss2.quantization._weights import parts_of

helpers = runpy.run_path(str(Path(__file__).parents[1] / "small_graphs.py"))
chain, lif, li, looped = (helpers[n] for n in ("chain", "lif", "li", "looped"))
run_map, build, spikes_for = (helpers[n] for n in ("run_map", "build", "spikes_for"))
codes_of = helpers["codes_of"]


def weights_on_chip(config, layout, number):
    """Return the signed weights of a projection, collected synapse by synapse."""
    ends = config.projections[number]
    sizes = {p.name: p.size for p in config.populations}
    sizes |= {n: int(np.prod(s)) for n, s in config.input_shapes.items()}
    total = np.zeros((sizes[ends.target], sizes[ends.source]), dtype=np.int64)
    own = np.flatnonzero(layout.synapse_projection == number)
    for k in own:
        at = (
            layout.synapse_instance[k],
            layout.synapse_array[k],
            layout.synapse_row[k],
            layout.synapse_column[k],
        )
        sign = 1 - 2 * layout.synapse_sign[k]
        value = sign * int(config.synapse_weight[at])
        total[layout.synapse_target[k], layout.synapse_source[k]] += value
    return total


@pytest.mark.parametrize(
    ("value", "wanted"), [(0.5, 1), (-0.5, -1), (1.49, 1), (-2.5, -3), (0.49, 0), (62.5, 63)]
)
def test_halves_are_rounded_away_from_zero(value, wanted):
    assert round_weights(np.array([value])).tolist() == [wanted]


def test_weights_are_cut_to_what_their_synapses_hold():
    parts = np.array([[[1, 1, 2]], [[1, 2, 0]]])

    found = clip_weights(np.array([[-80, 100, 5]]), parts)

    assert found.tolist() == [[-63, 100, 0]]


def test_the_chip_holds_the_rounded_weights():
    mapped = run_map(chain(lif(5), li(3), scale=2.0))
    config = quantize_network(mapped, QuantizeOptions())
    network, layout = network_of(mapped)

    for k, q in enumerate(network.projections):
        np.testing.assert_array_equal(weights_on_chip(config, layout, k), round_weights(q.weight))


def test_sparse_weights_are_rounded_like_dense_ones():
    graph = chain(lif(3, decay="euler"), n_in=3, weights=[np.diag([0.0125, 0.0375, -0.0125])])
    mapped = run_map(graph, weight_scale=4.0)  # weights of 0.5, 1.5 and -0.5 LSB

    config = quantize_network(mapped, QuantizeOptions())

    assert np.diag(weights_on_chip(config, network_of(mapped)[1], 0)).tolist() == [1, 2, -1]


def test_the_report_has_error_use_and_losses_of_every_projection():
    graph = chain(lif(2), n_in=3, weights=[np.array([[0.1, 0.0005, 0.0], [0.05, -0.02, 0.01]])])
    config = build(graph)

    report = config.provenance["weights"]["0"]
    assert report["n"] == 5
    assert report["zero"] == 1
    assert 0 < report["mse"] < 0.25
    assert report["largest"] == np.abs(config.synapse_weight).max()
    assert codes.WEIGHTS_TO_ZERO.code in codes_of(config)


def test_coarse_weights_are_reported_as_a_loss():
    graph = chain(lif(2), n_in=2, weights=[np.array([[0.0014, 0.0016], [0.002, -0.0023]])])

    assert codes.LOW_PRECISION.code in codes_of(build(graph))
    assert codes.LOW_PRECISION.code not in codes_of(build(graph, range="full"))


def test_potentials_become_whole_numbers_unless_told_otherwise():
    graph = chain(lif(3, threshold=[1.0, 0.93, 0.81]))
    whole, real = build(graph), build(graph, quantize={"round_potentials": False})

    found = whole.populations[0].targets["threshold"]
    np.testing.assert_array_equal(found, np.rint(found))
    assert np.any(real.populations[0].targets["threshold"] % 1 != 0)
    assert codes.POTENTIALS_ROUNDED.code in codes_of(whole)


def test_calibration_spikes_keep_a_readout_within_the_converter():
    graph = chain(lif(20), li(2), weights=[None, np.ones((2, 20)) * 0.05], scale=0.2)
    spikes = spikes_for(graph)
    mapped = run_map(graph)

    fixed = quantize_network(mapped, QuantizeOptions(calibration=spikes, adjust_scale=False))
    found = quantize_network(mapped, QuantizeOptions(calibration=spikes))

    assert codes.CADC_SATURATED.code in codes_of(fixed)
    assert codes.SCALE_ADJUSTED.code in codes_of(found)
    assert codes.CADC_SATURATED.code not in codes_of(found)
    low, high = found.provenance["calibration"]["layer1"]["membrane_lsb"]
    assert 20 <= low < high <= 220
    assert high > 200
    assert codes.SPIKING_BEYOND_CADC.code in codes_of(found)


def test_an_adjusted_readout_keeps_its_postsynaptic_potentials():
    graph = chain(lif(20), li(2), weights=[None, np.ones((2, 20)) * 0.05], scale=0.2)
    mapped = run_map(graph)
    plain = quantize_network(mapped, QuantizeOptions())
    found = quantize_network(mapped, QuantizeOptions(calibration=spikes_for(graph)))

    model = [
        int(c.provenance["weights"]["1"]["largest"]) * realised(c)[1]["weight_step"][0]
        for c in (plain, found)
    ]
    np.testing.assert_allclose(model[0], model[1], rtol=0.02)


def test_a_given_scale_is_not_adjusted():
    graph = chain(lif(20), li(2), weights=[None, np.ones((2, 20))], scale=2.0)
    mapped = run_map(graph, trace_scale={"layer1": 0.1})

    config = quantize_network(mapped, QuantizeOptions(calibration=spikes_for(graph)))

    np.testing.assert_allclose(config.populations[1].trace_scale, 0.1)


def test_calibration_runs_through_loops_too():
    graph = looped(np.ones((3, 3)) * 0.05)

    config = build(graph, quantize={"calibration": spikes_for(graph)})

    assert "layer0" in config.provenance["calibration"]


def test_a_synaptic_input_beyond_its_saturation_is_reported_with_its_drive():
    spikes = np.zeros((1, 10, 1), dtype=np.int64)
    spikes[0, :2] = 1
    layer = lif(1, decay="euler", tau_syn=5e-3)
    # one event makes 100 LSB, the second one comes on top of what is left of the first
    graph = chain(layer, n_in=1, weights=[np.ones((1, 1)) * 100 / 45 / 10])

    config = build(graph, quantize={"calibration": spikes})

    drive = config.provenance["calibration"]["layer0"]["drive_lsb"]
    assert drive == pytest.approx(180, rel=0.01)
    assert codes.SYNAPSE_SATURATED.code in codes_of(config)


def test_calibration_spikes_of_another_network_are_refused():
    with pytest.raises(InputError):
        build(chain(lif(2)), quantize={"calibration": np.zeros((1, 5, 9), int)})


def test_realised_values_are_back_in_the_units_of_the_model():
    rows = realised(build(chain(lif(2, threshold=2.0, v_rest=0.4, decay="euler"), li(1))))

    np.testing.assert_allclose(rows[0]["threshold"], 2.0)
    np.testing.assert_allclose(rows[0]["leak"], 0.4)
    np.testing.assert_allclose(rows[0]["tau_mem"], 10e-6)
    assert rows[0]["refractory_counter"].tolist() == [6, 6]
    np.testing.assert_allclose(rows[0]["refractory"], 0.048e-6)
    assert "threshold" not in rows[1]


def test_values_of_adaptation_without_a_code_are_reported():
    node = AdEx(shape=(2,), tau_mem=10e-3, tau_syn=5e-3, tau_adaptation=30e-3, b=0.1)

    found = [d for d in build(chain(node)).diagnostics if d.code == codes.ADEX_CODES.code]

    assert "tau_adaptation in 2 neuron(s), b in 2 neuron(s)" in found[0].message


def test_new_weights_are_written_without_anything_else_changing():
    mapped = run_map(chain(lif(4), li(2)))
    config, (network, layout) = quantize_network(mapped, QuantizeOptions()), network_of(mapped)
    weights = {
        k: -round_weights(np.clip(q.weight, -9, 9)) for k, q in enumerate(network.projections)
    }

    found = with_weights(config, layout, weights)

    for k, weight in weights.items():
        np.testing.assert_array_equal(weights_on_chip(found, layout, k), weight)
    assert found.model_copy(update={"synapse_weight": config.synapse_weight}) == config
    assert not found.synapse_weight.flags.writeable


def test_new_weights_must_cover_all_projections():
    mapped = run_map(chain(lif(4), li(2)))
    config = quantize_network(mapped, QuantizeOptions())

    with pytest.raises(QuantizationError, match=r"projections \[1\] are missing"):
        with_weights(config, network_of(mapped)[1], {0: np.zeros((4, 4), int)})


def test_a_network_and_its_layout_make_a_configuration_directly():
    mapped = run_map(chain(lif(4), li(2)))
    network, layout = network_of(mapped)

    config = config_of(network, layout, spike_masks={"layer0": np.array([1, 0, 1, 1], bool)})

    assert [c.node for c in config.outputs] == ["layer1"]
    assert config.outputs[0].quantity == "v_mem"
    assert config.populations[0].spike_mask.tolist() == [True, False, True, True]
    assert config.dt == pytest.approx(1e-3)


def test_an_altered_network_is_refused():
    mapped = run_map(chain(lif(4), li(2)))
    arrays = dict(mapped.arrays)
    for name, value in (
        ("projections/0/weight", arrays["projections/0/weight"][:2]),
        ("layout/synapse_target", arrays["layout/synapse_target"] + 50),
        ("layout/synapse_projection", arrays["layout/synapse_projection"] + 7),
    ):
        spoilt = dataclasses.replace(mapped, arrays={**arrays, name: value})
        with pytest.raises(QuantizationError, match="map the graph again"):
            quantize_network(spoilt, QuantizeOptions())


def test_adjusting_without_calibration_spikes_is_refused():
    with pytest.raises(ValueError, match="needs calibration spikes"):
        QuantizeOptions(adjust_scale=True)


def test_parts_count_the_synapses_of_both_signs():
    mapped = run_map(chain(lif(2), n_in=2, weights=[np.eye(2) * 0.3]))
    network, layout = network_of(mapped)

    parts = parts_of(layout, network.projections, {"input": 2, "layer0": 2})[0]

    size = round_weights(network.projections[0].weight)[0, 0]
    assert parts[1, 0, 0] == -(-size // 63)
    assert parts[0].tolist() == [[1, 0], [0, 1]]
