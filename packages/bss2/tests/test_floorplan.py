import runpy
from pathlib import Path

import pytest

from ranvier.diagnostics import Findings
from ranvier_bss2.floorplan import floorplan
from ranvier_bss2.placement import partition
from ranvier_bss2.quantization import config_of

nets = runpy.run_path(str(Path(__file__).parent / "placement" / "placed_networks.py"))


def plan_of(net):
    return floorplan(config_of(net, nets["placed"](net)))


def at(plan, **wanted):
    return [r for r in plan["rectangles"] if all(r[n] == v for n, v in wanted.items())]


def test_blocks_of_circuits_name_what_they_hold():
    plan = plan_of(nets["dense"](inputs=25, hidden=120, outputs=3))

    assert (plan["chips"], plan["columns"], plan["rows"]) == (1, 8, 10)
    assert len(plan["rectangles"]) == 4 * 8
    upper = sorted(at(plan, y=4), key=lambda r: r["x"])
    assert [r["populations"] for r in upper[:5]] == [
        {"hid": 32},
        {"hid": 32},
        {"hid": 32},
        {"hid": 24, "out": 3},
        {},
    ]
    assert [r["occupancy"] for r in upper[:5]] == [1.0, 1.0, 1.0, pytest.approx(27 / 32), 0.0]
    assert [r["resource"] for r in upper[3:5]] == ["circuits", None]


def test_blocks_of_synapses_count_weights_that_are_not_zero():
    net = nets["dense"](inputs=25, hidden=120, outputs=3)
    block = at(plan_of(net), y=0, x=0)[0]

    weights = nets["rounded"](net)[0][:32]

    assert block["resource"] == "synapses"
    assert block["occupancy"] == (weights != 0).sum() / (256 * 32)
    assert block["populations"] == {"hid": 32}


def test_instances_lie_side_by_side_without_overlap():
    net = nets["network"](
        {"in": 300},
        [nets["population"]("hid", 200), nets["population"]("out", 10)],
        [("in", "hid"), ("hid", "out")],
    )
    plan = plan_of(partition(net, nets["BUDGET"], Findings()))

    cells = [
        (x, y)
        for r in plan["rectangles"]
        for x in range(r["x"], r["x"] + r["width"])
        for y in range(r["y"], r["y"] + r["height"])
    ]
    assert plan["chips"] == 2
    assert len(cells) == len(set(cells)) == 2 * 8 * 10
    assert sum(r["populations"].get("hid", 0) for r in at(plan, height=1)) == 200
