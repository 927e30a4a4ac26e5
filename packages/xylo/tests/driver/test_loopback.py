"""The loopback is the simulator behind events and read-outs."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays

from ranvier.errors import DeviceError
from ranvier_xylo import XyloSession
from ranvier_xylo.driver import DeployOptions, open_device
from ranvier_xylo.driver.events import counts_from_events, events_from_counts

TARGETS = ["xylo-v1", "xylo-audio2", "xylo-audio3", "xylo-imu"]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("readout", ["spikes", "v_mem", "i_syn"])
@pytest.mark.parametrize("record", [False, True])
def test_loopback_equals_the_simulator(target, readout, record, rng, make_config):
    config = make_config(rng, target, readout=readout)
    batch = rng.integers(0, 18, (3, 12, 4))
    expected = XyloSession(config).run(batch, record=record)

    with open_device(config, "loopback") as board:
        found = board.run(batch, record=record)

    assert set(found.signals) == set(expected.signals)
    for key in expected.signals:
        np.testing.assert_array_equal(found.raw(*key), expected.raw(*key))
    assert [d.code for d in found.diagnostics] == [d.code for d in expected.diagnostics]


def test_loopback_keeps_a_state_per_sample(rng, make_config):
    config = make_config(rng, "xylo-audio2")
    batch = rng.integers(0, 6, (2, 12, 4))

    with open_device(config, "loopback") as board:
        parts = [board.run(batch[:, :5]).output, board.run(batch[:, 5:]).output]

    whole = XyloSession(config).run(batch).output
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)


def test_loopback_takes_empty_batches_and_runs_without_steps(rng, make_config):
    config = make_config(rng, "xylo-imu")

    with open_device(config, "loopback") as board:
        assert board.run(np.zeros((0, 5, 4), int)).output.shape == (0, 5, 3)
        board.reset()
        assert board.run(np.zeros((1, 0, 4), int), record=True).output.shape == (1, 0, 3)


@pytest.mark.parametrize(
    "options", [{"mode": "real-time"}, {"power": True}, {"clock": 1e6}, {"soft_reset": True}]
)
def test_loopback_refuses_what_needs_a_board(options, rng, make_config):
    with pytest.raises(DeviceError, match="loopback has no sensor"):
        open_device(make_config(rng, "xylo-audio3"), "loopback", DeployOptions(**options))


@settings(max_examples=40, deadline=None)
@given(
    arrays(np.int64, st.tuples(st.integers(0, 6), st.integers(1, 5)), elements=st.integers(0, 40))
)
def test_counts_survive_the_way_through_events(counts):
    step, channel = events_from_counts(counts, most=15)

    back = counts_from_events(step, channel, shape=counts.shape)

    np.testing.assert_array_equal(back, np.minimum(counts, 15))
    assert np.all(np.diff(step * 100 + channel) >= 0)
