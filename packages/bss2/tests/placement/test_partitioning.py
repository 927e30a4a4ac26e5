import itertools
import runpy
from pathlib import Path

import numpy as np

from ranvier.diagnostics import Findings
from ranvier_bss2.placement import fit_circuits, occupancy, partition

nets = runpy.run_path(str(Path(__file__).with_name("placed_networks.py")))
BUDGET = nets["BUDGET"]


def layers(sizes, *, loops=(), circuits=None):
    names = ["in", *(f"l{k}" for k in range(1, len(sizes)))]
    populations = [
        nets["population"](name, size, circuits=(circuits or {}).get(name, 1))
        for name, size in zip(names[1:], sizes[1:], strict=True)
    ]
    joined = [*itertools.pairwise(names), *((n, n) for n in loops)]
    return nets["network"]({"in": sizes[0]}, populations, joined)


def where(net):
    return {p.name: (p.circuits, p.instance, p.split) for p in net.populations}


def test_a_network_that_fits_stays_in_one_instance():
    findings = Findings()

    net = partition(layers([20, 50, 10]), BUDGET, findings)

    assert where(net) == {"l1": (1, 0, ()), "l2": (1, 0, ())}
    assert not list(findings)


def test_mnist_takes_four_instances_with_seven_circuits_per_hidden_neuron():
    findings = Findings()

    net = partition(layers([784, 256, 10]), BUDGET, findings)

    assert where(net) == {"l1": (7, 0, (73, 73, 73, 37)), "l2": (2, 3, ())}
    assert [d.code for d in findings] == ["BS132", "BS132", "BS131"]
    assert findings.items[-1].value == 4
    layout = nets["placed"](net)
    assert [use.circuits for use in occupancy(layout)] == [511, 511, 511, 37 * 7 + 20]


def test_mnist_takes_five_instances_with_eight_circuits_as_in_the_tutorial():
    net = partition(layers([784, 256, 10], circuits={"l1": 8}), BUDGET, Findings())

    assert where(net) == {"l1": (8, 0, (64, 64, 64, 64)), "l2": (2, 4, ())}


def test_every_neuron_lies_in_exactly_one_instance_and_sources_come_first():
    net = partition(layers([128, 400, 400, 10]), BUDGET, Findings())

    layout = nets["placed"](net)

    for k, p in enumerate(net.populations):
        own = (layout.neuron_population == k) & (layout.neuron_rank == 0)
        np.testing.assert_array_equal(np.sort(layout.neuron_index[own]), np.arange(p.size))
        np.testing.assert_array_equal(
            layout.neuron_instance[own], p.neuron_instance[layout.neuron_index[own]]
        )


def test_a_layer_that_fits_on_a_chip_is_not_cut():
    net = partition(layers([100, 300, 120]), BUDGET, Findings())

    assert where(net) == {"l1": (1, 0, ()), "l2": (3, 1, ())}


def test_a_loop_that_fits_stays_together():
    net = partition(layers([70, 186, 20], loops=["l1"]), BUDGET, Findings())

    assert where(net) == {"l1": (2, 0, ()), "l2": (2, 0, ())}


def test_a_loop_larger_than_the_chip_is_refused_with_its_size():
    findings = Findings()

    partition(layers([128, 400, 10], loops=["l1"]), BUDGET, findings)

    found = findings.errors()[0]
    assert found.code == "BS038"
    assert found.value > found.limit == 512
    assert "feed-forward" in found.hint


def test_a_neuron_larger_than_the_chip_is_refused():
    findings = Findings()

    partition(layers([70_000, 1]), BUDGET, findings)

    found = findings.errors()[0]
    assert (found.code, found.value, found.limit) == ("BS030", 547, 512)
    assert "layer in between" in found.hint


def test_circuits_follow_the_fan_in_and_are_never_taken_away():
    net = layers([300, 5, 4], circuits={"l2": 6})
    findings = Findings()

    fitted = fit_circuits(net, BUDGET, findings=findings)

    assert [p.circuits for p in fitted.populations] == [3, 6]
    assert [(d.code, d.node, d.value) for d in findings] == [("BS132", "l1", 3)]


def test_branches_are_placed_before_what_they_feed():
    populations = [nets["population"](n, s) for n, s in (("end", 5), ("left", 300), ("right", 300))]
    joined = [("in", "left"), ("in", "right"), ("left", "end"), ("right", "end")]
    net = nets["network"]({"in": 64}, populations, joined)

    net = partition(net, BUDGET, Findings())

    instance = {p.name: p.instance for p in net.populations}
    assert instance["left"] < instance["right"] <= instance["end"]
    nets["placed"](net)
