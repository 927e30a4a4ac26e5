import numpy as np
import pytest

import ranvier as rv
from ranvier.errors import InputError, SimulationError
from ranvier.graph import CubaLI, CubaLIF, Edge, Graph, Input, Linear, Output
from ranvier_xylo import XyloSession, diagnostics as codes
from ranvier_xylo.kernels import prepare, run


@pytest.fixture
def graph(make_chain, rng):
    return make_chain(rng)


@pytest.fixture
def config(graph):
    return rv.build(graph, "xylo-audio3")


@pytest.fixture
def counts(rng):
    return rng.poisson(0.5, (3, 30, 4))


def equal(a, b):
    return a.signals.keys() == b.signals.keys() and all(
        np.array_equal(a.raw(*key), b.raw(*key)) for key in a.signals
    )


def test_outputs_and_hidden_nodes_carry_the_cores_numbers(config, counts):
    record = rv.simulate(config, counts, record=True)
    core = run(prepare(config.core_arrays()), counts, record=["spikes", "v_mem", "i_syn_out"])
    assert np.array_equal(record.output, core.spikes)
    assert np.array_equal(record.raster("n1"), core.traces["spikes"][:, :, 10:])
    assert np.array_equal(record.raw("n0", "v_mem"), core.traces["v_mem"][:, :, :10])
    assert np.array_equal(record.raw("n2", "i_syn"), core.traces["i_syn_out"])
    assert record.raster("n1").sum() > 0


def test_traces_come_with_their_scale_to_model_units(config, counts):
    record = rv.simulate(config, counts, record=["v_mem"])
    raw = record.raw("n0", "v_mem")
    np.testing.assert_allclose(record.trace("n0"), raw * config.v_lsb[:10])


def test_only_outputs_are_recorded_unless_asked(config, counts):
    assert list(rv.simulate(config, counts).signals) == [("n2", "spikes")]


def test_a_batch_equals_its_samples(config, counts):
    together = rv.simulate(config, counts, record=True)
    for sample in range(len(counts)):
        alone = rv.simulate(config, counts[sample], record=True)
        for key in together.signals:
            assert np.array_equal(alone.raw(*key), together.raw(*key)[sample])


def test_chunks_equal_one_run(config, counts):
    whole = rv.simulate(config, counts, record=True)
    with rv.open_simulation(config) as session:
        parts = list(session.stream([counts[:, :7], counts[:, 7:8], counts[:, 8:]], record=True))
    for key in whole.signals:
        joined = np.concatenate([part.raw(*key) for part in parts], axis=1)
        assert np.array_equal(joined, whole.raw(*key))


def test_state_can_be_taken_and_put_back(config, counts):
    with rv.open_simulation(config) as session:
        session.run(counts)
        state = session.state
        first = session.run(counts, record=True)
        session.state = state
        again = session.run(counts, record=True)
        session.reset()
        fresh = session.run(counts, record=True)
    assert equal(first, again)
    assert equal(fresh, rv.simulate(config, counts, record=True))
    assert not equal(first, fresh)


def test_the_state_at_rest_can_be_put_back(config, counts):
    with rv.open_simulation(config) as session:
        session.state = session.state
        once = session.run(counts[:1], record=True)
    assert equal(once, rv.simulate(config, counts[:1], record=True))


def test_a_state_that_does_not_fit_is_refused(config):
    with rv.open_simulation(config) as session:
        state = session.state
        with pytest.raises(InputError, match="expected"):
            session.state = {"v_mem": state["v_mem"]}
        with pytest.raises(InputError, match=r"state\.v_mem has shape \(1, 3\)"):
            session.state = {**state, "v_mem": state["v_mem"][:, :3]}


def test_another_batch_size_needs_a_reset(config, counts):
    with rv.open_simulation(config) as session:
        session.run(counts)
        with pytest.raises(SimulationError, match=r"holds 3 samples, the input 2; call reset"):
            session.run(counts[:2])
        session.reset()
        assert session.run(counts[:2]).output.shape == (2, 30, 3)


def test_a_run_without_steps_is_empty(config):
    assert rv.simulate(config, np.zeros((0, 4), int), record=True).output.shape == (0, 3)


def test_counts_above_fifteen_act_as_fifteen_and_are_reported(config, counts):
    high = counts.copy()
    high[0, 3, 1], high[1, 4, 2] = 16, 300
    record = rv.simulate(config, high, record=True)
    loss = [d for d in record.diagnostics if d.code == codes.INPUT_CLIPPED.code]
    assert [(d.node, d.value, d.limit) for d in loss] == [("input", 300, 15)]
    assert "2 count(s) above 15, up to 300" in loss[0].message
    assert equal(record, rv.simulate(config, np.minimum(high, 15), record=True))
    high = np.full_like(counts, 15)
    assert codes.INPUT_CLIPPED.code not in {d.code for d in rv.simulate(config, high).diagnostics}


def test_a_recording_knows_latency_and_origin(config, counts):
    record = rv.simulate(config, counts)
    assert record.latency == {"n0": 0, "n1": 1, "n2": 2, "output": 2}
    assert record.provenance["target"] == "xylo-audio3"
    assert record.provenance["config"] == config.content_hash


@pytest.mark.parametrize(
    ("spikes", "text"),
    [
        (np.zeros((5, 3), int), r"shape \(5, 3\)"),
        (np.full((5, 4), -1), "negative"),
        (np.full((5, 4), 0.5), "fractional"),
        (np.full((5, 4), np.nan), "NaN"),
        ({"other": np.zeros((5, 4), int)}, "other"),
    ],
)
def test_bad_input_is_one_clear_error(config, spikes, text):
    with pytest.raises(InputError, match=text):
        rv.simulate(config, spikes)


