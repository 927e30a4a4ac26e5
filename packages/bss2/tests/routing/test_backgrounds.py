"""Channels of background generators, and what they open."""

import dataclasses
import runpy
from pathlib import Path

import numpy as np
import pytest

from ranvier_bss2.routing import (
    background_channels,
    background_event,
    channel_labels,
    connections,
    walk,
)
from ranvier_bss2.targets import limits_of

HERE = Path(__file__).parent
random_registers = runpy.run_path(str(HERE / "test_connections.py"))["random_registers"]
LIMITS = limits_of()


@pytest.mark.parametrize(
    ("label", "mask", "expected"),
    [
        (7, 0, [7]),
        (8, 3, [8, 9, 10, 11]),
        (0b1111, 0b1010, [0b0101, 0b0111, 0b1101, 0b1111]),
        (3 << 6, 1 << 7, [1 << 6, 3 << 6]),
    ],
)
def test_channels_count_through_the_bits_that_are_drawn(label, mask, expected):
    assert channel_labels(label, mask).tolist() == expected


def with_generators(seed):
    """Return registers drawn at random, with generators whose labels differ in any of 8 bits."""
    registers = random_registers(seed)
    rng = np.random.default_rng([seed, 1])
    layout = dataclasses.replace(
        registers.layout,
        background_instance=np.array([0, 1, 0, 1]),
        background_node=np.arange(4),
        background_generator=rng.choice(8, 4, replace=False),
        background_label=rng.integers(0, 1 << 14, 4),
        background_mask=np.array([0, 0b1011, 0b11000001, 0b111]),
        node_enabled=np.ones((2, 12, 20), dtype=bool),
        node_mask=np.zeros((2, 12, 20), dtype=int),
        node_target=np.zeros((2, 12, 20), dtype=int),
    )
    return dataclasses.replace(registers, layout=layout)


@pytest.mark.parametrize("seed", range(3))
def test_connections_of_generators_are_those_of_walking_every_channel(seed):
    registers = with_generators(seed)
    row, channel, label = background_channels(registers)
    assert row.tolist() == [0] + [1] * 8 + [2] * 8 + [3] * 8
    assert channel.tolist() == [0, *range(8), *range(8), *range(8)]

    found = connections(registers)

    own = found.kind == 2
    names = ("instance", "source", "array", "row", "column", "sign")
    rows = list(zip(*(getattr(found, n)[own].tolist() for n in names), strict=True))
    expected = []
    for number, (r, bits) in enumerate(zip(row.tolist(), label.tolist(), strict=True)):
        generator = int(registers.background_generator[r])
        instance = int(registers.background_instance[r])
        for o in walk(registers, instance, background_event(generator, bits, LIMITS)):
            expected.append((instance, number, o.array, o.row, o.column, o.sign))
            assert (o.array, o.bus) == divmod(generator, 4)
    assert rows == sorted(expected)
    assert len(rows) > 500
