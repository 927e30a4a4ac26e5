import numpy as np
import pytest
from numpy.testing import assert_array_equal

import ranvier
from ranvier.errors import GraphError, InputError
from ranvier.graph import (
    AdaptiveLIF,
    Conv2d,
    ConvTranspose2d,
    CubaLI,
    CubaLIF,
    Delay,
    Flatten,
    Linear,
    ResonateAndFire,
    SigmaDelta,
    SumPool2d,
    decay_factor,
)
from ranvier_loihi.files import read_net
from ranvier_loihi.nodes import (
    AdaptiveResonateAndFire,
    Average,
    Delta,
    InputLayer,
    Sigma,
    Unpool,
)

CONV_IN = {"type": "input", "shape": [2, 6, 6]}
RF = {"type": "RF_PHASE", "sinDecay": 1200, "cosDecay": 3800, "vThMant": 64}
ADAPTATION = {"thDecay": 100, "refDecay": 200, "vThStep": 6}


def test_a_dense_network_becomes_linear_maps_and_cuba_neurons(net, parts):
    graph = read_net(net({"type": "input", "shape": [4]}, parts["dense"](), parts["dense"](2, 3)))

    assert [n.kind for n in graph.nodes.values()] == [
        "Input", "Linear", "CubaLIF", "Linear", "CubaLIF", "Output",
    ]  # fmt: skip
    assert [(e.source, e.target, e.delay) for e in graph.edges] == [
        ("input", "1.synapse", 0),
        ("1.synapse", "1.neuron", 0),
        ("1.neuron", "2.synapse", 1),
        ("2.synapse", "2.neuron", 0),
        ("2.neuron", "output", 0),
    ]
    neuron = graph.nodes["1.neuron"]
    assert (neuron.reset, neuron.comparison, neuron.decay) == ("to_value", ">", "euler")
    assert neuron.threshold == 1.0
    assert decay_factor(neuron.tau_mem, dt=1e-3, decay="euler") * 4096 == 4096 - 410
    assert decay_factor(neuron.tau_syn, dt=1e-3, decay="euler") == 0.0
    assert_array_equal(graph.nodes["1.synapse"].weight * 64, parts["dense"]()["weight"])
    assert graph.diagnostics == ()


@pytest.mark.parametrize("decay", [0, 1, 409, 4095, 4096])
def test_every_decay_comes_back_exactly(net, parts, decay):
    neuron = {**parts["CUBA"], "iDecay": decay, "vDecay": decay}

    node = read_net(net(parts["dense"](neuron=neuron)), dt=7e-4).nodes["0.neuron"]

    for tau in (node.tau_syn, node.tau_mem):
        assert np.rint((1 - decay_factor(tau, dt=7e-4, decay="euler")) * 4096) == decay
        if decay == 0:
            assert decay_factor(tau, dt=7e-4, decay="euler") == 1.0


@pytest.mark.parametrize(
    "kind",
    [b"dense", "dense", np.array([b"dense"], dtype="S10"), np.array(b"dense", dtype="S10")],
    ids=["bytes", "str", "one element", "scalar"],
)
def test_types_are_read_as_bytes_or_text_of_any_form(net, parts, kind):
    graph = read_net(net(parts["dense"](type=kind)))

    assert isinstance(graph.nodes["0.synapse"], Linear)


def test_an_old_file_with_flat_weights_and_shapes_of_three_axes_is_read(net, parts):
    weight = np.arange(10, dtype=np.float32)
    layers = (
        {"type": "input", "shape": [1, 1, 10]},
        parts["dense"](1, 10, weight=weight, shape=[1, 1, 1], neuron=parts["LOIHI"]),
    )

    graph = read_net(net(*layers))

    assert graph.nodes["input"].shape == (10,)
    assert_array_equal(graph.nodes["1.synapse"].weight, weight.reshape(1, 10) / 64)
    assert isinstance(graph.nodes["1.neuron"], CubaLIF)


def test_training_settings_of_old_files_are_left_out_with_a_note(net, parts, codes):
    graph = read_net(net(parts["dense"](neuron=parts["LOIHI"])))

    assert codes(graph.diagnostics) == ["LO449"]
    assert "neuron/scaleRho, neuron/tauRho" in graph.diagnostics[0].message


