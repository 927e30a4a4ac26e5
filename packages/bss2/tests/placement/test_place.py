import dataclasses
import runpy
import time
from pathlib import Path

import numpy as np
import pytest

from ranvier.diagnostics import Findings
from ranvier.errors import InputError
from ranvier_bss2.layout import ROW_MODES, Layout
from ranvier_bss2.placement import Budget, occupancy, partition, place_network

nets = runpy.run_path(str(Path(__file__).with_name("placed_networks.py")))
BUDGET = nets["BUDGET"]

FULL = {
    "128 inputs, 512 circuits": lambda: nets["network"](
        {"in": 128}, [nets["population"]("hid", 512)], [("in", "hid")]
    ),
    "256-246-10": lambda: nets["dense"](inputs=256, hidden=246, outputs=10),
    "5-120-3": lambda: nets["dense"](inputs=5, hidden=120, outputs=3),
    "25-120-3": lambda: nets["dense"](inputs=25, hidden=120, outputs=3),
    "70-186r-20": lambda: nets["dense"](inputs=70, hidden=186, outputs=20, recurrent=True),
    "70-186r-20 spiking": lambda: nets["dense"](
        inputs=70, hidden=186, outputs=20, recurrent=True, fire=True
    ),
    "128-400-10": lambda: nets["dense"](inputs=128, hidden=400, outputs=10),
    "784-73": lambda: nets["network"](
        {"in": 784}, [nets["population"]("hid", 73, circuits=7)], [("in", "hid")]
    ),
}


def same(layout, net):
    """Check both forms of the routing against the weights that were meant."""
    view = nets["View"](net)
    weights = nets["rounded"](net)
    registers = nets["registers_of"](layout, net)
    wanted = view.intended(weights)
    np.testing.assert_array_equal(view.by_connections(layout, registers), wanted)
    np.testing.assert_array_equal(view.by_walking(layout, registers), wanted)
    opened = view.by_connections(layout, registers, count=True)
    assert opened.sum() == layout.synapse_row.size
    demand = {k: np.zeros_like(w) for k, w in weights.items()}
    for k, matrix in demand.items():
        own = layout.synapse_projection == k
        np.add.at(matrix, (layout.synapse_target[own], layout.synapse_source[own]), 1)
    np.testing.assert_array_equal(opened, view.intended(demand))


@pytest.mark.parametrize("name", FULL)
def test_events_of_a_large_network_open_exactly_the_weights_that_are_meant(name):
    net = FULL[name]()
    start = time.process_time()

    layout = nets["placed"](net)

    assert time.process_time() - start < 5.0
    same(layout, net)


BLOCKS = [0, 1, *(pytest.param(k, marks=pytest.mark.slow) for k in range(2, 10))]


@pytest.mark.parametrize("block", BLOCKS)
def test_events_of_random_networks_open_exactly_the_weights_that_are_meant(block):
    for seed in range(20 * block, 20 * block + 20):
        net = nets["random_network"](seed)
        same(nets["placed"](net, seed=seed), net)


def test_a_full_chip_uses_every_circuit_and_every_row():
    use = occupancy(nets["placed"](FULL["256-246-10"]()))[0]

    assert use.circuits == 512
    assert (use.rows == 64).all()
    assert use.shares["circuits"] == 1.0


def test_small_networks_lie_in_the_order_of_registration():
    layout = nets["placed"](nets["dense"](inputs=5, hidden=120, outputs=3))

    np.testing.assert_array_equal(layout.neuron_circuit, np.arange(123))
    assert (layout.neuron_rank == 0).all()


def test_circuits_of_a_neuron_lie_vertically_first():
    net = nets["network"]({"in": 3}, [nets["population"]("hid", 2, circuits=4)], [("in", "hid")])

    layout = nets["placed"](net)

    np.testing.assert_array_equal(layout.neuron_circuit, [0, 256, 1, 257, 2, 258, 3, 259])
    np.testing.assert_array_equal(layout.neuron_rank, [0, 1, 2, 3] * 2)


def test_constraints_pin_circuits_and_rows_follow():
    net = nets["dense"](inputs=25, hidden=120, outputs=3)

    layout = nets["placed"](net, constraints={"out": np.array([[256], [257], [258]])})

    own = layout.neuron_population == 1
    np.testing.assert_array_equal(layout.neuron_circuit[own], [256, 257, 258])
    readout = layout.synapse_projection == 1
    assert (layout.synapse_array[readout] == 1).all()
    same(layout, net)


