import numpy as np
import pytest

from ranvier.errors import InputError, SimulationError
from ranvier_bss2.alignment import Alignment, EmulatorBench, align
from ranvier_bss2.alignment.bench import Membranes
from ranvier_bss2.alignment.population import population_of
from ranvier_bss2.chip import VirtualChip
from ranvier_bss2.nodes import AnalogNeuron
from ranvier_bss2.numerics import NeuronParameters, run_layer


class ModelBench:
    """The model itself in LSB: no rounding, no noise, every step sampled, some steps late."""

    def __init__(self, population, weights, *, weight_scale=55.0, late=0, sign=1.0, dt=1e-6):
        self.population, self.weights, self.dt = population, weights, dt
        self.weight_scale, self.late, self.sign = weight_scale, late, sign

    def run(self, spikes, *, seed):
        own, size = self.population, self.population.size
        parameters = NeuronParameters.of_values(own.model, dt=self.dt, switches=own.switches)
        x = spikes @ (self.sign * self.weights / self.weight_scale)
        x = np.broadcast_to(x[..., None], (*x.shape, size)).astype(np.float32)
        found = run_layer(parameters, np.ascontiguousarray(x))
        lsb = 80.0 + 45.0 * (found.v_mem.astype(np.float64) - own.model["leak"])
        traces = np.full_like(lsb, 80.0)
        traces[:, self.late :] = lsb[:, : lsb.shape[1] - self.late]
        counts = found.spikes.sum(axis=1).astype(np.int64)
        return Membranes(traces, lsb.max(axis=1), counts, np.arange(lsb.shape[1], dtype=float))


def neurons(**changes):
    return AnalogNeuron(**{"shape": (4,), "refractory": 1e-6} | changes)


def test_an_ideal_chip_gives_the_analytic_numbers():
    found = align(neurons(), VirtualChip.of(0, "ideal"))
    np.testing.assert_allclose(found.trace_scale, 1 / 45, rtol=1e-12)
    np.testing.assert_allclose(found.trace_offset, 80.0)
    np.testing.assert_allclose(found.threshold, 125.0)
    # 45 / kappa; what is left is the rounding to LSB of the converter
    assert found.weight_scale == pytest.approx(55.0, rel=2e-3)
    np.testing.assert_allclose(found.slope_exc, 45 / 55, rtol=2e-3)
    np.testing.assert_allclose(found.slope_inh, 45 / 55, rtol=2e-3)
    assert found.time_shift == 0
    assert found.noise == 0.0
    assert found.diagnostics == ()


@pytest.mark.parametrize("late", [0, 2])
def test_a_chip_that_is_the_model_gives_exactly_its_scale_and_delay(late):
    found = align(neurons(), lambda p, w: ModelBench(p, w, late=late), runs=2)
    assert found.time_shift == late
    assert found.weight_scale * found.mean_trace_scale == pytest.approx(55 / 45, rel=1e-5)
    # the last sample before a spike lies below the threshold by less than one step of the rise
    np.testing.assert_allclose(1 / found.trace_scale, 45.0, atol=0.5)


def test_drive_that_depends_on_the_codes_is_found():
    strong = neurons(synapse_dac_bias=900.0, i_synin_gm=400.0)
    found = align(strong, VirtualChip.of(0, "ideal"))
    np.testing.assert_allclose(found.slope_exc, 45 / 55 * 1.5 * 0.8, rtol=3e-3)
    assert found.weight_scale == pytest.approx(55 / 1.2, rel=3e-3)
    half = align(neurons(), VirtualChip.of(0, "ideal"), kappa=0.5)
    assert half.weight_scale == pytest.approx(90.0, rel=3e-3)


@pytest.mark.parametrize("capacitance", [10e-6, 5e-6])
def test_kappa_is_that_of_nominal_codes_whatever_the_codes_and_the_model(capacitance):
    strong = neurons(synapse_dac_bias=900.0, i_synin_gm=400.0, capacitance=capacitance)
    found = align(strong, VirtualChip.of(0, "ideal"), kappa=0.6, runs=1)
    assert found.kappa == pytest.approx(0.6, rel=5e-3)
    assert "kappa 0.6" in found.explain()


def test_a_model_that_does_not_rest_at_zero_gets_an_offset_that_puts_it_there():
    moved = neurons(leak=0.5, reset=0.5, threshold=2.0, threshold_lsb=140.0, trace_scale=1 / 40)
    found = align(moved, VirtualChip.of(0, "ideal"))
    np.testing.assert_allclose(found.trace_scale, 1.5 / 60, rtol=2e-2)
    at_rest = found.trace_scale * (found.baseline - found.trace_offset)
    np.testing.assert_allclose(at_rest, 0.5)


