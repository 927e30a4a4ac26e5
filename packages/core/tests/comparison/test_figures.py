import math

import pytest

from ranvier.comparison.figures import chip_latency, energy_of_a_sample, figure, fullest

USED = {"value": 3, "unit": "fraction", "source": "counted", "certainty": "verified"}


def test_a_figure_keeps_its_source_and_certainty():
    found = figure({"x": USED}, "x")

    assert (found.value, found.unit, found.source, found.certainty) == (
        *(3.0, "fraction"),
        *("counted", "verified"),
    )


@pytest.mark.parametrize("value", [None, "a lot", True, math.nan, math.inf])
def test_what_is_no_number_is_no_figure(value):
    assert figure({"x": {"value": value}}, "x") is None
    assert figure({}, "x") is None


def test_a_bare_number_is_a_figure_without_source():
    assert figure({"x": 2}, "x").source == ""


def test_the_fullest_resource_is_the_largest_utilisation():
    estimates = {"utilisation_a": {"value": 0.1}, "utilisation_b": {"value": 0.7}, "power": 9.0}

    assert fullest(estimates).name == "utilisation_b"
    assert fullest({"power": 9.0}) is None


def test_stated_latencies_go_before_computed_ones():
    assert chip_latency({"latency": {"value": 2.0, "unit": "s"}}, 1.0) == 2
    assert chip_latency({"latency": {"value": 2.0, "unit": "steps"}}, 1.0) == 1
    assert chip_latency({}, 1.0) == 1


@pytest.mark.parametrize("name", ["energy_per_sample", "energy_per_inference"])
def test_an_energy_is_taken_as_stated(name):
    estimates = {name: {"value": 1e-6, "unit": "J", "source": "s"}, "power": {"value": 9.0}}

    assert energy_of_a_sample(estimates, duration=2.0).value == 1e-6


def test_a_power_counts_for_the_time_of_a_sample():
    found = energy_of_a_sample({"power": {"value": 3.0, "unit": "W", "source": "s"}}, duration=2.0)

    assert (found.value, found.unit) == (6.0, "J")
    assert found.source == "power times 2 s; s"
    assert energy_of_a_sample({}, duration=2.0) is None
    assert energy_of_a_sample({"power": {"value": 3.0, "unit": "mW"}}, duration=2.0) is None
