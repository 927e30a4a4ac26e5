"""Checks against the reference: a digital chip computes the network, rounded."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from .. import pipeline
from ..artifacts import Recording
from ..graph import Graph
from ..plugins import manager
from .subject import Subject, run


def spike_agreement(one: NDArray[np.int64], other: NDArray[np.int64], *, jitter: int = 1) -> float:
    """Return the share of spikes that have a partner in the other raster.

    Parameters
    ----------
    one, other : array of int, (batch, time, ...)
        Counts of the same shape.
    jitter : int
        Steps by which a spike and its partner may differ, >= 0.

    Returns
    -------
    float
        Twice the number of pairs over the number of spikes, 0..1; 1 if there are no spikes. Each
        spike has one partner at most.
    """
    total = int(one.sum() + other.sum())
    left, right = (np.moveaxis(a, 1, -1).reshape(-1, a.shape[1]) for a in (one, other))
    pairs = sum(_pairs(a, b, jitter) for a, b in zip(left, right, strict=True))
    return 1.0 if total == 0 else 2 * pairs / total


def _pairs(one: NDArray[np.int64], other: NDArray[np.int64], jitter: int) -> int:
    """Match the spikes of one neuron in order of time; return the number of pairs."""
    steps = np.arange(one.size)
    left, right = np.repeat(steps, one), np.repeat(steps, other)
    i = j = pairs = 0
    while i < left.size and j < right.size:
        gap = left[i] - right[j]
        pairs += abs(gap) <= jitter
        i += gap <= jitter
        j += gap >= -jitter
    return pairs


class AgreementChecks(Subject):
    """Spikes of a digital chip are those of the reference, but for rounding.

    Attributes
    ----------
    min_agreement : float
        Least share of spikes with a partner at the same neuron, one step apart at most, see
        `spike_agreement`.
    min_correlation : float
        Least correlation of membranes that are read out.
    """

    min_agreement: ClassVar[float] = 0.95
    min_correlation: ClassVar[float] = 0.99

    def compared(self, graph: Graph, **record: Any) -> tuple[Recording, Recording]:
        """Return the recordings of the target and of the reference."""
        self.needs(self.able.exact, "an analogue chip is compared statistically, by its own tests")
        spikes = self.spikes(batch=4, n_steps=120)
        recordings = [
            pipeline.simulate(pipeline.build(graph, name), spikes, trial_seed=0, **record)
            for name in (self.name, "reference")
        ]
        return recordings[0], recordings[1]

    def check_spikes(self, graph: Graph) -> None:
        """Compare the spikes of every layer."""
        chip, reference = self.compared(graph, record=["spikes"])
        for node in graph.neurons:
            if (node, "spikes") not in chip:
                continue
            late = chip.latency.get(node, 0)
            one, other = _aligned(chip.raster(node), reference.raster(node), late)
            agreement = spike_agreement(one, other)
            assert agreement >= self.min_agreement, f"{node}: only {agreement:.1%} of spikes agree"

    @pytest.mark.parametrize("seed", [0, 1, 2])
    def test_spikes_agree_with_the_reference(self, seed: int) -> None:
        self.check_spikes(self.network(seed=seed))

    def test_spikes_of_a_recurrent_network_agree_with_the_reference(self) -> None:
        self.needs(self.able.recurrent, "the manifest declares no recurrence")
        self.check_spikes(self.network(recurrent=True))

    def test_membranes_that_are_read_out_agree_with_the_reference(self) -> None:
        self.needs(self.able.readout, "no LI or CubaLI among the node kinds")
        graph = self.network(readout="v_mem")
        chip, reference = self.compared(graph)
        late = chip.latency.get("readout", 0)
        one, other = _aligned(chip.output, reference.output, late)
        correlation = float(np.corrcoef(one.ravel(), other.ravel())[0, 1])
        assert correlation >= self.min_correlation, f"correlation is only {correlation:.4f}"

    def test_shadow_with_everything_on_fires_like_the_simulator(self) -> None:
        self.needs(self.implements("ranvier_shadow"), "no hook ranvier_shadow")
        spikes = self.spikes()
        with self.session() as session, self.shadow({}) as shadow:
            expected = run(session, spikes, record=["spikes"])
            shadowed = run(shadow, spikes, record=["spikes"])
        for node in self.network().neurons:
            np.testing.assert_array_equal(shadowed.raster(node), expected.raster(node))

    def test_shadow_with_everything_off_fires_like_the_reference(self) -> None:
        self.needs(self.implements("ranvier_shadow"), "no hook ranvier_shadow")
        spikes, graph = self.spikes(), self.network()
        with self.shadow({}) as shadow:
            off = dict.fromkeys(shadow.switches, False)
        with self.shadow(off) as shadow:
            shadowed = run(shadow, spikes, record=["spikes"])
        reference = pipeline.build(graph, "reference")
        expected = pipeline.simulate(reference, spikes, record=["spikes"])
        for node in graph.neurons:
            late = shadowed.latency.get(node, 0)
            one, other = _aligned(shadowed.raster(node), expected.raster(node), late)
            np.testing.assert_array_equal(one, other)

    def shadow(self, switches: dict[str, bool]) -> Any:
        """Open the shadow; its attribute ``switches`` names what can be switched."""
        return manager().call("ranvier_shadow", self.chip, config=self.config(), switches=switches)


def _aligned(late: NDArray[Any], early: NDArray[Any], steps: int) -> tuple[Any, Any]:
    """Cut two recordings (batch, time, ...) to where both show the same step of the graph."""
    return late[:, steps:], early[:, : early.shape[1] - steps]
