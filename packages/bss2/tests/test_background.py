"""Background generators from the graph to what they emit."""

import runpy
from pathlib import Path

import numpy as np
import pytest

import ranvier as rv
from ranvier import pipeline
from ranvier.errors import GraphError, InputError, MappingError
from ranvier.graph import Edge, Graph, Input, Linear, Output
from ranvier_bss2 import Background
from ranvier_bss2.background import (
    CLOCK,
    DRAWS,
    background_counts,
    background_events,
    mean_rate,
    step_events,
)
from ranvier_bss2.driver.plan import plan_of
from ranvier_bss2.network import BssBackground, BssNetwork
from ranvier_bss2.targets import limits_of, target_named

graphs = runpy.run_path(str(Path(__file__).with_name("small_graphs.py")))
chain, lif, li, refused, codes_of, run_map, DT = (
    graphs[n] for n in ("chain", "lif", "li", "refused", "codes_of", "run_map", "DT")
)
STEPS = 200


def settings(n=1, **changes):
    fields = {"regular": False, "period": 25, "rate": 100, "seed": 7}
    return BssBackground(name="noise", shape=(n,), **{**fields, **changes})


def driven(*, weight=None, n=4, layers=None, **fields):
    """Return a network whose first layer a generator drives too, with its weights."""
    graph = chain(*(layers or (lif(6), li(2))), n_in=3)
    size = graph.nodes["layer0"].size
    if weight is None:
        weight = np.random.default_rng(5).normal(0.15, 0.25, (size, n))
    noise = Background(shape=(n,), **{"period": 1e-3, "rate_code": 60, "seed": 3, **fields})
    nodes = {**graph.nodes, "noise": noise, "drawn": Linear(weight=weight)}
    edges = (*graph.edges, Edge("noise", "drawn"), Edge("drawn", "layer0"))
    return Graph(nodes, edges, DT, {})


def silent(batch=2, steps=STEPS, n=3):
    return np.zeros((batch, steps, n), dtype=np.int64)


def spikes(batch=2, steps=STEPS, n=3):
    return (np.random.default_rng(2).random((batch, steps, n)) < 0.1).astype(np.int64)


# What is emitted


def test_a_regular_generator_emits_at_every_period_exactly():
    cycle, channel = background_events(settings(regular=True, period=30), 0, 301)

    assert cycle.tolist() == list(range(30, 301, 30))
    assert not channel.any()


def test_events_depend_on_seed_and_time_and_on_nothing_else():
    own = settings(4, period=3)
    whole = background_events(own, 0, 5_000_000)

    spans = ((0, 7), (7, 4_000_001), (4_000_001, 5_000_000))
    parts = [background_events(own, *span) for span in spans]

    for column, pieces in zip(whole, zip(*parts, strict=True), strict=True):
        np.testing.assert_array_equal(np.concatenate(pieces), column)


def test_another_seed_gives_other_events():
    first, second = (background_events(settings(seed=s), 0, 25_000)[0] for s in (1, 2))

    assert not np.array_equal(first, second)


@pytest.mark.parametrize("rate", [1, 60, 254])
def test_the_mean_distance_is_period_times_255_over_rate(rate):
    draws = 400_000
    cycle, _ = background_events(settings(rate=rate, period=2), 0, 2 * draws + 1)

    # five standard deviations of a binomial count
    expected = draws * rate / 255
    assert abs(cycle.size - expected) < 5 * np.sqrt(expected * (1 - rate / 255))
    assert mean_rate(settings(rate=rate, period=2)) == pytest.approx(125e6 * rate / 510)


def test_the_ends_of_the_rate_switch_off_and_emit_at_every_draw():
    assert not background_events(settings(rate=0), 0, 100_000)[0].size
    assert background_events(settings(rate=255), 0, 2501)[0].tolist() == list(range(25, 2501, 25))


def test_distances_are_geometric_as_independent_draws_make_them():
    cycle, _ = background_events(settings(rate=51, period=1), 0, 500_000)

    share = np.bincount(np.diff(cycle), minlength=6)[1:6] / (cycle.size - 1)

    # chances p (1 - p) ** k with p = 0.2; 100 000 distances scatter by less than 0.002
    np.testing.assert_allclose(share, 0.2 * 0.8 ** np.arange(5), atol=0.007)


