import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import ranvier as rv
from ranvier.errors import InputError, SimulationError
from ranvier.graph import CubaLI, CubaLIF, Edge, Graph, Input, Linear, Output
from ranvier_xylo.origin import OriginFields
from ranvier_xylo.shadow import ShadowSession, Switches

few = settings(max_examples=20, deadline=None)
ALL_OFF = dict.fromkeys(Switches.__dataclass_fields__, False)


def assert_equal(shadow, chip):
    assert shadow.signals.keys() == chip.signals.keys()
    for key in chip.signals:
        assert np.array_equal(shadow.raw(*key), chip.raw(*key)), key


def wild(rng, make_cuba):
    """Two synapses, recurrence, an alias, bias, strong weights: every corner of the chip."""
    taus = np.array([[2e-3], [32e-3]]) * np.ones((2, 5))
    node = CubaLIF(
        shape=(5,),
        tau_mem=0.128,
        tau_syn=taus,
        synapses=2,
        decay="bitshift",
        max_spikes=31,
        bias=rng.normal(0, 0.1, 5),
    )
    nodes = {
        "in": Input(shape=(3,)),
        "a": Linear(weight=rng.normal(0.3, 1, (5, 3))),
        "b": Linear(weight=rng.normal(0, 1, (5, 3))),
        "A": node,
        "rec": Linear(weight=rng.normal(0, 0.3, (5, 5))),
        "f2": Linear(weight=rng.normal(0, 0.5, (5, 5))),
        "B": make_cuba(5),
        "fo": Linear(weight=rng.normal(0.2, 0.5, (2, 5))),
        "O": make_cuba(2, last=True),
        "out": Output(shape=(2,)),
    }
    edges = [("in", "a"), ("in", "b"), ("a", "A"), ("b", "A", "in2"), ("A", "rec", "in", 1)]
    edges += [("rec", "A"), ("A", "f2"), ("f2", "B"), ("A", "fo"), ("B", "fo"), ("fo", "O")]
    return Graph(nodes, [Edge(*e) for e in [*edges, ("O", "out")]], 1e-3)


@given(st.integers(0, 2**32 - 1), st.sampled_from(["fit", "channel"]), st.sampled_from([1, 15]))
@few
def test_everything_on_equals_the_simulator_in_every_state(make_cuba, seed, method, busy):
    rng = np.random.default_rng(seed)
    config = rv.build(wild(rng, make_cuba), "xylo-audio2", method=method)
    counts = rng.integers(0, busy + 2, (2, 40, 3))
    chip = rv.simulate(config, counts, record=True)
    assert_equal(ShadowSession(config, {}).run(counts, record=True), chip)


@pytest.mark.parametrize("target", ["xylo-v1", "xylo-audio3"])
def test_everything_on_equals_the_simulator_at_the_rails(make_chain, rng, target):
    graph = make_chain(rng, gain=4.0, tau_syn=0.256, tau_mem=0.256, threshold=30.0)
    config = rv.build(graph, target, method="channel")
    config = config.model_copy(update={"weight_shift_in": 6, "weight_shift_rec": 5})
    counts = rng.integers(0, 16, (2, 60, 4))
    chip = rv.simulate(config, counts, record=True)
    assert np.abs(chip.raw("n0", "i_syn").astype(int)).max() > 30000
    assert_equal(ShadowSession(config, {}).run(counts, record=True), chip)


@pytest.mark.parametrize("decay", ["bitshift", "exponential"])
def test_everything_off_equals_the_reference(make_chain, rng, decay):
    graph = make_chain(rng, decay=decay, tau_mem=5e-3, tau_syn=3e-3)
    counts = rng.poisson(0.5, (2, 40, 4))
    shadow = ShadowSession(rv.build(graph, "xylo-audio3"), ALL_OFF)
    got = shadow.run(counts, record=["spikes"])
    wanted = rv.simulate(rv.build(graph, "reference"), counts, record=["spikes"])
    for node in graph.neurons:
        late = got.latency[node]
        assert np.array_equal(got.raster(node)[:, late:], wanted.raster(node)[:, : 40 - late])
        assert got.raster(node).sum() > 10


def test_everything_off_shows_the_references_membrane(make_chain, rng):
    graph = make_chain(rng)
    readout = CubaLI(shape=(3,), tau_mem=5e-3, tau_syn=3e-3, v_rest=0.5)
    graph = graph.with_nodes({"n2": readout})
    counts = rng.poisson(0.5, (30, 4))
    got = ShadowSession(rv.build(graph, "xylo-audio3"), ALL_OFF).run(counts)
    wanted = rv.simulate(rv.build(graph, "reference"), counts)
    np.testing.assert_allclose(got.output[2:], wanted.output[:-2], atol=1e-9)


