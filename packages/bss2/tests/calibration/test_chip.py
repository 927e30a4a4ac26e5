import numpy as np
import pytest

from ranvier_bss2.calibration import CalibratedChip, Silicon
from ranvier_bss2.calibration.chip import residuals_of
from ranvier_bss2.chip import VirtualChip

NAMES = {
    "leak": "sigma_leak",
    "reset": "sigma_reset",
    "threshold": "sigma_threshold",
    "tau_mem": "sigma_tau_mem",
    "tau_syn_exc": "sigma_tau_syn",
    "tau_syn_inh": "sigma_tau_syn",
    "strength_exc": "sigma_strength",
    "strength_inh": "sigma_strength",
    "cadc_gain": "sigma_cadc_gain",
    "cadc_offset": "sigma_cadc_offset",
}


def test_sigma_times_draw_is_what_the_calibration_left_over(result):
    silicon = Silicon(VirtualChip.of(1, "uncalibrated"), result.targets, result.code_model)
    left = residuals_of(silicon, result.codes)
    chip = result.chip()
    assert set(left) == set(NAMES)
    for name, sigma in NAMES.items():
        found = getattr(chip.variability, sigma) * chip.circuits(name)
        np.testing.assert_allclose(found, left[name], atol=1e-12)


def test_a_calibrated_chip_is_a_virtual_chip_with_the_same_synapses_and_noise(result):
    raw, chip = VirtualChip.of(1, "uncalibrated"), result.chip()
    assert isinstance(chip, VirtualChip)
    assert isinstance(chip, CalibratedChip)
    np.testing.assert_array_equal(chip.synapses(), raw.synapses())
    np.testing.assert_array_equal(chip.circuits("other"), raw.circuits("other"))
    assert chip.variability.membrane_noise == raw.variability.membrane_noise
    assert chip.variability.saturation == raw.variability.saturation
    assert chip.variability.sigma_leak < raw.variability.sigma_leak / 5


def test_equal_chips_are_equal_and_hash_alike(result):
    assert result.chip() == result.chip()
    assert hash(result.chip()) == hash(result.chip())
    assert result.chip() != VirtualChip.of(1)


def test_its_numbers_cannot_be_changed(result):
    with pytest.raises(ValueError, match="read-only"):
        result.chip().residuals["leak"][0] = 1.0
