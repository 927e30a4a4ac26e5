"""Limits of a core with the options of a user."""

import pytest

from ranvier.errors import InputError
from ranvier_loihi.placement import Budget
from ranvier_loihi.targets import limits_of


def test_a_budget_takes_the_targets_limits_and_the_users_changes():
    budget = Budget.of(limits_of("loihi1"), chips=2, axons_in=100, groups=None)

    assert (budget.cores, budget.neurons, budget.axons_in, budget.groups) == (256, 1024, 100, 32)
    assert (budget.bits_per_synapse, budget.convolution_shared) == (10, False)


def test_words_of_an_axon_are_rounded_up():
    budget = Budget.of(limits_of("loihi2"), chips=1, overhead_bits_per_axon=3)

    assert [budget.words(n) for n in (1, 2, 3, 85)] == [1, 1, 2, 27]


def test_values_out_of_range_are_named_all_at_once():
    with pytest.raises(InputError, match=r"chips = 0 .*neurons = -1 .*correct these options"):
        Budget.of(limits_of("loihi2"), chips=0, neurons=-1)


def test_unknown_fields_are_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"no field \['cores'\]; fields: chips"):
        Budget.of(limits_of("loihi2"), chips=1, cores=3)
