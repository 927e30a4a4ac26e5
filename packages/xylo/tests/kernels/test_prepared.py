import runpy
from pathlib import Path

import numpy as np
import pytest

from ranvier_xylo.kernels import prepare

random_network = runpy.run_path(str(Path(__file__).parents[1] / "random_networks.py"))[
    "random_network"
]
networks = pytest.mark.parametrize("seed", range(10))


def network(seed):
    return random_network(np.random.default_rng(seed), version=2)


@networks
def test_rows_hold_inputs_then_hidden_neurons_then_zeros(seed):
    arrays = network(seed)
    rows = prepare(arrays).fan.rows

    n_ien = arrays.weights_in.shape[1]
    np.testing.assert_array_equal(rows[: arrays.n_in, :n_ien], arrays.weights_in[:, :, 0])
    np.testing.assert_array_equal(
        rows[arrays.n_in :, : arrays.n_hidden][:-1], arrays.weights_rec[:, :, 0]
    )
    assert not rows[-1].any()
    assert not rows[:, arrays.n_hidden :].any()


@networks
def test_a_part_of_a_count_times_a_shifted_weight_fits_into_16_bits(seed):
    net = prepare(network(seed))
    rows = np.maximum(np.abs(net.fan.rows[:-1].astype(int)).max(axis=1), 1)

    assert (rows * net.most << net.shift).max() <= 32767
    assert net.most.min() >= 1


@networks
def test_listed_sources_have_the_same_weights_as_their_rows(seed):
    net = prepare(network(seed))
    fan = net.fan
    listed = fan.sparse | (net.n_listed > 0)
    rebuilt = np.zeros_like(fan.rows)
    for source in np.flatnonzero(listed):
        entries = slice(fan.pointers[source], fan.pointers[source + 1])
        rebuilt[source, fan.targets[entries]] = fan.weights[entries]

    np.testing.assert_array_equal(rebuilt[:-1], fan.rows[:-1] * listed[:, None])
