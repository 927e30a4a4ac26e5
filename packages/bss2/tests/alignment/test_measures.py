import numpy as np
import pytest

from ranvier_bss2.alignment import measures
from ranvier_bss2.alignment.bench import Membranes


class Recorder:
    """Remembers the input and fires where the mean input per step is above a limit."""

    def __init__(self, limits):
        self.weights = measures.stimulus_weights(50)
        self.limits = np.asarray(limits)
        self.dt = 1e-6

    def run(self, spikes, *, seed):
        drive = (spikes @ self.weights).mean(axis=1)[:, None]
        counts = np.where(drive >= self.limits - 1e-9, 10, 0)
        traces = np.zeros((*spikes.shape[:2], self.limits.size))
        return Membranes(traces, drive + 0 * self.limits, counts, np.arange(spikes.shape[1]))


def test_channels_are_a_binary_ladder_and_pairs_of_both_signs():
    weights = measures.stimulus_weights(50)
    assert weights[:6].tolist() == [1, 2, 4, 8, 16, 32]
    single = weights[6:]
    assert single.sum() == 0
    assert single.max() == 50
    assert np.bincount(single[single > 0])[50] == measures.PER_WEIGHT
    assert measures.stimulus_weights(1)[6:].tolist() == [1] * 4 + [-1] * 4


def test_constant_inputs_have_the_mean_of_their_level():
    bench = Recorder([1.0])
    levels = np.array([4, 5, 6, 7, 8, 252])
    spikes = measures.constant_input(bench, levels, 40)
    np.testing.assert_allclose((spikes @ bench.weights).mean(axis=1), levels / 4)


def test_the_weakest_input_is_found_to_a_quarter():
    levels = measures.firing_level(Recorder([2.0, 2.6, 0.3, 70.0]), steps=40, seed=0)
    assert levels.tolist() == [8, 11, 2, -1]


def test_thresholds_are_measured_with_each_neurons_own_input():
    found = measures.threshold(
        Recorder([1.0, 1.0, 1.0]), np.array([8, 20, -1]), steps=40, runs=2, seed=0
    )
    assert found[:2] == pytest.approx([2.0, 5.0])
    assert np.isnan(found[2])
