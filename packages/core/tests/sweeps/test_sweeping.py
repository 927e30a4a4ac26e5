"""What a sweep computes: rows, seeds, refusals; the same on every executor."""

import functools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import ranvier as rv
from ranvier.errors import FileError, InputError
from ranvier.events import EventSeries
from ranvier.graph import LI, Graph
from ranvier.sweeps import SweepError, worker

VARY = {"quantize.gain": [1, 3], "simulate.chip_seed": range(5), "simulate.noise": [0.0, 0.4]}


def test_rows_equal_a_plain_loop(measures, graph, spikes):
    table = rv.sweep(graph, "noisy", spikes, vary=VARY, evaluate=measures.total, executor=False)

    assert len(table) == 20
    for row in table.rows:
        config = rv.build(graph, "noisy", gain=row["quantize.gain"])
        recording = rv.simulate(
            config,
            spikes,
            chip_seed=row["simulate.chip_seed"],
            noise=row["simulate.noise"],
            trial_seed=row["trial_seed"],
        )
        assert row["total"] == recording.output.sum()


def test_the_last_axis_runs_fastest(measures, graph, spikes):
    table = rv.sweep(graph, "noisy", spikes, vary=VARY, executor="inline")

    assert table["simulate.noise"].tolist() == [0.0, 0.4] * 10
    assert table["quantize.gain"].tolist() == [1] * 10 + [3] * 10


@pytest.mark.parametrize("chunk", [None, 1, 3, 50])
def test_threads_and_chunks_change_nothing(measures, graph, spikes, chunk):
    expected = rv.sweep(graph, "noisy", spikes, vary=VARY, executor="inline")

    table = rv.sweep(graph, "noisy", spikes, vary=VARY, executor="threads", workers=3, chunk=chunk)

    assert table == expected


@pytest.mark.slow
def test_processes_change_nothing_and_compute_with_one_thread(measures, graph, spikes):
    expected = rv.sweep(graph, "noisy", spikes, vary=VARY, executor="inline")

    table = rv.sweep(graph, "noisy", spikes, vary=VARY, workers=2)
    threads = rv.sweep(graph, "noisy", spikes, vary={"trial_seed": [0]}, evaluate=measures.threads)

    assert table == expected
    assert threads["threads"].tolist() == [1]


@pytest.mark.slow
def test_dask_changes_nothing(measures, graph, spikes):
    distributed = pytest.importorskip("distributed")
    expected = rv.sweep(graph, "noisy", spikes, vary=VARY, executor="inline")

    settings = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with (
        distributed.LocalCluster(processes=False, **settings) as cluster,
        distributed.Client(cluster) as client,
        client.get_executor(pure=False) as executor,
    ):
        table = rv.sweep(graph, "noisy", spikes, vary=VARY, executor=executor, chunk=2)

    assert table == expected


def test_an_executor_of_the_user_is_left_open(measures, graph, spikes):
    with ThreadPoolExecutor(2) as executor:
        rv.sweep(graph, "noisy", spikes, vary=VARY, executor=executor)

        assert executor.submit(int, 3).result() == 3


def test_a_trial_seed_depends_on_its_row_and_the_seed_only(measures, graph, spikes):
    def seeds(vary, seed):
        table = rv.sweep(graph, "noisy", spikes, vary=vary, seed=seed, executor="inline")
        return dict(zip(table["simulate.chip_seed"], table["trial_seed"], strict=True))

    few, many = ({"simulate.chip_seed": numbers} for numbers in ([4, 1], range(6)))

    assert seeds(few, 0).items() <= seeds(many, 0).items()
    assert len(set(seeds(many, 0).values())) == 6
    assert not set(seeds(many, 0).values()) & set(seeds(many, 1).values())


def test_trial_seeds_can_vary(measures, graph, spikes):
    vary = {"trial_seed": range(3), "simulate.noise": [0.5]}
    table = rv.sweep(graph, "noisy", spikes, vary=vary, executor="inline")

    config = rv.build(graph, "noisy")
    expected = [rv.simulate(config, spikes, noise=0.5, trial_seed=s).output.sum() for s in range(3)]
    assert table["spikes"].tolist() == expected
    assert len(set(expected)) > 1