@pytest.mark.parametrize("trailing", [False, True])
def test_convolutions_keep_torchs_orientation(net, parts, trailing):
    layer = parts["conv"]()
    kernels = layer["weight"]
    layer["weight"] = kernels[..., None] if trailing else kernels

    node = read_net(net(CONV_IN, layer)).nodes["1.synapse"]

    assert isinstance(node, Conv2d)
    assert_array_equal(node.weight * 64, kernels)


def test_flat_kernels_take_their_shape_from_the_channels(net, parts):
    layer = parts["conv"]()

    node = read_net(net(CONV_IN, {**layer, "weight": layer["weight"].reshape(-1)}))

    assert_array_equal(node.nodes["1.synapse"].weight * 64, layer["weight"])


@pytest.mark.parametrize("shape", [[48, 1, 1], [1, 1, 48], [48]])
def test_a_flatten_layer_is_channel_first_whatever_its_stored_shape(net, parts, shape):
    layers = (CONV_IN, parts["conv"](), {"type": "flatten", "shape": shape}, parts["dense"](2, 48))

    graph = read_net(net(*layers))

    assert graph.nodes["2.flatten"].shape == (3, 4, 4)
    assert [e.delay for e in graph.edges_into("3.synapse")] == [1]


def test_a_missing_flatten_layer_is_added_with_a_note(net, parts, codes):
    graph = read_net(net(CONV_IN, parts["conv"](), parts["dense"](2, 48)))

    assert isinstance(graph.nodes["2.flatten"], Flatten)
    assert codes(graph.diagnostics) == ["LO450"]


def test_biases_and_decays_are_per_channel(net, parts):
    neuron = {**parts["CUBA"], "vDecay": np.array([1, 2, 3])}

    node = read_net(net(CONV_IN, parts["conv"](bias=np.float32([64, 0, -64]), neuron=neuron)))

    assert_array_equal(node.nodes["1.neuron"].bias, np.array([1.0, 0, -1]).reshape(3, 1, 1))
    assert node.nodes["1.neuron"].tau_mem.shape == (3, 1, 1)


def test_a_recurrent_layer_feeds_itself_after_one_step(net, parts):
    layer = parts["dense"](3, 4, type="dense_rec", weight_rec=np.eye(3, dtype=np.float32) * 4)

    graph = read_net(net(layer))

    assert_array_equal(graph.nodes["0.recurrent"].weight, np.eye(3) / 16)
    back = [(e.source, e.target, e.delay) for e in graph.edges if "0.recurrent" in str(e)]
    assert back == [("0.neuron", "0.recurrent", 1), ("0.recurrent", "0.neuron", 0)]


def test_an_input_layer_with_neurons_drives_their_bias(net, parts, codes):
    layer = {
        "type": "input",
        "shape": [4],
        "weight": np.array([76]),
        "bias": np.array([32]),
        "neuron": {**parts["CUBA"], "vDecay": 123, "vThMant": 80},
    }

    graph = read_net(net(layer, parts["dense"]()))

    node = graph.nodes["0.neuron"]
    assert isinstance(node, InputLayer)
    assert (node.weight, node.offset, node.threshold) == (76 / 64, 0.5, 80 / 64)
    assert [e.delay for e in graph.edges_into("1.synapse")] == [1]
    assert codes(graph.diagnostics) == ["LO448"]


def test_the_current_decay_of_an_input_layer_is_lost(net, parts, codes):
    layer = {"type": "input", "shape": [4], "neuron": {**parts["CUBA"], "iDecay": 1024}}

    assert "LO426" in codes(read_net(net(layer)).diagnostics)


def test_a_layer_without_neurons_sums_its_current_and_never_fires(net, parts, codes):
    graph = read_net(net(parts["dense"](neuron=None)))

    node = graph.nodes["0.neuron"]
    assert isinstance(node, CubaLI)
    assert decay_factor(node.tau_syn, dt=1e-3, decay="euler") == 1.0
    assert decay_factor(node.tau_mem, dt=1e-3, decay="euler") == 0.0
    assert codes(graph.diagnostics) == ["LO441"]


