import numpy as np
import pytest

from ranvier.errors import QuantizationError
from ranvier_bss2.nodes import SWITCHES, AnalogNeuron
from ranvier_bss2.quantization import adex_codes, pulse_length


def model(**values):
    node = AnalogNeuron(shape=(2,), **values)
    names = ("exp_threshold", "exp_slope", "tau_adaptation", "a", "b")
    return {n: np.array(node.parameter(n)) for n in names}


def test_values_are_truncated_and_clipped_and_lose_their_sign():
    found = adex_codes(
        model(exp_threshold=600.9, exp_slope=0.05, tau_adaptation=2000.0, a=-3.5, b=7.0), SWITCHES
    )

    assert {n: v.tolist() for n, v in found.codes.items()} == {
        "v_exp": [600, 600],
        "i_bias_exp": [0, 0],
        "i_bias_adapt_tau": [1022, 1022],
        "i_bias_adapt_a": [3, 3],
        "i_bias_adapt_b": [7, 7],
        "v_adapt_ref": [511, 511],
    }
    assert found.invert_a.all()
    assert not found.invert_b.any()
    assert found.changed == {"exp_threshold": 2, "exp_slope": 2, "tau_adaptation": 2, "a": 2}


def test_a_plain_neuron_has_no_codes():
    found = adex_codes(model(), ("leaky", "fire"))

    assert found.codes == {}
    assert found.changed == {}


def test_pulses_last_powers_of_two_of_8_ns():
    assert pulse_length(0) == pytest.approx(8e-9)
    assert pulse_length(5) == pytest.approx(256e-9)
    with pytest.raises(QuantizationError, match=r"allowed are 0\.\.15"):
        pulse_length(16)
