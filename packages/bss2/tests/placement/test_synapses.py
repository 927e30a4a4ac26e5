import runpy
from pathlib import Path

import numpy as np
import pytest

from ranvier.errors import QuantizationError
from ranvier_bss2.placement import synapse_arrays

nets = runpy.run_path(str(Path(__file__).with_name("placed_networks.py")))


def test_weights_may_change_sign_and_size_after_the_placement():
    net = nets["dense"](inputs=30, hidden=20, outputs=4)
    layout = nets["placed"](net)
    rng = np.random.default_rng(7)
    weights = {k: rng.integers(-63, 64, q.weight.shape) for k, q in enumerate(net.projections)}

    registers = nets["registers_of"](layout, net, weights)

    view = nets["View"](net)
    np.testing.assert_array_equal(view.by_connections(layout, registers), view.intended(weights))


def test_weights_that_the_synapses_cannot_hold_are_named():
    net = nets["dense"](inputs=3, hidden=2, outputs=1)
    layout = nets["placed"](net)

    with pytest.raises(QuantizationError, match=r"projection 0: 6 weight.*64 from 0.*clip"):
        synapse_arrays(layout, {0: np.full((2, 3), 64), 1: np.ones((1, 2), int)})


def test_a_weight_without_a_synapse_is_named():
    net = nets["network"]({"in": 4}, [nets["population"]("hid", 3)], [("in", "hid")], density=0.0)
    layout = nets["placed"](net)

    with pytest.raises(QuantizationError, match="1 weight"):
        synapse_arrays(layout, {0: np.eye(3, 4, k=3, dtype=int)})


def test_synapses_that_nothing_uses_keep_the_label_that_no_event_has():
    net = nets["dense"](inputs=128, hidden=400, outputs=10)
    layout = nets["placed"](net)

    weight, label = synapse_arrays(layout, nets["rounded"](net))

    assert weight.shape == label.shape == (1, 2, 256, 256)
    assert layout.synapse_label.max() < 63
    assert (label == 63).sum() == label.size - layout.synapse_row.size