def test_a_single_spike_limit_of_the_graph_holds_with_the_cap_off(make_chain, make_cuba, rng):
    graph = make_chain(rng).with_nodes({"n0": make_cuba(10, max_spikes=1)})
    counts = rng.poisson(2.0, (30, 4))
    config = rv.build(graph, "xylo-audio3")
    off = ShadowSession(config, {"spike_cap": False}).run(counts, record=["spikes"])
    assert off.raster("n0").max() == 1
    assert rv.simulate(config, counts, record=["spikes"]).raster("n0").max() > 1


@pytest.mark.parametrize("switch", sorted(set(ALL_OFF) - {"spike_cap"}))
def test_each_departure_can_be_switched_off_alone(make_chain, rng, switch):
    graph = make_chain(rng, gain=3.0, decay="exponential", tau_syn=3e-3, tau_mem=30e-3)
    config = rv.build(graph, "xylo-audio3", method="channel")
    config = config.model_copy(update={"weight_shift_in": 4})
    counts = rng.poisson(4.0, (30, 4)) * 4
    on = ShadowSession(config, {}).run(counts, record=True)
    off = ShadowSession(config, {switch: False}).run(counts, record=True)
    assert any(
        not np.array_equal(on.raw("n0", q), off.raw("n0", q)) for q in ("i_syn", "v_mem", "spikes")
    )


def test_a_shadow_without_steps_is_empty(make_chain, rng):
    shadow = ShadowSession(rv.build(make_chain(rng), "xylo-imu"), {})
    assert shadow.run(np.zeros((0, 4), int), record=True).output.shape == (0, 3)


def test_chunks_equal_one_run_and_state_can_be_put_back(make_chain, rng):
    config = rv.build(make_chain(rng), "xylo-imu")
    counts = rng.poisson(0.5, (2, 20, 4))
    whole = ShadowSession(config, {}).run(counts, record=True)
    session = ShadowSession(config, {})
    session.run(counts[:, :9])
    state = session.state
    rest = session.run(counts[:, 9:], record=True)
    assert np.array_equal(rest.output, whole.output[:, 9:])
    session.state = state
    assert_equal(session.run(counts[:, 9:], record=True), rest)
    session.reset()
    assert_equal(session.run(counts, record=True), whole)
    with pytest.raises(SimulationError, match="holds 2 samples, the input 1"):
        session.run(counts[:1])
    with pytest.raises(InputError, match="expected"):
        session.state = {"v_mem": state["v_mem"]}
    with pytest.raises(InputError, match="shapes"):
        session.state = {**state, "spikes": state["spikes"][:, 1:]}


def test_an_unknown_switch_lists_the_known_ones(make_chain, rng):
    with pytest.raises(InputError, match=r"\['gravity'\]; known: input_clip, weight_rounding"):
        ShadowSession(rv.build(make_chain(rng), "xylo-imu"), {"gravity": False})


def test_a_configuration_without_its_float_network_runs_with_everything_on_only(make_chain, rng):
    config = rv.build(make_chain(rng), "xylo-imu")
    bare = config.model_copy(
        update={n: None for n in OriginFields.model_fields if n.startswith("origin_")}
    )
    ShadowSession(bare, {})
    with pytest.raises(SimulationError, match="quantise the network again"):
        ShadowSession(bare, {"saturation": False})


def test_origin_fields_survive_a_round_trip_and_are_checked(make_chain, rng):
    from pydantic import ValidationError

    from ranvier_xylo import XyloConfig

    config = rv.build(make_chain(rng), "xylo-imu")
    arrays, document = config.to_payload()
    assert XyloConfig.from_payload(arrays, document) == config
    for change, text in (
        ({"arrays/origin_alpha": np.ones(3)}, "origin_alpha has shape"),
        ({"arrays/origin_rec_index": np.full(60, 10**6)}, "origin_rec_index does not fit"),
    ):
        with pytest.raises(ValidationError, match=text):
            XyloConfig.from_payload({**arrays, **change}, document)
    del arrays["arrays/origin_alpha"]
    with pytest.raises(ValidationError, match="origin_alpha is missing"):
        XyloConfig.from_payload(arrays, document)