def test_every_stage_of_the_pipeline_can_be_swept(measures, graph, spikes):
    mapped = rv.map(graph, "noisy")
    config = rv.quantize(mapped, gain=2)
    vary = {"simulate.chip_seed": range(3)}

    tables = [
        rv.sweep(graph, "noisy", spikes, vary=vary, options={"quantize.gain": 2}, executor=False),
        rv.sweep(mapped, None, spikes, vary=vary, options={"quantize.gain": 2}, executor=False),
        rv.sweep(config, spikes=spikes, vary=vary, executor=False),
    ]

    assert tables[0].rows == tables[1].rows == tables[2].rows


def test_a_build_is_shared_by_the_rows_with_its_options(measures, graph, spikes, monkeypatch):
    calls = []
    original = worker.pipeline.quantize
    monkeypatch.setattr(
        worker.pipeline, "quantize", lambda *a, **k: calls.append(k) or original(*a, **k)
    )

    rv.sweep(graph, "noisy", spikes, vary=dict(reversed(VARY.items())), executor="inline")

    assert calls == [{"gain": 1}, {"gain": 3}]


def test_the_network_is_sent_again_only_to_those_who_ask(measures, graph, spikes, monkeypatch):
    sent = []

    class Spying(ThreadPoolExecutor):
        def submit(self, function, job):
            sent.append(job.parcel is not None)
            if len(sent) == 5:
                worker._BENCHES.clear()  # as a worker that joined late
            return super().submit(function, job)

    with Spying(1) as executor:
        table = rv.sweep(graph, "noisy", spikes, vary=VARY, executor=executor, workers=1, chunk=2)

    assert len(table) == 20
    assert sent[0]
    assert sum(sent) in (2, 3)


def test_a_row_that_the_target_refuses_is_an_error_of_its_own(measures, graph, spikes):
    table = rv.sweep(graph, "noisy", spikes, vary={"map.limit": [3, 6, 8]}, executor="inline")

    assert len(table.failed) == 1
    assert "6 channels, there are 3" in table.failed[0]["error"]
    assert np.isnan(table["spikes"]).tolist() == [True, False, False]


def test_a_sweep_in_which_every_row_fails_is_an_error(measures, graph, spikes):
    with pytest.raises(SweepError, match=r"every row fails.*6 channels, there are 2"):
        rv.sweep(graph, "noisy", spikes, vary={"map.limit": [2, 3]}, executor="inline")


def test_labels_give_the_accuracy(measures, graph, spikes):
    vary = {"simulate.chip_seed": range(4)}
    table = rv.sweep(graph, "noisy", spikes, vary=vary, labels=[0, 1, 2], executor="inline")

    assert table["accuracy"].tolist() == np.mean(table["decisions"] == [0, 1, 2], axis=1).tolist()
    assert table["counts"].shape == (4, 6)
    assert table.summary()["accuracy"]["n"] == 4


def test_series_and_lists_of_samples_are_input_too(measures, graph, spikes):
    vary = {"simulate.chip_seed": [1, 2]}
    parts = [spikes[0], spikes[1, :12]]
    series = [EventSeries.from_raster(part, 1e-3) for part in parts]

    tables = [rv.sweep(graph, "noisy", s, vary=vary, executor=False) for s in (parts, series)]

    assert tables[0] == tables[1]
    assert tables[0]["decisions"].shape == (2, 2)