def test_both_rows_of_a_signed_input_are_kept_for_weights_of_zero():
    net = nets["network"]({"in": 7}, [nets["population"]("hid", 4)], [("in", "hid")], scale=0.0)

    layout = nets["placed"](net)

    assert layout.synapse_row.size == 2 * 7 * 4
    assert np.bincount(layout.synapse_sign).tolist() == [28, 28]


def test_a_projection_of_fixed_signs_takes_one_row_per_input():
    net = nets["network"]({"in": 200}, [nets["population"]("hid", 4)], [("in", "hid")])
    net = dataclasses.replace(
        net, projections=(dataclasses.replace(net.projections[0], weight=np.ones((4, 200))),)
    )

    layout = nets["placed"](net, signed_rows=[False])

    assert set(np.unique(layout.row_mode)) == {0, ROW_MODES.index("excitatory")}
    assert occupancy(layout)[0].rows.sum() == 200
    same(layout, net)


def test_weights_beyond_63_take_further_synapses():
    net = nets["network"]({"in": 1}, [nets["population"]("hid", 2)], [("in", "hid")])
    weight = np.array([[200.0], [-64.0]])
    net = dataclasses.replace(
        net, projections=(dataclasses.replace(net.projections[0], weight=weight),)
    )

    layout = nets["placed"](net)

    per_neuron = [
        [int(((layout.synapse_target == t) & (layout.synapse_sign == s)).sum()) for s in (0, 1)]
        for t in (0, 1)
    ]
    assert per_neuron == [[4, 1], [1, 2]]
    weight, _ = nets["registers_of"](layout, net).synapse_weight, None
    assert sorted(weight[weight > 0].tolist()) == [1, 11, 63, 63, 63, 63]
    same(layout, net)


def test_the_circuits_of_a_neuron_share_its_synapses_evenly():
    net = nets["random_network"](11)

    layout = nets["placed"](net)

    circuit = 256 * layout.synapse_array + layout.synapse_column
    degree = np.zeros((2, 512), dtype=int)
    np.add.at(degree, (layout.synapse_sign, circuit), 1)
    owner = layout.neuron_population * 1000 + layout.neuron_index
    several = 0
    for neuron in np.unique(owner):
        own = layout.neuron_circuit[owner == neuron]
        several += own.size > 1
        assert (np.ptp(degree[:, own], axis=1) <= 1).all()
    assert several


def test_sources_that_share_a_bus_are_spread_over_the_buses():
    names = ("a", "p", "b", "t")
    sizes = (32, 96, 32, 10)
    populations = [nets["population"](n, s) for n, s in zip(names, sizes, strict=True)]
    joined = [("in", "a"), ("in", "p"), ("in", "b"), ("a", "t"), ("b", "t")]
    net = nets["network"]({"in": 20}, populations, joined)
    findings = Findings()

    layout = place_network(net, BUDGET, findings=findings)

    assert [d.code for d in findings] == ["BS130"]
    same(layout, net)


def test_the_same_seed_gives_the_same_layout():
    net = nets["random_network"](3)

    first, second = (nets["placed"](net, seed=1).to_parts() for _ in range(2))

    assert all(np.array_equal(first[n], second[n]) for n in first)


def test_a_layout_of_a_network_survives_its_parts():
    layout = nets["placed"](nets["random_network"](5))

    again = Layout.from_parts(layout.to_parts())

    assert again.instances == layout.instances
    assert np.array_equal(again.synapse_label, layout.synapse_label)


def test_addresses_tell_the_host_which_neuron_fired():
    layout = nets["placed"](nets["dense"](inputs=128, hidden=400, outputs=10, fire=True))

    circuit = np.flatnonzero(layout.circuit_address[0] >= 0)
    output = circuit % 256 // 32
    pairs = np.stack([output, layout.circuit_address[0, circuit]])
    assert circuit.size == 410
    assert np.unique(pairs, axis=1).shape[1] == 410
    assert layout.node_enabled[0, 8 + output % 4, output].all()


def test_silent_neurons_have_no_address():
    layout = nets["placed"](nets["dense"](inputs=5, hidden=6, outputs=3))

    np.testing.assert_array_equal(np.flatnonzero(layout.circuit_address[0] >= 0), np.arange(6))


def test_labels_that_the_host_sends_are_distinct():
    layout = nets["placed"](FULL["256-246-10"]())

    pairs = np.stack([layout.source_link, layout.source_label])
    assert np.unique(pairs, axis=1).shape[1] == layout.source_label.size == 256


def errors(net, **options):
    findings = Findings()
    budget = options.pop("budget", BUDGET)
    assert place_network(net, budget, findings=findings, **options) is None
    return {d.code: d for d in findings.errors()}


