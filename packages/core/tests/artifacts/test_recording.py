import json

import numpy as np
import pytest

from ranvier.artifacts import Recording, SpikeTrain, Trace
from ranvier.errors import InputError

DT = 1e-3


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


def test_the_trace_of_a_run_without_steps_is_empty():
    signals = {("lif", "v_mem"): Trace(np.ones((2, 0, 3)), DT)}

    assert Recording(signals, DT, outputs={}).trace("lif").shape == (2, 0, 3)
