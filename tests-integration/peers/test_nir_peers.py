"""NIR files of ranvier in other people's hands: nirtorch always, snnTorch and norse where present.

nirtorch builds a torch module from the file and delivers back edges one step late; the neurons are
given here as NIR's equations in the Euler scheme, and its faulty default for Affine is replaced.
"""

import importlib

import numpy as np
import pytest

import ranvier
from ranvier.files import graph_from_nir, read_nir, write_nir
from ranvier.graph import IF, LI, LIF, CubaLIF, Edge, Graph, Input, Linear, Output

torch = pytest.importorskip("torch")
nir = pytest.importorskip("nir")
nirtorch = pytest.importorskip("nirtorch")

DT = 1e-3
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


class Neuron(torch.nn.Module):
    """One Euler step of a NIR neuron, state (i, v), float64."""

    def __init__(self, node):
        super().__init__()
        self.kind = type(node).__name__
        self.p = {k: torch.as_tensor(v) for k, v in vars(node).items() if hasattr(v, "dtype")}

    def forward(self, x, state=None):
        p = self.p
        i, v = state if state is not None else (torch.zeros_like(p["r"]), torch.zeros_like(p["r"]))
        if self.kind == "IF":
            v = v + DT * p["r"] * x
        else:
            i = i + DT / p["tau_syn"] * (p["w_in"] * x - i) if "tau_syn" in p else x
            tau = p.get("tau_mem", p.get("tau"))
            v = v + DT / tau * (p["v_leak"] - v + p["r"] * i)
        if self.kind == "LI":
            return v, (i, v)
        z = (v > p["v_threshold"]).to(v.dtype)
        return z, (i, torch.where(z > 0, p["v_reset"], v))


def affine(node):
    module = torch.nn.Linear(node.weight.shape[1], node.weight.shape[0]).double()
    module.weight.data, module.bias.data = map(torch.as_tensor, (node.weight, node.bias))
    return module


NODE_MAP = {nir.Affine: affine} | dict.fromkeys(
    (nir.LIF, nir.CubaLIF, nir.IF, nir.LI), lambda node: Neuron(node)
)


def run_with_nirtorch(path, spikes):
    module = nirtorch.nir_to_torch(nir.read(path), NODE_MAP, dtype=torch.float64)
    state, out = None, []
    with torch.no_grad():
        for row in torch.as_tensor(spikes, dtype=torch.float64):
            value, state = module(row, state)
            out.append(value.numpy())
    return np.array(out)


def network(kind, rng, *, recurrent, **values):
    n_in, n = 8, 16
    tau = {"tau_mem": rng.uniform(3, 30, n) * DT} if kind is not IF else {}
    if kind is CubaLIF:
        tau["tau_syn"] = rng.uniform(2, 10, n) * DT
    neuron = kind(
        shape=(n,), reset="to_value", v_reset=-0.1, comparison=">", bias=0.0, **tau, **values
    )
    nodes = {
        "input": Input(shape=(n_in,)),
        "fc": Linear(weight=rng.normal(0.2, 0.6, (n, n_in)), bias=0.05 * rng.normal(size=n)),
        "hidden": neuron,
        "readout": Linear(weight=rng.normal(size=(3, n))),
        "li": LI(shape=(3,), tau_mem=0.02),
        "output": Output(shape=(3,)),
    }
    edges = [("input", "fc"), ("fc", "hidden"), ("hidden", "readout"), ("readout", "li")]
    edges += [("li", "output")]
    if recurrent:
        nodes["rec"] = Linear(weight=0.4 * rng.normal(size=(n, n)))
        edges += [Edge("hidden", "rec", delay=1), ("rec", "hidden")]
    return Graph(nodes, tuple(edges), DT)


@pytest.mark.parametrize("recurrent", [False, True], ids=["feed-forward", "recurrent"])
@pytest.mark.parametrize("decay", ["euler", "exponential", "bitshift"])
@pytest.mark.parametrize("kind", [IF, LIF, CubaLIF])
def test_nirtorch_runs_an_exported_graph_as_the_reference_does(tmp_path, kind, decay, recurrent):
    rng = np.random.default_rng(0)
    graph = network(kind, rng, recurrent=recurrent, decay=decay)
    spikes = rng.integers(0, 3, (300, 8))
    write_nir(graph, tmp_path / "net.nir")

    theirs = run_with_nirtorch(tmp_path / "net.nir", spikes)

    ours = ranvier.simulate(ranvier.build(graph, "reference"), spikes).output
    assert np.abs(ours).max() > 1
    # Equal spikes leave only rounding of the membrane of the last layer.
    np.testing.assert_allclose(theirs, ours, rtol=1e-9, atol=1e-9)


def test_graph_traced_by_nirtorch_is_read_with_torch_weights():
    model = torch.nn.Sequential(torch.nn.Linear(4, 3, bias=False), torch.nn.Linear(3, 2))

    traced = nirtorch.torch_to_nir(
        model,
        {torch.nn.Linear: lambda m: _linear_node(m)},
    )
    graph = graph_from_nir(traced, dt=DT)

    weights = [n.weight for n in graph.nodes.values() if isinstance(n, Linear)]
    assert [w.shape for w in weights] == [(3, 4), (2, 3)]
    np.testing.assert_array_equal(weights[0], model[0].weight.detach().numpy())


