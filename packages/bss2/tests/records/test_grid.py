import numpy as np
import pytest

from ranvier.errors import InputError
from ranvier_bss2.records import (
    CadcRecord,
    SpikeRecord,
    cadc_grid,
    grid_length,
    interpolate,
    shift_rows,
    spike_bins,
    spike_grid,
)

DT = 1e-6


def spikes(*events):
    columns = np.array(events, dtype=np.int64).reshape(-1, 3).T
    return SpikeRecord(*columns)


def cadc(times_us, values):
    times = np.round(np.asarray(times_us) * 125).astype(np.int64)
    return CadcRecord(times, np.asarray(values, dtype=np.uint8).reshape(1, -1, 1))


def test_the_grid_has_one_row_more_than_steps_and_two_where_float32_says_so():
    longer = [t for t in range(1, 300) if grid_length(t, DT) != t + 1]

    assert longer == [59, 118, 125, 127, 236, 250, 254]
    assert all(grid_length(t, DT) == t + 2 for t in longer)
    assert grid_length(0, DT) == 1


def test_cycles_are_rounded_to_the_nearest_step_with_halves_away_from_zero():
    cycles = np.array([0, 62, 63, 187, 188, 312, 313, -62, -63])

    assert spike_bins(cycles, DT).tolist() == [0, 0, 1, 1, 2, 2, 3, 0, -1]
    assert spike_bins(np.array([125, 375]), 2e-6).tolist() == [1, 2]


def test_several_spikes_in_a_bin_are_one_and_late_ones_are_dropped():
    events = spikes((0, 100, 1), (0, 130, 1), (1, 0, 0), (1, 563, 2), (1, 562, 0), (1, -100, 2))

    dense = spike_grid(events, n_samples=2, size=3, length=5, dt=DT)

    assert dense.dtype == np.float32
    assert np.argwhere(dense).tolist() == [[0, 1, 1], [1, 0, 0], [1, 0, 2], [1, 4, 0]]
    assert dense.max() == 1.0


def test_lines_join_samples_and_are_constant_beyond_them():
    rows = cadc_grid(cadc([1.6, 3.2], [100, 132]), length=6, dt=DT)[0, :, 0]

    first = 100 * (1 + np.array([0.0, 1.0]) * DT) / (1 + 1.6 * DT)
    np.testing.assert_allclose(rows[:2], first, rtol=1e-12)
    np.testing.assert_allclose(rows[2:], [108, 128, 132, 132])
    assert 100 > rows[0] > 100 * (1 - 2e-6)


def test_the_nearest_sample_counts_and_the_later_of_two():
    at = np.array([0.0, 2.0, 3.0, 3.9, 9.0])

    rows = interpolate(np.array([1.0, 3.0, 5.0]), np.array([[[1], [2], [3]]]), at=at, mode="nn")

    assert rows[0, :, 0].tolist() == [1, 2, 2, 2, 3]
    later = interpolate(np.array([1.0, 3.0]), np.array([[[1], [2]]]), at=np.array([2.0]), mode="nn")
    assert later[0, 0, 0] == 2


def test_another_interpolation_is_refused_with_what_there_is():
    with pytest.raises(InputError, match="use 'linear' or 'nn'"):
        interpolate(np.zeros(1), np.zeros((1, 1, 1)), at=np.zeros(1), mode="cubic")


@pytest.mark.parametrize("mode", ["linear", "nn"])
def test_without_samples_the_grid_is_zero(mode):
    rows = interpolate(np.zeros(0), np.zeros((2, 0, 3)), at=np.arange(4.0), mode=mode)

    assert rows.shape == (2, 4, 3)
    assert not rows.any()


def test_a_shift_moves_rows_and_repeats_the_ends():
    rows = np.arange(5.0).reshape(1, 5, 1)

    assert shift_rows(rows, 2)[0, :, 0].tolist() == [2, 3, 4, 4, 4]
    assert shift_rows(rows, -2)[0, :, 0].tolist() == [0, 0, 0, 1, 2]
    assert shift_rows(rows, 0)[0, :, 0].tolist() == [0, 1, 2, 3, 4]
    assert shift_rows(rows[:, :0], 3).shape == (1, 0, 1)


def test_offset_comes_before_scale_and_the_first_row_is_taken_after_shifting():
    record = cadc([0, 1, 2, 3], [80, 90, 110, 125])

    scaled = cadc_grid(record, length=4, dt=DT, offset=np.array([80.0]), scale=np.array([0.1]))
    first = cadc_grid(
        record, length=4, dt=DT, time_shift=1, shift_to_first=True, offset=80.0, scale=0.1
    )

    np.testing.assert_allclose(scaled[0, :, 0], [0, 1, 3, 4.5], atol=1e-5)
    np.testing.assert_allclose(first[0, :, 0], [0, 2, 3.5, 3.5], atol=1e-5)


def test_a_record_knows_its_interval():
    assert cadc([0, 2, 4], [1, 2, 3]).interval == 250.0
    assert CadcRecord(np.zeros(1, np.int64), np.zeros((1, 1, 1), np.uint8)).interval == 1.0
    assert CadcRecord(np.zeros(0, np.int64), np.zeros((1, 0, 1), np.uint8), 212.5).interval == 212.5
