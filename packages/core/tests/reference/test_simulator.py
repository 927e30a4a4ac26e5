import numpy as np
import pytest

import ranvier as rv
from ranvier.errors import InputError, MappingError, SimulationError
from ranvier.graph import (
    LI,
    LIF,
    AdaptiveLIF,
    AdEx,
    CubaLIF,
    Delay,
    Edge,
    Graph,
    I,
    Input,
    Linear,
    Output,
    ResonateAndFire,
    Scale,
    SumPool2d,
    UnknownNode,
)

DT = 1e-3


def network(**changes):
    lif = CubaLIF(shape=(2, 3), tau_mem=4e-3, tau_syn=2e-3, refractory=1e-3)
    return Graph(
        {"input": Input(shape=(2, 3)), "lif": lif, "output": Output(shape=(2, 3))},
        [Edge("input", "lif"), Edge("lif", "lif", delay=2), Edge("lif", "output")],
        DT,
    )


def session(graph=None, **options):
    return rv.open_simulation(rv.build(graph or network(), "reference"), **options)


def counts(*, n_steps=10, batch=2, shape=(2, 3)):
    return np.random.default_rng(0).poisson(0.5, size=(batch, n_steps, *shape))


def test_state_has_the_names_and_shapes_of_the_graph():
    with session() as open_session:
        open_session.run(counts())

        shapes = {name: values.shape for name, values in open_session.state.items()}

    assert shapes == {
        "lif.history": (2, 2, 2, 3),
        "lif.i_syn": (2, 2, 3),
        "lif.v_mem": (2, 2, 3),
        "lif.refractory_left": (2, 2, 3),
    }


def test_history_holds_the_last_steps_oldest_first():
    with session() as open_session:
        recording = open_session.run(counts(n_steps=7))

        np.testing.assert_array_equal(
            open_session.state["lif.history"], recording.raster("lif")[:, -2:]
        )


def test_state_before_the_first_run_is_that_of_one_sample_at_rest():
    graph = Graph.sequential({"lif": LIF(shape=(2,), tau_mem=4e-3, v_rest=0.25)}, dt=DT)

    with session(graph) as open_session:
        np.testing.assert_array_equal(open_session.state["lif.v_mem"], [[0.25, 0.25]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lif.v_mem": np.zeros((2, 5))}, r"lif.v_mem has shape \(2, 5\)"),
        ({"lif.v_mem": np.full((2, 2, 3), np.nan)}, "not finite"),
        ({"lif.v_mem": np.zeros((1, 2, 3))}, "batch sizes differ"),
        ({"lif.other": np.zeros((2, 2, 3))}, "lif.other"),
        ({"lif.v_mem": 0.0}, "lif.v_mem has shape"),
    ],
)
def test_bad_state_is_refused(change, message):
    with session() as open_session:
        open_session.run(counts())
        state = open_session.state

        with pytest.raises(InputError, match=message):
            open_session.state = {**state, **change}


def test_another_batch_size_without_reset_is_refused_with_both_sizes():
    with session() as open_session:
        open_session.run(counts(batch=2))

        with pytest.raises(SimulationError, match=r"2 sample\(s\), the input 3; call reset"):
            open_session.run(counts(batch=3))


def test_real_input_needs_the_option():
    values = counts() + 0.25
    with session() as open_session, pytest.raises(InputError, match="fractional"):
        open_session.run(values)

    with session(graded_input=True) as open_session:
        assert open_session.run(-values).output.shape == values.shape


def test_state_that_leaves_float64_is_an_error_and_stays_as_it_was():
    graph = Graph(
        {"input": Input(shape=(1,)), "up": Linear(weight=[[1e300]]), "i": I(shape=(1,)),
         "output": Output(shape=(1,))},
        [Edge("input", "up"), Edge("i", "up", delay=1), Edge("up", "i"), Edge("i", "output")],
        DT,
    )  # fmt: skip
    with session(graph) as open_session:
        open_session.run([[0]])
        before = open_session.state

        with pytest.raises(SimulationError, match=r"i\.v_mem left the range of float64"):
            open_session.run([[1], [1], [1]])
        np.testing.assert_array_equal(open_session.state["i.v_mem"], before["i.v_mem"])


def test_output_fed_by_one_spiking_neuron_is_that_neuron():
    assert rv.build(network(), "reference").outputs[0].model_dump() == {
        "output": "output",
        "node": "lif",
        "quantity": "spikes",
    }


def test_output_fed_by_an_integrator_is_its_membrane():
    graph = Graph.sequential({"li": LI(shape=(2,), tau_mem=4e-3)}, dt=DT)

    channel = rv.build(graph, "reference").outputs[0]

    assert (channel.node, channel.quantity) == ("li", "v_mem")