def _linear_node(module):
    if module.bias is None:
        return nir.Linear(weight=module.weight.detach())
    return nir.Affine(weight=module.weight.detach(), bias=module.bias.detach())


def test_parameters_given_as_torch_tensors_are_taken():
    node = nir.LIF(**{k: torch.ones(2) for k in ("tau", "r", "v_leak", "v_threshold")})
    graph = nir.NIRGraph.from_list(nir.Linear(weight=torch.ones(2, 3)), node)

    assert graph_from_nir(graph, dt=DT).nodes["lif"].shape == (2,)


def _present(name):
    try:
        return importlib.import_module(name)
    except ImportError:
        pytest.skip(f"{name} is not installed")


@pytest.mark.parametrize(
    ("layer", "mechanism", "delayed"),
    [
        ("Leaky", "zero", True),
        ("Leaky", "zero", False),
        ("Leaky", "subtract", False),
        ("Synaptic", "zero", True),
    ],
)
def test_snntorch_export_gives_the_spikes_of_snntorch(tmp_path, layer, mechanism, delayed):
    snn = _present("snntorch")
    export = _present("snntorch.export_nir").export_to_nir
    torch.manual_seed(0)
    decays = {"beta": 0.9 * torch.ones(16)} | ({"alpha": 0.7} if layer == "Synaptic" else {})
    decays = {k: v * torch.ones(16) for k, v in decays.items()}
    common = {"threshold": torch.ones(16), "reset_mechanism": mechanism, "reset_delay": delayed}
    neuron = getattr(snn, layer)(**decays, **common, init_hidden=True)
    model = torch.nn.Sequential(torch.nn.Linear(8, 16), neuron).eval()
    x = torch.bernoulli(torch.full((200, 8), 0.4))
    nir.write(tmp_path / "net.nir", export(model, x[0]))
    reset = {"zero": "to_value", "subtract": "subtract"}[mechanism]

    graph = read_nir(tmp_path / "net.nir", convention="snntorch", reset=reset)

    neuron.reset_mem()
    with torch.no_grad():
        theirs = np.array([model(row).numpy() for row in x])
    ours = ranvier.simulate(ranvier.build(graph, "reference"), x.numpy()).output
    assert theirs.sum() > 100
    assert np.mean(ours != theirs) < 2e-3  # float32 against float64 at the threshold


def uniform_lif(n, *, tau, r, threshold):
    full = {"tau": tau, "r": r, "v_leak": 0.0, "v_threshold": threshold}
    return nir.LIF(**{k: np.full(n, v, np.float32) for k, v in full.items()})


def stepped(module, x):
    """Run a module of nirtorch's calling convention, (time, n)."""
    state, out = None, []
    with torch.no_grad():
        for row in torch.as_tensor(x, dtype=torch.float32)[:, None]:
            value, state = module(row, state)
            out.append(value.numpy().reshape(-1))
    return np.array(out)


def test_sinabs_runs_an_imported_lif_as_the_reference_does():
    from_nir = _present("sinabs.nir").from_nir
    network = nir.NIRGraph.from_list(uniform_lif(16, tau=20.0, r=1.0, threshold=1.3))
    x = np.random.default_rng(0).integers(0, 4, (200, 16))

    theirs = stepped(from_nir(network, batch_size=1), x)

    graph = graph_from_nir(network, dt=DT, convention="sinabs")
    ours = ranvier.simulate(ranvier.build(graph, "reference"), x).output
    assert theirs.max() >= 2
    assert np.mean(ours != theirs) < 2e-3  # float32 against float64 at the threshold


def test_spikingjelly_runs_an_imported_lif_as_the_reference_does():
    exchange = _present("spikingjelly.activation_based.nir_exchange")
    weight = np.random.default_rng(1).normal(0.3, 0.5, (16, 8)).astype(np.float32)
    node = uniform_lif(16, tau=20 * DT, r=20.0, threshold=1.0)
    network = nir.NIRGraph.from_list(nir.Linear(weight=weight), node)
    x = np.random.default_rng(0).integers(0, 2, (200, 8))

    theirs = stepped(exchange.import_from_nir(network, dt=DT), x)

    graph = graph_from_nir(network, dt=DT, convention="spikingjelly")
    ours = ranvier.simulate(ranvier.build(graph, "reference"), x).output
    assert theirs.sum() > 100
    assert np.mean(ours != theirs) < 2e-3  # float32 against float64 at the threshold


def test_norse_runs_an_imported_lif_as_the_reference_does():
    norse = _present("norse.torch")
    if not hasattr(norse, "from_nir"):
        pytest.skip("this norse cannot import NIR")
    tau, ones = np.full(16, 20 * DT), np.ones(16)
    node = nir.LIF(tau=tau, r=ones, v_leak=0 * ones, v_threshold=ones)
    weight = np.random.default_rng(0).normal(4, 12, (16, 8))
    network = nir.NIRGraph.from_list(nir.Linear(weight=weight), node)
    x = np.random.default_rng(1).integers(0, 2, (200, 8))

    theirs = stepped(norse.from_nir(network, dt=DT), x)

    graph = graph_from_nir(network, dt=DT, convention="norse")
    ours = ranvier.simulate(ranvier.build(graph, "reference"), x).output
    assert np.mean(ours != theirs) < 2e-3  # float32 against float64 at the threshold
