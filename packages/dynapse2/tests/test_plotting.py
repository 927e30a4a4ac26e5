import numpy as np
import pytest

import ranvier as rv
from ranvier.errors import InputError
from ranvier.graph import Edge, Graph, Input, Linear, Output
from ranvier_dynapse2 import Dpi
from ranvier_dynapse2.plotting import core_weights, device_events, rate_ratio, rate_ratios

pyplot = pytest.importorskip("matplotlib.pyplot")
pyplot.switch_backend("Agg")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def config():
    rng = np.random.default_rng(0)
    nodes = {
        "input": Input(shape=(12,)),
        "w": Linear(weight=rng.normal(3, 4, (2, 12))),
        "dpi": Dpi(shape=(2,)),
        "loop": Linear(weight=[[0.0, -5.0], [-5.0, 0.0]]),
        "output": Output(shape=(2,)),
    }
    edges = [Edge("input", "w"), Edge("w", "dpi"), Edge("dpi", "loop", delay=1)]
    edges += [Edge("loop", "dpi"), Edge("dpi", "output")]
    return rv.build(Graph(nodes, edges, 1e-3), "dynapse2")


def test_the_rate_ratio_is_the_larger_count_over_the_smaller():
    assert rate_ratio([[49, 1], [8, 49], [3, 3]]).tolist() == [49.0, 6.125, 1.0]
    assert np.isinf(rate_ratio([5, 0]))
    assert rate_ratio([0, 0]) == 1.0


@pytest.mark.parametrize("counts", [[1, 2, 3], [-1, 2], 5])
def test_other_numbers_than_two_counts_are_refused(counts):
    with pytest.raises(InputError, match=r"\(\.\.\., 2\)"):
        rate_ratio(counts)


def test_the_histogram_marks_single_samples_and_counts_infinite_ones():
    ax = rate_ratios([1.0, 1.1, 1.3, np.inf], marked=[4.0, np.inf], title="test")

    assert sum(patch.get_height() for patch in ax.patches) == 3
    assert "1 infinite" in ax.get_title()
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert {"sample 0: 4.00", "sample 1: infinite"} <= set(labels)


def test_the_picture_of_a_core_shows_every_synapse_with_its_sign(config):
    figure = core_weights(config)

    matrix = figure.axes[0].images[0].get_array()
    masks = figure.axes[1].images[0].get_array()
    used = config.cam_mask[0, 0][config.cam_dendrite[0, 0] > 0]
    assert matrix.min() < 0 < matrix.max()
    assert np.count_nonzero(matrix) == used.size
    np.testing.assert_array_equal(masks.sum(), (used[:, None] >> np.arange(4) & 1).sum())


@pytest.mark.parametrize(("chip", "core"), [(1, 0), (0, 4), (-1, 0), (0, 3)])
def test_a_core_that_is_not_there_or_empty_is_refused(config, chip, core):
    with pytest.raises(InputError, match="core_weights"):
        core_weights(config, chip=chip, core=core)


def test_device_events_are_labelled_with_tags_and_places(config):
    spikes = (np.random.default_rng(1).random((3, 80, 12)) < 0.2).astype(int)
    recording = rv.simulate(config, spikes)

    figure = device_events(config, spikes, recording, sample=1)

    top, bottom = figure.axes
    assert top.get_yticklabels()[0].get_text().startswith("tag ")
    assert bottom.get_yticklabels()[1].get_text() == "neuron 0.0.1"
    assert len(top.collections[0].get_offsets()) == np.count_nonzero(spikes[1])
    assert len(bottom.collections[0].get_offsets()) == np.count_nonzero(recording.output[1])


def test_input_of_another_size_is_refused(config):
    spikes = np.ones((1, 20, 12), dtype=int)
    recording = rv.simulate(config, spikes)

    with pytest.raises(InputError, match="11 channels, the board 12"):
        device_events(config, spikes[..., :11], recording)