def test_channels_are_drawn_evenly_and_independently_of_time():
    _, channel = background_events(settings(8, rate=255, period=1), 0, 160_001)

    count = np.bincount(channel, minlength=8)
    pairs = np.bincount(channel[:-1] * 8 + channel[1:], minlength=64)

    assert np.abs(count - 20_000).max() < 5 * np.sqrt(20_000)
    assert np.abs(pairs - 2_500).max() < 5 * np.sqrt(2_500)


def test_events_are_counted_in_the_step_that_ends_nearest():
    own = settings(regular=True, period=62)

    counts = background_counts(own, start=0, n_steps=4, dt=1e-6)

    # cycles 62 | 124, 186 | 248, 310 | 372, 434; a step has 125 cycles, 62 of them round down
    assert counts[:, 0].tolist() == [1, 2, 2, 2]
    assert background_counts(own, start=2, n_steps=2, dt=1e-6)[:, 0].tolist() == [2, 2]
    assert step_events(own, start=1, n_steps=1, dt=1e-6)[0].tolist() == [124, 186]


def test_facts_of_the_manifest_are_those_that_events_follow():
    clock = target_named().fact("background_clock")

    assert (clock.value, clock.certainty) == (CLOCK, "uncertain")
    assert limits_of().background_rate_max == DRAWS


# The node


def test_a_graph_with_a_generator_survives_its_file(tmp_path):
    graph = driven(generator=2)

    rv.save(graph, tmp_path / "net.rv")

    assert rv.load(tmp_path / "net.rv") == graph


def test_nothing_can_lead_to_a_generator():
    graph = driven()
    edges = (*graph.edges, Edge("layer0", "noise", delay=1))

    with pytest.raises(GraphError, match=r"no port|ends at an Input"):
        Graph(graph.nodes, edges, DT, {})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"period": 0.0}, "period is 0.0 s, must be finite and > 0"),
        ({"rate_code": 1.5}, "rate_code 1.5 must be whole numbers"),
        ({"seed": True}, "seed True"),
    ],
)
def test_malformed_generators_are_refused(fields, message):
    with pytest.raises(GraphError, match=message):
        Background(shape=(1,), **fields)


# Mapping


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"period": 1.0}, ["is 125000", "allowed are 1..65535", "another period"]),
        ({"period": 1e-6}, ["is 0.125", "allowed are 1..65535"]),
        ({"rate_code": 256}, ["rate_code is 256", "allowed are 0..255", "period too"]),
        ({"rate_code": -1}, ["rate_code is -1"]),
        ({"seed": 1 << 32}, ["seed is 4294967296", "32 bits"]),
        ({"generator": 8}, ["generator is 8", "allowed are 0..7", "leave it out"]),
        ({"n": 3}, ["has 3 channels", "powers of two up to 32", "several nodes"]),
        ({"n": 64}, ["has 64 channels"]),
        ({"n": 2, "regular": True}, ["has 2 channels", "a regular generator has 1"]),
    ],
)
def test_settings_that_no_generator_has_are_refused(fields, words):
    error = refused(driven(**fields))

    assert codes_of(error) == ["BS020"]
    for word in words:
        assert word in str(error)


def test_all_wrong_settings_are_told_at_once():
    error = refused(driven(rate_code=300, seed=-1, generator=9))

    assert codes_of(error) == ["BS020"] * 3


def test_generators_alone_are_refused_since_nothing_says_how_long_a_run_is():
    graph = driven()
    nodes = {n: v for n, v in graph.nodes.items() if n not in ("input", "map0")}
    edges = tuple(e for e in graph.edges if {e.source, e.target} <= set(nodes))

    error = refused(Graph(nodes, edges, DT, {}))

    assert codes_of(error) == ["BS021"]
    assert "add an Input node" in str(error)


def test_a_period_between_two_cycles_is_rounded_and_told():
    mapped = run_map(driven(period=10.4e-6))

    found = [d for d in mapped.diagnostics if d.code == "BS123"]
    assert [(d.node, d.limit) for d in found] == [("noise", 1)]
    assert mapped.settings["network"]["backgrounds"][0]["period"] == 1


def test_the_placement_explains_targets_out_of_reach():
    graph = driven(layers=(lif(300), li(2)), weight=np.full((300, 4), 0.1))

    error = refused(graph, partition="off")

    assert codes_of(error) == ["BS041"]
    assert "256..511 for 4-7" in str(error)