def test_all_problems_are_reported_at_once_with_numbers_and_advice():
    populations = [
        nets["population"]("hid", 600),
        nets["population"]("out", 3),
    ]
    net = nets["network"]({"in": 150}, populations, [("in", "hid"), ("hid", "out")])

    found = errors(net, constraints={"nobody": np.zeros((1, 1), int)})

    assert set(found) == {"BS030", "BS031", "BS036"}
    assert found["BS030"].node in ("hid", "out")
    assert found["BS031"].value == 603
    assert found["BS031"].limit == 512
    assert "distribute" in found["BS031"].hint
    assert "hid, out" in found["BS036"].message


def test_too_much_fan_in_names_the_circuits_that_would_do():
    net = nets["network"]({"in": 300}, [nets["population"]("hid", 3)], [("in", "hid")])

    found = errors(net)["BS030"]

    assert found.node == "hid"
    assert (found.value, found.limit) == (600, 256)
    assert "give each neuron 3 circuits" in found.hint


def test_a_fan_in_beyond_the_whole_chip_asks_for_a_layer_in_between():
    net = nets["network"]({"in": 70_000}, [nets["population"]("hid", 1)], [("in", "hid")])

    assert "layer in between" in errors(net)["BS030"].hint


def test_a_projection_back_to_an_earlier_instance_is_refused():
    populations = [
        nets["population"]("hid", 4, instance=1),
        nets["population"]("out", 3, instance=0),
    ]
    net = nets["network"]({"in": 4}, populations, [("in", "hid"), ("hid", "out")])

    found = errors(net)["BS035"]

    assert found.node == "out"
    assert found.value == 12
    assert "loop" in found.hint


def test_more_sources_than_labels_are_refused():
    populations = [nets["population"]("hid", 1, circuits=512)]
    net = nets["network"]({"in": 9000}, populations, [("in", "hid")])

    found = errors(net)["BS034"]

    assert (found.value, found.limit) == (9001, 8064)


def test_odd_neurons_without_interlocking_leave_gaps():
    net = nets["network"]({"in": 4}, [nets["population"]("hid", 73, circuits=7)], [("in", "hid")])

    found = errors(net, budget=dataclasses.replace(BUDGET, interlock=False))["BS032"]

    assert found.value == 511
    assert "even number" in found.hint


def test_rows_that_pinned_sources_need_on_one_bus_are_counted():
    net = nets["dense"](inputs=4, hidden=64, outputs=2)
    columns = np.concatenate([np.arange(32), np.arange(128, 160)])

    found = errors(net, constraints={"hid": columns[:, None]})["BS033"]

    assert found.node == "out"
    assert (found.value, found.limit) == (128, 64)
    assert "spread" in found.hint


@pytest.mark.parametrize(
    ("circuits", "message"),
    [
        ([[0, 256]], "shape"),
        ([[0, 256], [1, 600]], "600"),
        ([[0, 256], [256, 0]], "taken"),
        ([[0, 0], [1, 257]], "taken"),
        ([[0, 300], [1, 257]], "neighbours"),
    ],
)
def test_constraints_that_cannot_be_met_are_refused(circuits, message):
    net = nets["network"]({"in": 4}, [nets["population"]("hid", 2, circuits=2)], [("in", "hid")])

    assert message in errors(net, constraints={"hid": np.array(circuits)})["BS036"].message


def test_two_populations_cannot_be_pinned_to_one_circuit():
    net = nets["dense"](inputs=4, hidden=2, outputs=1)

    found = errors(net, constraints={"hid": np.array([[0], [1]]), "out": np.array([[1]])})

    assert "taken by 'hid'" in found["BS036"].message


def test_signed_rows_need_one_entry_per_projection():
    net = nets["dense"](inputs=4, hidden=2, outputs=1)

    with pytest.raises(InputError, match="one for each"):
        place_network(net, BUDGET, signed_rows=[True], findings=Findings())


def test_a_network_over_several_instances_opens_exactly_the_weights_that_are_meant():
    net = nets["network"](
        {"in": 300},
        [nets["population"]("hid", 200), nets["population"]("out", 10, fire=False)],
        [("in", "hid"), ("hid", "out")],
    )
    net = partition(net, BUDGET, Findings())

    layout = nets["placed"](net)

    assert layout.instances == 2
    assert np.unique(layout.neuron_instance[layout.neuron_population == 0]).tolist() == [0, 1]
    replayed = layout.source_projection == 1
    assert (layout.source_instance[replayed] == 1).all()
    same(layout, net)


def test_budgets_out_of_range_are_refused():
    with pytest.raises(InputError, match="rows = 0"):
        Budget.of(nets["LIMITS"], rows=0)
    with pytest.raises(InputError, match="no field"):
        Budget.of(nets["LIMITS"], width=3)
