import math
import subprocess
import sys

import numpy as np
import pytest

import ranvier as rv
from ranvier.comparison import Poisson
from ranvier.errors import InputError, MappingError
from ranvier.events import EventSeries
from ranvier.graph import AdEx, Edge, Graph, Input, Linear, Output


def names(found):
    return [report.target for report in found.targets]


def test_the_reference_agrees_with_itself_in_everything(graph, spikes, labels):
    found = rv.compare(graph, "reference", spikes, labels)

    report = found["reference"]
    assert (report.agreement, report.first_difference, report.latency_steps) == (1, None, 0)
    assert report.accuracy == found.reference.accuracy == 1
    assert [layer.node for layer in report.layers] == ["hidden", "out"]
    for layer in report.layers:
        assert layer.spikes == layer.reference_spikes > 0
        assert (layer.count_correlation, layer.van_rossum, layer.van_rossum_relative) == (1, 0, 0)
        assert (layer.membrane_snr, layer.membrane_error) == (math.inf, 0)


@pytest.mark.parametrize("late", [0, 1, 5])
def test_latency_is_taken_out_before_comparing(chips, graph, spikes, late):
    found = rv.compare(graph, ["late-1"], spikes, target_options={"late": {"late": late}})

    report = found["late-1"]
    assert report.status == "ran", report.reason
    assert (report.agreement, report.first_difference) == (1, None)
    assert all(layer.van_rossum == 0 for layer in report.layers)
    assert all(layer.membrane_snr == math.inf for layer in report.layers)
    assert report.latency_steps == late
    assert report.latency == pytest.approx(late * 1e-3 * 0.5)


def test_signals_that_come_early_are_compared_where_they_were_seen(chips, graph, spikes):
    found = rv.compare(graph, ["late-2"], spikes, target_options={"late-2": {"late": -1}})

    layer = found["late-2"].layer("hidden")
    assert layer.latency == -1
    assert layer.membrane_snr > 20  # what was before the first step is unknown


def test_the_first_lost_spike_is_named(chips, graph, spikes):
    expected = rv.simulate(rv.build(graph, "reference"), spikes, record=["spikes"])

    found = rv.compare(graph, ["late-1"], spikes, target_options={"late-1": {"drop": True}})

    first = found["late-1"].first_difference
    step, sample, neuron = min(
        (int(t), int(s), int(n)) for s, t, n in np.argwhere(expected.raster("hidden"))
    )
    assert (first.node, first.step, first.sample, first.neuron) == ("hidden", step, sample, neuron)
    assert found["late-1"].spikes == found.reference.spikes - 12
    assert 0 < found["late-1"].layer("hidden").van_rossum < 0.3


def test_spikes_and_their_operations_are_counted(graph, spikes):
    recording = rv.simulate(rv.build(graph, "reference"), spikes, record=["spikes"])
    hidden, out = recording.raster("hidden"), recording.raster("out")

    report = rv.compare(graph, ["reference"], spikes)["reference"]

    assert report.spikes == hidden.sum() + out.sum()
    assert report.synaptic_operations == 2 * spikes.sum() + 2 * hidden.sum()


def test_all_takes_the_chips_and_reports_what_is_broken(chips, graph, spikes):
    chips("late", "shaky", "torn")

    found = rv.compare(graph, "all", spikes)

    status = {report.target: report.status for report in found.targets}
    assert status == {
        **{"late-1": "ran", "late-2": "ran"},
        **{"shaky-1": "failed", "shaky-2": "failed", "torn": "failed"},
    }
    assert "no such library" in found["shaky-1"].reason
    assert "manifest is incomplete" in found["torn"].reason


def test_a_target_that_is_missing_is_reported_with_the_installed_ones(chips, graph, spikes):
    found = rv.compare(graph, ["late-3", "late-1"], spikes)

    assert names(found) == ["late-3", "late-1"]
    assert [r.status for r in found.targets] == ["failed", "ran"]
    assert "Did you mean 'late-" in found["late-3"].reason


def test_a_network_that_does_not_fit_is_skipped_with_its_diagnostics(chips, graph, spikes):
    found = rv.compare(graph, ["late-1"], spikes, target_options={"late": {"full": True}})

    report = found["late-1"]
    assert (report.status, report.reason) == ("skipped", "late: does not fit")
    assert [d.code for d in report.diagnostics] == ["LT002"]
    assert "use fewer neurons" in str(found)