def test_a_layer_of_both_rows_is_divided_over_execution_instances():
    config = pipeline.build(driven(layers=(lif(300), li(2)), weight=np.full((300, 4), 0.1)), "bss2")

    assert config.background_instance.tolist() == [0, 1]
    found = run(config, silent(), level="emulator")
    fired = found.raster("layer0").sum(axis=(0, 1))
    assert fired.min() == fired.max() > 0


def test_a_mapped_network_keeps_its_generators():
    mapped = run_map(driven(generator=1))
    own = {n: v for n, v in mapped.arrays.items() if not n.startswith("layout/")}

    network = BssNetwork.from_parts(own, mapped.settings["network"])

    assert network.backgrounds == (
        BssBackground(
            name="noise", shape=(4,), regular=False, period=125, rate=60, seed=3, generator=1
        ),
    )
    assert network.inputs == {"input": (3,)}
    assert network.size_of("noise") == 4
    assert mapped.arrays["layout/background_generator"].tolist() == [1]


@pytest.mark.parametrize("generator", [None, 3, 6])
def test_registers_hold_the_weights_of_the_generator(generator):
    weight = np.array([[0.5, -0.25, 0.0, 1.0]] * 6) * np.arange(1, 7)[:, None] / 6
    config = pipeline.build(driven(weight=weight, generator=generator), "bss2")

    (feed,) = [f for f in plan_of(config).feeds if f.source == "noise"]

    largest = np.abs(feed.weight).max()
    np.testing.assert_allclose(feed.weight / largest, weight, atol=0.5 / largest)
    assert largest > 30
    assert "noise: background generator of 4 channel(s), a draw every 0.001 s" in config.summary()


# Running

LEVELS = ["emulator", "numeric"]


def run(graph_or_config, inputs, *, level="emulator", **options):
    config = graph_or_config
    if isinstance(config, Graph):
        config = pipeline.build(config, "bss2")
    return pipeline.simulate(config, inputs, record=True, trial_seed=0, level=level, **options)


def replayed(graph, counts):
    """Return a network in which the host sends what the generator emitted, channel by channel."""
    nodes = {**graph.nodes, "noise": Input(shape=(counts.shape[2],))}
    return Graph(nodes, graph.edges, DT, {})


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("fields", [{}, {"n": 1, "regular": True, "period": 3e-3}])
def test_a_generator_acts_like_an_input_of_its_recorded_events(level, fields):
    graph, given = driven(**fields), spikes()

    found = run(graph, given, level=level)

    counts = found.raster("noise")
    assert counts.sum() > 20
    assert counts.max() == 1
    again = run(replayed(graph, counts), {"input": given, "noise": counts}, level=level)
    for key in ("layer0", "layer1"):
        for quantity in ("spikes", "v_mem"):
            if (key, quantity) in found.signals:
                one, two = found.signals[key, quantity], again.signals[key, quantity]
                assert_same(one, two)
    assert found.raster("layer0").sum() > 0


def assert_same(one, two):
    if hasattr(one, "values"):
        np.testing.assert_array_equal(one.values, two.values)
    else:
        np.testing.assert_array_equal(one.raster(), two.raster())


@pytest.mark.parametrize("level", LEVELS)
def test_recorded_events_are_those_of_the_settings_in_every_sample(level):
    found = run(driven(), silent(), level=level)

    own = settings(4, period=125, rate=60, seed=3)
    expected = background_counts(own, start=0, n_steps=STEPS, dt=1e-6)
    np.testing.assert_array_equal(found.raster("noise"), np.stack([expected, expected]))


def test_the_emulator_records_the_cycle_of_every_event():
    config = pipeline.build(driven(period=16e-6, rate_code=200), "bss2")

    with pipeline.open_simulation(config) as session:
        session.run(silent(batch=1, steps=20), record=True, trial_seed=0)
        record = session.raw["noise"].spikes

    cycle, channel = step_events(
        settings(4, period=2, rate=200, seed=3), start=0, n_steps=20, dt=1e-6
    )
    np.testing.assert_array_equal(record.cycle, cycle)
    np.testing.assert_array_equal(record.neuron, channel)
    assert record.cycle.size > 900


