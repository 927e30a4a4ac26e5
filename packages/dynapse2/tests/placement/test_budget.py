"""Sizes of a board, and tags and CAM entries that may be used."""

import numpy as np
import pytest

from ranvier.errors import InputError
from ranvier_dynapse2.placement import Budget, errata_tags
from ranvier_dynapse2.targets import limits_of

LIMITS = limits_of("dynapse2")


def test_a_board_without_a_pool_may_use_everything():
    board = Budget.of(LIMITS, chips=4)

    assert board.cores == 16
    np.testing.assert_array_equal(board.tags_per_core, np.full(16, 2048))
    np.testing.assert_array_equal(board.entries_per_slot, np.full((16, 256), 64))
    np.testing.assert_array_equal(board.words([True, False]), [3, 4])


def test_pool_of_one_chip_counts_for_every_chip():
    pool = errata_tags(LIMITS)
    board = Budget.of(LIMITS, chips=2, tag_pool=pool)

    np.testing.assert_array_equal(board.tags_per_core, [2048, 1536, 512, 1792] * 2)


def test_published_tags_are_those_of_the_scripts():
    pool = errata_tags(LIMITS)

    expected = [1032 + 16 * i + j for i in range(64) for j in range(8)]
    np.testing.assert_array_equal(np.flatnonzero(pool[2]), expected)
    np.testing.assert_array_equal(np.flatnonzero(~pool[3]), np.arange(1024, 1280))
    np.testing.assert_array_equal(np.flatnonzero(~pool[1]), np.arange(512))


def test_profile_of_cam_entries_counts_per_slot():
    usable = np.ones((4, 256, 64), bool)
    usable[1, 7, :60] = False

    board = Budget.of(LIMITS, chips=3, cam_usable=usable)

    assert board.entries_per_slot[[1, 5, 9], 7].tolist() == [4, 4, 4]
    assert board.entries_per_slot.sum() == 12 * 256 * 64 - 3 * 60


@pytest.mark.parametrize("chips", [0, 5])
def test_number_of_chips_outside_the_board_is_refused(chips):
    with pytest.raises(InputError, match=rf"{chips} chips, a board has 1 to 4; choose one"):
        Budget.of(LIMITS, chips=chips)


@pytest.mark.parametrize(
    "pool", [np.ones(2047, bool), np.ones((3, 2048), bool), np.ones((4, 2048), int)]
)
def test_pool_of_another_shape_is_refused(pool):
    with pytest.raises(InputError, match=r"tag_pool .* must be bool of shape \(1, 4, 2048\)"):
        Budget.of(LIMITS, chips=1, tag_pool=pool)


def test_all_wrong_fields_are_named_at_once():
    with pytest.raises(InputError, match=r"destinations = 0 .*cores_per_chip = 5 .*tag_usable"):
        Budget(
            chips=1,
            cores_per_chip=5,
            neurons_per_core=2,
            synapses_per_neuron=2,
            destinations=0,
            tags=3,
            tag_usable=np.ones((1, 5, 2), bool),
            cam_usable=np.ones((1, 5, 2, 2), bool),
        )
