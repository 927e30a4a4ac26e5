import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ranvier.errors import InputError
from ranvier_dynapse2.dpi import DpiParameters, Synapses, run_routed
from ranvier_dynapse2.nodes import Dpi


def neurons(n, model="merged_synapse"):
    return DpiParameters.of_node(Dpi(shape=(n,), model=model), dt=1e-3)


def test_pairs_in_any_order_become_rows():
    s = Synapses.of_pairs(
        4, [2, 0, 2, 1], target=[5, 1, 4, 0], port=[0, 1, 2, 3], weight=[1.0, 2.0, 3.0, 4.0]
    )
    assert_array_equal(s.indptr, [0, 1, 2, 4, 4])
    assert_array_equal(s.target, [1, 0, 5, 4])
    assert_array_equal(s.port, [1, 3, 0, 2])
    assert_array_equal(s.weight, [2, 4, 1, 3])
    assert s.n_sources == 4


def test_a_matrix_gives_its_entries_that_are_not_0():
    matrix = np.array([[0.0, 2.0], [-3.0, 0.0], [0.0, 0.0]])
    s = Synapses.of_matrix(matrix, port=1)
    assert_array_equal(s.indptr, [0, 1, 2, 2])
    assert_array_equal(s.weight, [2, -3])
    assert_array_equal(s.port, [1, 1])


def test_the_merged_model_subtracts_gaba_and_shunt():
    counts = np.random.default_rng(0).poisson(0.5, (1, 100, 4))
    signs = np.array([1.0, -1.0, 1.0, -1.0])

    def run(port, weight):
        s = Synapses.of_pairs(4, range(4), target=[0] * 4, port=port, weight=weight)
        none = Synapses.none(1)
        return run_routed(neurons(1), counts, synapses_in=s, synapses_rec=none, record=("i_syn",))

    size = np.array([9.0, 3.0, 7.0, 2.0])
    by_port, by_sign = run(np.arange(4), size), run(0, size * signs)
    assert by_port.spikes.sum() > 0
    assert_array_equal(by_port.traces["i_syn"], by_sign.traces["i_syn"])


@pytest.mark.parametrize("model", ["merged_synapse", "four_synapse"])
def test_full_rows_and_scattered_synapses_give_the_same(model):
    rng = np.random.default_rng(1)
    n, channels = 48, 20
    parameters = neurons(n, model)
    ports = parameters.n_ports
    port, source, target = np.nonzero(rng.random((ports, channels, n)) < 0.5)
    weight = rng.normal(0.5, 1.0, source.size) if ports == 1 else rng.uniform(0, 1, source.size)
    ends = {"target": target, "port": port, "weight": weight}
    dense = Synapses.of_pairs(channels, source, **ends)
    assert dense.wiring(parameters).rows.shape == (channels, ports, n)
    # An entry that occurs twice cannot be in a full row.
    twice = Synapses.of_pairs(
        channels + 1,
        np.append(source, [channels, channels]),
        target=np.append(target, [0, 0]),
        port=np.append(port, [0, 0]),
        weight=np.append(weight, [1, 1]),
    )
    assert twice.wiring(parameters).rows.size == 0
    counts = rng.poisson(0.2, (2, 60, channels))
    more = np.concatenate([counts, np.zeros((2, 60, 1), dtype=int)], axis=2)
    none = Synapses.none(n)
    names = (*parameters.synapse_states, "i_mem")
    a = run_routed(parameters, counts, synapses_in=dense, synapses_rec=none, record=names)
    b = run_routed(parameters, more, synapses_in=twice, synapses_rec=none, record=names)
    for name in names:
        assert_array_equal(a.traces[name], b.traces[name])


def test_what_the_kernels_need_is_prepared_once():
    parameters = neurons(2)
    s = Synapses.of_matrix(np.ones((3, 2)))
    assert s.wiring(parameters) is s.wiring(parameters)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"port": [4, 0]}, "port is 4, must be below 4"),
        ({"target": [-1, 0]}, "target is -1, must be >= 0"),
        ({"target": [0.5, 0.0]}, "target is float64, must be whole numbers"),
        ({"weight": [np.inf, 0.0]}, "1 weights are not finite"),
        ({"weight": [1.0]}, "2 targets, 2 ports and 1 weights"),
        ({"indptr": [0, 1]}, "must rise from 0 to the number of synapses, 2"),
        ({"indptr": [0, 3, 2]}, "must rise"),
        ({"target": [[0, 1]]}, "target has 2 axes"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(change, message):
    arrays = {"indptr": [0, 2], "target": [0, 1], "port": [0, 0], "weight": [1.0, 2.0], **change}
    with pytest.raises(InputError, match=message):
        Synapses(**{name: np.asarray(a) for name, a in arrays.items()})


def test_sources_beyond_their_number_are_refused():
    with pytest.raises(InputError, match=r"sources 1\.\.3, there are 3"):
        Synapses.of_pairs(3, [1, 3], target=[0, 0], weight=[1.0, 1.0])
