import numpy as np
import pytest
import torch

from ranvier.errors import GraphError
from ranvier_loihi.files import read_net
from ranvier_loihi.nn import Network, cuba

CUBA = {"threshold": 0.3, "current_decay": 0.5, "voltage_decay": 0.2}


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def spikes(*shape, rate=0.3, seed=0):
    return torch.from_numpy((np.random.default_rng(seed).random(shape) < rate).astype(np.float32))


def make(**params):
    p = CUBA | params
    return Network(cuba.Dense(p, 6, 8, weight_scale=4), cuba.Dense(p, 8, 4, weight_scale=4))


def test_blocks_run_one_after_the_other():
    net = make()
    x = spikes(2, 40, 6)

    assert torch.equal(net(x), net.blocks[1](net.blocks[0](x)))
    assert float(net(x).detach().sum()) > 0


def test_shapes_are_known_without_a_forward():
    assert make().shapes == ((8,), (4,))
    assert Network(cuba.Input()).shapes == (None,)


def test_event_rates_are_those_of_the_blocks_that_count():
    net = Network(
        cuba.Dense(CUBA, 6, 8, weight_scale=4, count_log=True),
        cuba.Dense(CUBA, 8, 8, weight_scale=4),
        cuba.Dense(CUBA, 8, 4, weight_scale=4, count_log=True),
    )

    out, counts = net(spikes(2, 40, 6))

    assert counts.shape == (2,)
    assert float(counts[1]) == pytest.approx(float(out.detach().mean()))


@pytest.mark.parametrize("grad", [False, True])
def test_a_persistent_network_in_pieces_equals_one_run(grad):
    whole, pieces = make(), make(persistent_state=True)
    pieces.load_state_dict(whole.state_dict())
    x = spikes(2, 45, 6)

    with torch.set_grad_enabled(grad):
        out = torch.cat([pieces(part) for part in x.split(10, dim=1)], dim=1)

    assert torch.equal(out, whole(x))
    assert out.requires_grad == grad


def test_reset_sets_every_block_back():
    net = make(persistent_state=True)
    x = spikes(2, 30, 6)
    first = net(x)

    net.reset_state()

    assert torch.equal(net(x), first)


def test_a_written_file_is_the_same_network(tmp_path):
    net = make()

    lost = net.export(tmp_path / "net.net")

    graph, again = net.to_graph(), read_net(tmp_path / "net.net")
    assert lost == ()
    kinds = [graph.nodes[n].kind for n in graph.order]
    assert kinds == [again.nodes[n].kind for n in again.order]
    for one, two in zip(graph.order, again.order, strict=True):
        if graph.nodes[one].kind == "Linear":
            np.testing.assert_array_equal(graph.nodes[one].weight, again.nodes[two].weight)


def test_an_input_block_without_neurons_leaves_its_step_out_of_the_file(tmp_path):
    net = Network(cuba.Input(), *make().blocks)

    lost = net.export(tmp_path / "net.net")

    assert [d.code for d in lost] == ["LO149"]
    assert read_net(tmp_path / "net.net").neurons


def test_learning_lowers_the_loss():
    net = make(requires_grad=True)
    x = spikes(4, 60, 6)
    target = spikes(4, 60, 4, rate=0.1, seed=1)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    losses = []

    for _ in range(30):
        loss = (net(x).cumsum(1) - target.cumsum(1)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))

    assert min(losses) < 0.5 * losses[0]


@pytest.mark.parametrize(
    ("make_wrong", "message"),
    [
        (lambda: Network(), "takes blocks of ranvier_loihi.nn"),
        (lambda: Network(torch.nn.Linear(2, 2)), "Linear given; it takes blocks"),
        (
            lambda: Network(cuba.Dense(CUBA, 6, 8), cuba.Dense(CUBA, 7, 4)),
            r"input has shape \(8,\).*takes \(7,\)",
        ),
    ],
)
def test_blocks_that_do_not_fit_are_refused_with_advice(make_wrong, message):
    with pytest.raises(GraphError, match=message):
        make_wrong()
