import subprocess
import sys

import numpy as np
import pytest

from ranvier.artifacts import Recording, Trace
from ranvier.errors import InputError
from ranvier_bss2.alignment import align
from ranvier_bss2.calibration import QUANTITIES, calibrate
from ranvier_bss2.chip import VirtualChip
from ranvier_bss2.nodes import AnalogNeuron
from ranvier_bss2.plotting import (
    aligned_traces,
    alignment_steps,
    calibration_spread,
    converter_traces,
)
from ranvier_bss2.records import CadcRecord, MadcRecord, PopulationRecords, RawRecords, SpikeRecord

pyplot = pytest.importorskip("matplotlib.pyplot")
pyplot.switch_backend("Agg")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def result():
    return calibrate(VirtualChip.of(1, "uncalibrated"), trials=2)


@pytest.fixture(scope="module")
def alignment():
    return align(AnalogNeuron(shape=(6,)), VirtualChip.of(1), runs=2)


@pytest.fixture
def raw():
    cadc = CadcRecord(np.arange(3) * 212, np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
    madc = MadcRecord(1, np.arange(5) * 4, np.full((2, 5), 400, dtype=np.uint16))
    own = PopulationRecords(SpikeRecord.empty(), cadc, madc)
    return RawRecords({"neurons": own}, n_samples=2, duration=1000)


def test_every_quantity_gets_a_histogram_before_and_after(result):
    figure = calibration_spread(result)
    shown = [ax for ax in figure.axes if ax.get_visible()]
    assert len(shown) == len(QUANTITIES)
    assert all(len(ax.containers) == 2 for ax in shown)
    before, after = shown[1].containers
    assert sum(bar.get_height() > 0 for bar in after) < sum(bar.get_height() > 0 for bar in before)
    assert "leak" in shown[1].get_title()
    figure.canvas.draw()


def test_single_quantities_can_be_chosen_and_unknown_ones_are_refused(result):
    figure = calibration_spread(result, quantities=("leak", "tau_mem"))
    assert len(figure.axes) == 2
    with pytest.raises(InputError, match="taum"):
        calibration_spread(result, quantities=("taum",))
    with pytest.raises(InputError, match="bins 0"):
        calibration_spread(result, bins=0)


def test_both_converters_share_an_axis_in_lsb_of_the_slow_one(raw):
    ax = converter_traces(raw, "neurons", neuron=1, sample=1, events=[1e-6, 2e-6])
    lines = {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}
    assert lines["CADC"].get_ydata().tolist() == [13, 17, 21]
    assert lines["MADC"].get_ydata().tolist() == [100.0] * 5
    np.testing.assert_allclose(lines["CADC"].get_xdata()[1], 212 * 8e-3)  # in us
    assert len(ax.lines) == 4


def test_a_neuron_without_the_fast_converter_shows_the_slow_one_alone(raw):
    labels = [line.get_label() for line in converter_traces(raw, "neurons", neuron=0).lines]
    assert labels == ["CADC"]
    with pytest.raises(InputError, match="neuron 9"):
        converter_traces(raw, "neurons", neuron=9)
    with pytest.raises(InputError, match="sample 5"):
        converter_traces(raw, "neurons", sample=5)


def test_recordings_are_drawn_as_raw_records_are():
    slow = Trace(np.arange(6, dtype=np.uint8).reshape(1, 3, 2), interval=1e-3)
    recording = Recording({("neurons", "v_mem"): slow}, 1e-3)
    ax = converter_traces(recording, "neurons", neuron=1)
    assert ax.lines[0].get_ydata().tolist() == [1, 3, 5]
    with pytest.raises(InputError, match="'other'"):
        converter_traces(recording, "other")


def test_an_alignment_shows_three_steps_with_their_numbers(alignment):
    figure = alignment_steps(alignment)
    assert len(figure.axes) == 3
    assert f"weight scale {alignment.weight_scale:.1f}" in figure.axes[2].get_title()
    offsets = figure.axes[0].collections[0].get_offsets()
    np.testing.assert_allclose(offsets[:, 1], alignment.baseline)
    figure.canvas.draw()


def test_a_chip_trace_lies_over_the_models_in_model_units(alignment):
    model = np.linspace(0, 1, 20)[:, None] * np.ones(6)
    chip = alignment.trace_offset + model / alignment.trace_scale
    ax = aligned_traces(chip, model, alignment=alignment, neuron=2)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), ax.lines[1].get_ydata(), atol=1e-12)
    with pytest.raises(InputError, match="neuron 6"):
        aligned_traces(chip, model, neuron=6)


def test_the_module_does_not_load_matplotlib():
    code = "import sys, ranvier_bss2.plotting; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
