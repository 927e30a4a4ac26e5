import numpy as np
import pytest

from ranvier.errors import InputError
from ranvier_dynapse2 import VirtualChip
from ranvier_dynapse2.mismatch import MISMATCHED


def test_there_are_as_many_mismatched_parameters_as_currents_and_constants():
    assert len(set(MISMATCHED)) == len(MISMATCHED) == 19 + 14


@pytest.mark.parametrize("name", MISMATCHED)
def test_a_mismatch_is_three_standard_deviations(name):
    factors = VirtualChip(3, mismatch=0.3).factors(name)

    assert factors.shape == (4096,)
    assert factors.std() == pytest.approx(0.1, rel=0.05)
    assert factors.mean() == pytest.approx(1.0, abs=0.01)


def test_parameters_deviate_independently():
    chip = VirtualChip(0)

    correlation = np.corrcoef([chip.factors(name) for name in MISMATCHED])

    assert np.abs(correlation - np.eye(len(MISMATCHED))).max() < 0.08


def test_a_seed_is_one_board_whatever_part_of_it_is_used():
    whole = VirtualChip(7).factors("i_ref")
    at = np.array([4000, 3, 17])

    applied = VirtualChip(7).apply({"i_ref": np.full(3, 2.0)}, at)

    np.testing.assert_array_equal(applied["i_ref"], 2.0 * whole[at])
    np.testing.assert_array_equal(VirtualChip(7).factors("i_ref", 10), whole[:10])


def test_boards_differ():
    assert not np.array_equal(VirtualChip(1).factors("i_ref"), VirtualChip(2).factors("i_ref"))


def test_single_parameters_may_deviate_more_or_not_at_all():
    chip = VirtualChip(0, mismatch=0.1, overrides={"i_ref": 0.0, "c_mem": 0.3})

    assert np.all(chip.factors("i_ref") == 1.0)
    assert chip.factors("c_mem").std() == pytest.approx(0.1, rel=0.05)
    assert chip.factors("i_dc").std() == pytest.approx(0.1 / 3, rel=0.05)


def test_values_that_are_no_parameters_pass_unchanged():
    values = {"i_scale": np.array([1e-8]), "i_dc": np.array([1.0])}

    applied = VirtualChip(0).apply(values)

    assert applied["i_scale"] is values["i_scale"]
    assert applied["i_dc"] != values["i_dc"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": -1}, "must be >= 0"),
        ({"seed": 0, "mismatch": 5}, "0.05 stands for 5 %"),
        ({"seed": 0, "overrides": {"i_reff": 0.1}}, "i_ref"),
        ({"seed": 0, "overrides": {"i_ref": -0.1}}, "out of range"),
    ],
)
def test_impossible_boards_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        VirtualChip(**arguments)


def test_a_deviation_that_turns_a_value_negative_is_refused_by_neuron():
    chip = VirtualChip(0, mismatch=0.5)
    worst = int(chip.factors("i_dc", 1 << 22).argmin())
    assert chip.factors("i_dc", 1 << 22)[worst] > 0

    with pytest.raises(InputError, match="makes i_dc negative at neuron 1"):
        chip.apply({"i_dc": np.array([1.0, -1.0])})
