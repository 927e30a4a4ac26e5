import runpy
from pathlib import Path

import pytest

from ranvier.errors import InputError
from ranvier_bss2.placement import draw_placement, draw_synapses

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
nets = runpy.run_path(str(Path(__file__).with_name("placed_networks.py")))


@pytest.fixture
def placed():
    net = nets["dense"](inputs=25, hidden=120, outputs=3)
    layout = nets["placed"](net)
    yield layout, nets["registers_of"](layout, net)
    matplotlib.pyplot.close("all")


def test_synapses_are_drawn_where_they_lie(placed):
    layout, registers = placed

    ax = draw_synapses(registers)

    image = ax.images[0].get_array()
    assert image.shape == (2 * 256 + 6, 256)
    at = (layout.synapse_row, layout.synapse_column)
    shown = image[at]
    assert ((shown > 0) == (layout.synapse_sign == 0)).all()
    assert image.count() == (registers.synapse_weight > 0).sum()


def test_circuits_are_drawn_by_population(placed):
    layout, _ = placed

    ax = draw_placement(layout, names=["hid", "out"])

    texts = [t.get_text() for t in ax.get_legend().get_texts()]
    assert texts == ["hid: 120 circuits", "out: 3 circuits"]
    assert "123 of 512" in ax.get_title()


def test_an_instance_that_does_not_exist_is_not_drawn(placed):
    layout, registers = placed

    with pytest.raises(InputError, match=r"use 0\.\.0"):
        draw_placement(layout, instance=1)
    with pytest.raises(InputError, match=r"use 0\.\.0"):
        draw_synapses(registers, instance=-1)