def test_a_simulator_that_crashes_does_not_disturb_the_others(chips, graph, spikes):
    found = rv.compare(graph, "all", spikes, target_options={"late-1": {"crash": True}})

    assert [r.status for r in found.targets] == ["failed", "ran"]
    assert found["late-1"].reason == "ZeroDivisionError: the chip caught fire"


def test_estimates_come_with_source_and_certainty(chips, graph, spikes):
    report = rv.compare(graph, ["late-1"], spikes)["late-1"]

    assert (report.utilisation.name, report.utilisation.value) == ("utilisation_weights", 0.5)
    assert report.energy.value == pytest.approx(2.0 * 42 * 1e-3 * 0.5)  # two steps for the hop
    assert report.energy.certainty == "uncertain"
    assert report.energy.source.endswith("a guess")
    assert report.estimates["steps"]["value"] == 42
    assert [d.code for d in report.losses] == ["LT001"]


def test_results_do_not_depend_on_chunks_or_repetition(chips, graph, spikes, labels):
    one, again, cut = (
        rv.compare(graph, "all", spikes, labels, chunk_size=size) for size in (None, None, 4)
    )

    assert one == again
    assert one.reference == cut.reference
    for a, b in zip(one.targets, cut.targets, strict=True):
        assert (a.layers, a.decisions, a.spikes) == (b.layers, b.decisions, b.spikes)
        assert a.synaptic_operations == b.synaptic_operations


def test_noise_comes_from_the_trial_seed(chips, graph, spikes):
    def run(seed):
        options = {"late-1": {"noise": 0.5}}
        return rv.compare(
            graph, ["late-1"], spikes, target_options=options, trial_seed=seed, chunk_size=3
        )["late-1"]

    assert run(1) == run(1)
    assert run(1).layers != run(2).layers


def test_chunks_of_a_noisy_run_do_not_repeat_their_noise(chips, graph, spikes):
    twice = np.concatenate([spikes[:1]] * 2)

    report = rv.compare(
        graph, ["late-1"], twice, target_options={"late-1": {"noise": 0.5}}, chunk_size=1
    )["late-1"]

    alone = rv.compare(graph, ["late-1"], twice[:1], target_options={"late-1": {"noise": 0.5}})
    assert report.spikes != 2 * alone["late-1"].spikes


def test_without_input_poisson_spikes_are_drawn_and_said_so(graph):
    found, again = (rv.compare(graph, ["reference"]) for _ in range(2))
    other = rv.compare(graph, ["reference"], Poisson(seed=1, n_samples=2, n_steps=30))

    assert found == again
    assert "Poisson spikes of 100 Hz per channel, drawn with seed 0" in str(found)
    assert (other.n_samples, other.n_steps) == (2, 30)


def test_one_sample_series_and_ragged_lists_are_taken(graph, spikes):
    whole = rv.compare(graph, ["reference"], spikes[0])
    series = rv.compare(graph, ["reference"], EventSeries.from_raster(spikes[0], 1e-3))
    ragged = rv.compare(graph, ["reference"], [spikes[0], spikes[1, :10]])

    assert whole.n_samples == 1
    assert series.reference.layers == whole.reference.layers
    assert ragged.n_samples == 2
    cut = rv.simulate(rv.build(graph, "reference"), spikes[1, :10]).output.sum()
    full = rv.simulate(rv.build(graph, "reference"), spikes[0]).output.sum()
    assert ragged.reference.layer("out").spikes == cut + full


@pytest.mark.parametrize("readout", ["mean", "max"])
def test_a_membrane_readout_decides_by_its_mean_or_maximum(readout):
    from ranvier.graph import LI

    graph = Graph.sequential(
        {"w": Linear(weight=np.eye(2)), "out": LI(shape=(2,), tau_mem=0.01)}, dt=1e-3
    )
    spikes = np.zeros((1, 50, 2), dtype=int)
    spikes[0, :10:3, 0] = 1  # a burst
    spikes[0, ::9, 1] = 1  # more in total
    trace = rv.simulate(rv.build(graph, "reference"), spikes).output[0]
    expected = int(np.argmax(trace.mean(0) if readout == "mean" else trace.max(0)))

    found = rv.compare(graph, ["reference"], spikes, readout=readout)

    assert found.reference.decisions == (expected,)
    assert expected == (1 if readout == "mean" else 0)
    assert found["reference"].layer("out").spikes is None
    assert found["reference"].layer("out").membrane_snr == math.inf


