import runpy
from pathlib import Path

import numpy as np
import pytest

from ranvier.artifacts import MappedNetwork
from ranvier.errors import MappingError, ResourceError
from ranvier.graph import Conv2d, CubaLIF, Edge, Graph, Input, Linear, Output, SumPool2d
from ranvier_bss2 import diagnostics as codes
from ranvier_bss2.layout import Layout
from ranvier_bss2.nodes import AnalogNeuron

helpers = runpy.run_path(str(Path(__file__).parents[1] / "small_graphs.py"))
chain, lif, li, looped = (helpers[n] for n in ("chain", "lif", "li", "looped"))
run_map, mapped_network, refused = (helpers[n] for n in ("run_map", "mapped_network", "refused"))
codes_of = helpers["codes_of"]


def lif_of(shape):
    return CubaLIF(shape=shape, tau_mem=10e-3, tau_syn=5e-3, reset="to_value", comparison=">")


def test_latency_counts_a_step_at_every_synapse_into_a_neuron():
    mapped = run_map(chain(lif(4), lif(3), li(2)))

    assert mapped.latency == {"layer0": 1, "layer1": 2, "layer2": 3, "output": 3}


def test_times_of_the_graph_become_a_thousand_times_shorter():
    mapped, network = run_map(chain(lif(2))), mapped_network(chain(lif(2)))

    assert codes.TIME_SCALED.code in codes_of(mapped)
    assert (network.dt, network.time_scale) == (pytest.approx(1e-6), 1e-3)


def test_a_graph_in_hardware_time_is_not_scaled():
    graph = chain(lif(2, tau_mem=10e-6, tau_syn=5e-6), dt=1e-6, hardware_time=True)

    assert codes.TIME_SCALED.code not in codes_of(run_map(graph))
    assert mapped_network(graph).time_scale == 1.0


def test_time_constants_out_of_range_are_refused_with_a_time_scale_that_helps():
    error = refused(chain(lif(2, tau_mem=100e-3, decay="euler")))

    assert codes_of(error) == [codes.TIME_RANGE.code]
    assert "tau_mem is 100 us" in str(error)
    assert "time_scale from 5e-06 to 0.0006" in str(error)
    run_map(chain(lif(2, tau_mem=100e-3, decay="euler", tau_syn=10e-3)), time_scale=5e-4)


def test_all_problems_are_reported_at_once():
    graph = chain(lif(2, tau_mem=1.0), li(2))
    error = refused(graph, cadc="off", madc={"layer0": 5}, synapse_dac_bias=2000)

    wanted = (
        codes.TIME_RANGE,
        codes.MEMBRANE_NOT_RECORDED,
        codes.MADC_NEURON,
        codes.CODE_RANGE,
    )
    assert {c.code for c in wanted} <= set(codes_of(error))


def test_missing_circuits_are_reported_beside_values_that_do_not_fit():
    error = refused(chain(lif(600, tau_mem=1.0), n_in=2), partition="off")

    assert {codes.TIME_RANGE.code, codes.TOO_MANY_CIRCUITS.code} <= set(codes_of(error))


def test_a_mapped_network_survives_its_payload():
    mapped = run_map(chain(lif(3), li(2)))

    again = MappedNetwork.from_payload(*mapped.to_payload())

    assert again.content_hash == mapped.content_hash


def test_every_circuit_has_a_row_in_the_placement():
    mapped = run_map(chain(lif(3), li(2)), circuits={"layer0": 2})

    assert len(mapped.placement) == 3 * 2 + 2
    assert mapped.placement.port == ("circuit",)
    assert np.unique(mapped.placement.slot).size == 8


def test_weights_beyond_63_are_split_or_cut():
    graph = chain(lif(2), n_in=2, weights=[np.eye(2) * 0.3])
    split, cut = run_map(graph), run_map(graph, large_weights="clip")

    assert codes.WEIGHTS_SPLIT.code in codes_of(split)
    assert codes.WEIGHTS_CLIPPED.code in codes_of(cut)
    assert np.abs(cut.arrays["projections/0/weight"]).max() == 63
    assert split.arrays["layout/synapse_part"].max() >= 1


def test_zero_weights_take_no_synapse_unless_asked_for():
    graph = chain(lif(3), n_in=3, weights=[np.eye(3) * 0.1])

    assert mapped_network(graph).projections[0].connected.sum() == 3
    assert mapped_network(graph, keep_zeros=True).projections[0].connected.all()


def test_recurrent_spikes_arrive_in_the_next_step():
    network = mapped_network(looped(np.ones((3, 3)) * 0.01))

    assert {(q.source, q.delay) for q in network.projections} == {("input", 0), ("layer0", 1)}


def test_a_delay_beyond_the_chips_own_is_refused():
    error = refused(looped(np.ones((3, 3)), delay=3))

    assert codes.DELAY.code in codes_of(error)
    assert "has delay 3, the chip offers at most 2" in str(error)


