import runpy
from pathlib import Path

import numpy as np
import pytest

from ranvier_dynapse2.mapping import specification, specification_rows
from ranvier_dynapse2.nodes import CURRENTS

graphs = runpy.run_path(str(Path(__file__).with_name("mapping_graphs.py")))


def test_a_row_per_core_says_what_it_is_set_to_and_holds():
    mapped = graphs["run_map"](graphs["recurrent"](0))
    network = graphs["network_of"](mapped)
    rows = specification_rows(mapped)
    assert [(r["nodes"], r["neurons"]) for r in rows] in (
        [({"first": 9}, 9), ({"second": 5}, 5)],
        [({"second": 5}, 5), ({"first": 9}, 9)],
    )
    by_node = {next(iter(r["nodes"])): r for r in rows}
    assert by_node["first"]["tau_mem"] == pytest.approx(20e-3)
    assert by_node["second"]["tau_mem"] == pytest.approx(30e-3)
    assert by_node["first"]["tau_gaba"] == pytest.approx(10e-3)
    assert by_node["first"]["r_gain_mem"] == pytest.approx(4)
    for row in rows:
        own = (network.chip == row["chip"]) & (network.core == row["core"])
        for name in CURRENTS:
            np.testing.assert_array_equal(network.currents[name][own], row[name])
        assert row["synapses"] == np.isin(network.synapse_target, np.flatnonzero(own)).sum()
        assert row["monitored"] == row["neurons"]
    assert rows[0]["cluster"] != rows[1]["cluster"]


def test_cores_of_one_cluster_have_its_number():
    mapped = graphs["run_map"](graphs["chain"](weight=np.ones((300, 2))))
    assert [r["cluster"] for r in specification_rows(mapped)] == [0, 0]


def test_the_text_is_a_table_with_a_column_per_core():
    text = specification(graphs["run_map"](graphs["recurrent"](0)))
    lines = text.splitlines()
    assert lines[0] == "DYNAP-SE2: 14 neurons on 2 core(s) of 1 chip(s), merged_synapse"
    named = {line.split()[0]: line.split()[1:] for line in lines[1:]}
    assert sorted(named["tau_mem"]) == ["0.02", "0.03", "s"]
    assert sorted(named["first"]) == ["0", "9"]
    assert set(CURRENTS) < set(named)
