import numpy as np
import pytest

from ranvier_xylo.float_model import AliasedFiring

NONE = -1


def fire(v, aliases, threshold=1.0, **options):
    v = np.array([v], dtype=float)
    firing = AliasedFiring(np.array(aliases), np.full(v.shape[1], threshold), **options)
    spikes, after = firing.fire(v)
    return spikes[0].tolist(), after[0].tolist()


def test_a_membrane_at_the_threshold_fires_and_keeps_the_rest():
    assert fire([1.0, 0.99, 2.5, -3.0], [NONE] * 4) == ([1, 0, 2, 0], [0.0, 0.99, 0.5, -3.0])


def test_a_neuron_fires_at_most_31_times_a_step():
    assert fire([40.0], [NONE]) == ([31], [9.0])


def test_an_alias_adds_spikes_without_touching_the_membrane():
    assert fire([2.0, 0.5], [1, NONE]) == ([2, 2], [0.0, 0.5])


def test_alias_spikes_count_against_the_cap_before_the_neurons_own():
    assert fire([30.0, 5.0], [1, NONE]) == ([30, 31], [0.0, 4.0])


def test_aliases_pass_on_along_a_chain_in_one_step():
    assert fire([1.0, 2.0, 3.0], [1, 2, NONE])[0] == [1, 3, 6]


def test_two_sources_of_one_target_are_clipped_together():
    assert fire([20.0, 20.0, 7.0], [2, 2, NONE]) == ([20, 20, 31], [0.0, 0.0, 7.0])


def test_a_cap_of_its_own_does_not_count_what_was_received():
    assert fire([9.0, 9.0], [1, NONE], most=5, shared=False) == ([5, 10], [4.0, 4.0])


@pytest.mark.parametrize("v", [1e300, -1e300])
def test_an_infinite_threshold_never_fires(v):
    assert fire([v], [NONE], threshold=np.inf) == ([0], [v])