@pytest.mark.parametrize("mantissa", [131071, 262143])
def test_the_largest_threshold_makes_a_read_out(net, parts, codes, mantissa):
    graph = read_net(net(parts["dense"](neuron={**parts["CUBA"], "vThMant": mantissa})))

    assert isinstance(graph.nodes["0.neuron"], CubaLI)
    assert codes(graph.diagnostics) == ["LO447"]


@pytest.mark.parametrize(
    ("kind", "trigger"), [("RF_PHASE", "phase"), ("RF_IZHIKEVICH", "amplitude")]
)
def test_resonators_have_two_matrices_and_their_rotation(net, parts, kind, trigger):
    weight = {"real": np.full((3, 4), 2.0), "imag": np.full((3, 4), -4.0)}

    graph = read_net(net(parts["dense"](weight=weight, neuron={**RF, "type": kind})))

    node = graph.nodes["0.neuron"]
    assert isinstance(node, ResonateAndFire)
    assert node.trigger == trigger
    kept, angle = np.exp(-1e-3 / node.tau) * 4096, 2 * np.pi * node.frequency * 1e-3
    np.testing.assert_allclose([kept * np.sin(angle), kept * np.cos(angle)], [1200, 3800])
    ports = {e.source: e.port for e in graph.edges_into("0.neuron")}
    assert ports == {"0.real": "re", "0.imag": "im"}
    assert_array_equal(graph.nodes["0.imag"].weight, np.full((3, 4), -4 / 64))


@pytest.mark.parametrize("kind", ["ADRF_PHASE", "ADRF_IZHIKEVICH"])
def test_adaptive_resonators_keep_what_the_vendors_reader_loses(net, parts, codes, kind):
    weight = {"real": np.full((3, 4), 2.0), "imag": np.full((3, 4), -4.0)}
    neuron = {**RF, **ADAPTATION, "type": kind}

    graph = read_net(net(parts["dense"](weight=weight, neuron=neuron)))

    node = graph.nodes["0.neuron"]
    assert isinstance(node, AdaptiveResonateAndFire)
    assert node.threshold_step == 6 / 64
    assert codes(graph.diagnostics) == ["LO443"]


def test_alif_layers_are_read_although_the_vendors_reader_fails(net, parts, codes):
    neuron = {**parts["CUBA"], **ADAPTATION, "type": "ALIF"}

    graph = read_net(net(parts["dense"](neuron=neuron)))

    node = graph.nodes["0.neuron"]
    assert isinstance(node, AdaptiveLIF)
    assert decay_factor(node.tau_refractory, dt=1e-3, decay="euler") * 4096 == 3896
    assert codes(graph.diagnostics) == ["LO442"]


def test_sigma_delta_layers_become_delta_sigma_delta_and_sigma(net, parts):
    neuron = {"type": "SDNN", "activation": "relu", "vThMant": 16}

    graph = read_net(
        net(
            {"type": "input", "shape": [4], "neuron": neuron},
            parts["dense"](neuron=neuron),
            parts["dense"](2, 3, neuron={**neuron, "sigma_output": True}),
        )
    )

    kinds = [type(graph.nodes[n]) for n in graph.neurons]
    assert kinds == [Delta, SigmaDelta, Sigma]
    assert graph.nodes["1.neuron"].threshold == 0.25


def test_pools_become_window_sums_and_the_vendors_reader_is_named(net, parts, codes):
    layer = {
        "type": "pool",
        "shape": [2, 3, 3],
        "kernelSize": [2, 2],
        "stride": [2, 2],
        "padding": [0, 0],
        "dilation": [1, 1],
        "weight": np.full((1, 1, 2, 2), 64.0),
        "neuron": parts["CUBA"],
    }

    graph = read_net(net(CONV_IN, layer))

    assert isinstance(graph.nodes["1.synapse"], SumPool2d)
    assert codes(graph.diagnostics) == ["LO442"]

    half = read_net(net(CONV_IN, {**layer, "weight": np.full((1, 1, 2, 2), 32.0)}))
    assert half.nodes["1.synapse.scale"].scale == 0.5

    uneven = np.array([2.0, 4, 6, 8]).reshape(1, 1, 2, 2)
    depthwise = read_net(net(CONV_IN, {**layer, "weight": uneven})).nodes["1.synapse"]
    assert depthwise.groups == 2
    assert_array_equal(depthwise.weight[1] * 64, uneven[0])


