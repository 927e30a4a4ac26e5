import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ranvier.errors import InputError
from ranvier.events import EventSeries


def random_series(seed, steps=40, shape=(3,)):
    counts = np.random.default_rng(seed).poisson(0.4, (steps, *shape))
    return EventSeries.from_raster(counts, 1e-3), counts


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), length=st.integers(1, 50))
def test_rasters_of_chunks_are_the_parts_of_the_whole(seed, length):
    series, counts = random_series(seed)

    parts = [chunk.raster(1e-3) for chunk in series.chunks(length * 1e-3)]

    assert np.array_equal(np.concatenate(parts), counts)


def test_chunk_edges_lose_no_event_to_rounding():
    series = EventSeries(np.arange(3000) * 1e-4, np.zeros(3000, int), t_stop=0.3)

    assert [len(chunk) for chunk in series.chunks(0.1)] == [1000, 1000, 1000]


def test_event_a_rounding_error_below_a_chunk_edge_moves_onto_it():
    series = EventSeries([np.nextafter(0.2, 0), 0.25], [0, 0], t_stop=0.3)

    first, second, third = series.chunks(0.1)

    assert (len(first), len(second)) == (0, 0)
    assert third.times.tolist() == [third.t_start, 0.25]


def test_clip_takes_its_left_edge_and_leaves_its_right():
    series = EventSeries([1.0, 2.0, 3.0], [0, 0, 0], t_stop=4.0)

    clipped = series.clip(1.0, 3.0)

    assert clipped.times.tolist() == [1.0, 2.0]
    assert (clipped.t_start, clipped.t_stop) == (1.0, 3.0)
    with pytest.raises(InputError, match="before t_start"):
        series.clip(2.0, 1.0)


def test_clip_of_a_periodic_series_repeats_it_to_both_sides():
    series = EventSeries([0.25], [0], t_stop=1.0, periodic=True)

    assert series.clip(-1.0, 2.5).times.tolist() == [-0.75, 0.25, 1.25, 2.25]


def test_merge_adds_the_rasters():
    (a, x), (b, y) = random_series(0), random_series(1)

    assert np.array_equal(a.merge(b).raster(1e-3), x + y)


def test_plain_events_merged_with_graded_ones_count_as_one():
    plain, graded = EventSeries([0.0], [0]), EventSeries([1.0], [0], payload=[7])

    assert plain.merge(graded).payload.tolist() == [1, 7]


def test_append_time_concatenates_the_rasters():
    (a, x), (b, y) = random_series(0, 20), random_series(1, 30)

    joined = a.append_time(b, a)

    assert np.array_equal(joined.raster(1e-3), np.concatenate([x, y, x]))


def test_append_channels_puts_channels_side_by_side():
    (a, x), (b, y) = random_series(0, shape=(3,)), random_series(1, shape=(2, 2))

    joined = a.append_channels(b)

    assert np.array_equal(joined.raster(1e-3), np.concatenate([x, y.reshape(40, 4)], axis=1))


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(5)))
def test_remap_by_a_permutation_permutes_the_raster(order):
    series, counts = random_series(3, shape=(5,))

    assert np.array_equal(series.remap(order).raster(1e-3)[:, list(order)], counts)


def test_remap_drops_and_joins_channels():
    series = EventSeries([0.0, 1.0, 2.0], [0, 1, 2], shape=3)

    assert series.remap([0, -1, 0]).raster(1.0).sum(axis=0).tolist() == [2]
    with pytest.raises(InputError, match="each of the 3 channels"):
        series.remap([0])
    with pytest.raises(InputError, match="allows -1"):
        series.remap([0, 1, 9], shape=3)


def test_merged_polarities_sum():
    series, counts = random_series(4, shape=(2, 3, 4))

    assert np.array_equal(series.merge_polarities().raster(1e-3), counts.sum(axis=1, keepdims=True))


def test_series_of_different_shapes_or_periodic_ones_cannot_be_merged():
    a, b = EventSeries([0.0], [0], shape=1), EventSeries([0.0], [0], shape=2)

    with pytest.raises(InputError, match=r"remap\(\) first"):
        a.merge(b)
    with pytest.raises(InputError, match=r"clip\(\) it"):
        a.merge(EventSeries([0.0], [0], shape=1, periodic=True))
