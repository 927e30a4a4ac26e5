import json

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays

from ranvier.artifacts import Recording, SpikeTrain, Trace
from ranvier.errors import InputError

RASTERS = arrays(np.int64, (2, 7, 3), elements=st.integers(0, 4))
DT = 1e-3


@settings(max_examples=40, deadline=None)
@given(raster=RASTERS)
def test_events_keep_every_count(raster):
    train = SpikeTrain.from_raster(raster, dt=DT)

    np.testing.assert_array_equal(train.raster(), raster)
    assert train.total == raster.sum()
    assert (train.count >= 1).all()


@settings(max_examples=40, deadline=None)
@given(raster=RASTERS, whole=st.integers(1, 9))
def test_coarser_grid_keeps_the_number_of_spikes(raster, whole):
    binned = SpikeTrain.from_raster(raster, dt=DT).raster(whole * DT)

    assert binned.shape[1] == -(-7 // whole)
    np.testing.assert_array_equal(binned.sum(axis=1), raster.sum(axis=1))


def test_grid_finer_than_the_clock_is_refused_with_both_steps():
    train = SpikeTrain.from_raster(np.ones((1, 2, 1), dtype=int), dt=DT)

    with pytest.raises(InputError, match=r"dt = 0.0001 s is shorter than one native tick \(0.001"):
        train.raster(1e-4)


def test_event_times_are_seconds():
    raster = np.zeros((1, 4, 1), dtype=int)
    raster[0, 3] = 2

    assert SpikeTrain.from_raster(raster, dt=DT).times.tolist() == [0.003]


def test_trace_is_scaled_to_model_units():
    trace = Trace(np.array([[[2], [4]]]), interval=DT, scale=0.5, offset=1.0)

    assert trace.model.ravel().tolist() == [2.0, 3.0]
    assert trace.times.tolist() == [0.0, DT]


def test_trace_on_a_grid_holds_its_last_sample():
    trace = Trace(np.arange(3.0).reshape(1, 3, 1), interval=2e-3, start=1e-3)

    assert trace.on_grid(DT, 7).ravel().tolist() == [0, 0, 0, 1, 1, 2, 2]


def recording(*, batched=True, lengths=None):
    raster = np.zeros((2, 4, 3), dtype=np.int64)
    raster[0, 1, 2] = 2
    signals = {
        ("lif", "spikes"): SpikeTrain.from_raster(raster, dt=DT),
        ("lif", "v_mem"): Trace(np.ones((2, 4, 3), dtype=np.int16), DT, scale=0.25),
    }
    return Recording(
        signals, DT, outputs={"out": ("lif", "spikes")}, batched=batched, lengths=lengths
    )


def test_views_drop_the_batch_axis_in_kind():
    single = recording(batched=False)

    assert single.output.shape == (4, 3)
    assert single.trace("lif").shape == (4, 3)
    assert recording().trace("lif")[0, 0, 0] == 0.25
    assert recording().raw("lif", "v_mem").dtype == np.int16


def test_missing_signal_lists_what_there_is():
    with pytest.raises(InputError, match=r"'i_syn'\); recorded: lif.spikes, lif.v_mem; ask for"):
        recording()["lif", "i_syn"]


def test_values_are_no_raster():
    signals = {("li", "spikes"): Trace(np.zeros((1, 2, 1)), DT)}

    with pytest.raises(InputError, match=r"emits values, not spikes; use trace\(\)"):
        Recording(signals, DT).raster("li")


def test_unknown_output_lists_the_outputs():
    with pytest.raises(InputError, match=r"no output 'x'; outputs: \['out'\]"):
        recording().output_of("x")


def test_several_outputs_need_a_name():
    both = Recording({}, DT, outputs={"a": ("x", "spikes"), "b": ("y", "spikes")})

    with pytest.raises(InputError, match=r"2 outputs; use output_of\(\)"):
        _ = both.output


def test_recording_survives_its_payload_through_json():
    original = recording(lengths=np.array([4, 2]))
    values, document = original.to_payload()

    again = Recording.from_payload(values, json.loads(json.dumps(document)))

    assert again.content_hash == original.content_hash
    np.testing.assert_array_equal(again.output, original.output)
    np.testing.assert_array_equal(again.lengths, [4, 2])


def test_recording_prints_its_signals():
    assert "lif.spikes: 2 spikes, 2 x 4 steps" in str(recording())
