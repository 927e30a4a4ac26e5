import numpy as np
import pytest

from ranvier.artifacts import Recording, SpikeTrain, Trace
from ranvier.comparison.alignment import Aligned, shifted, valid_steps

DT = 1e-3


def recording(signals, **fields):
    return Recording(signals=signals, dt=DT, **fields)


def aligned(signals, *, n_steps, latency=None, lengths=None, batch=1):
    valid = valid_steps(lengths, batch=batch, n_steps=n_steps)
    return Aligned(recording(signals), latency or {}, n_steps, valid)


def test_late_values_move_to_the_step_of_the_graph():
    values = np.arange(5)[None]

    assert shifted(values, 2, n_steps=3, fill=-1).tolist() == [[2, 3, 4]]
    assert shifted(values, 0, n_steps=3, fill=-1).tolist() == [[0, 1, 2]]


def test_steps_that_were_not_recorded_are_filled():
    values = np.arange(3)[None]

    assert shifted(values, 1, n_steps=4, fill=-1).tolist() == [[1, 2, -1, -1]]
    assert shifted(values, -1, n_steps=3, fill=-1).tolist() == [[-1, 0, 1]]
    assert shifted(values, 7, n_steps=2, fill=-1).tolist() == [[-1, -1]]


def test_spikes_are_moved_by_the_latency_of_their_node():
    raster = np.array([[[0], [0], [1], [0], [2]]])
    seen = aligned(
        {("a", "spikes"): SpikeTrain.from_raster(raster, dt=DT)}, n_steps=3, latency={"a": 2}
    )

    assert seen.raster("a")[0, :, 0].tolist() == [1, 0, 2]


def test_what_a_recording_states_goes_before_the_configuration():
    valid = valid_steps(None, batch=1, n_steps=3)
    seen = Aligned(recording({}, latency={"a": 1}), {"a": 2, "b": 1}, 3, valid)

    assert [seen.late(n) for n in "abc"] == [1, 1, 0]


def test_a_finer_clock_is_counted_on_the_grid_of_the_graph():
    ticks = np.zeros((1, 12, 1), dtype=int)
    ticks[0, [4, 5, 9], 0] = 1
    seen = aligned({("a", "spikes"): SpikeTrain.from_raster(ticks, dt=DT / 4)}, n_steps=3)

    assert seen.raster("a")[0, :, 0].tolist() == [0, 2, 1]


def test_a_coarser_trace_is_held_and_its_missing_end_is_not_a_number():
    trace = Trace(values=np.array([[[1.0], [2.0]]]), interval=2 * DT)
    seen = aligned({("a", "v_mem"): trace}, n_steps=6)

    np.testing.assert_array_equal(seen.trace("a")[0, :, 0], [1, 1, 2, 2, np.nan, np.nan])


def test_steps_beyond_the_length_of_a_sample_do_not_count():
    raster = np.ones((2, 4, 1), dtype=int)
    signals = {
        ("a", "spikes"): SpikeTrain.from_raster(raster, dt=DT),
        ("a", "v_mem"): Trace(values=raster.astype(float), interval=DT),
    }
    seen = aligned(signals, n_steps=4, lengths=np.array([4, 1]), batch=2)

    assert seen.raster("a").sum((1, 2)).tolist() == [4, 1]
    assert np.isnan(seen.trace("a")).sum((1, 2)).tolist() == [0, 3]


@pytest.mark.parametrize("node", ["a", "b"])
def test_only_recorded_spikes_and_traces_are_there(node):
    seen = aligned({("a", "v_mem"): Trace(np.zeros((1, 2, 1)), DT, unit="V")}, n_steps=2)

    assert not seen.has_spikes(node)
    assert seen.unit_of(node, "v_mem") == ("V" if node == "a" else None)
