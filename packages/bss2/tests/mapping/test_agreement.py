import runpy
from pathlib import Path

import numpy as np
import pytest

from ranvier import pipeline
from ranvier.testing.agreement_checks import spike_agreement

helpers = runpy.run_path(str(Path(__file__).parents[1] / "small_graphs.py"))
chain, lif, li, build = (helpers[n] for n in ("chain", "lif", "li", "build"))
reference, spikes_for = helpers["reference"], helpers["spikes_for"]
STEPS = 100


@pytest.fixture(scope="module")
def graph():
    return chain(lif(24), lif(12), li(3), n_in=8, scale=0.12)


@pytest.fixture(scope="module")
def spikes(graph):
    return spikes_for(graph, batch=4, steps=STEPS)


def runs(graph, spikes, config, **options):
    """Return recordings of the chip and of the graph."""
    chip = pipeline.simulate(config, spikes, record=True, trial_seed=0, **options)
    return chip, reference(graph, spikes)


@pytest.mark.parametrize("level", ["numeric", "emulator"])
def test_a_chip_without_variability_fires_like_the_graph_but_for_rounding(graph, spikes, level):
    config = build(graph, range="full")

    chip, expected = runs(graph, spikes, config, level=level, variability={"saturation": None})

    for name in ("layer0", "layer1"):
        late = chip.latency[name]
        one = chip.raster(name)[:, late:]
        other = expected.raster(name)[:, : STEPS - late]
        assert other.sum() > 100
        # weights differ by about 1 %: single spikes move by a step
        assert abs(int(one.sum()) - int(other.sum())) < 0.05 * other.sum()
        assert spike_agreement(one, other, jitter=1) > 0.9


def test_a_readout_follows_the_graph(graph, spikes):
    config = build(graph, quantize={"calibration": spikes})

    chip, expected = runs(graph, spikes, config, level="numeric")

    late = chip.latency["layer2"]
    one, other = chip.output[:, late:], expected.output[:, : STEPS - late]
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.98
    np.testing.assert_allclose(one.mean(), other.mean(), rtol=0.1, atol=0.05 * other.std())


def test_a_virtual_chip_fires_at_similar_rates(graph, spikes):
    config = build(graph)

    chip, expected = runs(
        graph, spikes, config, preset="calibrated", chip_seed=3, variability={"saturation": None}
    )

    one, other = chip.raster("layer0").mean(), expected.raster("layer0").mean()
    assert 0.7 * other < one < 1.3 * other
