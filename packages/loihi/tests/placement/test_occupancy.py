"""What a core holds: counts against plain loops, table, picture, floor plan."""

import runpy
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from ranvier.artifacts import OutputChannel, Placement
from ranvier.errors import InputError
from ranvier_loihi.config import ConvSynapse, DenseSynapse, LoihiConfig, Population, SparseSynapse
from ranvier_loihi.placement import (
    draw_occupancy,
    floorplan,
    occupancy,
    occupancy_of,
    occupancy_table,
)

nets = types.SimpleNamespace(
    **runpy.run_path(str(Path(__file__).with_name("placement_networks.py")))
)
FIELDS = ("neurons", "axons_in", "axons_out", "synapse_words", "groups", "thresholds")


@pytest.mark.parametrize("shared", [False, True])
def test_counts_agree_with_a_recount_synapse_by_synapse(shared):
    limits = nets.budget(
        convolution_shared=shared, neurons=30, synapse_words=1500, overhead_bits_per_axon=3
    )
    network = nets.mixed()
    placement = nets.place(network, limits)

    uses = occupancy(network, placement, limits)

    expected, _ = nets.recount(network, placement, limits)
    assert {(u.chip, u.core): {f: getattr(u, f) for f in FIELDS} for u in uses} == expected


def test_grouped_strided_and_padded_convolutions_are_counted():
    kernel = np.ones((4, 2, 3, 2))
    kernel[1, 0] = 0
    changes = {
        "input_shape": (4, 7, 6), "stride": (2, 1), "padding": (1, 2), "dilation": (1, 2),
        "groups": 2,
    }  # fmt: skip
    network = nets.LoihiNetwork(
        inputs={"input": (4, 7, 6)},
        populations=(nets.population("maps", (4, 4, 8)),),
        connections=(nets.connection("input", "maps", kernel, kind="conv", **changes),),
    )
    limits = nets.budget(neurons=50, convolution_shared=False)
    placement = nets.place(network, limits)

    uses = occupancy(network, placement, limits)

    expected, _ = nets.recount(network, placement, limits)
    assert {(u.chip, u.core): {f: getattr(u, f) for f in FIELDS} for u in uses} == expected


def config(**changes):
    """8 inputs -> sparse 6 -> conv (2, 2, 2) and dense 3, on two cores."""
    pointers = np.array([[0, 1, 1, 1, 2, 2, 2, 2, 2], [2, 2, 2, 3, 3, 3, 3, 3, 4]])
    place = Placement.from_rows(
        [
            ("a", np.arange(6), "neuron", np.arange(6)),
            ("c", np.arange(8), "neuron", 6 + np.arange(8)),
        ]
    )
    other = Placement.from_rows([("b", np.arange(3), "neuron", np.arange(3))], core=1)
    joined = Placement(
        ("a", "c", "b"), ("neuron",), np.concatenate([place.node_id, other.node_id + 2]),
        *(np.concatenate([getattr(place, n), getattr(other, n)])
          for n in ("index", "chip", "core", "slot", "port_id")),
    )  # fmt: skip
    kernel = np.full((2, 1, 2, 2), 2, dtype=np.int16)
    fields = {
        "target": "loihi2",
        "dt": 1e-3,
        "input_shapes": {"input": (8,), "image": (1, 3, 3)},
        "outputs": (OutputChannel(output="output", node="b"),),
        "node_shapes": {"a": (6,), "c": (2, 2, 2), "b": (3,)},
        "placement": joined,
        "populations": (
            Population(name="a", model="lif", shape=(6,)),
            Population(name="c", model="lif", shape=(2, 2, 2), threshold=np.arange(1, 9)),
            Population(name="b", model="lif", shape=(3,)),
        ),
        "synapses": (
            SparseSynapse(
                source="input", target="a", block=4, pointers=pointers,
                targets=np.array([0, 3, 1, 0], dtype=np.uint16),
                weights=np.array([2, 4, 6, 8], dtype=np.int8),
            ),
            ConvSynapse(source="image", target="c", weights=kernel, input_shape=(1, 3, 3)),
            DenseSynapse(
                source="a", target="b",
                weights=np.array([[2] * 6, [0, 2, 2, 2, 2, 2], [0, 4, 0, 4, 0, 0]], dtype=np.int16),
            ),
        ),
    }  # fmt: skip
    return LoihiConfig(**{**fields, **changes})


