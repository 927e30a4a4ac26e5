import runpy
from pathlib import Path

import numpy as np
import pytest

from ranvier.errors import InputError
from ranvier_dynapse2.config import DENDRITES
from ranvier_dynapse2.routing import connections
from ranvier_dynapse2.tables import (
    as_table,
    bias_rows,
    cam_rows,
    floorplan,
    input_map,
    neuron_map,
    output_map,
)

COLUMNS = ("node_id", "index", "chip", "core", "slot", "port_id")
boards = runpy.run_path(str(Path(__file__).with_name("random_configs.py")))


@pytest.fixture(scope="module")
def board():
    return boards["random_config"](chips=2, used=8, all_monitored=False, seed=6)[0]


def test_the_output_map_says_which_neuron_output_3_is(board):
    rows = output_map(board)
    assert [r.channel for r in rows] == list(range(16))
    third = rows[3]
    place = board.placement
    row = np.flatnonzero((place.node_id == place.node.index("out")) & (place.index == 3))[0]
    assert (third.chip, third.core, third.neuron) == (
        place.chip[row],
        place.core[row],
        place.slot[row],
    )
    assert (third.output, third.node) == ("output", "out")
    assert third.monitor_tag == third.core * 256 + third.neuron
    assert (third.x_hop, third.y_hop) == (-7 + third.chip + 1, -7)


def test_the_neuron_map_has_every_neuron_once(board):
    rows = neuron_map(board)
    assert [(r.node, r.index) for r in rows] == [
        *(("hidden", k) for k in range(48)),
        *(("out", k) for k in range(16)),
    ]
    assert len({(r.chip, r.core, r.neuron) for r in rows}) == 64
    assert all(r.outputs == (("output",) if r.node == "out" else ()) for r in rows)
    assert all((r.monitor_tag is None) == (r.node == "hidden") for r in rows)


def test_the_input_map_has_every_channel_with_its_packets(board):
    rows = input_map(board)
    assert [(r.node, r.channel) for r in rows] == [("input", k) for k in range(12)]
    assert sum(len(r.destinations) for r in rows) == board.input_channel.size
    assert rows[4].destinations == rows[9].destinations == ()
    for row in rows:
        own = board.input_channel == row.channel
        assert [d.tag for d in row.destinations] == board.input_tag[own].tolist()
        assert [d.chip for d in row.destinations] == board.input_x[own].tolist()
        masks = [sum(1 << k for k in d.cores) for d in row.destinations]
        assert masks == board.input_cores[own].tolist()


def test_bias_rows_give_codes_and_currents(board):
    rows = bias_rows(board)
    assert len(rows) == 2 * (4 * len(board.bias_names) + len(board.chip_bias_names))
    leak = next(r for r in rows if r.bias == "SOIF_LEAK_N" and (r.chip, r.core) == (1, 2))
    assert leak.current == board.current("SOIF_LEAK_N")[1, 2]
    assert (leak.coarse, leak.fine) == tuple(board.table.code("SOIF_LEAK_N", leak.current))
    assert {r.bias for r in rows if r.core is None} == set(board.chip_bias_names)


def test_cam_rows_name_who_opens_them(board):
    found = connections(board)
    places = {
        (r.chip * 4 + r.core) * 256 + r.neuron: f"{r.node}[{r.index}]" for r in neuron_map(board)
    }
    target = int(found.target[found.source >= found.n_channels][0])
    chip, core, neuron = target // 1024, target // 256 % 4, target % 256
    rows = cam_rows(board, chip, core, neuron)
    assert len(rows) == 8
    for row in rows:
        at = (chip, core, neuron, row.entry)
        assert row.tag == board.cam_tag[at]
        assert row.synapse == DENDRITES[board.cam_dendrite[at]]
        bits = [k for k in range(4) if row.mask >> k & 1]
        currents = [board.current(f"SYAM_W{k}_P")[chip, core] for k in bits]
        assert row.current == pytest.approx(sum(currents))
        own = found.source[(found.target == target) & (found.entry == row.entry)]
        expected = [f"input[{s}]" if s < 12 else places[int(s) - 12] for s in own]
        assert sorted(row.sources) == sorted(expected)


def test_a_neuron_that_does_not_exist_is_refused(board):
    with pytest.raises(InputError, match="no chip 0, core 4, neuron 0"):
        cam_rows(board, 0, 4, 0)


def test_tables_are_aligned_text(board):
    lines = as_table(output_map(board)).splitlines()
    assert len(lines) == 17
    assert lines[0].split() == [
        "output",
        "channel",
        "node",
        "chip",
        "core",
        "neuron",
        "monitor_tag",
        "x_hop",
        "y_hop",
    ]
    assert len({len(line) for line in lines}) == 1
    assert lines[4].split()[1] == "3"
    text = as_table(input_map(board))
    assert "tag" in text
    assert text.splitlines()[5].split() == ["input", "4", "-"]


def test_a_table_has_rows_of_one_kind(board):
    assert as_table(()) == "(no rows)"
    with pytest.raises(InputError, match="rows of one table"):
        as_table([neuron_map(board)[0], output_map(board)[0]])
    with pytest.raises(InputError, match="rows of one table"):
        as_table([1, 2])


def test_the_floorplan_has_a_rectangle_per_core(board):
    plan = floorplan(board)
    assert plan["chips"] == 2
    rectangles = plan["rectangles"]
    assert [(r["chip"], r["core"]) for r in rectangles] == [
        (h, c) for h in (0, 1) for c in range(4)
    ]
    assert len({(r["x"], r["y"]) for r in rectangles}) == 8
    assert sum(sum(r["populations"].values()) for r in rectangles) == 64
    first = rectangles[0]
    assert first["populations"] == {"hidden": 8}
    assert (first["resource"], first["occupancy"]) == ("cam", 8 / 64)


def test_an_empty_core_has_no_fullest_resource(board):
    own = {name: getattr(board, name) for name in type(board).model_fields}
    for name in ("cam_tag", "cam_mask", "cam_dendrite", "cam_flags"):
        own[name] = np.array(own[name])
        own[name][0, 0] = 0
    place = board.placement
    keep = ~((place.chip == 0) & (place.core == 0) & (place.port_id == 0))
    columns = {n: np.array(getattr(place, n)[keep]) for n in COLUMNS}
    hidden = (columns["node_id"] == 0) & (columns["port_id"] == 0)
    columns["index"][hidden] -= columns["index"][hidden].min()
    own["placement"] = type(place)(place.node, place.port, **columns)
    own["node_shapes"] = {"hidden": (int(hidden.sum()),), "out": (16,)}
    empty = floorplan(type(board)(**own))["rectangles"][0]
    assert (empty["occupancy"], empty["resource"], empty["populations"]) == (0.0, None, {})


def test_tables_are_in_order_of_the_graph_whatever_the_order_of_the_placement(board):
    mixed = boards["shuffled_placement"](board)
    assert mixed.placement.index.tolist() != board.placement.index.tolist()
    for table in (neuron_map, input_map, output_map):
        assert table(mixed) == table(board)
    assert floorplan(mixed) == floorplan(board)
