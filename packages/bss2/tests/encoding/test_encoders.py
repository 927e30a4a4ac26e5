import numpy as np
import pytest

from ranvier.errors import InputError
from ranvier_bss2.encoding import (
    batch_first,
    coordinates_to_spikes,
    max_over_time,
    mean_over_time,
    pixels_to_spike_times,
    spike_times_to_dense,
    sum_over_time,
    time_first,
)


def test_coordinates_spike_once_at_the_rounded_step_with_ties_to_even():
    # 2.5 and 3.5 steps: half to even gives 2 and 4
    spikes = coordinates_to_spikes(
        [[0.25, 0.75, 0.0, 1.0]], seq_length=6, t_early=2e-6, t_late=4e-6, dt=1e-6
    )
    assert spikes.shape == (1, 6, 4)
    assert spikes.sum(axis=1).tolist() == [[1, 1, 1, 1]]
    assert spikes.argmax(axis=1).tolist() == [[2, 4, 2, 4]]


def test_the_bias_spikes_in_an_additional_last_channel_at_the_truncated_step():
    spikes = coordinates_to_spikes(
        [[0.0], [1.0]], seq_length=30, t_early=2e-6, t_late=26e-6, t_bias=18.9e-6
    )
    assert spikes.shape == (2, 30, 2)
    assert spikes.argmax(axis=1).tolist() == [[2, 18], [26, 18]]


def test_a_spike_outside_the_sequence_names_the_steps():
    with pytest.raises(InputError, match="2 to 26, the sequence has 0 to 25"):
        coordinates_to_spikes([[0.0, 1.0]], seq_length=26, t_early=2e-6, t_late=26e-6)
    with pytest.raises(InputError, match="-1 to 3"):
        coordinates_to_spikes([[0.0, 1.0]], seq_length=26, t_early=-1e-6, t_late=3e-6)


@pytest.mark.parametrize("bad", [[0.1, 0.2], [[np.nan]], [["a"]]])
def test_coordinates_that_are_no_finite_matrix_are_refused(bad):
    with pytest.raises(InputError, match="coordinates_to_spikes"):
        coordinates_to_spikes(bad, seq_length=10, t_early=1e-6, t_late=2e-6)


def test_pixels_spike_when_the_driven_integrator_reaches_the_threshold():
    times = pixels_to_spike_times([0.1, 0.2, 0.4, 1.0], tau=5e-6, threshold=0.2, t_max=30e-6)
    assert times[0] == 30e-6  # below the threshold
    assert times[1] == 30e-6  # at the threshold: clipped to epsilon above, clamped to t_max
    np.testing.assert_allclose(times[2], 5e-6 * np.log(2.0), rtol=1e-12)
    np.testing.assert_allclose(times[3], 5e-6 * np.log(1.25), rtol=1e-12)


def test_the_published_default_time_constant_moves_nearly_every_pixel_to_the_end():
    assert pixels_to_spike_times([0.0, 0.5, 1.0]).tolist() == [1.0, 1.0, 1.0]


def test_spike_times_fall_into_truncated_bins_and_late_ones_are_dropped():
    dense = spike_times_to_dense([[0.0, 1.99, 2.0, 4.0]], bin_width=1.0, size=4)
    assert dense.shape == (1, 4, 4)
    assert dense.argmax(axis=1)[0, :3].tolist() == [0, 1, 2]
    assert dense.sum(axis=1).tolist() == [[1, 1, 1, 0]]


def test_images_of_spike_times_keep_their_axes():
    times = np.arange(12.0).reshape(2, 2, 3)
    dense = spike_times_to_dense(times, bin_width=1.0, size=12)
    assert dense.shape == (2, 12, 2, 3)
    np.testing.assert_array_equal(dense.argmax(axis=1), times)


def test_negative_times_are_refused():
    with pytest.raises(InputError, match="times >= 0"):
        spike_times_to_dense([[-1.0]], bin_width=1.0)


def test_decoders_reduce_the_time_axis():
    x = np.array([[[1.0, 4.0], [3.0, -2.0]]])
    assert max_over_time(x).tolist() == [[3.0, 4.0]]
    assert sum_over_time(x).tolist() == [[4.0, 2.0]]
    assert mean_over_time(x).tolist() == [[2.0, 1.0]]
    for decoder in (max_over_time, sum_over_time, mean_over_time):
        with pytest.raises(InputError, match=decoder.__name__):
            decoder(np.zeros((3, 0, 2)))


def test_converters_of_the_axes_undo_each_other():
    x = np.arange(24).reshape(2, 3, 4)
    assert time_first(x).shape == (3, 2, 4)
    np.testing.assert_array_equal(batch_first(time_first(x)), x)
    with pytest.raises(InputError, match=r"\(4,\)"):
        time_first(np.zeros(4))
    with pytest.raises(InputError, match="batch_first"):
        batch_first(np.zeros(4))
