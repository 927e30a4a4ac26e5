import numpy as np
import pytest

import ranvier as rv
from ranvier.artifacts import OutputChannel, Placement, Recording, SpikeTrain, Trace
from ranvier.errors import InputError
from ranvier_loihi.config import (
    ConvSynapse,
    DenseSynapse,
    LoihiConfig,
    Population,
    SparseSynapse,
)
from ranvier_loihi.energy import arriving, workload_of
from ranvier_loihi.sparse import blocked_from_csr

DENSE = np.array([[2, 0], [4, 6], [0, 0]], dtype=np.int16)
RECURRENT = np.array([[0, 2, 0], [0, 0, 2], [2, 2, 2]], dtype=np.int16)


def config(**changes):
    """Two inputs to three neurons on two cores, with recurrent synapses."""
    one = {"node_id": np.zeros(3, dtype=np.int64), "port_id": np.zeros(3, dtype=np.int64)}
    fields = {
        "target": "loihi1",
        "dt": 1e-3,
        "input_shapes": {"input": (2,)},
        "outputs": (OutputChannel(output="output", node="a"),),
        "node_shapes": {"a": (3,)},
        "placement": Placement(
            node=("a",),
            port=("neuron",),
            index=np.array([2, 0, 1]),
            chip=np.zeros(3, dtype=np.int64),
            core=np.array([5, 3, 3]),
            slot=np.array([0, 0, 1]),
            **one,
        ),
        "populations": (Population(name="a", model="lif", shape=(3,)),),
        "synapses": (
            DenseSynapse(source="input", target="a", weights=DENSE),
            DenseSynapse(source="a", target="a", weights=RECURRENT),
        ),
        "latency": {"a": 1},
    }
    return LoihiConfig(**{**fields, **changes})


def recording(raster, **provenance):
    train = SpikeTrain.from_raster(np.asarray(raster), dt=1e-3)
    return Recording(signals={("a", "spikes"): train}, dt=1e-3, provenance=provenance)


def test_the_worst_case_counts_every_synapse_neuron_and_core():
    figures = rv.estimate(config())

    assert figures["synaptic_operations_per_step"]["value"] == 3 + 5
    assert figures["neuron_updates_per_step"]["value"] == 3
    assert figures["spikes_per_step"]["value"] == 3
    # Neurons 0, 1, 2 reach the cores {5}, {3, 5}, {3, 5}.
    assert figures["deliveries_per_step"]["value"] == 5
    energy = 8 * 2.36e-11 + 3 * 8.1e-11 + 5 * 1.7e-12 + 3 * 4e-12
    assert figures["energy_per_step"]["value"] == pytest.approx(energy)
    assert figures["energy_per_inference"]["value"] == pytest.approx(energy)
    # Core 3 has two neurons and 3 + 2 synapses, core 5 one neuron and 3 synapses.
    time = 5 * 3.5e-9 + 2 * 8.4e-9 + 6.5e-9 + 4.65e-7
    assert figures["time_per_step"]["value"] == pytest.approx(time)
    assert figures["latency"]["value"] == pytest.approx(1e-3)


def test_a_recording_replaces_the_worst_case():
    raster = np.zeros((2, 10, 3), dtype=int)
    raster[0, :5, 0] = 1  # 0.25 per step
    raster[:, ::2, 2] = 1  # 0.5 per step

    figures = rv.estimate(config(), recording(raster, input_rate=0.1))

    operations = 0.1 * 3 + 0.25 * 1 + 0.5 * 2
    assert figures["synaptic_operations_per_step"]["value"] == pytest.approx(operations)
    assert figures["spikes_per_step"]["value"] == pytest.approx(0.75)
    updates = 0.75 * 8.1e-11 + 2.25 * 5.2e-11
    assert figures["energy_neuron_updates_per_step"]["value"] == pytest.approx(updates)
    spikes = (0.25 * 1 + 0.5 * 2) * 1.7e-12 + (0.25 + 0.5) * 4e-12
    assert figures["energy_spikes_per_step"]["value"] == pytest.approx(spikes)
    total = operations * 2.36e-11 + updates + spikes
    assert figures["energy_per_inference"]["value"] == pytest.approx(10 * total)
    assert "recording" in figures["energy_per_step"]["source"]


def test_messages_with_a_value_count_once():
    values = np.zeros((1, 4, 3))
    values[0, :2, 0] = [-1, 7]
    population = Population(name="a", model="ternary", shape=(3,), threshold_low=np.array([-1]))
    graded = config(populations=(population,))
    shown = Recording(signals={("a", "spikes"): Trace(values=values, interval=1e-3)}, dt=1e-3)

    figures = rv.estimate(graded, shown, input_rate=0.0)

    assert figures["spikes_per_step"]["value"] == pytest.approx(0.5)