def test_output_behind_a_delay_shows_what_arrives():
    nodes = {"x": Input(shape=(1,)), "lif": LIF(shape=(1,), tau_mem=4e-3), "y": Output(shape=(1,))}
    graph = Graph(nodes, [Edge("x", "lif"), Edge("lif", "y", delay=2)], DT)

    recording = rv.simulate(rv.build(graph, "reference"), [[1], [0], [0], [0]], record=["spikes"])

    assert recording.output_of("y").ravel().tolist() == [0, 0, 1, 0]
    assert recording.raster("lif").ravel().tolist() == [1, 0, 0, 0]


def test_output_behind_a_pool_shows_counts_and_behind_a_weight_values():
    pooled = {"lif": LIF(shape=(1, 2, 2), tau_mem=4e-3),
              "pool": SumPool2d(shape=(1, 2, 2), kernel_size=2, stride=2)}  # fmt: skip
    scaled = {"lif": LIF(shape=(2,), tau_mem=4e-3), "scale": Scale(shape=(2,), scale=0.5)}
    graphs = [Graph.sequential(nodes, dt=DT) for nodes in (pooled, scaled)]

    channels = [rv.build(graph, "reference").outputs[0] for graph in graphs]

    assert [(c.node, c.quantity) for c in channels] == [("output", "spikes"), ("output", "value")]
    spikes = rv.simulate(rv.build(graphs[0], "reference"), np.ones((5, 1, 2, 2), int)).output
    assert spikes.ravel().tolist() == [4, 4, 4, 4, 4]


def test_delay_is_rounded_to_whole_steps_per_element():
    graph = Graph.sequential({"late": Delay(shape=(3,), delay=[0.0, 1.4e-3, 2.6e-3])}, dt=DT)

    output = rv.simulate(rv.build(graph, "reference"), [[1, 2, 3], [0, 0, 0], [0, 0, 0], [0, 0, 0]])

    assert output.output.tolist() == [[1, 0, 0], [0, 2, 0], [0, 0, 0], [0, 0, 3]]


def test_several_outputs_are_asked_for_by_name():
    graph = Graph(
        {"x": Input(shape=(1,)), "i": I(shape=(1,)), "a": Output(shape=(1,)),
         "b": Output(shape=(1,))},
        [("x", "i"), ("i", "a"), ("x", "b")],
        DT,
    )  # fmt: skip

    recording = rv.simulate(rv.build(graph, "reference"), [[1], [2]])

    assert recording.output_of("a").ravel().tolist() == [1, 3]
    assert recording.output_of("b").ravel().tolist() == [1, 2]


def test_run_without_steps_leaves_the_state_alone():
    with session() as open_session:
        open_session.run(counts())
        before = open_session.state
        open_session.run(counts(n_steps=0))

        for name, values in open_session.state.items():
            np.testing.assert_array_equal(values, before[name])


def test_unknown_kind_is_refused_by_its_name():
    stranger = UnknownNode(original_kind="vendor.cell", arrays={}, plain={"shape": [2]})
    graph = Graph(
        {"x": Input(shape=(2,)), "cell": stranger, "y": Output(shape=(2,))},
        [("x", "cell"), ("cell", "y")],
        DT,
    )

    with pytest.raises(MappingError, match=r"REF001.*'cell'.*'vendor.cell'"):
        rv.map(graph, "reference")


def test_all_schemes_without_definition_are_reported_at_once():
    nodes = {
        "x": Input(shape=(1,)),
        "adex": AdEx(shape=(1,), tau_mem=1e-2, tau_syn=1e-2, tau_adaptation=1e-1, decay="bitshift"),
        "rf": ResonateAndFire(shape=(1,), frequency=10.0, tau=1e-2, decay="euler"),
        "alif": AdaptiveLIF(
            shape=(1,), tau_mem=1e-2, tau_syn=1e-2, tau_threshold=1e-4, tau_refractory=1e-2,
            decay="euler",
        ),
        "y": Output(shape=(1,)),
    }  # fmt: skip
    edges = [("x", "adex"), ("x", "rf", "re"), ("x", "alif"), ("adex", "y"), ("rf", "y")]

    with pytest.raises(MappingError) as caught:
        rv.map(Graph(nodes, edges, DT), "reference")

    found = [(d.code, d.node) for d in caught.value.diagnostics]
    assert found == [("REF002", "adex"), ("REF002", "rf"), ("REF003", "alif")]


def test_config_shows_its_graph():
    config = rv.build(network(), "reference")

    assert "CubaLIF" in str(config)
    assert config.model_dump(mode="json", exclude={"placement"})["graph"]["dt"] == DT
