"""Deviations and noises have the sizes that the variability says."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from ranvier_bss2 import Variability, VirtualChip
from ranvier_bss2.emulator import Emulator, realise

chips = runpy.run_path(str(Path(__file__).parents[1] / "small_chips.py"))
population, projection = chips["population"], chips["projection"]


@pytest.fixture(scope="module")
def config():
    w = projection("input", "layer", np.full((512, 2), 40))
    return chips["chip"]({"input": (2,)}, [population("layer", 512, cadc="dram")], [w])[0]


@pytest.fixture(scope="module")
def silent():
    w = projection("input", "layer", np.zeros((512, 1)))
    own = population("layer", 512, switches=("leaky",), cadc="dram")
    return chips["chip"]({"input": (1,)}, [own], [w])[0]


def run(config, chip, *, batch=1, n_steps=600, seed=0, n_in=1):
    x = np.zeros((batch, n_steps, n_in), dtype=int)
    emulator = Emulator(config, chip)
    return emulator.run({"input": x}, trial_seed=seed)["layer"].cadc.values.astype(float)


@pytest.mark.parametrize(
    ("name", "target", "sigma"),
    [("leak", 80, 1.5), ("reset", 80, 1.5), ("threshold", 125, 2.5)],
)
def test_potentials_scatter_as_the_variability_says(config, name, target, sigma):
    found = [
        getattr(
            realise(config, VirtualChip.of(s), instance=0, substeps=1, exact=False).neurons, name
        )
        for s in range(8)
    ]

    assert getattr(Variability(), f"sigma_{name}") == sigma
    assert np.mean(found) == pytest.approx(target, abs=5 * sigma / 64)
    assert np.std(found) == pytest.approx(sigma, rel=0.06)


def test_time_constants_and_strengths_scatter_by_a_factor(config):
    real = [
        realise(config, VirtualChip.of(s), instance=0, substeps=1, exact=False) for s in range(8)
    ]
    tau_mem = np.log([1e-6 / r.neurons.gain / 10e-6 for r in real])
    tau_syn = np.log([1e-6 / (1 - r.neurons.keep) / 10e-6 for r in real])
    strength = np.log([r.neurons.strength for r in real])

    assert tau_mem.std() == pytest.approx(0.1, rel=0.06)
    assert tau_syn.std() == pytest.approx(0.1, rel=0.06)
    assert strength.std() == pytest.approx(0.08, rel=0.06)
    assert abs(np.corrcoef(tau_syn[:, 0].ravel(), tau_syn[:, 1].ravel())[0, 1]) < 0.1


def test_synapses_scatter_one_by_one(config):
    chip = VirtualChip.of(1, "ideal", sigma_weight=0.05)

    weights = Emulator(config, chip)._parts[0].weights.outside[:, 0] / (40 * chips["KAPPA"])

    assert weights.std() == pytest.approx(0.05, rel=0.1)
    assert weights.mean() == pytest.approx(1.0, abs=0.01)
    assert abs(np.corrcoef(weights)[0, 1]) < 0.15


def test_read_noise_has_its_size_and_no_memory(silent):
    values = run(silent, VirtualChip.of(0, "ideal", cadc_noise=2.0), batch=4)

    assert values.mean() == pytest.approx(80, abs=0.05)
    assert values.std() == pytest.approx(np.sqrt(4 + 1 / 12), rel=0.02)
    flat = values - values.mean(axis=1, keepdims=True)
    assert abs(np.mean(flat[:, 1:] * flat[:, :-1]) / flat.var()) < 0.03
    assert abs(np.corrcoef(flat[:, :, 0].ravel(), flat[:, :, 1].ravel())[0, 1]) < 0.15


def test_channels_of_the_converter_have_gain_and_offset(silent):
    chip = VirtualChip.of(0, "ideal", sigma_cadc_gain=0.05, sigma_cadc_offset=3.0)

    values = run(silent, chip, n_steps=20)[0, 0]

    gain, offset = 0.05 * chip.circuits("cadc_gain"), 3.0 * chip.circuits("cadc_offset")
    circuit = silent.neuron_circuit[np.argsort(silent.neuron_index)]
    expected = 80 * (1 + gain[circuit]) + offset[circuit]
    np.testing.assert_allclose(values, expected, atol=0.5)


def test_membrane_noise_has_the_size_of_its_random_walk_with_leak(silent):
    chip = VirtualChip.of(0, "ideal", membrane_noise=3.0)

    values = run(silent, chip, batch=2)[:, 20:]

    keep = 1 - 1 / 10  # one step of 1 us with tau_mem = 10 us
    assert values.std() == pytest.approx(np.sqrt(9 / (1 - keep**2) + 1 / 12), rel=0.02)
    flat = values - 80
    lag = np.mean(flat[:, 1:] * flat[:, :-1]) / flat.var()
    assert lag == pytest.approx(keep**6, abs=0.03)


def test_noise_differs_between_seeds_samples_and_neurons(silent):
    chip = VirtualChip.of(0, "ideal", membrane_noise=2.0)
    one, other = run(silent, chip, batch=2, seed=1), run(silent, chip, batch=2, seed=2)

    def related(a, b):
        return abs(np.corrcoef(a[20:].ravel(), b[20:].ravel())[0, 1])

    assert related(one[0], other[0]) < 0.03
    assert related(one[0], one[1]) < 0.03
    assert related(one[0][:, :256], one[0][:, 256:]) < 0.03
    np.testing.assert_array_equal(run(silent, chip, batch=2, seed=1), one)


def test_substeps_keep_the_size_of_the_noise(silent):
    chip = VirtualChip.of(0, "ideal", membrane_noise=3.0)
    x = np.zeros((1, 600, 1), dtype=int)

    def spread(substeps):
        emulator = Emulator(silent, chip, substeps=substeps)
        values = emulator.run({"input": x}, trial_seed=0)["layer"].cadc.values
        return values[:, 20:].std()

    assert spread(8) == pytest.approx(spread(1), rel=0.05)