def test_a_readout_keeps_the_given_scale_and_gets_its_weight_scale():
    readout = neurons(fire=False, trace_scale=1 / 30)
    found = align(readout, VirtualChip.of(0, "ideal"))
    np.testing.assert_allclose(found.trace_scale, 1 / 30)
    assert np.isnan(found.threshold).all()
    assert found.weight_scale == pytest.approx(30 / (45 / 55), rel=3e-3)
    assert "no threshold to measure" in found.explain()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_calibrated_chip_is_measured_within_its_noise(seed):
    chip, circuits = VirtualChip.of(seed), np.arange(40, 104)
    found = align(neurons(shape=(64,)), chip, circuits=circuits)
    v = chip.variability
    leak = 80 + v.sigma_leak * chip.circuits("leak")[circuits]
    threshold = 125 + v.sigma_threshold * chip.circuits("threshold")[circuits]
    gain = 1 + v.sigma_cadc_gain * chip.circuits("cadc_gain")[circuits]
    offset = v.sigma_cadc_offset * chip.circuits("cadc_offset")[circuits]
    np.testing.assert_allclose(found.baseline, gain * leak + offset, atol=1.5)
    np.testing.assert_allclose(1 / found.trace_scale, gain * (threshold - leak), atol=2.5)
    assert np.mean(1 / found.trace_scale - gain * (threshold - leak)) == pytest.approx(0, abs=0.8)
    strength = gain * np.exp(v.sigma_strength * chip.circuits("strength_exc")[circuits])
    ratio = found.slope_exc / (45 / 55 * strength)
    # the responses of single neurons also depend on their time constants (10 %)
    assert ratio.mean() == pytest.approx(1.0, abs=0.04)
    assert ratio.std() < 0.14
    assert found.weight_scale == pytest.approx(55.0, rel=0.06)
    assert found.time_shift == 0


@pytest.mark.slow
def test_more_runs_average_the_noise():
    chip = VirtualChip.of(5)
    node = neurons(shape=(32,))
    spread = [
        np.std(align(node, chip, runs=runs, seed=0).baseline
               - align(node, chip, runs=runs, seed=100).baseline)
        for runs in (2, 50)
    ]  # fmt: skip
    assert spread[1] < spread[0] / 2


def test_the_same_seed_gives_the_same_numbers():
    first, again = (align(neurons(), VirtualChip.of(1), runs=3, seed=4) for _ in range(2))
    np.testing.assert_array_equal(first.trace_scale, again.trace_scale)
    assert first.weight_scale == again.weight_scale


def test_neurons_that_do_not_fire_get_the_mean_and_are_named():
    lsb = np.array([125.0, 125.0, 220.0, 125.0])
    found = align(neurons(threshold_lsb=lsb), VirtualChip.of(0, "ideal"), kappa=0.15, runs=2)
    assert [d.code for d in found.diagnostics] == ["BS410"]
    assert "1 of 4 neurons do not fire under constant input (neurons 2)" in found.explain()
    np.testing.assert_allclose(found.trace_scale, 1 / 45, rtol=0.01)
    with pytest.raises(SimulationError, match=r"BS410.*4 of 4"):
        align(neurons(threshold_lsb=220.0), VirtualChip.of(0, "ideal"), kappa=0.15, runs=2)


def test_a_chip_that_answers_in_the_wrong_direction_is_refused():
    with pytest.raises(SimulationError, match=r"BS412.*do not answer"):
        align(neurons(), lambda p, w: ModelBench(p, w, sign=-1.0), runs=1)


def test_readings_outside_the_reliable_range_are_told():
    found = align(neurons(threshold_lsb=215.0), VirtualChip.of(0, "ideal"), kappa=3.0, runs=1)
    assert [d.code for d in found.diagnostics] == ["BS411"]
    assert "reliable are 30 to 210 LSB" in found.diagnostics[0].message


def test_every_number_is_explained():
    text = align(neurons(), VirtualChip.of(1), runs=3).explain()
    assert "4 neurons, mean of 3 runs" in text
    for word in ("baseline", "threshold", "trace_scale", "trace_offset", "weight_scale",
                 "time_shift", "exciting", "inhibiting"):  # fmt: skip
        assert word in text


def test_the_numbers_convert_a_chip_trace_into_the_models():
    node = neurons(shape=(1,))
    chip = VirtualChip.of(0, "ideal")
    found = align(node, chip)
    population, _ = population_of(node, name=None, time_scale=1.0)
    w = np.array([round(0.8 * found.weight_scale)], dtype=np.int64)
    bench = EmulatorBench(population, chip, weights=w, dt=1e-6)
    spikes = np.zeros((1, 50, 1), dtype=np.int64)
    spikes[0, [10, 15, 20, 30]] = 1
    trace = found.trace_scale * (bench.run(spikes, seed=0).traces - found.trace_offset)
    parameters = NeuronParameters.of_values(population.model, dt=1e-6)
    model = run_layer(parameters, (spikes * w / found.weight_scale).astype(np.float32)).v_mem
    assert np.abs(trace - model).max() < 0.05


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"runs": 0}, "runs is 0"), ({"dt": 0.0}, "dt 0.0"), ({"seed": -1}, "seed -1")],
)
def test_numbers_out_of_range_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        align(neurons(), VirtualChip.of(0), **changes)


def test_other_things_than_neurons_are_refused():
    with pytest.raises(InputError, match="cannot align a str"):
        align("hidden", VirtualChip.of(0))
    with pytest.raises(InputError, match="the chip is a str"):
        align(neurons(), "chip 0")


def test_a_result_is_an_alignment_with_means():
    found = align(neurons(), VirtualChip.of(1), runs=2)
    assert isinstance(found, Alignment)
    assert found.mean_trace_offset == pytest.approx(float(found.trace_offset.mean()))
    assert 1 / found.mean_trace_scale == pytest.approx(float((1 / found.trace_scale).mean()))