def test_unpool_and_transposed_convolutions_are_read(net, parts):
    unpool = {
        "type": "unpool",
        "shape": [2, 12, 12],
        "kernelSize": [2, 2],
        "stride": [2, 2],
        "weight": np.full((1, 1, 2, 2, 1), 64.0),
        "neuron": parts["CUBA"],
    }
    transposed = {
        **parts["conv"]((2, 12, 12), 3),
        "type": "convT",
        "shape": [3, 14, 14],
        "weight": np.full((2, 3, 3, 3), 2.0),
    }

    graph = read_net(net(CONV_IN, unpool, transposed))

    assert isinstance(graph.nodes["1.synapse"], Unpool)
    assert isinstance(graph.nodes["2.synapse"], ConvTranspose2d)


def test_average_layers_group_the_neurons_before_them(net, parts):
    graph = read_net(net(parts["dense"](6, 4), {"type": "average", "shape": [2]}))

    assert isinstance(graph.nodes["1.average"], Average)
    assert graph.nodes["output"].shape == (2,)


def test_a_dense_layer_behind_a_concat_layer_is_cut_into_one_matrix_per_source(net, parts):
    layers = (
        {"type": "input", "shape": [4]},
        parts["dense"](3, 4),
        parts["dense"](2, 3),
        {"type": "concat", "layers": [1, 2]},
        parts["dense"](2, 5),
    )

    graph = read_net(net(*layers))

    whole = np.hstack([graph.nodes["4.synapse.0"].weight, graph.nodes["4.synapse.1"].weight])
    assert_array_equal(whole * 64, layers[4]["weight"])
    assert {e.source for e in graph.edges_into("4.neuron")} == {"4.synapse.0", "4.synapse.1"}


@pytest.mark.parametrize(
    ("delay", "stored"), [(5, 5.0), ([1, 2, 3], [1.0, 2, 3]), ([0.9, 2.7, 61.2], [0.0, 2, 61])]
)
def test_delays_per_output_come_after_the_neurons(net, parts, delay, stored):
    graph = read_net(net(parts["dense"](delay=np.float32(delay)), parts["dense"](2, 3)))

    node = graph.nodes["0.delay"]
    assert isinstance(node, Delay)
    np.testing.assert_allclose(node.delay / 1e-3, stored)
    assert [e.delay for e in graph.edges_into("1.synapse")] == [1]


def test_delays_per_input_come_before_the_weights(net, parts):
    graph = read_net(net(parts["dense"](delay=np.float32([1, 2, 3, 4]))))

    assert graph.order[:3] == ("input", "0.before", "0.synapse")
    assert "0.delay" not in graph.nodes


def test_delays_above_62_are_clipped_with_the_number(net, parts):
    graph = read_net(net(parts["dense"](delay=np.float32([1, 70, 3]))))

    found = graph.diagnostics[0]
    assert (found.code, found.value, found.limit) == ("LO422", 70, 62)
    np.testing.assert_allclose(graph.nodes["0.delay"].delay / 1e-3, [1, 62, 3])


def test_what_the_vendors_reader_ignores_is_reported(net, parts, codes):
    neuron = {**parts["CUBA"], "refDelay": 3, "wgtExp": 2, "gradedSpike": True, "theta": 17}

    graph = read_net(net(parts["dense"](neuron=neuron)))

    assert sorted(codes(graph.diagnostics)) == ["LO423", "LO424", "LO425", "LO445"]
    np.testing.assert_allclose(graph.nodes["0.neuron"].refractory, 2e-3)
    with pytest.raises(GraphError, match="LO423"):
        read_net(net(parts["dense"](neuron=neuron)), strict=True)


