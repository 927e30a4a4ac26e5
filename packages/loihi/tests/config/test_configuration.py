import numpy as np
import pytest
from pydantic import ValidationError

import ranvier as rv
from ranvier.artifacts import OutputChannel, Placement
from ranvier_loihi.config import (
    ConvSynapse,
    DenseSynapse,
    LoihiConfig,
    Population,
    SparseSynapse,
    Tap,
)


def placed(**sizes):
    rows, slot = [], 0
    for name, size in sizes.items():
        rows.append((name, np.arange(size), "neuron", slot + np.arange(size)))
        slot += size
    return Placement.from_rows(rows)


def config(*, population=None, synapse=None, **changes):
    neurons = {"name": "a", "model": "lif", "shape": (3,), **(population or {})}
    dense = {"source": "input", "target": "a", "weights": np.full((3, 2), 2, dtype=np.int16)}
    fields = {
        "target": "loihi2",
        "dt": 1e-3,
        "input_shapes": {"input": (2,)},
        "outputs": (OutputChannel(output="output", node="a"),),
        "node_shapes": {"a": (3,)},
        "placement": placed(a=3),
        "populations": (Population(**neurons),),
        "synapses": (DenseSynapse(**{**dense, **(synapse or {})}),),
    }
    return LoihiConfig(**{**fields, **changes})


def sparse(**changes):
    fields = {
        "source": "input",
        "target": "a",
        "block": 2,
        "pointers": np.array([[0, 1, 2], [2, 3, 3]]),
        "targets": np.array([0, 1, 0], dtype=np.uint16),
        "weights": np.array([2, -4, 8], dtype=np.int8),
    }
    return SparseSynapse(**{**fields, **changes})


def test_a_configuration_survives_the_container(tmp_path):
    tap = Tap(name="later", source="a", delay=np.array([0, 1, 2]))
    original = config(
        synapses=(config().synapses[0], sparse()), taps=(tap,), resources={"neurons": 4095}
    )

    rv.save(original, tmp_path / "net.rv")
    again = rv.load(tmp_path / "net.rv")

    assert again == original
    assert again.synapses[1].targets.dtype == np.uint16
    assert "a: lif (3,)" in str(again)


def test_registers_broadcast_to_every_neuron():
    population = config(population={"decay_v": np.array([128])}).populations[0]

    np.testing.assert_array_equal(population.register("decay_v"), [128, 128, 128])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"decay_u": np.array([4097])}, "decay_u is 4097..4097, allowed are 0..4096"),
        ({"threshold": np.array([131072])}, "allowed are 0..131071"),
        ({"bias_mant": np.array([4096])}, "allowed are -4096..4095"),
        ({"bias_exp": np.array([8])}, "allowed are 0..7"),
        ({"refractory": np.array([64])}, "allowed are 1..63"),
        ({"threshold": np.array([1.5])}, "expected integers"),
        ({"decay_v": np.array([1, 2])}, r"has shape \(2,\), expected \(1,\) or \(3,\)"),
        ({"drive": "nothing"}, "is driven by 'nothing', which is no input"),
        ({"drive": "input"}, "3 neurons are driven by 2 channels"),
        ({"v_lsb": np.array([np.nan])}, "not finite"),
    ],
)
def test_registers_out_of_range_are_refused_with_the_limit(change, message):
    with pytest.raises(ValidationError, match=message):
        config(population=change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": np.full((3, 2), 3)}, "not multiples of 2"),
        ({"weights": np.full((3, 2), 256)}, "allowed are -256..254"),
        ({"weights": np.full((2, 3), 2)}, r"expected \(3, 2\)"),
        ({"weight_exp": 16}, "weight_exp 16 must be in -8..15"),
        ({"axon_delay": np.array([63])}, "delays up to 63 steps, allowed are 0..62"),
        (
            {"delays": np.full((3, 2), 40), "axon_delay": np.array([30])},
            "delays up to 70 steps",
        ),
        ({"port": "re"}, "model 'lif' has no port 're'"),
        ({"source": "b"}, "neither an input nor a population"),
        ({"num_weight_bits": 6}, "not multiples of 8"),
    ],
)
def test_synapses_out_of_range_are_refused_with_the_limit(change, message):
    with pytest.raises(ValidationError, match=message):
        config(synapse=change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"targets": np.array([0, 1, 1], dtype=np.uint16)}, "block 1 has target 1, it holds 1"),
        ({"pointers": np.array([[0, 1, 2], [2, 3, 4]])}, "pointers do not run from 0 to 3"),
        ({"pointers": np.zeros((3, 3), dtype=np.int64)}, "pointers have shape"),
    ],
)
def test_malformed_sparse_synapses_are_refused(change, message):
    with pytest.raises(ValidationError, match=message):
        config(synapses=(sparse(**change),))


def test_a_convolution_must_fit_its_ends():
    conv = ConvSynapse(
        source="input", target="a", weights=np.full((1, 1, 1, 1), 2), input_shape=(1, 1, 2)
    )

    with pytest.raises(ValidationError, match="the ends have 2 and 3"):
        config(synapses=(conv,))


def test_all_problems_are_reported_at_once():
    with pytest.raises(ValidationError) as caught:
        config(population={"decay_u": np.array([-1])}, synapse={"weight_exp": 16}, chips=0)

    for part in ("decay_u", "weight_exp 16", "chips is 0"):
        assert part in str(caught.value)


def test_every_neuron_needs_a_place():
    with pytest.raises(ValidationError, match="'a' has 2 places for 3 neurons"):
        config(placement=placed(a=2))