def test_an_output_of_one_channel_decides_nothing(spikes):
    graph = Graph.sequential([Linear(weight=np.ones((1, 3)))], dt=1e-3)

    report = rv.compare(graph, ["reference"], spikes)["reference"]

    assert (report.agreement, report.accuracy, report.undecided) == (None, None, None)


def test_several_outputs_need_a_name(graph, spikes):
    nodes = {**graph.nodes, "second": Output(shape=(6,))}
    two = Graph(nodes, (*graph.edges, Edge("hidden", "second")), graph.dt)

    with pytest.raises(InputError, match="name one"):
        rv.compare(two, ["reference"], spikes)
    assert max(rv.compare(two, ["reference"], spikes, output="second").reference.decisions) < 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": [0, 1]}, "6 integers, one per sample"),
        ({"labels": [0, 1, 2, 3, 0, 1]}, r"labels are 0\.\.3, the output has 3 channel"),
        ({"labels": [0.5] * 6}, "integers"),
        ({"readout": "median"}, "choose 'mean' or 'max'"),
        ({"tau": 0}, "positive time"),
        ({"trial_seed": -1}, "trial_seed is -1"),
        ({"chunk_size": 0}, "chunk_size is 0"),
        ({"output": "nowhere"}, "outputs are"),
        ({"targets": []}, "no target is named"),
        ({"target_options": {"lat": {}}}, "did you mean 'late'"),
        ({"target_options": {"late": {"lat": 1}}}, "known options: crash, drop, full, late, noise"),
        ({"target_options": {"late": {"late": -7}}}, "greater than or equal to -2"),
        ({"target_options": {"late": 3}}, "give a mapping"),
        ({"target_options": {"reference": {"late": 3}}}, "reference has no option late"),
        ({"spikes": np.zeros((2, 4, 5))}, "channels|shape"),
        ({"spikes": np.zeros((0, 4, 3))}, "at least 1"),
    ],
)
def test_what_the_caller_got_wrong_is_raised(chips, graph, spikes, arguments, message):
    given = {"targets": "all", "spikes": spikes} | arguments

    with pytest.raises(InputError, match=message):
        rv.compare(graph, given.pop("targets"), given.pop("spikes"), **given)


def test_without_a_chip_the_message_says_how_to_install_one(chips, graph, spikes):
    chips("nothing")

    with pytest.raises(InputError, match="pip install ranvier-CHIP"):
        rv.compare(graph, "all", spikes)


def test_a_network_that_the_reference_cannot_run_is_an_error(spikes):
    strange = AdEx(shape=(3,), tau_mem=0.1, tau_syn=0.1, tau_adaptation=0.1, decay="exponential")

    with pytest.raises(MappingError):
        rv.compare(Graph.sequential([strange], dt=1e-3), ["reference"], spikes)


def test_something_else_than_a_graph_is_refused():
    with pytest.raises(InputError, match="to_graph"):
        rv.compare(object(), ["reference"])


def test_several_inputs_are_given_by_name(spikes):
    nodes = {"a": Input(shape=(3,)), "b": Input(shape=(3,)), "out": Output(shape=(3,))}
    graph = Graph(nodes, (Edge("a", "out"), Edge("b", "out")), 1e-3)

    found = rv.compare(graph, ["reference"], {"a": spikes, "b": spikes})

    assert found.reference.decisions == tuple(spikes.sum(1).argmax(1))
    assert rv.compare(graph, ["reference"]).n_samples == 16


@pytest.mark.parametrize(
    "code",
    [
        "import ranvier.comparison; import ranvier as rv; rv.compare",
        "import ranvier as rv; rv.compare; import ranvier.comparison.verb",
        "from ranvier import compare; import ranvier as rv; from ranvier.comparison import compare",
    ],
)
def test_the_verb_stays_a_function_whatever_is_imported_first(code):
    check = "assert callable(rv.compare) and rv.compare is rv.comparison.compare, rv.compare"

    subprocess.run([sys.executable, "-c", f"{code}\n{check}"], check=True)