def test_delays_of_convolutions_and_of_biased_neurons_are_noted(net, parts, codes):
    conv = read_net(net(CONV_IN, parts["conv"](delay=2)))
    biased = read_net(net(parts["dense"](delay=2, bias=np.float32([1, 2, 3]))))

    assert codes(conv.diagnostics) == ["LO444"]
    assert codes(biased.diagnostics) == ["LO451"]


def test_fractions_and_zero_weights_are_noted(net, parts, codes):
    cut = read_net(net(parts["dense"](weight=np.full((3, 4), -2.5))))
    zero = read_net(net(parts["dense"](weight=np.zeros((3, 4)))))

    assert codes(cut.diagnostics) == ["LO421"]
    assert_array_equal(cut.nodes["0.synapse"].weight * 64, np.full((3, 4), -2.0))
    assert codes(zero.diagnostics) == ["LO446"]


def test_all_problems_of_a_file_are_raised_at_once(net, parts, codes):
    layers = (
        {"type": "input", "shape": [4]},
        parts["dense"](3, 4, weight=np.full((3, 4), 300.0)),
        parts["dense"](2, 3, type="dens"),
        parts["dense"](2, 2, weight=None),
        parts["dense"](2, 3),
        parts["dense"](2, 2, neuron={**parts["CUBA"], "vDecay": 5000}),
        parts["dense"](2, 2, neuron={**parts["CUBA"], "type": "HH"}),
    )

    with pytest.raises(GraphError) as caught:
        read_net(net(*layers))

    assert codes(caught.value.diagnostics) == [
        "LO405", "LO402", "LO403", "LO404", "LO406", "LO402",
    ]  # fmt: skip
    assert [d.node for d in caught.value.diagnostics] == ["1", "2", "3", "4", "5", "6"]


def test_gaps_in_the_layer_numbers_are_named(net, parts):
    path = net({"type": "input", "shape": [4]}, parts["dense"](), numbers=[0, 2])

    with pytest.raises(GraphError, match=r"missing: 1; beyond them: 2"):
        read_net(path)


@pytest.mark.parametrize(
    ("layers", "code", "text"),
    [
        ([], "LO401", "no layers"),
        ([{"type": "input"}], "LO403", "'shape'"),
        ([{"type": "concat", "layers": [0]}], "LO407", r"\[0\]"),
        ([{"shape": [4]}], "LO403", "'type'"),
        ([{"type": 3, "shape": [4]}], "LO406", "expected text"),
        ([{"type": "flatten", "shape": [4]}], "LO404", "does not tell"),
    ],
)
def test_files_without_a_chain_of_shapes_are_refused(net, layers, code, text):
    with pytest.raises(GraphError, match=text) as caught:
        read_net(net(*layers))

    assert caught.value.diagnostics[0].code == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"shape": [9, 9, 9]}, "LO404"),
        ({"inChannels": 7}, "LO404"),
        ({"kernelSize": [9, 9]}, "LO404"),
        ({"stride": [0, 1]}, "LO404"),
        ({"weight": np.full((3, 2, 3), 2.0)}, "LO404"),
        ({"weight": np.full((3, 2, 3, 3), np.nan)}, "LO406"),
        ({"bias": np.ones(5)}, "LO404"),
        ({"delay": -1}, "LO406"),
        ({"weight": "text"}, "LO406"),
    ],
)
def test_convolutions_that_contradict_themselves_are_refused(net, parts, changes, code):
    with pytest.raises(GraphError) as caught:
        read_net(net(CONV_IN, parts["conv"](**changes)))

    assert [d.code for d in caught.value.diagnostics] == [code]


@pytest.mark.parametrize("dt", [0, -1.0, float("nan"), True, "1ms"])
def test_the_time_step_must_be_positive(net, parts, dt):
    with pytest.raises(InputError, match="dt"):
        read_net(net(parts["dense"]()), dt=dt)


def test_the_registry_finds_net_files_by_ending_and_by_content(net, parts):
    by_ending = ranvier.read(net(parts["dense"]()), dt=2e-3)
    by_content = ranvier.read(net(parts["dense"](), name="net.h5"))

    assert by_ending.dt == 2e-3
    assert by_content.metadata["source"] == {"format": "net"}
