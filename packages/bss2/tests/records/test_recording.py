import runpy
from pathlib import Path

import numpy as np
import pytest

import ranvier as rv
from ranvier.errors import InputError
from ranvier_bss2.records import (
    CadcRecord,
    MadcRecord,
    PopulationRecords,
    RawRecords,
    SpikeRecord,
    observables,
    recording_of,
    spike_grid,
    trace_of,
)

chips = runpy.run_path(str(Path(__file__).parents[1] / "small_chips.py"))


def config(**fields):
    layer = chips["population"]("layer", 2, **fields)
    w = chips["projection"]("input", "layer", [[10], [-10]])
    return chips["chip"]({"input": (1,)}, [layer], [w])[0]


def raw(*, cadc=None, madc=None, events=()):
    spikes = SpikeRecord(*np.array(events, dtype=np.int64).reshape(-1, 3).T)
    own = PopulationRecords(spikes, cadc, madc)
    return RawRecords({"layer": own}, n_samples=1, duration=10 * 125, identifier="chip 7")


def samples(values, *, times=(0, 212, 425), dropped=0):
    values = np.asarray(values, dtype=np.uint8).reshape(1, 3, 2)
    return CadcRecord(np.array(times, dtype=np.int64), values, 212.5, dropped)


def test_rasters_of_a_recording_are_the_grid_of_its_records():
    events = [(0, 0, 0), (0, 62, 1), (0, 63, 0), (0, 188, 1), (0, 9 * 125 + 62, 1), (0, 1200, 0)]
    own = raw(events=events)

    found = recording_of(config(), own, n_steps=10, record={})

    grid = spike_grid(own["layer"].spikes, n_samples=1, size=2, length=10, dt=1e-6)
    np.testing.assert_array_equal(found.raster("layer"), grid)
    assert found["layer", "spikes"].tick_duration == pytest.approx(8e-6)
    assert found.output.shape == (1, 10, 2)


def test_samples_stay_raw_with_scale_and_offset_to_the_model():
    cadc = samples([[80, 90], [125, 80], [80, 35]])

    found = recording_of(config(), raw(cadc=cadc), n_steps=10, record={"layer": ("v_mem",)})

    signal = found["layer", "v_mem"]
    assert signal.values.dtype == np.uint8
    np.testing.assert_allclose(signal.model[0], [[0, 10 / 45], [1, 0], [0, -1]], atol=1e-12)
    assert signal.interval == pytest.approx(1.7e-3)


def test_samples_can_be_measured_from_the_first_one_and_moved_in_time():
    cadc = samples([[70, 90], [125, 80], [80, 35]])
    chip = config(shift_to_first=True, time_shift=2)

    signal = recording_of(chip, raw(cadc=cadc), n_steps=10, record={"layer": ("v_mem",)})[
        "layer", "v_mem"
    ]

    np.testing.assert_allclose(signal.model[0, 1], [55 / 45, -10 / 45], atol=1e-12)
    assert signal.start == pytest.approx(-2e-3)


def test_an_output_that_shows_a_membrane_is_on_the_graphs_grid():
    chip = config(switches=("leaky",))
    own = raw(cadc=samples([[80, 90], [125, 80], [80, 35]]))

    found = recording_of(chip, own, n_steps=10, record={})

    expected = trace_of(chip.populations[0], own, length=10, dt=1e-6)
    np.testing.assert_array_equal(found.output, expected)
    assert observables(chip) == {"layer": ("v_mem",)}


def test_the_fast_converter_shows_one_neuron():
    madc = MadcRecord(1, np.array([0, 4, 9]), np.array([[320, 320, 500]], dtype=np.uint16), 4.25)
    chip = config(madc_neuron=1)

    found = recording_of(chip, raw(madc=madc), n_steps=10, record={"layer": ("madc",)})

    signal = found["layer", "madc"]
    np.testing.assert_allclose(signal.model[0, :, 0], [0, 0, 1], atol=1e-12)
    assert signal.interval == pytest.approx(34e-6)
    assert "madc" in observables(chip)["layer"]


def test_dropped_and_clipped_samples_are_reported():
    cadc = samples([[80, 255], [0, 255], [80, 35]], dropped=17)

    found = recording_of(config(), raw(cadc=cadc), n_steps=10, record={})

    by_code = {d.code: d for d in found.diagnostics}
    assert by_code["BS230"].value == 17
    assert by_code["BS232"].value == 3


def test_what_was_not_sampled_is_refused_with_advice():
    with pytest.raises(InputError, match="cadc = 'sram' or 'dram'"):
        recording_of(config(), raw(), n_steps=10, record={"layer": ("v_mem",)})
    with pytest.raises(InputError, match="no records of 'stranger'"):
        raw()["stranger"]


def test_a_recording_survives_its_file(tmp_path):
    cadc = samples([[80, 90], [125, 80], [80, 35]])
    found = recording_of(
        config(), raw(cadc=cadc, events=[(0, 5, 1)]), n_steps=10, record={"layer": ("v_mem",)}
    )

    rv.save(found, tmp_path / "run.rv")

    again = rv.load(tmp_path / "run.rv")
    np.testing.assert_array_equal(again.raw("layer", "v_mem"), found.raw("layer", "v_mem"))
    assert again.provenance["chip"] == "chip 7"