@pytest.mark.parametrize(("level", "tolerance"), [("emulator", 1.01 / 45), ("numeric", 1e-5)])
def test_several_events_of_a_step_act_once_each(level, tolerance):
    options = {"n": 1, "regular": True, "layers": (li(6, decay="euler"),)}
    light = driven(weight=np.full((6, 1), 2 / 550), period=0.2e-3, **options)
    heavy = driven(weight=np.full((6, 1), 10 / 550), period=1e-3, **options)

    one, two = (
        pipeline.simulate(
            pipeline.build(g, "bss2", weight_scale=55.0, trace_scale=1 / 45),
            silent(steps=160),
            record=True,
            trial_seed=0,
            level=level,
        )
        for g in (light, heavy)
    )

    # five events of 2 LSB weigh as much as one of 10; the first step has two of the five
    assert one.raster("noise")[0, :4, 0].tolist() == [2, 5, 5, 5]
    assert two.raster("noise")[0, :4, 0].tolist() == [0, 1, 1, 1]
    settled = one.output[:, 120:]
    assert 0.5 < settled.min() <= settled.max() < 2.0
    np.testing.assert_allclose(settled, two.output[:, 120:], atol=tolerance)


@pytest.mark.parametrize("level", LEVELS)
def test_a_run_in_pieces_is_a_run_at_once(level):
    config, given = pipeline.build(driven(), "bss2"), spikes()
    whole = run(config, given, level=level)

    with pipeline.open_simulation(config, level=level) as session:
        parts = [
            session.run(given[:, k], record=True, trial_seed=0)
            for k in (slice(0, 61), slice(61, STEPS))
        ]
        state = session.get_state()
        session.run(given[:, :30], record=True)
        session.set_state(state)
        after = session.run(given[:, :30], record=True, trial_seed=0)

    for node in ("noise", "layer0"):
        joined = np.concatenate([p.raster(node) for p in parts], axis=1)
        np.testing.assert_array_equal(joined, whole.raster(node))
    own = settings(4, period=125, rate=60, seed=3)
    later = background_counts(own, start=STEPS, n_steps=30, dt=1e-6)
    np.testing.assert_array_equal(after.raster("noise")[0], later)


@pytest.mark.parametrize("level", LEVELS)
def test_a_batch_is_a_loop_over_its_samples_and_reset_starts_anew(level):
    config, given = pipeline.build(driven(), "bss2"), spikes(batch=3)
    whole = run(config, given, level=level)

    with pipeline.open_simulation(config, level=level) as session:
        for k in range(3):
            session.reset()
            one = session.run(given[k : k + 1], record=True, trial_seed=0)
            for node in ("noise", "layer0"):
                np.testing.assert_array_equal(one.raster(node)[0], whole.raster(node)[k])


def test_a_run_takes_no_spikes_for_a_generator():
    config = pipeline.build(driven(), "bss2")

    with pytest.raises(InputError, match="noise"):
        pipeline.simulate(config, {"input": silent(), "noise": silent(n=4)})


def test_calibration_spikes_come_with_the_events_of_the_generator():
    quiet = pipeline.build(driven(weight=np.zeros((6, 4))), "bss2", calibration=silent())
    driven_hard = pipeline.build(
        driven(weight=np.full((6, 4), 0.5), rate_code=255), "bss2", calibration=silent()
    )

    scales = [c.population_of["layer1"].trace_scale[0] for c in (quiet, driven_hard)]

    assert scales[0] != scales[1]


def test_a_generator_without_targets_is_left_out_of_the_chip():
    graph = chain(lif(4), li(2))
    nodes = {**graph.nodes, "idle": Background(shape=(2,))}

    config = pipeline.build(Graph(nodes, graph.edges, DT, {}), "bss2")

    assert config.background_shapes == {}
    assert "BS121" in codes_of(config)


def test_an_output_cannot_show_a_generator():
    graph = driven()
    nodes = {**graph.nodes, "second": Output(shape=(4,))}

    error = refused(Graph(nodes, (*graph.edges, Edge("noise", "second")), DT, {}))

    assert codes_of(error) == ["BS003"]
    assert "'noise' (bss2.background), must be one neuron node" in str(error)


def test_the_reference_does_not_take_a_generator_for_an_input():
    with pytest.raises(MappingError, match="noise"):
        pipeline.map(driven(), "reference")
