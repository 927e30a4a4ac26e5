import runpy
from pathlib import Path

import numpy as np
import pytest

from ranvier.graph import AdEx
from ranvier_bss2.nodes import AnalogNeuron

helpers = runpy.run_path(str(Path(__file__).parents[1] / "small_graphs.py"))
chain, lif, li, looped = (helpers[n] for n in ("chain", "lif", "li", "looped"))
numeric, reference, spikes_for = (helpers[n] for n in ("numeric", "reference", "spikes_for"))

# float32 numerics against float64 of the reference
RTOL = 2e-4


def compare(graph, *, steps=60, **options):
    """Compare all membranes after cutting both runs to the same steps of the graph."""
    spikes = spikes_for(graph, steps=steps)
    mapped, found = numeric(graph, spikes, **options)
    expected = reference(graph, spikes)
    for name, trace in found.items():
        late = mapped.latency[name]
        wanted = expected.trace(name, "v_mem").reshape(trace.shape)
        np.testing.assert_allclose(
            trace[:, late:], wanted[:, : steps - late], rtol=RTOL, atol=RTOL, err_msg=name
        )
    return found, expected


@pytest.mark.parametrize("decay", ["exponential", "euler", "bitshift"])
def test_a_mapped_network_computes_the_graph_one_step_later_per_layer(decay):
    graph = chain(lif(6, decay=decay), lif(5, decay=decay), li(3, decay=decay), scale=2.0)

    _, expected = compare(graph)

    assert expected.raster("layer0").any()
    assert expected.raster("layer1").any()


def test_refractory_times_and_resting_potentials_keep_their_meaning():
    graph = chain(
        lif(6, refractory=2e-3, v_rest=0.5, v_reset=0.2, threshold=1.6), li(2, v_rest=-0.3), scale=2
    )

    _, expected = compare(graph)

    assert expected.raster("layer0").any()


def test_a_scale_that_uses_the_full_range_changes_no_membrane():
    compare(chain(lif(6), li(3), scale=2.0), range="full")


def test_clocks_of_the_graph_and_of_the_chip_may_be_the_same():
    graph = chain(lif(4, tau_mem=10e-6, tau_syn=5e-6), scale=2.0, dt=1e-6, hardware_time=True)

    compare(graph)


def test_adex_neurons_take_no_extra_step():
    adex = AdEx(
        shape=(5,),
        tau_mem=10e-3,
        tau_syn=5e-3,
        tau_adaptation=30e-3,
        slope=0.2,
        v_exp=1.5,
        a=0.1,
        b=0.2,
        threshold=2.0,
    )
    graph = chain(adex, scale=8.0)

    _, expected = compare(graph)

    assert expected.raster("layer0").any()


def test_a_loop_with_the_delay_of_the_chip_is_exact():
    weight = np.random.default_rng(3).normal(0, 0.4, (5, 5))

    _, expected = compare(looped(weight, delay=2, threshold=0.8))

    assert expected.raster("layer0").any()


def test_a_bias_is_exact_once_it_has_settled():
    graph = chain(lif(4, bias=0.02), li(2), biases={0: np.full(4, 0.005)}, scale=0.0)
    spikes = spikes_for(graph, steps=200)
    _, found = numeric(graph, spikes)

    wanted = reference(graph, spikes).trace("layer0", "v_mem")

    np.testing.assert_allclose(found["layer0"][:, -1], wanted[:, -1], rtol=1e-3)


def test_neurons_of_the_chip_are_taken_as_they_are():
    node = AnalogNeuron(shape=(3,), tau_mem=8e-6, tau_syn=4e-6, capacitance=8e-6)
    graph = chain(node, n_in=3, weights=[np.diag([1.0, -0.5, 0.25])], dt=1e-6, hardware_time=True)
    spikes = np.zeros((1, 12, 3))
    spikes[:, 0] = 1
    mapped, found = numeric(graph, spikes)

    i, v = np.array([1.0, -0.5, 0.25]), np.zeros(3)
    for step in range(1, 12):
        v = v + (i - v) / 8
        i = i * 0.75
        np.testing.assert_allclose(found["layer0"][0, step], v, rtol=1e-4, atol=1e-6)
    assert mapped.latency["layer0"] == 0
