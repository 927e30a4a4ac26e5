import numpy as np
import pytest
import torch

import ranvier as rv
from ranvier.errors import GraphError
from ranvier.graph import (
    AdaptiveLIF,
    Conv2d,
    CubaLI,
    CubaLIF,
    Delay,
    Edge,
    Linear,
    ResonateAndFire,
    SumPool2d,
    decay_factor,
)
from ranvier_loihi.nn import (
    Block,
    MeanOnlyBatchNorm,
    Network,
    WgtScaleBatchNorm,
    adrf,
    alif,
    cuba,
    rf,
    rf_iz,
    sigma_delta,
    to_graph,
)

CUBA = {"threshold": 0.4, "current_decay": 0.5, "voltage_decay": 0.2}
RF = {"threshold": 0.3, "period": 8.0, "decay": 0.05}
ADAPTIVE = {"threshold_step": 0.1, "threshold_decay": 0.1, "refractory_decay": 0.25}


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def test_a_dense_layer_becomes_weights_in_sixty_fourths_and_a_cuba_neuron():
    net = Network(cuba.Dense(CUBA, 4, 3, weight_scale=3))

    graph = net.to_graph(dt=2e-3)

    weight = graph.nodes["0.synapse"].weight * 64
    neuron = graph.nodes["0.neuron"]
    np.testing.assert_array_equal(weight, np.rint(weight))
    assert isinstance(neuron, CubaLIF)
    assert (neuron.reset, neuron.comparison, neuron.decay) == ("to_value", ">", "euler")
    assert float(neuron.threshold) * 64 == int(0.4 * 64)
    assert 4096 * (1 - float(decay_factor(neuron.tau_syn, dt=2e-3, decay="euler"))) == 2048
    assert graph.dt == 2e-3


@pytest.mark.parametrize(("decay", "factor"), [(0.0, 1.0), (1.0, 0.0)])
def test_decays_of_nothing_and_everything_are_exact(decay, factor):
    params = {"threshold": 0.4, "current_decay": decay, "voltage_decay": decay}

    neuron = Network(cuba.Dense(params, 2, 2)).to_graph().nodes["0.neuron"]

    assert float(decay_factor(neuron.tau_syn, dt=1e-3, decay="euler")) == factor
    assert float(decay_factor(neuron.tau_mem, dt=1e-3, decay="euler")) == factor


def test_edges_between_layers_carry_a_step_and_that_to_the_output_none():
    graph = Network(cuba.Dense(CUBA, 4, 3), cuba.Dense(CUBA, 3, 2)).to_graph()

    assert Edge("0.neuron", "1.synapse", "in", 1) in graph.edges
    assert Edge("1.neuron", "output", "in", 0) in graph.edges
    assert Edge("input", "0.synapse", "in", 0) in graph.edges


def test_no_step_without_delay_shift():
    graph = Network(sigma_delta.Dense({"threshold": 0.1}, 4, 3),
                    sigma_delta.Output({"threshold": 0.1}, 3, 2)).to_graph()  # fmt: skip

    assert {e.delay for e in graph.edges} == {0}
    assert graph.nodes["1.sigma"].kind == "loihi.sigma"


def test_axonal_delays_are_whole_steps_behind_the_neuron():
    block = cuba.Dense(CUBA, 4, 3, delay=True)
    block.delay.delay.data = torch.tensor([0.9, 2.0, 7.99])

    graph = Network(block, cuba.Dense(CUBA, 3, 2)).to_graph(dt=1e-3)

    axons = graph.nodes["0.delay"]
    assert isinstance(axons, Delay)
    np.testing.assert_allclose(axons.delay, [0.0, 2e-3, 7e-3])
    assert Edge("0.delay", "1.synapse", "in", 1) in graph.edges


def test_a_recurrent_layer_hears_itself_after_a_step():
    graph = Network(cuba.Recurrent(CUBA, 4, 3)).to_graph()

    assert Edge("0.neuron", "0.recurrent_synapse", "in", 1) in graph.edges
    assert Edge("0.recurrent_synapse", "0.neuron", "in", 0) in graph.edges


