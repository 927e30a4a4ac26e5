"""Input spikes become packets, and recorded spikes become events, with times and tags."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays

from ranvier.errors import InputError
from ranvier_dynapse2.driver import input_packets, open_device, output_events
from ranvier_dynapse2.driver.events import counts_from_packets, overfull_steps
from ranvier_dynapse2.driver.run import relative_times
from ranvier_dynapse2.simulator import Dynapse2Session


def flat(counts):
    return counts.reshape(len(counts), -1)


def test_spikes_of_a_step_are_one_tick_apart_in_order_of_channels(config):
    counts = np.zeros((4, 12), int)
    counts[2, [0, 3]] = [2, 1]

    packets = input_packets(config, counts, start=0.5)

    words = {c: int(np.sum(config.input_channel == c)) for c in (0, 3)}
    times = [502_000] * words[0] + [502_001] * words[0] + [502_002] * words[3]
    np.testing.assert_array_equal(packets["time_us"], times)
    np.testing.assert_array_equal(packets["channel"], [0] * 2 * words[0] + [3] * words[3])


def test_packets_carry_the_destinations_of_their_channel(make_config, counts):
    config = make_config(chips=3)

    packets = input_packets(config, flat(counts))

    for channel in range(12):
        mine = packets[packets["channel"] == channel]
        rows = config.input_channel == channel
        total = flat(counts)[:, channel].sum()
        for field in ("tag", "cores", "x", "y"):
            expected = np.sort(np.tile(getattr(config, f"input_{field}")[rows], total))
            np.testing.assert_array_equal(np.sort(mine[field]), expected)


def test_more_spikes_than_become_packets_are_refused_with_both_numbers(make_config):
    config = make_config(chips=1)
    counts = np.zeros((2, 12), int)
    counts[1, config.input_channel[0]] = 2**31 - 1

    with pytest.raises(InputError, match=r"2147483647 input spikes.*at most 33554432"):
        input_packets(config, counts)


@settings(max_examples=30, deadline=None)
@given(counts=arrays(np.int64, (5, 12), elements=st.integers(0, 40)))
def test_counts_survive_the_way_through_packets(counts, one_config):
    packets = input_packets(one_config, counts)

    back = counts_from_packets(one_config, packets, steps=5)

    np.testing.assert_array_equal(back, counts * np.isin(np.arange(12), one_config.input_channel))
    assert np.all(np.diff(packets["time_us"]) >= 0)


@pytest.fixture(scope="module")
def one_config():
    import sys

    return sys.modules["dynapse2_random_configs"].random_config(chips=2)[0]


def test_counts_of_a_wrong_shape_are_refused(config):
    with pytest.raises(InputError, match=r"shape \(5, 3\), expected \(time, 12\)"):
        input_packets(config, np.zeros((5, 3), int))


def test_overfull_steps_count_only_spikes_that_are_sent(config):
    counts = np.zeros((3, 12), int)
    counts[1, 4], counts[2, 0] = 5000, 1001  # channel 4 drives nothing

    assert overfull_steps(config, counts) == (1, 1001)


def test_output_events_are_the_recorded_spikes_with_their_places(config, counts):
    with open_device(config, "loopback") as board:
        recording = board.run(counts)

    events = output_events(config, recording, "out", start=0.2)

    raster = np.zeros_like(recording.output)
    np.add.at(raster, ((events["time_us"] - 200_000) // 1000, events["index"]), 1)
    np.testing.assert_array_equal(raster, recording.output)
    np.testing.assert_array_equal(events["tag"], events["core"] * 256 + events["slot"])
    monitor = config.sram_used & (config.sram_x == -7)
    at = (events["chip"], events["core"], events["slot"])
    np.testing.assert_array_equal(events["tag"], (config.sram_tag * monitor)[at].max(axis=-1))


@settings(max_examples=60, deadline=None)
@given(start=st.integers(0, 2**33), ticks=st.lists(st.integers(-(2**31), 2**31 - 1), max_size=8))
def test_stamps_are_unwrapped_around_their_start(start, ticks):
    stamps = np.array([(start + t) % 2**32 for t in ticks], np.int64)

    np.testing.assert_array_equal(relative_times(stamps, start), np.array(ticks, np.int64))


def test_tags_of_output_events_are_those_in_the_sram(make_config, counts):
    config = make_config(all_monitored=False)
    tags = config.sram_tag + 300 * (config.sram_used & (config.sram_x == -7)).astype(np.uint16)
    config = config.model_copy(update={"sram_tag": tags})

    with open_device(config, "loopback") as board:
        recording = board.run(counts)
    simulated = Dynapse2Session(config).run(counts, record=["spikes"])

    events = output_events(config, recording, "out")
    assert events.size
    np.testing.assert_array_equal(events["tag"], events["core"] * 256 + events["slot"] + 300)
    silent = output_events(config, simulated, "hidden")
    assert silent.size
    assert set(silent["tag"]) == {-1}
    with pytest.raises(InputError, match="nothing recorded for"):
        output_events(config, recording, "hidden")
