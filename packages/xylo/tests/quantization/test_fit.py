from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import ranvier as rv
from ranvier.errors import InputError, QuantizationError
from ranvier.graph import Linear
from ranvier_xylo import diagnostics as codes
from ranvier_xylo.quantization import _fit
from ranvier_xylo.quantization._report import weight_precision

few = settings(max_examples=25, deadline=None)


def agreement(config):
    layers = config.provenance["quantization"]
    return np.array([layers[n]["agreement"] for n in ("n0", "n1", "n2")])


@pytest.fixture
def counts(rng):
    return rng.poisson(0.4, (16, 60, 16))


def network(make_chain, seed, **changes):
    rng = np.random.default_rng(seed)
    return make_chain(rng, (16, 40, 40, 6), gain=1.5, tau_syn=4e-3, **changes)


def test_fit_reproduces_more_spikes_than_the_published_methods(make_chain, counts):
    error = {"fit": [], "channel": [], "global": []}
    for seed in range(4):
        mapped = rv.map(network(make_chain, seed), "xylo-audio2")
        for method, found in error.items():
            config = rv.quantize(mapped, method=method, calibration=counts)
            found.append(1 - agreement(config).mean())
    fit, channel, coarse = (np.array(error[m]) for m in ("fit", "channel", "global"))
    assert (fit < channel).all()
    assert (channel < coarse).all()
    assert fit.mean() < 0.75 * channel.mean()
    assert fit.max() < 0.03


def test_fit_without_calibration_beats_channel_too(make_chain, counts, rng):
    from ranvier_xylo.quantization import QuantizeOptions
    from ranvier_xylo.quantization._activity import activity_of
    from ranvier_xylo.quantization._report import answer_of, measure

    mapped = rv.map(network(make_chain, 5), "xylo-audio2")
    config = rv.quantize(mapped)
    activity = activity_of(mapped, QuantizeOptions(calibration=counts), config.limits)
    blind = measure(config, activity, answer_of(config, activity)).score
    assert blind > agreement(rv.quantize(mapped, method="channel", calibration=counts)).mean()


def test_fit_is_never_worse_than_channel_on_its_calibration(make_chain, make_cuba, counts):
    graph = network(make_chain, 1)
    hot = {"n2": make_cuba(6, last=True, threshold=0.05)}  # membranes run away at one spike a step
    mapped = rv.map(graph.with_nodes(hot), "xylo-audio2")
    scores = {
        m: agreement(rv.quantize(mapped, method=m, calibration=counts)).mean()
        for m in ("fit", "channel")
    }
    assert scores["fit"] >= scores["channel"]


def test_long_decays_need_large_integers_and_get_them_by_shifts(make_chain, rng):
    slow = make_chain(rng, (8, 12, 4), gain=0.6, tau_mem=0.032, tau_syn=0.016, threshold=3.0)
    counts = (rng.random((8, 200, 8)) < 0.05).astype(int)
    mapped = rv.map(slow, "xylo-audio3")
    fit = rv.quantize(mapped, calibration=counts)
    channel = rv.quantize(mapped, method="channel", calibration=counts)
    score = {
        name: np.mean([v["agreement"] for v in c.provenance["quantization"].values()])
        for name, c in (("fit", fit), ("channel", channel))
    }
    assert fit.weight_shift_in > 0
    assert 1 - score["fit"] < 0.5 * (1 - score["channel"])


def test_the_drift_of_the_leak_is_taken_off_the_biases(make_chain, rng):
    slow = make_chain(rng, (8, 12, 4), gain=1.0, tau_mem=0.064, tau_syn=0.032, threshold=5.0)
    counts = (rng.random((8, 200, 8)) < 0.05).astype(int)
    mapped = rv.map(slow, "xylo-audio3")
    plain = rv.quantize(mapped, calibration=counts, bias_correction=False)
    fit = rv.quantize(mapped, calibration=counts)
    error = [1 - c.provenance["quantization"]["n0"]["agreement"] for c in (plain, fit)]
    assert not plain.bias.any()
    assert (fit.bias < 0).all()
    assert error[1] < 0.6 * error[0]


def test_a_chip_without_bias_gets_none(make_chain, rng):
    slow = make_chain(rng, (8, 12, 4), gain=1.0, tau_mem=0.064, tau_syn=0.032, threshold=5.0)
    config = rv.build(slow, "xylo-v1", calibration=(rng.random((8, 200, 8)) < 0.05).astype(int))
    assert not config.bias.any()