def test_an_evaluation_may_bind_arguments_in_threads(measures, graph, spikes):
    evaluate = functools.partial(lambda recording, k: {"k": k}, k=2)

    table = rv.sweep(
        graph, "noisy", spikes, vary={"trial_seed": [0]}, evaluate=evaluate, executor="threads"
    )

    assert table["k"].tolist() == [2]


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"vary": {}}, "nothing varies; give vary="),
        ({"vary": {"simulate.chip_seed": 3}}, r"write \[3\]"),
        ({"vary": {"simulate.chip_seed": []}}, "no value"),
        ({"vary": {"simulate.chip_seed": [1, 1]}}, "repeated.*trial_seed"),
        ({"vary": {"simulate.chip_seed": [object()]}}, "object.*options="),
        ({"vary": {"simulate.speed": [1]}}, "known options: chip_seed, noise"),
        ({"vary": {"simulate.noise": [0.1, 2]}}, "noise: .*less than or equal to 1"),
        ({"vary": {"deploy.noise": [0]}}, "with a verb of map, quantize, simulate"),
        ({"vary": {"trial_seed": [-1]}}, "whole numbers >= 0"),
        ({"options": {"trial_seed": 1}}, "no option here"),
        ({"options": {"simulate.chip_seed": 1}}, "both fixed and varied"),
        ({"target": None}, "needs a target; installed: "),
        ({"spikes": None}, "give spikes"),
        ({"spikes": np.ones((3, 5))}, "expected .*time, 6"),
        ({"labels": [0.5, 1, 2]}, "one whole number per sample"),
        ({"labels": [0], "evaluate": len}, "functools.partial"),
        ({"evaluate": 3}, "expected a function"),
        ({"executor": "cluster"}, "'processes', 'threads', 'inline'.*dask"),
        ({"executor": None, "evaluate": lambda r: {}}, "top of a module, or .*threads"),
        ({"workers": 0}, "whole number >= 1"),
        ({"chunk": 0}, "rows >= 1"),
        ({"seed": -1}, "whole number >= 0"),
    ],
)
def test_mistakes_are_found_before_anything_runs(measures, graph, spikes, change, advice):
    arguments = {
        "target": "noisy",
        "spikes": spikes,
        "vary": {"simulate.chip_seed": range(2)},
        "executor": "inline",
        **change,
    }

    with pytest.raises(InputError, match=advice):
        rv.sweep(graph, **arguments)


def test_what_is_no_network_is_refused(measures, spikes):
    with pytest.raises(InputError, match=r"got ndarray; use net.to_graph"):
        rv.sweep(spikes, "noisy", spikes, vary={"trial_seed": [0]})


def test_another_target_than_the_configurations_is_refused(measures, graph, spikes):
    config = rv.build(graph, "noisy")

    with pytest.raises(InputError, match="is for 'noisy', target says 'reference'; leave it out"):
        rv.sweep(config, "reference", spikes, vary={"trial_seed": [0]})


@pytest.mark.parametrize(
    ("name", "problem"),
    [("broken", "KeyError: 'no such node'"), ("wrong", "returned str for 'total'")],
)
def test_a_failing_evaluation_ends_the_sweep_and_names_the_row(
    measures, graph, spikes, name, problem
):
    evaluate = getattr(measures, name)

    with pytest.raises(SweepError, match=problem) as caught:
        rv.sweep(
            graph, "noisy", spikes, vary={"trial_seed": [7]}, evaluate=evaluate, executor="inline"
        )

    assert "1 of 1 rows are missing" in str(caught.value)
    assert "'trial_seed': 7" in caught.value.__cause__.__notes__[0]


def test_what_is_read_out_is_averaged_on_the_reference(spikes):
    graph = Graph.sequential([LI(shape=(6,), tau_mem=5e-3)], dt=1e-3)
    vary = {"simulate.graded_input": [False, True]}

    table = rv.sweep(graph, "reference", spikes, vary=vary, executor="inline")

    expected = rv.simulate(rv.build(graph, "reference"), spikes).output
    np.testing.assert_allclose(table["mean"], [expected.mean((0, 1))] * 2)
    assert table["decisions"].tolist() == [expected.sum(1).argmax(1).tolist()] * 2


def test_another_ending_than_jsonl_is_refused(measures, graph, spikes, tmp_path):
    with pytest.raises(FileError, match=r"name it out.jsonl"):
        rv.sweep(graph, "noisy", spikes, vary=VARY, results=tmp_path / "out.csv")
