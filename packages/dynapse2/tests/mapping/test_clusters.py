import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ranvier_dynapse2 import diagnostics as codes
from ranvier_dynapse2.biases import PARAMETER_BIASES, published_table
from ranvier_dynapse2.mapping._clusters import clusters_of
from ranvier_dynapse2.nodes import CURRENTS, Dpi

graphs = runpy.run_path(str(Path(__file__).with_name("mapping_graphs.py")))
chain, cuba, run_map, refused = (graphs[n] for n in ("chain", "cuba", "run_map", "refused"))
mapped_network = graphs["mapped_network"]


def parameters(n, **changes):
    node = Dpi(shape=(n,), **changes)
    return {name: np.array(node.parameter(name)) for name in CURRENTS}, node.parameter("i_scale")


def test_equal_neurons_are_one_cluster_with_their_values_unchanged():
    currents, scale = parameters(5)
    clusters = clusters_of(currents, scale)
    np.testing.assert_array_equal(clusters.cluster, 0)
    for name in CURRENTS:
        np.testing.assert_array_equal(clusters.currents()[name], currents[name])


def test_clusters_are_numbered_by_their_first_neuron():
    clusters = clusters_of(*parameters(5, i_tau_mem=[9e-12, 5e-12, 9e-12, 2e-12, 5e-12]))
    np.testing.assert_array_equal(clusters.cluster, [0, 1, 0, 2, 1])
    np.testing.assert_array_equal(clusters.sizes, [2, 2, 1])


def test_currents_with_one_bias_code_share_a_cluster_and_keep_that_code():
    table, bias = published_table(), PARAMETER_BIASES["i_tau_mem"]
    code = table.code(bias, 5e-12)
    exact = float(table.current(bias, *code))
    clusters = clusters_of(*parameters(2, i_tau_mem=[exact * 0.999, exact * 1.001]))
    np.testing.assert_array_equal(clusters.cluster, 0)
    assert table.code(bias, clusters.currents()["i_tau_mem"][0]) == code


def test_a_current_of_zero_stays_apart_from_a_small_one():
    clusters = clusters_of(*parameters(2, i_dc=[0.0, 1e-14]))
    np.testing.assert_array_equal(clusters.cluster, [0, 1])


def test_another_current_scale_is_another_cluster():
    clusters = clusters_of(*parameters(2, i_scale=[1e-8, 2e-8]))
    np.testing.assert_array_equal(clusters.cluster, [0, 1])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.01, 0.5))
def test_no_value_moves_by_more_than_the_tolerance_or_its_code(seed, tolerance):
    rng = np.random.default_rng(seed)
    taus = 5e-12 * np.exp(rng.normal(0, 0.3, 40))
    gains = 2e-11 * np.exp(rng.normal(0, 0.3, 40))
    currents, scale = parameters(40, i_tau_mem=taus, i_gain_mem=gains)
    merged = clusters_of(currents, scale, tolerance=tolerance)
    for name in ("i_tau_mem", "i_gain_mem"):
        table, bias = published_table(), PARAMETER_BIASES[name]
        for new, old in zip(merged.currents()[name], currents[name], strict=True):
            same_code = table.code(bias, new) == table.code(bias, old)
            assert same_code or abs(np.log(new / old)) <= np.log1p(tolerance) * (1 + 1e-9)
    assert len(merged.values) <= len(clusters_of(currents, scale).values)


def test_merged_clusters_take_the_geometric_mean_of_their_neurons():
    currents, scale = parameters(3, i_tau_mem=[4e-12, 4e-12, 5e-12])
    merged = clusters_of(currents, scale, tolerance=0.3)
    np.testing.assert_allclose(merged.currents()["i_tau_mem"], 80 ** (1 / 3) * 1e-12)


def test_merging_keeps_synaptic_currents_and_reports_the_largest_change():
    graph = chain(
        Dpi(shape=(3,), i_scale=[1e-8, 1.1e-8, 1.2e-8], i_tau_mem=[5e-12, 5.5e-12, 6e-12])
    )
    mapped = run_map(graph, tolerance=0.25)
    network = graphs["network_of"](mapped)
    assert np.unique(network.core).size == 1
    current = np.bincount(
        network.synapse_target, network.synapse_weight * network.i_scale[network.synapse_target]
    )
    np.testing.assert_allclose(current, [1e-8, 1.1e-8, 1.2e-8])
    [loss] = [d for d in mapped.diagnostics if d.code == codes.CLUSTERS_MERGED.code]
    mean = (5 * 5.5 * 6) ** (1 / 3)
    assert loss.value == pytest.approx(mean / 5 - 1)
    assert "i_tau_mem" in loss.message


def test_neurons_with_one_code_are_joined_without_a_loss():
    mapped = run_map(chain(Dpi(shape=(3,), i_spkthr=[1e-7, 1.00001e-7, 1.00002e-7])))
    assert mapped.diagnostics == ()


def test_clusters_never_share_a_core_and_large_ones_spread():
    graph = chain(cuba(700, tau_mem=np.repeat([10e-3, 20e-3], [600, 100])), np.ones((700, 2)))
    network = mapped_network(graph)
    place = network.chip * 4 + network.core
    assert not set(place[:600]) & set(place[600:])
    assert np.unique(place[:600]).size == 3


def test_too_many_parameter_sets_are_refused_with_a_tolerance_that_would_do():
    graph = chain(cuba(40, tau_mem=np.geomspace(10e-3, 40e-3, 40)), np.ones((40, 2)))
    [error] = refused(graph)
    assert (error.code, error.value, error.limit) == (codes.PARAMETER_SETS.code, 40, 16)
    assert "40 different sets" in error.message
    assert "tolerance=0.1 would do" in error.hint
    assert mapped_network(graph, tolerance=0.1).n_neurons == 40
    assert [d.code for d in refused(graph, tolerance=0.01)] == [codes.PARAMETER_SETS.code]