def test_two_synapses_use_the_two_receptors():
    layer = CubaLIF(
        shape=(2,), tau_mem=10e-3, tau_syn=[[5e-3] * 2, [2e-3] * 2], synapses=2, decay="euler"
    )
    nodes = {
        "input": Input(shape=(2,)),
        "plus": Linear(weight=np.eye(2) * 0.1),
        "minus": Linear(weight=-np.eye(2) * 0.1),
        "layer": layer,
        "output": Output(shape=(2,)),
    }
    edges = (
        Edge("input", "plus"),
        Edge("input", "minus"),
        Edge("plus", "layer"),
        Edge("minus", "layer", port="in2"),
        Edge("layer", "output"),
    )
    network = mapped_network(Graph(nodes, edges, 1e-3, {}))
    swapped = {**nodes, "minus": Linear(weight=np.eye(2))}

    found = network.populations[0].targets
    np.testing.assert_allclose(found["tau_syn_exc"], 5e-6)
    np.testing.assert_allclose(found["tau_syn_inh"], 2e-6)
    assert len(network.projections) == 2
    assert codes.TWO_RECEPTORS.code in codes_of(run_map(Graph(nodes, edges, 1e-3, {})))
    assert codes.SYNAPSES_DIFFER.code in codes_of(refused(Graph(swapped, edges, 1e-3, {})))


def test_strengths_that_differ_within_a_run_are_refused_with_their_values():
    nodes = [AnalogNeuron(shape=(2,), synapse_dac_bias=b) for b in (600.0, 800.0)]
    error = refused(chain(*nodes, dt=1e-6, hardware_time=True))

    assert codes.UNEQUAL_CODES.code in codes_of(error)
    assert "'layer0' 600, 'layer1' 800" in str(error)


def test_one_neuron_at_the_fast_converter_and_one_memory_of_the_slow_one():
    graph = chain(lif(2), li(2))

    several = refused(graph, madc={"layer0": 0, "layer1": 1})
    mixed = refused(graph, cadc={"layer0": "dram", "layer1": "sram"})

    assert codes_of(several) == [codes.SEVERAL_MADC.code]
    assert codes_of(mixed) == [codes.MEMORY_MIXED.code]


def test_an_option_for_an_unknown_node_is_refused():
    error = refused(chain(lif(2)), circuits={"hidden": 2})

    assert codes_of(error) == [codes.UNKNOWN_NODE.code]
    assert "layer0" in str(error)


def test_neurons_that_do_not_fire_cannot_drive_others():
    assert codes.READOUT_INSIDE.code in codes_of(refused(chain(li(2), lif(2))))


def test_too_many_neurons_run_one_after_the_other_or_are_refused():
    graph = chain(lif(600), li(2), n_in=2, scale=0.2)
    mapped = run_map(graph)
    error = refused(graph, partition="off")

    layout = Layout.from_parts(
        {n.removeprefix("layout/"): v for n, v in mapped.arrays.items() if "layout/" in n}
    )
    assert layout.instances == 2
    assert set(mapped.placement.core) == {0, 1}
    assert isinstance(error, ResourceError)
    # 600 inputs of two rows take 5 circuits for each of the 2 readout neurons
    assert (error.needed, error.available) == (610, 512)


def test_a_network_far_beyond_the_chip_is_refused_before_weights_are_made():
    graph = chain(lif(2), n_in=9000, scale=0.0)

    with pytest.raises(MappingError, match="9002 channels and neurons, at most 8192"):
        run_map(graph)


def test_given_circuits_are_kept():
    mapped = run_map(chain(lif(3)), constraints={"layer0": [300, 310, 320]})

    np.testing.assert_array_equal(mapped.placement.slots_of("layer0"), [300, 310, 320])


def test_the_depth_of_the_chips_memory_is_stated():
    found = [d for d in run_map(chain(li(2))).diagnostics if d.code == codes.SRAM_DEPTH.code]
    dram = run_map(chain(li(2)), cadc="dram")

    assert found[0].value == 170
    assert codes.SRAM_DEPTH.code not in codes_of(dram)


def test_channels_without_use_are_noted():
    graph = chain(lif(2), n_in=3, weights=[np.array([[0.1, 0.0, 0.1], [0.1, 0.0, 0.1]])])

    found = [d for d in run_map(graph).diagnostics if d.code == codes.UNUSED_CHANNELS.code]
    assert found[0].message == "1 of 3 channels drive no neuron"


def test_what_alignment_measures_can_be_given():
    readout = (
        mapped_network(
            chain(li(2)), trace_offset=95.0, time_shift=2, shift_to_first=True, interpolation="nn"
        )
        .populations[0]
        .readout
    )

    np.testing.assert_allclose(readout.trace_offset, 95)
    assert (readout.time_shift, readout.shift_to_first, readout.interpolation) == (2, True, "nn")


def test_terms_that_cannot_be_calibrated_are_stated_for_the_chips_own_neurons_too():
    node = AnalogNeuron(shape=(2,), spike_triggered_adaptation=True, b=0.1)
    mapped = run_map(chain(node, dt=1e-6, hardware_time=True))

    assert codes.ADEX_UNCALIBRATED.code in codes_of(mapped)


def test_convolutions_and_pools_become_sparse_projections():
    nodes = {
        "input": Input(shape=(1, 6, 6)),
        "conv": Conv2d(weight=np.full((2, 1, 3, 3), 0.02), shape=(1, 6, 6)),
        "hidden": lif_of((2, 4, 4)),
        "pool": SumPool2d(shape=(2, 4, 4), kernel_size=(2, 2), stride=(2, 2)),
        "last": lif_of((2, 2, 2)),
        "output": Output(shape=(2, 2, 2)),
    }
    edges = tuple(Edge(a, b) for a, b in zip(nodes, list(nodes)[1:], strict=False))
    network = mapped_network(Graph(nodes, edges, 1e-3, {}))

    counts = [int(q.connected.sum()) for q in network.projections]
    assert counts == [2 * 16 * 9, 2 * 4 * 4]
