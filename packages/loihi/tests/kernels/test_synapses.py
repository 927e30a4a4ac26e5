import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ranvier_loihi.config import ConvSynapse, SparseSynapse
from ranvier_loihi.simulator import LoihiSession
from ranvier_loihi.sparse import blocked_from_csr

nets = runpy.run_path(str(Path(__file__).parents[1] / "loihi_networks.py"))
assert_same_as_scalar, dense = nets["assert_same_as_scalar"], nets["dense"]
network, population = nets["network"], nets["population"]


def spikes(rng, steps, n, *, rate=0.3, most=1):
    return rng.integers(1, most + 1, (steps, n)) * (rng.random((steps, n)) < rate)


def lif(name, n, **fields):
    return population(name, n, **({"decay_u": 900, "decay_v": 200, "threshold": 150} | fields))


def sparse(matrix, *, mask, delays=None, block=7, source="input", target="a", **fields):
    rows, columns = np.nonzero(mask)
    indptr = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=len(mask)))))
    built = blocked_from_csr(
        indptr,
        columns,
        matrix[rows, columns],
        None if delays is None else delays[rows, columns],
        n_source=mask.shape[1],
        block=block,
    )
    return SparseSynapse(source=source, target=target, **built, **fields)


def made(rng, kind, n_target, n_source, *, delays=None, **fields):
    weights = rng.integers(-128, 128, (n_target, n_source)) * 2
    if kind == "dense":
        return dense(weights, delays=delays, **fields)
    mask = rng.random(weights.shape) < 0.3
    return sparse(weights, mask=mask, delays=delays, **fields)


@pytest.mark.parametrize("kind", ["dense", "sparse"])
@pytest.mark.parametrize("exponent", [-8, -3, -1, 0, 1, 7])
def test_the_exponent_shifts_the_sum(kind, exponent):
    rng = np.random.default_rng(exponent + 8)
    config = network([lif("a", 20)], [made(rng, kind, 20, 30, weight_exp=exponent)])

    assert_same_as_scalar(config, spikes(rng, 40, 30, rate=0.5))


@pytest.mark.parametrize("kind", ["dense", "sparse"])
@pytest.mark.parametrize("bits", [0, 1, 24])
@pytest.mark.parametrize("exponent", [-2, 2])
def test_messages_count_once_or_by_value(kind, bits, exponent):
    rng = np.random.default_rng(bits)
    synapse = made(rng, kind, 9, 12, num_message_bits=bits, weight_exp=exponent)
    config = network([lif("a", 9)], [synapse])

    recording, _ = assert_same_as_scalar(config, spikes(rng, 40, 12, most=9))

    assert ("LO233" in [d.code for d in recording.diagnostics]) == (bits == 0)


def test_huge_messages_do_not_overflow():
    config = network(
        [population("a", 2, threshold=131071)],
        [dense([[254, 254], [-256, 2]], num_message_bits=32, weight_exp=7)],
    )

    assert_same_as_scalar(config, np.full((9, 2), 2**31 - 1))


@pytest.mark.parametrize("kind", ["dense", "sparse"])
@pytest.mark.parametrize("exponent", [-3, 0, 2])
@pytest.mark.parametrize("most_axon", [0, 5, 31])
@pytest.mark.parametrize("most_delay", [0, 4, 31])
def test_delays_of_axons_and_synapses_add_up(kind, exponent, most_axon, most_delay):
    rng = np.random.default_rng(most_axon + most_delay)
    delays = rng.integers(0, most_delay + 1, (11, 13)).astype(np.uint8)
    synapse = made(
        rng, kind, 11, 13, delays=delays, weight_exp=exponent,
        axon_delay=rng.integers(0, most_axon + 1, 13),
    )  # fmt: skip
    config = network([lif("a", 11)], [synapse])

    assert_same_as_scalar(config, spikes(rng, 90, 13))


@pytest.mark.parametrize("delay", [0, 1, 61, 62])
def test_a_spike_arrives_one_step_and_its_delay_later(delay):
    config = network(
        [population("a", 1, decay_v=4096)], [dense([[2]], axon_delay=np.array([delay]))]
    )
    x = np.zeros((70, 1), dtype=int)
    x[3] = 1

    recording, _ = assert_same_as_scalar(config, x)

    assert np.flatnonzero(recording["a", "i_syn"].values).tolist() == [4 + delay]


