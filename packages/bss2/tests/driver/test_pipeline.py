"""From a graph to a chip through the verbs of ranvier."""

import numpy as np
import pytest

import ranvier
from ranvier.testing.networks import example_network, example_spikes
from ranvier_bss2.targets import target_named


@pytest.fixture(scope="module")
def built():
    graph = example_network(target_named())
    return ranvier.build(graph, "bss2"), example_spikes(graph, batch=2, n_steps=60, seed=0)


def test_a_built_network_gives_the_same_on_a_chip_as_behind_the_loopback(built, attach_hxtorch):
    config, spikes = built
    stack = attach_hxtorch()

    with (
        ranvier.deploy(config, device="hxtorch") as chip,
        ranvier.deploy(config, device="loopback") as loopback,
    ):
        found, wanted = chip.run(spikes, record=["spikes"]), loopback.run(spikes, record=["spikes"])

    for key in wanted.signals:
        np.testing.assert_array_equal(found.raster(key[0]), wanted.raster(key[0]))
    assert wanted.output.any()
    assert stack.calls == ["init", "run 60", "release"]


def test_a_built_network_runs_through_pynn(built, attach_pynn):
    config, spikes = built
    attach_pynn(dt=config.chip_dt)

    with (
        ranvier.deploy(config, device="pynn") as chip,
        ranvier.deploy(config, device="loopback") as loopback,
    ):
        found, wanted = chip.run(spikes), loopback.run(spikes)

    np.testing.assert_array_equal(found.output, wanted.output)
    assert wanted.output.any()


def test_figures_of_energy_come_from_a_recording_of_a_chip(built, attach_hxtorch):
    config, spikes = built
    attach_hxtorch()

    with ranvier.deploy(config, device="hxtorch") as chip:
        figures = ranvier.estimate(config, chip.run(spikes))

    assert all(figure["source"] for figure in figures.values())
