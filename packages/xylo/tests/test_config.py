import numpy as np
import pytest
from pydantic import ValidationError

from ranvier.artifacts import OutputChannel, Placement
from ranvier_xylo import XyloConfig


def fields(n_in=2, n_ien=3, n_hid=4, n_oen=2, n_out=1, n_syn=1, **changes):
    rows = [("in", range(n_in), "input", range(n_in))]
    rows += [("h", range(n_hid), "hidden", range(n_hid))]
    rows += [("o", range(n_out), "output", range(n_out))]
    base = {
        "target": "xylo-audio3",
        "dt": 1e-3,
        "input_shapes": {"in": (n_in,)},
        "outputs": (OutputChannel(output="out", node="o"),),
        "node_shapes": {"h": (n_hid,), "o": (n_out,)},
        "placement": Placement.from_rows((n, list(i), p, list(s)) for n, i, p, s in rows),
        "weights_in": np.ones((n_in, n_ien, n_syn), int),
        "weights_rec": np.zeros((n_hid, n_hid, n_syn), int),
        "weights_out": np.ones((n_oen, n_out), int),
        "dash_syn": np.ones((n_hid, n_syn), int),
        "i_lsb": np.ones((n_hid, n_syn)),
        "aliases": np.full(n_hid, -1),
    }
    for suffix, n in (("", n_hid), ("_out", n_out)):
        base |= {f"dash_mem{suffix}": np.ones(n, int), f"threshold{suffix}": np.full(n, 100)}
        base |= {f"bias{suffix}": np.zeros(n, int), f"v_lsb{suffix}": np.ones(n)}
    base |= {"dash_syn_out": np.ones(n_out, int), "i_lsb_out": np.ones(n_out)}
    base |= {"v_offset_out": np.zeros(n_out)}
    return {**base, **changes}


def message_of(**changes):
    with pytest.raises(ValidationError) as caught:
        XyloConfig(**fields(**changes))
    return str(caught.value)


def test_registers_take_their_width_and_are_read_only():
    config = XyloConfig(**fields())
    assert config.weights_in.dtype == np.int8
    assert config.threshold.dtype == np.int16
    assert config.dash_syn.dtype == np.uint8
    with pytest.raises(ValueError, match="read-only"):
        config.weights_in[0, 0, 0] = 2


def test_the_edges_of_every_register_are_accepted():
    edge = {
        "weights_in": np.array([[[-128]] * 3, [[127]] * 3]),
        "weight_shift_in": 7,
        "dash_mem": np.array([1, 15, 1, 15]),
        "threshold": np.array([1, 32767, 1, 1]),
        "bias": np.array([-128, 127, 0, 0]),
        "aliases": np.array([3, -1, -1, -1]),
    }
    assert XyloConfig(**fields(**edge)).bias_enabled


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("weights_in", np.full((2, 3, 1), 128), "weights_in spans 128..128, allowed are -128..127"),
        ("weights_out", np.full((2, 1), -129), "allowed are -128..127"),
        ("weight_shift_rec", 8, "weight_shift_rec spans 8..8, allowed are 0..7"),
        ("dash_mem", np.zeros(4, int), "dash_mem spans 0..0, allowed are 1..15"),
        ("dash_syn_out", np.full(1, 16), "allowed are 1..15"),
        ("threshold", np.zeros(4, int), "threshold spans 0..0, allowed are 1..32767"),
        ("threshold_out", np.full(1, 32768), "allowed are 1..32767"),
        ("bias", np.full(4, 128), "bias spans 128..128, allowed are -128..127"),
        ("aliases", np.array([1, 0, -1, -1]), "an alias must point to a higher id"),
        ("aliases", np.array([0, -1, -1, -1]), "an alias must point to a higher id"),
        ("aliases", np.full(4, 4), "aliases spans 4..4, allowed are -1..3"),
        ("v_lsb", np.full(4, np.nan), "v_lsb has NaN or infinite values"),
        ("weights_in", np.ones((2, 5, 1), int), "n_ien is 5, more than the 4 hidden neurons"),
        ("weights_rec", np.zeros((4, 3, 1), int), "weights_rec has shape (4, 3, 1), expected"),
        ("weights_in", np.ones((2, 3, 1)), "dtype float64; registers hold integers"),
        ("threshold_out", np.zeros(0, int), "threshold_out is empty"),
        ("target", "xylo-audio4", "no target 'xylo-audio4'; targets: xylo-v1"),
        ("readout", "v", "readout"),
    ],
)
def test_what_does_not_fit_is_named_with_its_range(name, value, text):
    assert text in message_of(**{name: value})


