import runpy
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from ranvier_dynapse2 import SimulateOptions, VirtualChip
from ranvier_dynapse2.biases import PARAMETER_BIASES
from ranvier_dynapse2.config import LATCHES
from ranvier_dynapse2.layout import LAYOUT
from ranvier_dynapse2.nodes import CONSTANTS, CURRENTS
from ranvier_dynapse2.simulator import prepare_board

boards = runpy.run_path(str(Path(__file__).parents[1] / "random_configs.py"))
random_config, wired_config, replaced = (
    boards[n] for n in ("random_config", "wired_config", "replaced")
)
IDEAL = SimulateOptions()
A, B, C = (0, 1, 20), (1, 3, 200), (1, 0, 7)
"""Three physical neurons."""


def two_chips(**changes):
    """Input 0 drives A, A drives B and C, the synapses are of all kinds."""
    fields = {
        "chips": 2,
        "channels": 2,
        "packets": [(0, 5, 0b0010, 0)],
        "words": [(A, 1500, 0b1001, 1)],
        "entries": [
            (A, 5, "ampa", 15),
            (B, 1500, "gaba", 3),
            (B, 1500, "nmda", 1),
            (C, 1500, "shunt", 8),
        ],
    }
    return wired_config({"hidden": [A], "out": [B, C]}, **{**fields, **changes})


def coded(config, name, at, code):
    """A configuration with one bias of one core changed."""
    k = config.bias_names.index(name)
    coarse, fine = np.array(config.bias_coarse), np.array(config.bias_fine)
    coarse[(*at, k)], fine[(*at, k)] = code
    return replaced(config, bias_coarse=coarse, bias_fine=fine)


def latched(config, name, place, value=True):
    latches = np.array(config.latches)
    latches[(*place, LATCHES.index(name))] = value
    return replaced(config, latches=latches)


def test_identities_of_neurons_are_kept():
    board = prepare_board(two_chips(), IDEAL)
    assert board.positions.tolist() == [256 + 20, 1024 + 7, 1024 + 3 * 256 + 200]
    assert {n: c.tolist() for n, c in board.columns.items()} == {"hidden": [0], "out": [2, 1]}
    rec, first = board.synapses_rec, board.synapses_in
    assert first.indptr.tolist() == [0, 1, 1]
    assert first.target.tolist() == [0]
    assert rec.indptr.tolist() == [0, 3, 3, 3]
    assert rec.target.tolist() == [1, 2, 2]
    assert rec.port.tolist() == [3, 1, 2]


def test_weights_are_sums_of_the_base_currents_of_the_targets_core():
    config = coded(two_chips(), "SYAM_W0_P", (1, 3), (3, 77))
    scale = np.array(config.i_scale)
    scale[1, 3] = 3e-8
    factor = np.array(config.drive_factor)
    factor[1, 0] = 0.25
    config = replaced(config, i_scale=scale, drive_factor=factor)
    board = prepare_board(config, IDEAL)
    base = np.stack([config.current(f"SYAM_W{k}_P") for k in range(4)])
    np.testing.assert_allclose(
        board.synapses_rec.weight,
        [
            base[3, 1, 0] * 0.25 / 1e-8,
            (base[0, 1, 3] + base[1, 1, 3]) / 3e-8,
            base[0, 1, 3] / 3e-8,
        ],
        rtol=1e-6,
    )
    np.testing.assert_allclose(board.synapses_in.weight, [base[:, 0, 1].sum() / 1e-8], rtol=1e-6)
    np.testing.assert_allclose(board.parameters.values["i_scale"], [1e-8, 1e-8, 3e-8], rtol=1e-6)


def test_masks_of_zero_carry_nothing():
    config = two_chips()
    mask = np.array(config.cam_mask)
    mask[(*C, 0)] = 0
    board = prepare_board(replaced(config, cam_mask=mask), IDEAL)
    assert board.synapses_rec.target.tolist() == [2, 2]


def test_currents_are_those_of_the_codes_of_each_core():
    config = coded(two_chips(model="four_synapse"), "SOIF_LEAK_N", (1, 0), (2, 30))
    config = coded(config, "DEGA_ITAU_P", (0, 1), (3, 9))
    values = prepare_board(config, IDEAL).parameters.values
    for name in CURRENTS:
        current = config.current(PARAMETER_BIASES[name])
        expected = np.float32([current[0, 1], current[1, 0], current[1, 3]])
        np.testing.assert_array_equal(values[name], expected, err_msg=name)
    for name in CONSTANTS:
        np.testing.assert_array_equal(values[name], np.float32([getattr(LAYOUT, name)] * 3))
    assert values["i_tau_mem"][1] != values["i_tau_mem"][2]