def test_a_configuration_is_counted_from_its_registers():
    first, second = occupancy_of(config())

    assert first.populations == {"a": 6, "c": 8}
    assert (first.neurons, first.axons_in, first.axons_out) == (14, 4 + 9, 6)
    assert first.synapse_words == 4 + 3  # four axons; two kernels of four weights, shared
    assert (first.groups, first.thresholds) == (9, 9)
    assert (second.neurons, second.axons_in, second.axons_out) == (3, 6, 0)
    assert second.synapse_words == 6


def test_limits_of_a_configuration_come_from_its_resources():
    first, _ = occupancy_of(config(resources={"neurons": 28, "convolution_shared": False}))

    assert first.shares["neurons"] == 0.5
    # corners of the image 2, edges 4, the middle 8 synapses
    assert first.synapse_words == 4 + 4 * 1 + 4 * 2 + 3


def test_the_table_shows_numbers_and_percent_of_every_core():
    limits = nets.budget()
    network = nets.dense(784, 128, 64, 10)
    uses = occupancy(network, nets.place(network, limits), limits)

    lines = occupancy_table(uses).splitlines()

    assert len(lines) == len(uses) + 2
    assert lines[0].split()[:2] == ["chip", "core"]
    assert "784 (4.9 %)" in lines[1]
    assert f"{uses[0].synapse_words} ({100 * uses[0].shares['synapse_words']:.1f} %)" in lines[1]
    assert lines[-1] == f"{len(uses)} core(s) of 1 chip(s) in use, 202 neurons"
    assert "layer2: 10" in lines[-2]


def test_the_fullest_resource_is_named():
    network, limits = nets.dense(40, 10), nets.budget(neurons=11)

    (use,) = occupancy(network, nets.place(network, limits), limits)

    assert use.fullest == "neurons"


def test_the_picture_has_a_column_per_core_and_a_row_per_resource():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    network, limits = nets.dense(784, 128, 64, 10), nets.budget()
    uses = occupancy(network, nets.place(network, limits), limits)

    ax = draw_occupancy(uses)

    values = ax.images[0].get_array()
    assert values.shape == (6, len(uses))
    assert values[3, 0] == pytest.approx(100 * uses[0].shares["synapse_words"])
    assert ax.get_yticklabels()[0].get_text() == "neurons"
    assert ax.get_xlabel() == "core"
    matplotlib.pyplot.close(ax.figure)


def test_a_picture_of_nothing_is_refused_with_advice():
    with pytest.raises(InputError, match="place a network"):
        draw_occupancy(())


def test_the_floor_plan_has_one_rectangle_per_core_of_a_chip():
    plan = floorplan(config())

    assert (plan["chips"], plan["columns"], plan["rows"]) == (1, 12, 10)
    assert len(plan["rectangles"]) == 120
    first, second, third = plan["rectangles"][:3]
    assert first["populations"] == {"a": 6, "c": 8}
    assert (first["resource"], first["occupancy"]) == ("groups", 9 / 8)
    assert (second["x"], second["y"]) == (1, 0)
    assert third["resource"] is None
    places = {(r["x"], r["y"]) for r in plan["rectangles"]}
    assert len(places) == 120


def test_importing_the_plugin_loads_no_compiler_partitioner_or_plots():
    code = (
        "import sys, ranvier_loihi, ranvier_loihi.plugin\n"
        "heavy = {'numba', 'scipy', 'pymetis', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