def test_all_problems_come_in_one_error():
    text = message_of(
        weights_in=np.full((2, 3, 1), 200),
        threshold=np.full(4, -5),
        dash_mem=np.full(4, 16),
        aliases=np.array([-1, 0, -1, -1]),
    )
    for part in ("weights_in spans", "threshold spans -5..-5", "dash_mem", "higher id"):
        assert part in text


@pytest.mark.parametrize(
    ("target", "sizes", "text"),
    [
        ("xylo-imu", {"n_in": 17}, "input channels: 17, the chip has 16"),
        ("xylo-imu", {"n_hid": 497}, "hidden neurons: 497, the chip has 496"),
        ("xylo-audio3", {"n_out": 33}, "output neurons: 33, the chip has 32"),
        ("xylo-audio3", {"n_hid": 140, "n_ien": 129}, "neurons with input: 129, the chip has 128"),
        ("xylo-audio3", {"n_hid": 140, "n_oen": 129}, "neurons with output: 129, the chip has 128"),
        ("xylo-imu", {"n_syn": 2}, "2 synapses per neuron, allowed are 1..1"),
    ],
)
def test_resources_of_the_target(target, sizes, text):
    assert text in message_of(target=target, **sizes)


def test_fan_out_and_total_of_recurrent_weights():
    rec = np.zeros((70, 70, 1), int)
    rec[0, :63] = 1
    XyloConfig(**fields(target="xylo-audio2", n_hid=70, weights_rec=rec))
    rec[0, 63] = 1
    text = message_of(target="xylo-audio2", n_hid=70, weights_rec=rec)
    assert "recurrent targets of one neuron: 64, the chip has 63" in text
    full = np.ones((200, 200, 1), int)
    text = message_of(target="xylo-audio3", n_hid=200, weights_rec=full)
    assert "recurrent weights: 40000, the chip has 31744" in text


def test_a_bias_on_a_chip_without_bias():
    text = message_of(target="xylo-v1", bias=np.full(4, 1))
    assert "bias spans 1..1, allowed are 0..0" in text


def test_a_slot_that_is_used_twice():
    rows = [("in", [0, 1], "input", [0, 1]), ("h", [0, 1, 2, 3], "hidden", [0, 1, 2, 2])]
    rows += [("o", [0], "output", [0])]
    text = message_of(placement=Placement.from_rows(rows))
    assert "placement: hidden has 4 slots, expected 0..3 once" in text


def test_a_payload_round_trip_keeps_everything():
    config = XyloConfig(**fields(n_syn=2, weight_shift_out=3, readout="v_mem"))
    again = XyloConfig.from_payload(*config.to_payload())
    assert again == config
    assert again.weights_in.dtype == np.int8


def test_the_summary_shows_what_is_used_of_what_there_is():
    text = str(XyloConfig(**fields()))
    assert "hidden neurons     4 of 992" in text
    assert "recurrent weights  0 of 31744" in text


@pytest.mark.parametrize("n_syn", [1, 2])
def test_the_core_gets_two_dashes_per_neuron(n_syn):
    arrays = XyloConfig(**fields(n_syn=n_syn)).core_arrays()
    assert arrays.dash_syn.shape == (4, 2)
    assert arrays.version == 2