def test_the_merged_synapse_is_the_mean_over_the_masks_at_the_capacitance_of_ampa():
    config = coded(two_chips(), "DENM_EGAIN_P", (1, 3), (3, 40))
    config = coded(config, "DEGA_ITAU_P", (1, 3), (2, 90))
    values = prepare_board(config, IDEAL).parameters.values
    for kind in ("GAIN", "TAU"):
        gaba = config.current(f"DEGA_I{kind}_P")[1, 3] * LAYOUT.c_ampa / LAYOUT.c_gaba
        nmda = config.current(f"DENM_E{kind}_P")[1, 3] * LAYOUT.c_ampa / LAYOUT.c_nmda
        shunt = config.current(f"DESC_I{kind}_P")[1, 0]
        ampa = config.current(f"DEAM_E{kind}_P")[0, 1]
        np.testing.assert_allclose(
            values[f"i_{kind.lower()}_ampa"], [ampa, shunt, (3 * gaba + nmda) / 4], rtol=1e-6
        )


def test_a_neuron_without_synapses_has_the_currents_of_ampa():
    config = wired_config({"out": [A]})
    values = prepare_board(config, IDEAL).parameters.values
    expected = np.float32(config.current("DEAM_EGAIN_P")[0, 1])
    assert values["i_gain_ampa"].tolist() == [expected]


def test_without_its_latch_a_neuron_has_no_constant_input():
    values = prepare_board(latched(two_chips(), "so_dc", C, False), IDEAL).parameters.values
    assert values["i_dc"][1] == 0
    assert (values["i_dc"][[0, 2]] > 0).all()


def test_a_neuron_that_is_switched_off_is_left_out():
    board = prepare_board(latched(two_chips(), "soif_kill", C), IDEAL)
    assert board.positions.tolist() == [256 + 20, 1024 + 3 * 256 + 200]
    assert board.columns["out"].tolist() == [1, -1]
    assert board.synapses_rec.target.tolist() == [1, 1]


def test_neurons_outside_of_the_placement_run_if_they_receive_or_send():
    config = wired_config(
        {"out": [B]},
        chips=2,
        packets=[(0, 5, 0b0010, 0)],
        words=[(A, 1500, 0b1000, 1), (C, 1501, 0b1000, 0)],
        entries=[(A, 5, "ampa", 15), (B, 1500, "ampa", 15)],
    )
    board = prepare_board(config, IDEAL)
    assert board.positions.tolist() == [256 + 20, 1024 + 7, 1024 + 3 * 256 + 200]
    assert board.columns["out"].tolist() == [2]


def test_deviations_belong_to_the_place_on_the_board():
    options = SimulateOptions(mismatch=0.2, chip_seed=4)
    small = prepare_board(two_chips(model="four_synapse"), options)
    other = prepare_board(
        wired_config({"out": [(0, 0, 3), B]}, chips=2, model="four_synapse"), options
    )
    for name in (*CURRENTS, *CONSTANTS):
        assert small.parameters.values[name][2] == other.parameters.values[name][1], name
    chip = VirtualChip(4, 0.2)
    ideal = prepare_board(two_chips(model="four_synapse"), IDEAL)
    for name in ("i_tau_mem", "i_gain_nmda", "c_mem"):
        factors = chip.factors(name)[small.positions]
        assert np.ptp(factors) > 0
        np.testing.assert_allclose(
            small.parameters.values[name], ideal.parameters.values[name] * factors, rtol=1e-6
        )
    np.testing.assert_array_equal(small.synapses_rec.weight, ideal.synapses_rec.weight)
    np.testing.assert_array_equal(
        small.parameters.values["i_scale"], ideal.parameters.values["i_scale"]
    )


def test_single_parameters_can_deviate_more_or_less():
    options = SimulateOptions(mismatch=0.1, mismatch_overrides={"i_ref": 0.0, "c_mem": 0.3})
    values = prepare_board(two_chips(), options).parameters.values
    ideal = prepare_board(two_chips(), IDEAL).parameters.values
    np.testing.assert_array_equal(values["i_ref"], ideal["i_ref"])
    factors = VirtualChip(0, 0.3).factors("c_mem")[[276, 1031, 1992]]
    np.testing.assert_allclose(values["c_mem"] / ideal["c_mem"], factors, rtol=1e-5)


def test_an_override_alone_makes_the_chip_real():
    only = SimulateOptions(mismatch_overrides={"c_mem": 0.3})
    assert not only.is_ideal
    values = prepare_board(two_chips(), only).parameters.values
    assert np.ptp(values["c_mem"]) > 0
    assert np.ptp(values["c_ref"]) == 0


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"mismatch": 0.6}, "less than or equal to 0.5"),
        ({"mismatch": -0.1}, "greater than or equal to 0"),
        ({"chip_seed": -1}, "greater than or equal to 0"),
        ({"model": "five_synapse"}, "merged_synapse"),
        ({"mismatch_overrides": {"colour": 0.1}}, r"unknown parameters \['colour'\]"),
        ({"mismatch_overrides": {"c_mem": 0.7}}, r"c_mem: 0.7 is out of range 0\.\.0.5"),
        ({"percent": 5}, "Extra inputs"),
    ],
)
def test_options_have_ranges(fields, message):
    with pytest.raises(ValidationError, match=message):
        SimulateOptions(**fields)