@pytest.mark.parametrize("family", [rf, rf_iz])
@pytest.mark.parametrize(("period", "decay"), [(4.0, 0.0), (5.3, 0.01), (700.0, 0.5), (17.0, 0.9)])
def test_a_resonator_gives_its_integer_rotation_back(family, period, decay):
    block = family.Dense({"threshold": 0.3, "period": period, "decay": decay}, 4, 3)

    graph = Network(block).to_graph(dt=1e-3)

    node = graph.nodes["0.neuron"]
    codes = block.neuron.device_params()
    damping = 4096 * np.exp(-1e-3 / node.tau)
    angle = 2 * np.pi * node.frequency * 1e-3
    assert isinstance(node, ResonateAndFire)
    assert round(float(damping * np.cos(angle))) == codes["cosDecay"]
    assert round(float(damping * np.sin(angle))) == codes["sinDecay"]
    assert node.trigger == ("phase" if family is rf else "amplitude")
    assert {e.port for e in graph.edges_into("0.neuron")} == {"re", "im"}


def test_adaptive_neurons_keep_all_their_constants():
    lif = Network(alif.Dense(CUBA | ADAPTIVE, 4, 3)).to_graph().nodes["0.neuron"]
    res = Network(adrf.Dense(RF | ADAPTIVE, 4, 3)).to_graph().nodes["0.neuron"]

    assert isinstance(lif, AdaptiveLIF)
    assert res.kind == "loihi.adrf"
    for node in (lif, res):
        assert float(node.threshold_step) * 64 == int(0.1 * 64)
        kept = decay_factor(node.tau_refractory, dt=1e-3, decay=node.decay)
        assert float(kept) == pytest.approx(0.75)


def test_maps_become_convolutions_and_pools():
    net = Network(
        cuba.Conv(CUBA, (2, 8, 8), 4, 3, stride=2, padding=1, groups=2),
        cuba.Pool(CUBA, (4, 4, 4), 2),
        cuba.Unpool(CUBA, (4, 2, 2), 2, weight_scale=0.5),
        cuba.ConvT(CUBA, (4, 4, 4), 3, 3),
        cuba.Flatten(),
        cuba.Average(4),
    )

    graph = net.to_graph()

    kinds = [graph.nodes[n].kind for n in graph.order if "neuron" not in n]
    assert kinds == [
        "Input", "Conv2d", "SumPool2d", "loihi.unpool", "Scale", "ConvTranspose2d", "Flatten",
        "loihi.average", "Output",
    ]  # fmt: skip
    assert net.shapes == ((4, 4, 4), (4, 2, 2), (4, 4, 4), (3, 6, 6), (108,), (4,))


def test_a_pool_that_does_not_fill_the_map_is_an_equal_convolution():
    block = cuba.Pool(CUBA, (2, 7, 5), (3, 2), weight_scale=0.5)

    node = Network(block).to_graph().nodes["0.synapse"]

    x = torch.rand(1, 1, 2, 7, 5)
    assert isinstance(node, Conv2d)
    found = torch.nn.functional.conv2d(
        x[0], torch.tensor(node.weight).float(), stride=node.stride, padding=node.padding, groups=2
    )
    assert node.output_shape == block.out_shape
    torch.testing.assert_close(found, block.synapse(x)[0])
    tiled = Network(cuba.Pool(CUBA, (2, 6, 4), (3, 2))).to_graph().nodes["0.synapse"]
    assert isinstance(tiled, SumPool2d)


def test_a_dense_layer_behind_maps_gets_them_flattened():
    graph = Network(cuba.Dense(CUBA, (2, 3, 4), 5)).to_graph()

    assert graph.nodes["0.synapse.flatten"].output_shape == (24,)


