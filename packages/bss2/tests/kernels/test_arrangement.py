import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ranvier_bss2.kernels.arrangement import Arrangement
from ranvier_bss2.kernels.lanes import WIDTH

SHAPES = [(1, 1, 1), (4, 7, 3), (30, 5, 6), (2, 3, WIDTH), (3, 2, WIDTH + 5), (0, 3, 2), (2, 0, 3)]


@pytest.mark.parametrize("shape", SHAPES)
def test_traces_come_back_as_they_were_laid_out(shape):
    place = Arrangement.of(*shape)
    array = np.random.default_rng(0).random(shape).astype(np.float32)

    assert_array_equal(place.take(np.resize(place.lay(array), np.prod(place.shape))), array)


@pytest.mark.parametrize("shape", SHAPES)
def test_states_come_back_as_they_were_laid_out(shape):
    place = Arrangement.of(*shape)
    row = np.random.default_rng(0).random((shape[0], shape[2])).astype(np.float32)

    assert_array_equal(place.lay_row(row)[: row.size].reshape(row.shape), row)


@pytest.mark.parametrize("shape", SHAPES)
def test_kernels_see_at_least_a_tile_of_columns(shape):
    assert Arrangement.of(*shape).shape[2] >= WIDTH


def test_constants_are_repeated_for_samples_side_by_side():
    place = Arrangement.of(30, 1, 3)
    rows = np.arange(6.0, dtype=np.float32).reshape(2, 3)

    wide = place.lay_constants(rows).reshape(2, -1)

    assert_array_equal(wide[:, :90].reshape(2, 30, 3), np.repeat(rows[:, None], 30, axis=1))


def test_columns_are_summed_over_the_samples():
    place = Arrangement.of(30, 1, 3)
    rows = np.arange(180.0, dtype=np.float32).reshape(2, 90)

    assert_array_equal(place.sum_columns(rows), rows.reshape(2, 30, 3).sum(axis=1))
