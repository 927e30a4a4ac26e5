import math

import pytest

from ranvier.errors import InputError
from ranvier_xylo.energy import (
    Workload,
    cycles_per_step,
    required_clock,
    second_synapse_operations,
)


def small(**changes):
    base = {"n_in": 2, "n_hidden": 4, "n_out": 3, "n_ien": 3, "n_oen": 2, "fan_out": 1.5}
    return Workload(**{**base, **changes})


def test_worst_case_cycles_match_the_hand_computed_sums():
    cycles = cycles_per_step(small())

    assert cycles.inputs == 2 * (3.5 * 3 + 1) == 23
    assert cycles.synapses == 4 * (7 * 1.5 + 3) == 54
    assert cycles.output_synapses == 2 * (1 + 24) == 50
    assert cycles.spikes == 4 * (19 + 2 + 0 + 1 + 0) == 88
    assert cycles.outputs == 36
    assert cycles.total == 251


def test_cycles_scale_with_the_rates():
    cycles = cycles_per_step(small(p_in=0.5, p_hidden=0.25))

    assert cycles.inputs == 2 * (3.5 * 0.5 * 3 + 1) == 12.5
    assert cycles.synapses == 4 * (7 * 1.5 * 0.25 + 3) == 22.5
    assert cycles.output_synapses == 12.5
    assert cycles.spikes == 4 * (19 + 0.5 + 0.25) == 79


def test_aliases_cost_cycles_even_when_neurons_are_silent():
    quiet = small(p_hidden=0.0, alias_targets=0.5, alias_sources=0.5)

    assert cycles_per_step(quiet).spikes == 4 * (19 + 2 * 0.25 + 3 * 0.25 + 0 + 0.5 * 0.5) == 82


def test_a_silent_step_still_visits_every_neuron():
    silent = cycles_per_step(small(p_in=0.0, p_hidden=0.0))

    assert silent.total == 2 + 4 * 3 + 0 + 4 * 19 + 36


def test_second_synapse_operations_match_the_hand_computed_sum():
    load = small(p_in=0.5, p_hidden=0.25)

    assert second_synapse_operations(load) == 1.5 * 0.5 * 2 * 4 + 5 * 1.5 * 0.25 * 4 + 4 == 17.5


def test_required_clock_is_the_worst_case_with_margin():
    load = small(p_in=0.1, p_hidden=0.1)

    assert required_clock(load, dt=1e-3) == pytest.approx(251 * 1.2 / 1e-3, rel=1e-12)
    assert required_clock(load, dt=1e-2, margin=0.0) == pytest.approx(25100, rel=1e-12)


def test_all_bad_values_are_named_at_once():
    with pytest.raises(InputError, match=r"n_in is -1.*p_hidden is 1.5, allowed are 0..1"):
        small(n_in=-1, p_hidden=1.5)


@pytest.mark.parametrize("dt", [0.0, -1e-3, math.nan, math.inf])
def test_a_step_length_must_be_positive_and_finite(dt):
    with pytest.raises(InputError, match="give a step length above 0"):
        required_clock(small(), dt=dt)


def test_a_negative_margin_is_refused():
    with pytest.raises(InputError, match="allowed is 0 or more"):
        required_clock(small(), dt=1e-3, margin=-0.1)