def test_estimates_are_marked_and_name_their_papers():
    figures = rv.estimate(config(target="loihi2"), steps=7)

    for name in ("energy_per_step", "energy_per_inference", "time_per_inference"):
        assert figures[name]["estimate"] is True
        assert figures[name]["certainty"] == "uncertain"
        assert "Davies et al., IEEE Micro 38(1), 2018" in figures[name]["source"]
        assert "not published for Loihi 2" in figures[name]["source"]
    ratio = figures["energy_per_inference"]["value"] / figures["energy_per_step"]["value"]
    assert ratio == pytest.approx(7)


def test_utilisation_names_the_fullest_core():
    figures = rv.estimate(config())

    assert figures["utilisation_cores"] | {"source": ""} == {
        "value": 2 / 128,
        "unit": "fraction",
        "source": "",
        "used": 2,
        "limit": 128,
    }
    assert figures["utilisation_neurons"]["used"] == 2
    assert figures["utilisation_neurons"]["limit"] == 1024
    assert all(
        {"value", "unit", "source"} <= set(figure) and figure["source"]
        for figure in figures.values()
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stepz": 1}, r"unknown \['stepz'\]; known: steps, input_rate"),
        ({"steps": 0}, "steps is 0"),
        ({"steps": 1.5}, "steps is 1.5"),
        ({"input_rate": -1}, "input_rate is -1"),
        ({"input_rate": float("nan")}, "input_rate is nan"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        rv.estimate(config(), **options)


def test_a_recording_of_another_network_is_refused():
    train = SpikeTrain.from_raster(np.zeros((1, 2, 3), dtype=int), dt=1e-3)

    with pytest.raises(InputError, match="'stranger'"):
        rv.estimate(config(), Recording(signals={("stranger", "spikes"): train}, dt=1e-3))


def test_operations_of_sparse_synapses_equal_those_of_the_full_matrix():
    rng = np.random.default_rng(1)
    dense = np.where(rng.random((9, 5)) < 0.4, 2 * rng.integers(-2, 3, (9, 5)), 0)
    pairs = np.argwhere(np.ones_like(dense))
    fields = blocked_from_csr(np.arange(0, 46, 5), pairs[:, 1], dense.ravel(), n_source=5, block=4)
    synapse = SparseSynapse(source="input", target="a", **fields)
    activity = rng.random(5)

    np.testing.assert_allclose(arriving(synapse, activity, 9), (dense != 0) @ activity)


@pytest.mark.parametrize(("stride", "padding", "groups"), [(1, 0, 1), (2, 1, 1), (1, 1, 2)])
def test_operations_of_convolutions_equal_those_of_single_spikes(stride, padding, groups):
    rng = np.random.default_rng(2)
    kernel = 2 * rng.integers(-1, 2, (4, 2 // groups, 3, 2))
    synapse = ConvSynapse(
        source="input",
        target="a",
        weights=kernel,
        input_shape=(2, 5, 6),
        stride=(stride, 1),
        padding=(padding, 0),
        groups=groups,
    )
    torch = pytest.importorskip("torch")

    image = rng.random((2, 5, 6))
    used = torch.as_tensor((kernel != 0).astype(float))
    wanted = torch.nn.functional.conv2d(
        torch.as_tensor(image)[None],
        used,
        stride=(stride, 1),
        padding=(padding, 0),
        groups=groups,
    )
    found = arriving(synapse, image.ravel(), int(np.prod(synapse.output_shape)))

    np.testing.assert_allclose(found, wanted.numpy().ravel())
    n = int(np.prod(synapse.output_shape))
    network = config(
        input_shapes={"input": (2, 5, 6)},
        populations=(Population(name="a", model="lif", shape=synapse.output_shape),),
        node_shapes={"a": synapse.output_shape},
        synapses=(synapse,),
        placement=Placement.from_rows([("a", np.arange(n), "neuron", np.arange(n))]),
    )
    load = workload_of(network, {"input": image.ravel(), "a": np.ones(n)})
    assert load.synaptic_operations == pytest.approx(float(wanted.sum()))
    assert load.deliveries == 0.0


def test_a_convolution_between_neurons_reaches_the_cores_of_its_targets():
    kernel = np.full((1, 1, 1, 2), 2)
    synapse = ConvSynapse(source="a", target="b", weights=kernel, input_shape=(1, 1, 3))
    rows = {"node_id": np.array([0, 0, 0, 1, 1]), "index": np.array([0, 1, 2, 0, 1])}
    network = config(
        input_shapes={"input": (2,)},
        populations=(
            Population(name="a", model="lif", shape=(1, 1, 3)),
            Population(name="b", model="lif", shape=(1, 1, 2)),
        ),
        node_shapes={"a": (1, 1, 3), "b": (1, 1, 2)},
        synapses=(synapse,),
        placement=Placement(
            node=("a", "b"),
            port=("neuron",),
            chip=np.zeros(5, dtype=np.int64),
            core=np.array([0, 0, 0, 0, 1]),
            slot=np.array([0, 1, 2, 3, 0]),
            port_id=np.zeros(5, dtype=np.int64),
            **rows,
        ),
    )

    load = workload_of(network, {"input": np.ones(2), "a": np.ones(3), "b": np.zeros(2)})

    assert load.synaptic_operations == 4
    assert (load.deliveries, load.remote_deliveries) == (4, 2)
