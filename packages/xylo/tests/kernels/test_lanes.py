import runpy
from pathlib import Path

import numpy as np
import pytest

from ranvier_xylo.kernels import TRACES, CoreState, core, prepare, run
from ranvier_xylo.kernels.lanes import prefers_lanes

random_network, random_counts = (
    runpy.run_path(str(Path(__file__).parents[1] / "random_networks.py"))[name]
    for name in ("random_network", "random_counts")
)


def choose(monkeypatch, lanes):
    monkeypatch.setattr(core, "prefers_lanes", lambda *_: lanes)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("batch", [3, 70])
def test_samples_side_by_side_equal_samples_one_by_one(monkeypatch, version, batch):
    for seed in range(25):
        rng = np.random.default_rng(seed)
        arrays = random_network(rng, version=version, n_hidden=(1, 80))
        net = prepare(arrays)
        counts = np.stack([random_counts(rng, steps=8, n_in=arrays.n_in) for _ in range(batch)])
        results = {}
        for lanes in (False, True):
            choose(monkeypatch, lanes)
            first = run(net, counts[:, :3])
            results[lanes] = run(net, counts[:, 3:], state=first.state)

        np.testing.assert_array_equal(results[True].spikes, results[False].spikes)
        for name in TRACES:
            states = (getattr(results[lanes].state, name) for lanes in (True, False))
            np.testing.assert_array_equal(*states, err_msg=f"seed {seed}, {name}")


def test_a_current_on_an_unused_second_synapse_is_seen_in_lanes(monkeypatch):
    drawn = (random_network(np.random.default_rng(seed), version=2) for seed in range(100))
    arrays = next(a for a in drawn if a.weights_in.shape[2] == a.weights_rec.shape[2] == 1)
    net = prepare(arrays)
    state = CoreState.zeros(2, arrays.n_hidden, arrays.n_out)
    state.i_syn2[:] = 100
    counts = np.zeros((2, 4, arrays.n_in), int)

    choose(monkeypatch, True)
    result = run(net, counts, state=state)

    np.testing.assert_array_equal(result.state.v_mem[0], result.state.v_mem[1])
    np.testing.assert_array_equal(result.state.i_syn2[0], result.state.i_syn2[1])


def test_recorded_runs_do_not_use_lanes(monkeypatch):
    arrays = random_network(np.random.default_rng(0), version=2)
    choose(monkeypatch, True)
    monkeypatch.setattr(core, "run_in_lanes", lambda *_: pytest.fail("lanes record nothing"))

    run(prepare(arrays), np.zeros((3, 4, arrays.n_in), int), record=["v_mem"])


def test_lanes_are_preferred_for_many_busy_samples_only():
    net = prepare(random_network(np.random.default_rng(0), version=2, n_hidden=(30, 30)))

    assert net.n_listed
    assert prefers_lanes(net, 64, 30.0)
    assert not prefers_lanes(net, 4, 30.0)
    assert not prefers_lanes(net._replace(n_listed=0), 64, 30.0)