def test_states_stay_off_the_rails_on_the_calibration_spikes(make_chain, counts):
    config = rv.build(network(make_chain, 2), "xylo-audio2", calibration=counts)
    record = rv.simulate(config, counts, record=["v_mem", "i_syn"])
    for node in ("n0", "n1", "n2"):
        for quantity in ("v_mem", "i_syn"):
            assert np.abs(record.raw(node, quantity).astype(int)).max() < 32767
    assert codes.SATURATION.code not in {d.code for d in config.diagnostics}


def test_saturation_on_the_calibration_spikes_is_reported(make_chain, make_cuba, rng):
    big = make_chain(rng, (4, 10, 3), gain=1.0, threshold=200.0, tau_syn=0.5, tau_mem=0.5)
    counts = np.full((1, 400, 4), 15)
    config = rv.build(big, "xylo-audio2", method="channel", calibration=counts)
    found = [d for d in config.diagnostics if d.code == codes.SATURATION.code]
    assert found
    assert found[0].severity == "loss"


@given(st.integers(0, 2**32 - 1), st.floats(-6, 6))
@few
def test_the_unit_of_a_network_does_not_matter(make_chain, seed, exponent):
    """Weights, thresholds and biases times any factor give the same integers."""
    rng = np.random.default_rng(seed)
    graph = make_chain(rng, (3, 5, 2))
    factor = 2.0 ** round(exponent)
    changes = {}
    for name, node in graph.nodes.items():
        if isinstance(node, Linear):
            changes[name] = node.replace(weight=node.weight * factor)
        elif name.startswith("n"):
            changes[name] = node.replace(threshold=node.threshold * factor)
    one = rv.build(graph, "xylo-audio3")
    other = rv.build(graph.with_nodes(changes), "xylo-audio3")
    for name in ("weights_in", "weights_rec", "weights_out", "threshold", "threshold_out"):
        assert np.array_equal(getattr(one, name), getattr(other, name))
    np.testing.assert_allclose(other.v_lsb, one.v_lsb * factor)


@given(st.integers(0, 2**32 - 1))
@few
def test_integers_stand_for_the_floats_within_half_a_count(make_chain, seed):
    rng = np.random.default_rng(seed)
    graph = make_chain(rng, (3, 6, 5, 2), threshold=rng.uniform(0.5, 5))
    mapped = rv.map(graph, "xylo-audio3")
    config = rv.quantize(mapped)
    weights = mapped.arrays["weights_rec"] * mapped.arrays["gain"]
    unit = config.v_lsb[:, None] * 2.0**config.weight_shift_rec
    error = np.abs(config.weights_rec * unit - weights)
    assert (error <= 0.5 * unit + 1e-12).all()
    back = config.threshold * config.v_lsb
    assert (np.abs(back - mapped.arrays["threshold"]) <= 0.5 * config.v_lsb + 1e-12).all()


def test_precision_and_agreement_are_reported_per_layer(make_chain, counts):
    config = rv.build(network(make_chain, 3), "xylo-audio3", calibration=counts)
    layers = config.provenance["quantization"]
    assert set(layers) == {"n0", "n1", "n2"}
    assert all(layer["sqnr_db"] > 35 for layer in layers.values())
    for code in (codes.LAYER_PRECISION, codes.SPIKE_AGREEMENT):
        assert {d.node for d in config.diagnostics if d.code == code.code} == set(layers)


def test_exact_weights_keep_300_db_however_large_they_are(make_chain, rng):
    mapped = rv.map(make_chain(rng, (4, 10, 3)), "xylo-audio3")
    weights = {
        "weights_in": np.full((4, 10, 1), 1e30),
        "weights_rec": np.zeros((10, 10, 1)),
        "weights_out": np.ones((10, 3)),
    }
    floats = SimpleNamespace(**weights, threshold=np.ones(10), threshold_out=np.ones(3))
    scales = SimpleNamespace(
        hidden=np.ones(10), output=np.ones(3), shift_in=0, shift_rec=0, shift_out=0
    )

    precision = weight_precision(mapped, floats, weights, scales)

    assert precision == {"n0": pytest.approx(300), "n1": pytest.approx(300)}


