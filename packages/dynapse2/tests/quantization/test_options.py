import numpy as np
import pytest
from pydantic import ValidationError

from ranvier_dynapse2.quantization import QuantizeOptions


def test_every_option_has_a_default():
    options = QuantizeOptions()

    assert options.i_scale is None
    assert options.gain_compensation
    assert not options.refine
    assert options.biases == {}
    assert options.latches == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {"i_scale": 0.0},
        {"i_scale": -1e-8},
        {"i_scale": float("nan")},
        {"starts": 0},
        {"seed": -1},
        {"bias_tolerance": 0.0},
        {"monitor_hop_y": 8},
        {"calibration_samples": 0},
        {"biases": {"SOIF_DC_P": (0, 1, 2)}},
        {"unknown": 1},
    ],
)
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(ValidationError):
        QuantizeOptions(**wrong)


def test_refinement_without_calibration_spikes_is_refused_with_advice():
    with pytest.raises(ValidationError, match="give the option calibration"):
        QuantizeOptions(refine=True)


def test_refinement_with_calibration_spikes_is_accepted():
    assert QuantizeOptions(refine=True, calibration=np.zeros((3, 2), dtype=int)).refine
