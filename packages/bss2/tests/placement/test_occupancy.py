import runpy
from pathlib import Path

from ranvier_bss2.placement import occupancy

nets = runpy.run_path(str(Path(__file__).with_name("placed_networks.py")))


def test_occupancy_counts_circuits_rows_and_labels():
    layout = nets["placed"](nets["dense"](inputs=25, hidden=120, outputs=3))

    use = occupancy(layout)[0]

    assert (use.circuits, use.neurons, use.external, use.inner) == (123, 123, 25, 120)
    assert use.synapses.tolist() == [2 * (25 * 120 + 120 * 3), 0]
    assert use.rows[0].tolist() == [64, 64, 64, 48]
    assert use.rows[1].sum() == 0
    assert "123 of 512 circuits" in str(use)
    assert use.shares["rows"] == 1.0
