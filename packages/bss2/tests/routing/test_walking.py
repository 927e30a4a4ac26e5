import dataclasses
import runpy
from pathlib import Path

import numpy as np
import pytest

from ranvier.errors import InputError
from ranvier_bss2.routing import background_event, external_event, neuron_event, walk
from ranvier_bss2.targets import limits_of

nets = runpy.run_path(str(Path(__file__).parents[1] / "placement" / "placed_networks.py"))
LIMITS = limits_of()


@dataclasses.dataclass
class Chip:
    """Registers written by hand: one synapse per row, all rows exciting."""

    synapse_weight: np.ndarray
    synapse_label: np.ndarray
    row_mode: np.ndarray
    driver_mask: np.ndarray
    node_enabled: np.ndarray
    node_mask: np.ndarray
    node_target: np.ndarray


def chip():
    weight = np.zeros((1, 2, 256, 256), np.uint8)
    weight[:, :, :, 0] = 7
    return Chip(
        weight,
        np.where(weight > 0, 5, 63).astype(np.uint8),
        np.ones((1, 2, 256), int),
        np.full((1, 2, 128), 31),
        np.ones((1, 12, 20), bool),
        np.zeros((1, 12, 20), int),
        np.zeros((1, 12, 20), int),
    )


def drivers(found):
    return sorted({(o.array, o.driver) for o in found})


def test_a_link_reaches_all_buses_and_the_driver_of_its_address():
    found = walk(chip(), 0, external_event(2, 9 << 6 | 5, LIMITS))

    assert drivers(found) == [(h, 4 * 9 + b) for h in (0, 1) for b in range(4)]
    assert sorted(o.row for o in found if o.array == 0) == list(range(72, 80))
    assert {(o.column, o.weight, o.sign) for o in found} == {(0, 7, 1)}


@pytest.mark.parametrize("circuit", [0, 33, 130, 255, 256 + 70])
def test_a_neuron_reaches_the_bus_of_its_output_in_both_arrays(circuit):
    output = circuit % 256 // 32

    found = walk(chip(), 0, neuron_event(circuit, 2 << 6 | 5, LIMITS))

    assert drivers(found) == [(h, 4 * (4 * output + 2) + output % 4) for h in (0, 1)]


@pytest.mark.parametrize("source", range(8))
def test_a_background_generator_reaches_its_own_bus_only(source):
    found = walk(chip(), 0, background_event(source, 5, LIMITS))

    assert drivers(found) == [(source // 4, source % 4)]


def test_labels_that_differ_open_nothing():
    assert walk(chip(), 0, external_event(0, 4, LIMITS)) == ()


def test_a_mask_without_bits_lets_every_driver_take_the_event():
    registers = chip()
    registers.driver_mask[0, 0, 1::4] = 0
    registers.node_enabled[0] = False
    registers.node_enabled[0, 1, 8] = True

    found = walk(registers, 0, external_event(0, 3 << 6 | 5, LIMITS))

    assert drivers(found) == [(0, 4 * p + 1) for p in range(32)]


def test_a_filter_passes_its_own_labels_only():
    registers = chip()
    registers.node_mask[0, :, 8] = 3 << 11
    registers.node_target[0, :, 8] = [b << 11 for b in (0, 1, 2, 3)] * 3

    found = walk(registers, 0, external_event(0, 2 << 11 | 5, LIMITS))

    assert drivers(found) == [(0, 2), (1, 2)]


def test_inhibiting_rows_count_negative_and_disabled_ones_not_at_all():
    registers = chip()
    registers.row_mode[0, 0, 0] = 2
    registers.row_mode[0, 0, 1] = 0
    registers.node_enabled[0, 1:] = False

    found = walk(registers, 0, external_event(0, 5, LIMITS))

    assert [(o.row, o.sign) for o in found] == [(0, -1)]


def test_sources_and_instances_that_do_not_exist_are_refused():
    with pytest.raises(InputError, match=r"use 0\.\.0"):
        walk(chip(), 1, external_event(0, 0, LIMITS))
    with pytest.raises(InputError, match=r"0\.\.511"):
        neuron_event(512, 0, LIMITS)
    with pytest.raises(InputError, match="sends no events"):
        neuron_event(0, -1, LIMITS)
    with pytest.raises(InputError, match="links"):
        external_event(4, 0, LIMITS)
    with pytest.raises(InputError, match="generators"):
        background_event(8, 0, LIMITS)
