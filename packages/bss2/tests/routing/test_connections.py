import dataclasses
import runpy
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from ranvier.errors import SimulationError
from ranvier_bss2.quantization import config_of
from ranvier_bss2.routing import (
    Registers,
    connections,
    external_event,
    neuron_event,
    walk,
)
from ranvier_bss2.targets import limits_of

nets = runpy.run_path(str(Path(__file__).parents[1] / "placement" / "placed_networks.py"))
LIMITS = limits_of()


def random_registers(seed):
    """Return registers that no placement would write: everything drawn at random."""
    rng = np.random.default_rng(seed)
    layout = nets["placed"](nets["dense"](inputs=3, hidden=4, outputs=2))
    sources = 12
    layout = dataclasses.replace(
        layout,
        instances=2,
        row_mode=rng.integers(0, 3, (2, 2, 256)),
        driver_mask=rng.integers(0, 32, (2, 2, 128)),
        node_enabled=rng.random((2, 12, 20)) < 0.7,
        node_mask=rng.choice([0, 1, 64, 3 << 11], (2, 12, 20)),
        node_target=rng.choice([0, 0, 1], (2, 12, 20)),
        circuit_address=np.where(rng.random((2, 512)) < 0.05, rng.integers(0, 256, (2, 512)), -1),
        source_instance=rng.integers(0, 2, sources),
        source_projection=np.zeros(sources, int),
        source_channel=np.arange(sources),
        source_link=rng.integers(0, 4, sources),
        source_label=rng.integers(0, 1 << 14, sources),
    )
    shape = (2, 2, 256, 256)
    return Registers(
        layout,
        rng.integers(0, 64, shape).astype(np.uint8),
        rng.integers(0, 64, shape).astype(np.uint8),
    )


def walked(registers):
    layout, rows = registers.layout, []
    for instance in range(layout.instances):
        address = layout.circuit_address[instance]
        events = [
            (0, c, neuron_event(c, int(address[c]), LIMITS))
            for c in np.flatnonzero(address >= 0).tolist()
        ]
        events += [
            (1, r, external_event(int(layout.source_link[r]), int(layout.source_label[r]), LIMITS))
            for r in np.flatnonzero(layout.source_instance == instance).tolist()
        ]
        for kind, source, event in events:
            rows += [
                (instance, kind, source, o.array, o.row, o.column, event.synapse_label, o.sign)
                for o in walk(registers, instance, event)
            ]
    return sorted(rows)


@pytest.mark.parametrize("seed", range(3))
def test_all_connections_are_those_of_walking_every_source(seed):
    registers = random_registers(seed)

    found = connections(registers)

    names = ("instance", "kind", "source", "array", "row", "column", "label", "sign")
    rows = list(zip(*(getattr(found, n).tolist() for n in names), strict=True))
    assert rows == walked(registers)
    assert len(found) > 1000


def test_a_configuration_makes_the_connections_of_its_layout():
    net = nets["dense"](inputs=40, hidden=50, outputs=5)
    layout = nets["placed"](net)

    found = connections(config_of(net, layout))

    expected = connections(nets["registers_of"](layout, net))
    for name in ("instance", "kind", "source", "array", "row", "column", "label", "sign"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def test_signed_weights_follow_the_mode_of_the_row():
    registers = random_registers(0)

    found = connections(registers)

    at = (found.instance, found.array, found.row)
    mode = registers.row_mode[at]
    weight = registers.synapse_weight[(*at, found.column)].astype(int)
    np.testing.assert_array_equal(
        found.weights(registers.synapse_weight), np.where(mode == 1, weight, -weight)
    )


def test_a_full_chip_takes_less_than_a_second():
    net = nets["dense"](inputs=256, hidden=246, outputs=10)
    registers = nets["registers_of"](nets["placed"](net), net)
    start = time.process_time()

    found = connections(registers)

    assert time.process_time() - start < 1.0
    assert len(found) == 2 * (256 * 246 + 246 * 10)


def test_too_many_connections_are_refused_with_the_limit(monkeypatch):
    module = sys.modules["ranvier_bss2.routing.connections"]
    monkeypatch.setattr(module, "MAX_CONNECTIONS", 10)

    with pytest.raises(SimulationError, match=r"more than 10 .*different labels"):
        connections(random_registers(0))
