import numpy as np
import pytest
from pydantic import ValidationError

from ranvier_bss2 import Variability, VirtualChip


def test_an_ideal_chip_does_not_scatter():
    own = Variability.preset("ideal")

    assert own.saturation is None
    assert all(v == 0 for n, v in own.model_dump().items() if n != "saturation")


def test_an_uncalibrated_chip_scatters_more_in_potentials_and_times_only():
    calibrated, other = Variability(), Variability.preset("uncalibrated")

    assert other.sigma_leak == 4 * calibrated.sigma_leak
    assert other.sigma_tau_syn == pytest.approx(3 * calibrated.sigma_tau_syn)
    assert other.sigma_weight == calibrated.sigma_weight


def test_a_seed_is_one_chip_whatever_is_drawn_first():
    one, other = VirtualChip.of(3), VirtualChip.of(3)

    before = one.circuits("leak")
    other.synapses()

    np.testing.assert_array_equal(other.circuits("leak"), before)
    assert not np.array_equal(VirtualChip.of(4).circuits("leak"), before)


def test_properties_are_independent_standard_normal_draws():
    chip = VirtualChip.of(0)
    draws = np.array([chip.circuits(n) for n in ("leak", "reset", "threshold", "tau_mem")])
    synapses = chip.synapses()

    assert draws.shape == (4, 512)
    assert synapses.shape == (2, 256, 256)
    assert synapses.std() == pytest.approx(1.0, rel=0.01)
    assert np.abs(np.corrcoef(draws) - np.eye(4)).max() < 0.15


def test_single_spreads_can_be_set():
    chip = VirtualChip.of(0, "ideal", cadc_noise=2.0)

    assert chip.variability.cadc_noise == 2.0
    assert chip.variability.sigma_leak == 0.0


@pytest.mark.parametrize("fields", [{"sigma_leak": -1.0}, {"sigma_leek": 1.0}, {"saturation": 0.0}])
def test_impossible_spreads_are_refused(fields):
    with pytest.raises(ValidationError):
        VirtualChip.of(0, **fields)


def test_a_negative_seed_is_refused():
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        VirtualChip.of(-1)
