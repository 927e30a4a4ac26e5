import numpy as np
import pytest

from ranvier.errors import QuantizationError
from ranvier_loihi.sparse import blocked_from_csr, random_sparse_synapse


def matrix_of(fields, shape, values):
    """Rebuild the dense matrix of a blocked synapse."""
    dense = np.zeros(shape, dtype=int)
    for b, row in enumerate(fields["pointers"]):
        for s in range(shape[1]):
            for k in range(row[s], row[s + 1]):
                dense[b * fields["block"] + fields["targets"][k], s] += values[k]
    return dense


@pytest.mark.parametrize("block", [1, 3, 16, 65536])
def test_blocks_hold_the_matrix(block):
    rng = np.random.default_rng(block)
    weights = rng.integers(-128, 128, (17, 9)) * 2 * (rng.random((17, 9)) < 0.4)
    delays = rng.integers(0, 63, (17, 9)) * (weights != 0)
    rows, columns = np.nonzero(weights)
    indptr = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=17))))

    fields = blocked_from_csr(
        indptr, columns, weights[rows, columns], delays[rows, columns], n_source=9, block=block
    )

    np.testing.assert_array_equal(matrix_of(fields, (17, 9), fields["weights"]), weights)
    np.testing.assert_array_equal(matrix_of(fields, (17, 9), fields["delays"]), delays)
    assert fields["weights"].dtype == np.int16


def test_small_weights_take_a_byte():
    fields = blocked_from_csr(np.array([0, 1]), np.array([0]), np.array([-128]), n_source=1)

    assert fields["weights"].dtype == np.int8
    assert fields["delays"] is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"indptr": np.array([0, 2])}, "does not run from 0 to the 1 indices"),
        ({"indptr": np.array([0, 2, 1])}, "indptr falls"),
        ({"indices": np.array([5])}, "indices are 5..5, there are 2 sources"),
        ({"weights": np.array([300])}, "allowed are -256..255"),
        ({"weights": np.array([1.5])}, "expected 1 integers"),
        ({"delays": np.array([256])}, "allowed are 0..255"),
        ({"block": 65537}, "must be in 1..65536"),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(change, message):
    given = {
        "indptr": np.array([0, 1]),
        "indices": np.array([0]),
        "weights": np.array([2]),
        "n_source": 2,
    } | change

    with pytest.raises(QuantizationError, match=message):
        blocked_from_csr(**given)


def test_random_synapses_have_the_fan_out_and_depend_on_the_seed_only():
    made = [
        random_sparse_synapse(
            "a", "b", n_source=50, n_target=1000, fan_out=37, grid=(-4, 2, 6), seed=seed, block=300
        )
        for seed in (3, 3, 4)
    ]

    per_source = np.diff(made[0].pointers, axis=1).sum(axis=0)
    assert set(per_source) == {37}
    assert set(np.unique(made[0].weights)) == {-4, 2, 6}
    np.testing.assert_array_equal(made[0].targets, made[1].targets)
    assert np.any(made[0].targets != made[2].targets)


def test_random_targets_are_spread_evenly():
    made = random_sparse_synapse("a", "b", n_source=2000, n_target=100, fan_out=100, block=64)

    counts = np.bincount(made.targets[: made.pointers[0, -1]], minlength=64)
    assert np.all(np.abs(counts - 2000) < 6 * np.sqrt(2000))