def test_a_silent_neuron_is_a_leaky_integrator_and_a_raw_sum_has_none():
    voltage = Network(cuba.Dense(CUBA, 4, 3), cuba.Affine(CUBA, 3, 2)).to_graph()
    raw = Network(cuba.Dense(CUBA, 4, 3), cuba.Affine(CUBA, 3, 2, dynamics=False)).to_graph()

    assert isinstance(voltage.nodes["1.neuron"], CubaLI)
    assert raw.edges_into("output") == (Edge("1.synapse", "output"),)


def test_a_competition_keeps_winners_and_self_excitation():
    graph = Network(cuba.KWTA(CUBA, 4, 5, 2, self_excitation=0.25)).to_graph()

    node = graph.nodes["0.neuron"]
    assert (node.kind, node.num_winners, node.self_excitation) == ("loihi.kwta", 2, 0.25)


def test_time_decimation_sees_the_signal_after_its_step():
    graph = Network(cuba.Dense(CUBA, 4, 3), cuba.TimeDecimation(4)).to_graph()

    assert graph.nodes["1.decimation"].factor == 4
    assert Edge("0.neuron", "1.decimation", "in", 1) in graph.edges


def test_an_input_without_synaptic_current_is_driven_through_its_bias():
    driven = cuba.Input(CUBA | {"current_decay": 1.0}, (3,), weight=0.5, bias=0.25)
    slow = cuba.Input(CUBA, (3,), weight=0.5, bias=0.25)

    nodes = Network(driven).to_graph().nodes
    others = Network(slow).to_graph().nodes

    node, affine = nodes["0.neuron"], others["0.affine"]
    assert (node.kind, float(node.weight), float(node.offset)) == ("loihi.input", 0.5, 0.25)
    assert isinstance(affine, Linear)
    np.testing.assert_array_equal(affine.weight, 0.5 * np.eye(3))
    np.testing.assert_array_equal(affine.bias, np.full(3, 0.25))


def test_a_sigma_delta_input_is_an_encoder():
    graph = Network(sigma_delta.Input({"threshold": 0.1}, (3,))).to_graph()

    assert graph.nodes["0.neuron"].kind == "loihi.delta"
    assert float(graph.nodes["0.neuron"].threshold) == 6 / 64


@pytest.mark.parametrize("shape", [(3,), (3, 4, 4)])
def test_a_norm_becomes_the_bias_of_every_channel(shape):
    params = CUBA | {"norm": MeanOnlyBatchNorm}
    block = cuba.Dense(params, 4, 3) if len(shape) == 1 else cuba.Conv(params, (2, 6, 6), 3, 3)
    block.neuron.norm.running_mean.copy_(torch.tensor([0.5, -0.25, 0.0]))

    graph = Network(block).to_graph()

    bias = graph.nodes["0.neuron"].bias
    assert bias.ravel().tolist() == [-0.5, 0.25, 0.0]
    assert bias.ndim == len(shape)
    assert [d.code for d in graph.diagnostics] == ["LO147"]


def test_a_norm_on_the_input_becomes_a_constant_drive():
    block = alif.Dense(CUBA | ADAPTIVE | {"norm": MeanOnlyBatchNorm}, 4, 2)
    block.neuron.norm.running_mean.copy_(torch.tensor([0.5, -0.25]))

    graph = Network(block).to_graph()

    assert graph.nodes["0.synapse"].bias.tolist() == [-0.5, 0.25]
    assert float(np.abs(graph.nodes["0.neuron"].bias).max()) == 0


def test_the_power_of_two_of_a_norm_goes_into_the_weights_and_is_reported():
    block = cuba.Dense(CUBA | {"norm": WgtScaleBatchNorm}, 4, 3, weight_scale=3)
    block.neuron.norm.running_var.fill_(4.0)
    exponent = block.neuron.norm.weight_exponent

    graph = Network(block).to_graph()

    used = block.synapse.used_weight.detach().numpy()
    np.testing.assert_array_equal(graph.nodes["0.synapse"].weight, used / 2.0**exponent)
    assert [d.code for d in graph.diagnostics] == ["LO146"]