def test_graded_messages_through_delays():
    rng = np.random.default_rng(5)
    delays = rng.integers(0, 9, (6, 8)).astype(np.uint8)
    for kind in ("dense", "sparse"):
        synapse = made(rng, kind, 6, 8, delays=delays, num_message_bits=8, weight_exp=-2)
        config = network([lif("a", 6)], [synapse])

        assert_same_as_scalar(config, spikes(rng, 50, 8, most=7))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"stride": (2, 1)},
        {"stride": (3, 2), "padding": (2, 1)},
        {"padding": (3, 3)},
        {"dilation": (2, 3), "padding": (2, 0)},
        {"groups": 2},
        {"groups": 4, "stride": (2, 2), "padding": (1, 1), "dilation": (1, 2)},
        {"num_message_bits": 8, "stride": (1, 2)},
        {"axon_delay": np.arange(4 * 7 * 9) % 5},
        {"axon_delay": np.array([3])},
    ],
)
def test_convolutions_equal_the_scalar_model(fields):
    rng = np.random.default_rng(1)
    groups = fields.get("groups", 1)
    synapse = ConvSynapse(
        source="input",
        target="a",
        weights=(rng.integers(-60, 60, (8, 4 // groups, 3, 2)) * 2).astype(np.int16),
        input_shape=(4, 7, 9),
        **fields,
    )
    config = network([lif("a", synapse.output_shape)], [synapse], inputs={"input": (4, 7, 9)})

    recording, _ = assert_same_as_scalar(
        config, spikes(rng, 12, 4 * 7 * 9, most=3).reshape(12, 4, 7, 9)
    )

    assert recording["a", "spikes"].total > 0


def test_the_sum_of_a_convolution_wraps_at_24_bits():
    synapse = ConvSynapse(
        source="input",
        target="a",
        weights=np.array([254, -256], dtype=np.int16).reshape(2, 1, 1, 1),
        input_shape=(1, 1, 3),
        num_message_bits=24,
    )
    config = network(
        [population("a", (2, 1, 3), threshold=131071)], [synapse], inputs={"input": (1, 1, 3)}
    )

    recording, lost = assert_same_as_scalar(
        config,
        np.array([[[[33025, 33026, 32768]]], [[[70000, 1, 0]]], [[[0, 0, 0]]]]).reshape(3, 1, 1, 3),
    )

    found = [d.value for d in recording.diagnostics if d.code == "LO234"]
    assert found == [lost["synapse 0"]] == [4]


def test_several_synapses_into_one_population_add_up():
    rng = np.random.default_rng(2)
    config = network(
        [lif("a", 12), lif("b", 9)],
        [
            made(rng, "dense", 12, 10),
            made(rng, "sparse", 12, 10, weight_exp=-1),
            made(rng, "dense", 9, 12, source="a", target="b"),
            made(rng, "dense", 9, 10, target="b", axon_delay=np.array([4])),
        ],
    )

    assert_same_as_scalar(config, spikes(rng, 60, 10))


@pytest.mark.parametrize("delayed", [False, True])
def test_recurrent_networks_equal_the_scalar_model(delayed):
    rng = np.random.default_rng(3)

    def delay(n):
        return rng.integers(2, 9, n) if delayed else np.zeros(n, dtype=int)

    config = network(
        [lif("c", 5), lif("b", 9), lif("a", 12)],
        [
            made(rng, "dense", 12, 10),
            made(rng, "sparse", 12, 12, source="a", target="a", axon_delay=delay(12)),
            made(rng, "dense", 9, 12, source="a", target="b", axon_delay=delay(12)),
            made(rng, "dense", 12, 9, source="b", target="a", axon_delay=delay(9)),
            made(rng, "dense", 5, 9, source="b", target="c"),
        ],
        output="c",
    )

    recording, _ = assert_same_as_scalar(config, spikes(rng, 300, 10))

    assert recording["c", "spikes"].total > 0


def test_layers_larger_than_a_chunk_equal_the_scalar_model():
    rng = np.random.default_rng(4)
    config = network(
        [lif("a", 30000), lif("b", 2)],
        [dense(rng.integers(-128, 128, (30000, 2)) * 2), made(rng, "dense", 2, 30000,
         source="a", target="b", weight_exp=-4)],
    )  # fmt: skip

    assert_same_as_scalar(config, spikes(rng, 11, 2, rate=0.6))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), cut=st.integers(0, 40), exponent=st.integers(-8, 7))
def test_two_runs_equal_one(seed, cut, exponent):
    rng = np.random.default_rng(seed)
    kind = ("dense", "sparse")[seed % 2]
    delays = rng.integers(0, 1 + seed % 9, (7, 8)).astype(np.uint8)
    synapses = [
        made(rng, kind, 7, 8, delays=delays, weight_exp=exponent, axon_delay=rng.integers(0, 6, 8)),
        made(rng, "dense", 7, 7, source="a", target="a"),
    ]
    config = network([lif("a", 7, refractory=3, reset_interval=11)], synapses)
    x = spikes(rng, 40, 8)

    whole = LoihiSession(config).run(x, record=["v_mem"])["a", "v_mem"].values
    session = LoihiSession(config)
    parts = [
        session.run(part, record=["v_mem"])["a", "v_mem"].values for part in (x[:cut], x[cut:])
    ]

    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
