"""From torch modules to graphs and back."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import ranvier.nn as rnn  # noqa: E402
from ranvier.errors import GraphError  # noqa: E402
from ranvier.graph import Graph  # noqa: E402


def spikes(*shape, rate=0.3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(*shape, generator=generator) < rate).float()


def residual_net(latency):
    torch.manual_seed(0)
    options = {"tau_mem": 2e-3, "tau_syn": 4e-3, "decay": "bitshift", "max_spikes": 31}
    return rnn.Sequential(
        {
            "fc0": rnn.Linear(6, 10),
            "l0": rnn.CubaLIF(10, **options),
            "res": rnn.Residual(rnn.Linear(10, 10), rnn.CubaLIF(10, **options), latency=latency),
            "fc1": rnn.Linear(10, 2, bias=True),
            "out": rnn.CubaLIF(2, tau_mem=2e-3, tau_syn=2e-3, decay="bitshift"),
        },
        latency=latency,
    )


class TwoSynapses(torch.nn.Module):
    """A user's own module: recurrent, two synapses, a skip connection, dropout."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.weights = rnn.Linear(4, 6)
        self.hidden = rnn.CubaLIF(3, n_synapses=2, recurrent=True, tau_syn=[5e-3, 20e-3])
        self.dropout = torch.nn.Dropout(0.5)
        self.mix = rnn.Linear(3, 3)
        self.out = rnn.LIF(3, threshold=[1.0, 2.0, 3.0])

    def forward(self, x):
        h = self.hidden(self.weights(x))
        return self.out(self.mix(self.dropout(h)) + h)


def convolutional():
    torch.manual_seed(2)
    return rnn.Sequential(
        rnn.Conv2d(2, 3, 3, padding=1, bias=True),
        rnn.IF((3, 6, 6)),
        rnn.SumPool2d(2),
        rnn.Flatten(),
        rnn.Linear(27, 4),
        rnn.LI(4, tau_mem=10e-3),
    )


NETWORKS = {
    "residual": lambda: (residual_net(0), (6,)),
    "residual with hops": lambda: (residual_net(1), (6,)),
    "recurrent, two synapses": lambda: (TwoSynapses(), (4,)),
    "convolutional": lambda: (convolutional(), (2, 6, 6)),
    "synnet": lambda: (
        rnn.SynNet(3, 5, size_hidden_layers=[8, 9], time_constants_per_layer=[2, 4]),
        (5,),
    ),
    "membrane readout": lambda: (rnn.SynNet(3, 5, output="vmem", p_dropout=0.2), (5,)),
    "plain torch": lambda: (torch.nn.Sequential(torch.nn.Linear(4, 3), rnn.AdaptiveLIF(3)), (4,)),
    "resonators": lambda: (rnn.Sequential(rnn.Linear(4, 6), rnn.ResonateAndFire(3)), (4,)),
    "per-channel delays": lambda: (
        rnn.Sequential(rnn.Delay([0, 3, 1]), rnn.Linear(3, 8), rnn.LIF(8)),
        (3,),
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_survives_the_way_to_a_graph_and_back(name):
    torch.manual_seed(3)
    network, shape = NETWORKS[name]()
    network.eval()
    with torch.no_grad():
        for weight in network.parameters():
            weight *= 4  # so that every network is active
    x = spikes(2, 40, *shape)

    graph = rnn.to_graph(network, input_shape=shape)
    rebuilt = rnn.from_graph(graph)

    expected = network(x).detach()
    # Membranes may differ in the last bits: the two modules may take different kernels.
    torch.testing.assert_close(rebuilt(x).detach(), expected, rtol=1e-5, atol=1e-6)
    assert float(expected.abs().sum()) > 0


@pytest.mark.parametrize("name", NETWORKS)
def test_the_graph_of_the_rebuilt_network_is_the_same(name):
    network, shape = NETWORKS[name]()
    graph = rnn.to_graph(network, input_shape=shape)

    assert rnn.from_graph(graph).current_graph() == graph


def test_hops_become_edge_delays():
    graph = rnn.to_graph(residual_net(1))

    delays = {(e.source, e.target): e.delay for e in graph.edges}
    assert delays["l0", "res.0"] == 1
    assert delays["res.1", "fc1"] == delays["l0", "fc1"] == 1
    assert delays["fc0", "l0"] == delays["res.0", "res.1"] == 0


def test_training_a_rebuilt_network_changes_its_graph():
    graph = rnn.to_graph(residual_net(0))
    network = rnn.from_graph(graph, surrogate=rnn.Sigmoid())

    network(spikes(2, 30, 6)).sum().backward()
    with torch.no_grad():
        for p in network.parameters():
            p -= 0.1 * p.grad

    changed = network.current_graph()
    assert not np.array_equal(changed.nodes["fc0"].weight, graph.nodes["fc0"].weight)
    assert changed.edges == graph.edges


def test_recurrent_weights_of_each_synapse_get_their_own_port():
    network = TwoSynapses()

    graph = rnn.to_graph(network)

    expected = network.hidden.weight_rec.detach().double().numpy()
    np.testing.assert_array_equal(graph.nodes["hidden.rec"].weight, expected[0::2])
    np.testing.assert_array_equal(graph.nodes["hidden.rec_in2"].weight, expected[1::2])


def test_a_module_of_ones_own_can_be_registered():
    class Double(torch.nn.Module):
        def forward(self, x):
            return 2 * x

    from ranvier.graph import Scale

    rnn.register_module(Double, lambda module, shape: Scale(shape=shape, scale=2.0))
    network = rnn.Sequential(rnn.Linear(3, 2), Double(), rnn.LIF(2))

    graph = rnn.to_graph(network)

    assert graph.nodes["1"].kind == "Scale"


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (lambda: rnn.Sequential(rnn.LIF(2), torch.nn.LSTM(2, 2)), "LSTM has no counterpart"),
        (lambda: rnn.Sequential(rnn.Conv2d(1, 1, 3), rnn.IF((1, 2, 2))), "pass input_shape"),
        (lambda: rnn.Linear(3, 2), "pass dt="),
        (
            lambda: rnn.Sequential(rnn.Linear(3, 2), rnn.LIF(2, dt=1e-3), rnn.LIF(2, dt=2e-3)),
            r"found \[0.001, 0.002\]",
        ),
        (lambda: rnn.Sequential(rnn.Linear(2, 2), rnn.LIF(2, tau_mem=float("inf"))), "use IF or I"),
    ],
)
def test_what_has_no_counterpart_is_refused_with_advice(network, message):
    with pytest.raises(GraphError, match=message):
        rnn.to_graph(network())


def test_control_flow_on_data_is_refused():
    class Branching(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = rnn.Linear(2, 2)
            self.lif = rnn.LIF(2)

        def forward(self, x):
            return self.lif(self.fc(x)) if x.sum() > 0 else x

    with pytest.raises(GraphError, match="cannot be traced"):
        rnn.to_graph(Branching())


def test_a_loop_over_several_layers_has_no_module():
    graph = rnn.to_graph(residual_net(0))
    looped = Graph(graph.nodes, (*graph.edges, ("res.1", "res.0", "in", 1)), graph.dt)

    with pytest.raises(GraphError, match="closes a loop"):
        rnn.from_graph(looped)


@pytest.mark.parametrize("name", ["residual", "synnet"])
def test_modules_have_the_method(name):
    network, _ = NETWORKS[name]()

    assert network.to_graph() == rnn.to_graph(network)