def test_an_unknown_quantity_lists_what_there_is(config, counts):
    with pytest.raises(InputError, match="i_syn"):
        rv.simulate(config, counts, record=["i_syn2"])


def test_a_closed_session_says_so(config, counts):
    session = rv.open_simulation(config)
    session.close()
    with pytest.raises(SimulationError, match="closed"):
        session.run(counts)


def test_an_update_keeps_the_state_and_changes_the_numbers(config, counts):
    other = config.model_copy(update={"threshold": config.threshold * 2})
    with rv.open_simulation(config) as session:
        session.run(counts)
        state = session.state
        session.update(other)
        assert np.array_equal(session.state["v_mem"], state["v_mem"])
        updated = session.run(counts, record=True)
        session.update(config)
        session.state = state
        assert not equal(updated, session.run(counts, record=True))
        assert session.config is config


def test_an_update_of_another_kind_is_refused(config, graph):
    with rv.open_simulation(config) as session:
        with pytest.raises(SimulationError, match="got str"):
            session.update("config")
        with pytest.raises(SimulationError, match="xylo-imu"):
            session.update(rv.build(graph, "xylo-imu"))


def residual(make_cuba, rng):
    weights = {n: rng.normal(0.4, 0.5, s) for n, s in {"f1": (5, 4), "f2": (5, 5)}.items()}
    nodes = {
        "f1": Linear(weight=weights["f1"]),
        "A": make_cuba(5),
        "f2": Linear(weight=weights["f2"] / 5),
        "B": make_cuba(5),
        "fo": Linear(weight=rng.normal(0, 0.5, (3, 5))),
        "O": make_cuba(3, last=True),
    }
    chain = Graph.sequential(nodes, dt=1e-3)
    return Graph(chain.nodes, [*chain.edges, Edge("A", "fo")], 1e-3)


def test_recorded_spikes_are_the_neurons_own_with_aliases_and_without(make_cuba, rng, counts):
    graph = residual(make_cuba, rng)
    alias = rv.simulate(rv.build(graph, "xylo-audio3"), counts, record=["spikes"])
    config = rv.build(graph, "xylo-audio3", residual="weights")
    weights = rv.simulate(config, counts, record=["spikes"])
    assert np.array_equal(alias.raster("A"), weights.raster("A"))
    assert alias.raster("A").sum() > 100
    assert (alias.raster("A") + alias.raster("B")).max() <= 31
    assert np.array_equal(alias.raster("B"), weights.raster("B"))
    assert alias.raster("B").sum() > 100


@pytest.mark.parametrize("readout", ["v_mem", "i_syn"])
def test_outputs_may_show_membranes_or_currents(graph, counts, readout):
    record = rv.simulate(rv.build(graph, "xylo-audio2", readout=readout), counts)
    spikes = rv.simulate(rv.build(graph, "xylo-audio2"), counts, record=True)
    assert np.array_equal(record.output, spikes.trace("n2", readout))
    assert record.output.dtype == np.float64


def test_a_membrane_readout_follows_the_float_network(make_chain, run_canonical, rng, counts):
    readout = CubaLI(shape=(3,), tau_mem=8e-3, tau_syn=4e-3, decay="bitshift", v_rest=0.5)
    graph = make_chain(rng).with_nodes({"n2": readout})
    config = rv.build(graph, "xylo-audio3", calibration=counts)
    assert (config.threshold_out == 32767).all()
    got = rv.simulate(config, counts[0]).output[2:]
    wanted = run_canonical(graph, counts[0])["n2"][:-2]
    assert np.abs(wanted).max() > 3
    assert np.abs(got - wanted).mean() < 0.05 * np.abs(wanted).mean()


def test_two_synapses_are_recorded_apart(rng, make_cuba):
    taus = np.array([[2e-3], [16e-3]]) * np.ones(4)
    nodes = {
        "in": Input(shape=(2,)),
        "a": Linear(weight=np.ones((4, 2))),
        "b": Linear(weight=np.full((4, 2), 0.5)),
        "h": CubaLIF(shape=(4,), tau_mem=4e-3, tau_syn=taus, synapses=2, decay="bitshift"),
        "fo": Linear(weight=np.ones((1, 4))),
        "o": make_cuba(1, last=True),
        "out": Output(shape=(1,)),
    }
    edges = [("in", "a"), ("in", "b"), ("a", "h"), ("b", "h", "in2"), ("h", "fo"), ("fo", "o")]
    graph = Graph(nodes, [*edges, ("o", "out")], 1e-3)
    counts = np.zeros((8, 2), int)
    counts[0] = 1
    record = rv.simulate(rv.build(graph, "xylo-audio2"), counts, record=True)
    fast = 2 * 0.5 ** np.arange(8.0)
    slow = 1 * (1 - 2.0**-4) ** np.arange(8.0)
    np.testing.assert_allclose(record.trace("h", "i_syn")[:, 0], fast, atol=0.02)
    np.testing.assert_allclose(record.trace("h", "i_syn2")[:, 0], slow, atol=0.02)
    assert "i_syn2" not in rv.open_simulation(rv.build(graph, "xylo-audio2")).recordable()["o"]


def test_populations_keep_their_shape(make_cuba, rng):
    nodes = [
        Linear(weight=rng.normal(0.5, 1, (6, 4))),
        make_cuba(6),
        Linear(weight=rng.normal(0.5, 1, (2, 6))),
        make_cuba(2, last=True),
    ]
    graph = Graph.sequential(nodes, dt=1e-3)
    record = rv.simulate(rv.build(graph, "xylo-imu"), np.ones((9, 4), int), record=True)
    assert record.raster("cubalif").shape == (9, 6)


def test_a_session_is_open_on_its_configuration(config):
    assert XyloSession(config).config is config