def test_agreement_is_measured_against_the_decays_of_the_graph(make_chain, counts):
    exact = rv.build(network(make_chain, 3), "xylo-audio3", calibration=counts)
    rounded = network(make_chain, 3, decay="exponential", tau_mem=6e-3)
    config = rv.build(rounded, "xylo-audio3", calibration=counts)
    assert agreement(config).mean() < agreement(exact).mean() - 0.01


def test_a_layer_that_loses_its_weights_is_a_loss(make_chain, rng):
    graph = make_chain(rng, (4, 10, 3))
    weight = graph.nodes["fc0"].weight * 1e-3
    weight[0, 0] = 1.0
    graph = graph.with_nodes({"fc0": Linear(weight=weight)})
    low = rv.build(graph, "xylo-audio3", method="global")
    high = rv.build(graph, "xylo-audio3", method="channel")
    sqnr = [c.provenance["quantization"]["n0"]["sqnr_db"] for c in (low, high)]
    assert sqnr[1] > sqnr[0]
    tiny = rv.build(graph.with_nodes({"fc1": Linear(weight=np.full((3, 10), 1e-9))}), "xylo-audio3")
    assert [(d.node, d.severity) for d in tiny.diagnostics if d.code == "XY206"] == [("n1", "loss")]


def test_coarse_thresholds_are_reported(make_chain, make_cuba, rng):
    graph = make_chain(rng).with_nodes({"n0": make_cuba(10, bias=40.0)})
    config = rv.build(graph, "xylo-audio3")
    found = [d for d in config.diagnostics if d.code == codes.THRESHOLD_COARSE.code]
    assert [(d.node, d.limit) for d in found] == [("n0", 8)]
    assert found[0].value == 3


def test_a_silent_network_has_codes(make_chain, rng):
    config = rv.build(make_chain(rng, gain=0.0), "xylo-audio3", calibration=np.zeros((5, 4), int))
    assert not config.weights_in.any()
    assert (config.threshold > 0).all()


def test_the_best_candidate_is_taken(make_chain, counts, monkeypatch):
    mapped = rv.map(network(make_chain, 4), "xylo-audio2")
    many = agreement(rv.quantize(mapped, calibration=counts, candidates=8)).mean()
    one = agreement(rv.quantize(mapped, calibration=counts, candidates=1)).mean()
    assert many >= one
    monkeypatch.setattr(_fit, "FINE_STEPS", 1)
    assert agreement(rv.quantize(mapped, calibration=counts, candidates=1)).mean() > 0.9


@pytest.mark.parametrize(
    ("calibration", "text"),
    [
        (np.zeros((5, 3), int), r"shape \(5, 3\)"),
        (np.full((5, 4), -1), "negative"),
        (np.full((5, 4), np.nan), "NaN"),
        (np.zeros((0, 4), int), "no steps"),
    ],
)
def test_bad_calibration_spikes_are_one_clear_error(make_chain, rng, calibration, text):
    with pytest.raises(InputError, match=text):
        rv.build(make_chain(rng), "xylo-audio3", calibration=calibration)


@pytest.mark.parametrize(
    "option", [{"method": "best"}, {"headroom": 0.5}, {"candidates": 0}, {"unknown": 1}]
)
def test_bad_options_list_the_known_ones(make_chain, rng, option):
    with pytest.raises(InputError, match="known options: method"):
        rv.quantize(rv.map(make_chain(rng), "xylo-audio3"), **option)


def test_altered_networks_without_codes_are_refused(make_chain, rng):
    import dataclasses

    mapped = rv.map(make_chain(rng), "xylo-audio3")
    bad = {"threshold": np.zeros(16), "bias": np.full(16, np.nan)}
    broken = dataclasses.replace(mapped, arrays={**mapped.arrays, **bad})
    with pytest.raises(QuantizationError, match=r"bias, threshold hold values without a code"):
        rv.quantize(broken)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"weights_in": None}, "no weights_in"),
        ({"weights_rec": np.zeros((3, 16, 1))}, r"weights_rec has shape \(3, 16, 1\), expected"),
        ({"gain": np.ones(16)}, r"gain has shape \(16,\), expected \(16, 1\)"),
    ],
)
def test_altered_networks_whose_arrays_do_not_fit_are_refused(make_chain, rng, change, text):
    import dataclasses

    mapped = rv.map(make_chain(rng), "xylo-audio3")
    arrays = {k: v for k, v in {**mapped.arrays, **change}.items() if v is not None}
    with pytest.raises(QuantizationError, match=text):
        rv.quantize(dataclasses.replace(mapped, arrays=arrays))