def test_graded_spikes_and_rounded_input_are_reported():
    net = Network(
        cuba.Input(CUBA, (4,)), cuba.Dense(CUBA | {"graded_spike": True}, 4, 3, weight_scale=3)
    )

    assert [d.code for d in net.to_graph().diagnostics] == ["LO148", "LO145"]


def test_blocks_of_a_module_of_ones_own_become_a_graph_without_a_forward():
    class Mine(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.blocks = torch.nn.ModuleList([cuba.Dense(CUBA, 4, 3), cuba.Dense(CUBA, 3, 2)])

    mine = Mine()

    assert to_graph(mine.blocks) == Network(*mine.blocks).to_graph()


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        (lambda: [], "pass at least one"),
        (lambda: [torch.nn.Linear(2, 2)], "Linear is no block; use blocks of ranvier_loihi.nn"),
        (lambda: [cuba.Flatten(), cuba.Dense(CUBA, 4, 3)], "pass in_shape= to the first block"),
        (lambda: [cuba.Dense(CUBA, 4, 3), cuba.Dense(CUBA, 4, 3)], r"shape \(3,\).*takes \(4,\)"),
        (lambda: [rf.KWTA(RF, 4, 3, 1)], "use cuba.KWTA"),
        (lambda: [cuba.Input(CUBA, (2, 2, 2), bias=0.5)], "use current_decay=1"),
    ],
)
def test_what_has_no_counterpart_is_refused_with_advice(blocks, message):
    with pytest.raises(GraphError, match=message):
        to_graph(blocks())


CHIP = {
    "dense": (lambda: (cuba.Dense(CUBA, 8, 12, weight_scale=3),), (8,)),
    "delayed": (lambda: (cuba.Dense(CUBA, 8, 12, weight_scale=3, delay=True),), (8,)),
    "per channel": (
        lambda: (cuba.Dense(CUBA | {"shared_param": False}, 8, 12, weight_scale=3),), (8,),
    ),
    "recurrent": (lambda: (cuba.Recurrent(CUBA, 8, 12, weight_scale=3),), (8,)),
    "winners": (lambda: (cuba.KWTA(CUBA, 8, 12, 2, weight_scale=3),), (8,)),
    "rf": (lambda: (rf.Dense(RF, 8, 12, weight_scale=3),), (8,)),
    "rf_iz": (lambda: (rf_iz.Dense(RF, 8, 12, weight_scale=3),), (8,)),
    "maps": (
        lambda: (
            cuba.Conv(CUBA, (2, 7, 7), 4, 3, weight_scale=4),
            cuba.Pool(CUBA, (4, 5, 5), 2),
            cuba.Flatten(),
            cuba.Dense(CUBA, 36, 12, weight_scale=4),
        ),
        (2, 7, 7),
    ),
    "transposed maps": (
        lambda: (
            cuba.Pool(CUBA, (4, 5, 3), 2),
            cuba.Unpool(CUBA, (4, 3, 2), (1, 2)),
            cuba.ConvT(CUBA, (4, 3, 4), 6, 3, stride=2, padding=1, groups=2, weight_scale=4),
            cuba.Dense(CUBA, (6, 5, 7), 12, weight_scale=4),
        ),
        (4, 5, 3),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(CHIP))
def test_the_trained_network_and_the_chip_agree_in_every_spike(name):
    blocks, shape = CHIP[name]
    chain: tuple[Block, ...] = blocks()
    for block in chain:
        if block.delay is not None:
            block.delay.delay.data = 5 * torch.rand(12)
    net = Network(*chain, cuba.Dense(CUBA, 12, 6, weight_scale=4))
    x = np.random.default_rng(0).random((2, 60, *shape)) < 0.4

    with torch.no_grad():
        trained = net(torch.from_numpy(x).float()).numpy()
    chip = rv.simulate(rv.build(net.to_graph(), "loihi2"), x.astype(np.int64))

    np.testing.assert_array_equal(trained, chip.output)
    assert 0 < trained.sum() < trained.size
