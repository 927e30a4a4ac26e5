import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ranvier.errors import GraphError
from ranvier_dynapse2 import Dpi, Layout, currents_from_times, times_from_currents
from ranvier_dynapse2.biases import published_table
from ranvier_dynapse2.translation import DEFAULTS

PUBLISHED_CURRENTS = {
    "i_gain_ahp": 2.836879e-11,
    "i_tau_ahp": 2.836879e-11,
    "i_gain_ampa": 8.687943e-9,
    "i_tau_ampa": 8.687943e-11,
    "i_gain_mem": 2.127660e-11,
    "i_tau_mem": 5.319149e-12,
    "i_pulse": 3.5e-8,
    "i_pulse_ahp": 3.5e-7,
    "i_ref": 1.05e-9,
}
LEAK_BY_TAU = {0.02: 5.319e-12, 0.03: 3.546e-12, 0.05: 2.128e-12}
DEFAULT_CODES = {
    "i_dc": (0, 4),
    "i_f_nmda": (0, 0),
    "i_gain_ahp": (0, 161),
    "i_gain_ampa": (3, 92),
    "i_gain_gaba": (3, 94),
    "i_gain_nmda": (3, 94),
    "i_gain_shunt": (3, 92),
    "i_gain_mem": (0, 56),
    "i_pulse_ahp": (5, 42),
    "i_pulse": (4, 32),
    "i_ref": (2, 53),
    "i_spkthr": (4, 243),
    "i_tau_ahp": (1, 67),
    "i_tau_ampa": (1, 208),
    "i_tau_gaba": (1, 212),
    "i_tau_nmda": (1, 212),
    "i_tau_shunt": (1, 208),
    "i_tau_mem": (0, 11),
    "i_w_ahp": (0, 0),
}


@pytest.mark.parametrize("name", PUBLISHED_CURRENTS)
def test_default_times_give_the_published_currents(name):
    assert currents_from_times()[name] == pytest.approx(PUBLISHED_CURRENTS[name], rel=1e-6)
    assert getattr(Dpi(shape=(1,)), name) == pytest.approx(PUBLISHED_CURRENTS[name], rel=1e-6)


@pytest.mark.parametrize("tau", LEAK_BY_TAU)
def test_membrane_time_constants_give_the_published_leaks(tau):
    leak = currents_from_times({"tau_mem": tau})["i_tau_mem"]

    assert leak == pytest.approx(LEAK_BY_TAU[tau], rel=1e-3)


@pytest.mark.parametrize("name", DEFAULT_CODES)
def test_the_default_neuron_has_the_published_codes(name):
    from ranvier_dynapse2.biases import PARAMETER_BIASES

    currents = currents_from_times({"tau_mem": 50e-3, "r_gain_mem": 8.0})
    wanted = {"i_dc": 5e-13, "i_f_nmda": 5e-13, "i_w_ahp": 5e-13, "i_spkthr": 1e-7} | currents
    code = published_table().code(PARAMETER_BIASES[name], float(wanted[name]))

    assert code == DEFAULT_CODES[name]


@pytest.mark.parametrize(("bit", "code"), [(0, (3, 31)), (1, (3, 67)), (2, (3, 138)), (3, (4, 31))])
def test_default_base_weights_have_the_published_codes(bit, code):
    assert published_table().code(f"SYAM_W{bit}_P", 2**bit * 1e-9) == code


@given(
    st.dictionaries(st.sampled_from(sorted(DEFAULTS)), st.floats(0.5, 4.0)),
)
@settings(max_examples=60, deadline=None)
def test_times_come_back_from_their_currents(factors):
    times = {name: DEFAULTS[name] * factor for name, factor in factors.items()}

    again = times_from_currents(currents_from_times(times))

    for name, value in {**DEFAULTS, **times}.items():
        assert again[name] == pytest.approx(value, rel=1e-12)


def test_gains_follow_the_new_time_constant():
    currents = currents_from_times({"tau_ampa": 5e-3, "r_gain_ampa": 10.0})

    assert currents["i_gain_ampa"] == pytest.approx(10 * currents["i_tau_ampa"])


def test_times_may_differ_per_neuron():
    currents = currents_from_times({"tau_mem": np.array([0.02, 0.04])})

    assert currents["i_tau_mem"][0] == pytest.approx(2 * currents["i_tau_mem"][1])


def test_a_layout_of_ones_own_counts():
    doubled = currents_from_times(layout=Layout(c_mem=6e-12))["i_tau_mem"]

    assert doubled == pytest.approx(2 * currents_from_times()["i_tau_mem"])


def test_all_bad_times_are_refused_at_once():
    with pytest.raises(GraphError, match=r"tau_mem is 0; tau_ahp is -1"):
        currents_from_times({"tau_mem": 0.0, "tau_ahp": -1.0})


def test_an_unknown_time_is_refused_with_the_known_ones():
    with pytest.raises(GraphError, match=r"tau_membrane.*tau_mem"):
        currents_from_times({"tau_membrane": 0.02})


def test_currents_beyond_their_bias_are_refused_with_limit_and_advice():
    with pytest.raises(GraphError, match="choose a longer time constant") as caught:
        currents_from_times({"tau_mem": 1e-8, "t_ref": 1e-7})

    assert "SOIF_LEAK_N gives at most 1.388e-06 A" in str(caught.value)
    assert "SOIF_REFR_N" in str(caught.value)
    assert "choose a wider pulse" in str(caught.value)


def test_currents_below_the_dark_current_are_refused_with_the_longest_time():
    with pytest.raises(GraphError, match=r"i_tau_mem is 1\.064e-13 A, below the") as caught:
        currents_from_times({"tau_mem": 1.0, "r_gain_ampa": 1e-3})

    assert "at most 0.2128 s" in str(caught.value)
    assert "i_gain_ampa" in str(caught.value)


def test_a_time_that_is_no_number_is_refused():
    with pytest.raises(GraphError, match=r"tau_mem is 'long'"):
        currents_from_times({"tau_mem": "long"})


def test_currents_without_a_time_are_refused():
    with pytest.raises(GraphError, match=r"i_tau_mem is 0; i_ref is nan; currents"):
        times_from_currents({"i_tau_mem": 0.0, "i_ref": np.nan, "i_dc": 0.0})
