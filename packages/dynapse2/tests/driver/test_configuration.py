"""The vendor's configuration object holds every register, under the SDK's names."""

import numpy as np
import pytest

from ranvier.errors import DeviceError
from ranvier_dynapse2.config import DENDRITES, LATCHES
from ranvier_dynapse2.driver.analogue import restore, set_leak
from ranvier_dynapse2.driver.comparison import differences
from ranvier_dynapse2.driver.configuration import build_configuration, vendor_configuration


@pytest.fixture
def busy(make_config, rng):
    """Two chips with random latches and flags."""
    config = make_config(chips=2)
    used = config.cam_dendrite > 0
    flags = (rng.integers(0, 8, used.shape) * used).astype(np.uint8)
    latches = rng.random(config.latches.shape) < 0.5
    return config.model_copy(update={"cam_flags": flags, "latches": latches})


def test_every_register_is_written(busy, attach):
    import sys

    sdk = attach(2)

    vendor = build_configuration(sdk, busy)

    registers = sys.modules["dynapse2_emulated_samna"].read_registers(vendor)
    for name, values in registers.items():
        expected = getattr(busy, name)
        if name.startswith("bias_"):
            expected = expected[..., : values.shape[-1]]
        if name.startswith("sram_") and name != "sram_used":
            expected = expected * busy.sram_used
        np.testing.assert_array_equal(values, expected, err_msg=name)
    assert differences(vendor, busy) == []


def test_a_synapse_has_the_sdks_codes_and_little_endian_weights(busy, attach):
    vendor = build_configuration(attach(2), busy)
    at = tuple(int(k[0]) for k in np.nonzero((busy.cam_dendrite > 0) & (busy.cam_mask == 6)))

    synapse = vendor.chips[at[0]].cores[at[1]].neurons[at[2]].synapses[at[3]]

    codes = {"none": 0, "ampa": 1024, "gaba": 512, "nmda": 256, "shunt": 128}
    assert int(synapse.dendrite) == codes[DENDRITES[busy.cam_dendrite[at]]]
    assert synapse.weight == [False, True, True, False]
    assert synapse.tag == busy.cam_tag[at]
    flags = int(busy.cam_flags[at])
    found = [synapse.stp, synapse.precise_delay, synapse.mismatched_delay]
    assert found == [bool(flags >> k & 1) for k in range(3)]


def test_biases_of_a_chip_go_to_shared_and_global_maps(busy, attach):
    vendor = build_configuration(attach(2), busy)

    chip = vendor.chips[1]
    for parameters in (chip.shared_parameters01, chip.shared_parameters23):
        assert parameters["LBWR_VB_P"].code() == (5, 255)
    assert chip.global_parameters["R2R_BUFFER_CCB"].code() == (5, 255)
    assert chip.cores[0].parameters["SYSA_VRES_N"].code() == (5, 254)
    assert chip.cores[0].parameters["SYSA_VRES_N"].type == "N"


@pytest.mark.parametrize("name", ["dendrite", "weight", "tag", "stp"])
def test_one_changed_synapse_is_found_with_its_place(name, busy, attach):
    vendor = build_configuration(attach(2), busy)
    at = tuple(int(k[-1]) for k in np.nonzero(busy.cam_dendrite > 0))
    neuron = vendor.chips[at[0]].cores[at[1]].neurons[at[2]]
    rows = neuron.synapses
    entry = rows[at[3]]
    changed = {
        "dendrite": next(d for d in type(entry.dendrite) if d not in (0, entry.dendrite)),
        "weight": [not bit for bit in entry.weight],
        "tag": entry.tag ^ 3,
        "stp": not entry.stp,
    }
    setattr(entry, name, changed[name])
    neuron.synapses = rows

    (found,) = differences(vendor, busy)

    assert found.startswith(f"chip {at[0]} core {at[1]} neuron {at[2]} synapse {at[3]} is [")


def test_changed_biases_latches_and_destinations_are_found(busy, attach):
    vendor = build_configuration(attach(2), busy)
    core = vendor.chips[1].cores[2]
    core.parameters["SOIF_LEAK_N"].fine_value ^= 1
    vendor.chips[0].shared_parameters23["LBWR_VB_P"].coarse_value = 2
    slot = int(np.flatnonzero(busy.sram_used[1, 2].any(-1))[0])
    neuron = core.neurons[slot]
    neuron.latch_de_mux = not neuron.latch_de_mux
    words = neuron.destinations
    words[0].x_hop = 5
    neuron.destinations = words

    found = differences(vendor, busy)

    assert len(found) == 4
    assert found[0] == "chip 0 bias LBWR_VB_P is (2, 255), expected (5, 255)"
    assert found[1].startswith("chip 1 core 2 bias SOIF_LEAK_N is (")
    assert found[2].startswith(f"chip 1 core 2 neuron {slot} latch_de_mux is ")
    assert found[3].startswith(f"chip 1 core 2 neuron {slot} destination 0 is [15, 5, ")


def test_a_synapse_where_none_should_be_is_found(busy, attach):
    vendor = build_configuration(attach(2), busy)
    chip, core, slot = (int(k[0]) for k in np.nonzero(~busy.cam_dendrite.any(-1)))
    neuron = vendor.chips[chip].cores[core].neurons[slot]
    rows = neuron.synapses
    full = next(n for n in vendor.chips[0].cores[0].neurons if n.synapses[0].dendrite)
    rows[9] = full.synapses[0]
    neuron.synapses = rows

    (found,) = differences(vendor, busy)

    assert found.startswith(f"chip {chip} core {core} neuron {slot} synapse 9 is [")


def test_the_leak_is_set_on_every_core_and_taken_back(busy, attach):
    sdk = attach(3)
    vendor = build_configuration(sdk, busy)

    before = set_leak(vendor)

    for chip in vendor.chips:
        for core in chip.cores:
            for name in ("SOIF_LEAK_N", "DEAM_ETAU_P", "DEGA_ITAU_P", "DENM_ETAU_P", "DESC_ITAU_P"):
                assert core.parameters[name].code() == (5, 255)
    restore(before)
    assert differences(vendor, busy) == []


def test_missing_biases_are_all_named(busy, attach):
    sdk = attach(2, lacks_bias=True)

    with pytest.raises(DeviceError, match=r"no bias SOIF_DC_P \(1 missing\)"):
        build_configuration(sdk, busy)


def test_too_few_chips_are_refused(busy, attach):
    with pytest.raises(DeviceError, match="is for 2 chips, the SDK's configuration has 1"):
        build_configuration(attach(1), busy)


def test_the_vendors_object_can_be_built_without_a_board(busy, attach):
    attach(2)

    assert differences(vendor_configuration(busy), busy) == []


def test_all_latches_have_the_sdks_names(busy, attach):
    neuron = build_configuration(attach(2), busy).chips[0].cores[0].neurons[0]

    assert {f"latch_{name}" for name in LATCHES} == {
        name for name in type(neuron).__slots__ if name.startswith("latch_")
    }
