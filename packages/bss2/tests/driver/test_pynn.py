"""What a chip behind PyNN gives is what the emulator gives."""

import os

import numpy as np
import pytest

from ranvier.errors import DeviceError, SimulationError
from ranvier_bss2 import VirtualChip
from ranvier_bss2.emulator import Emulator
from ranvier_bss2.records import recording_of


def expected(config, spikes, chip):
    emulator = Emulator(config, chip)
    raw = emulator.run({"input": spikes}, trial_seed=0)
    record = {p.name: ("spikes",) for p in config.populations}
    return recording_of(config, raw, n_steps=spikes.shape[1], record=record)


@pytest.mark.parametrize("preset", ["ideal", "calibrated"])
def test_spikes_are_those_of_the_emulator(preset, firing_config, spikes, attach_pynn, open_board):
    quiet = {"membrane_noise": 0.0, "cadc_noise": 0.0}  # samples run one by one: other noise
    chip = VirtualChip.of(3, preset, **quiet)
    attach_pynn(chip=chip)

    with open_board(firing_config, "pynn") as board:
        found = board.run(spikes, record=True)

    wanted = expected(firing_config, spikes, chip)
    for node in ("hidden", "out"):
        np.testing.assert_array_equal(found.raw(node, "spikes"), wanted.raw(node, "spikes"))
        assert wanted.raw(node, "spikes").any()


@pytest.mark.parametrize("name", ["recurrent_config", "split_config"])
def test_recurrence_and_execution_instances(name, request, spikes, attach_pynn, open_board):
    config = request.getfixturevalue(name)
    stack = attach_pynn()

    with open_board(config, "pynn") as board:
        first = board.run(spikes, record=["spikes"])
        again = board.run(spikes, record=["spikes"])

    wanted = expected(config, spikes, VirtualChip.of(0, "ideal"))
    for found in (first, again):
        for key in wanted.signals:
            np.testing.assert_array_equal(found.raw(*key), wanted.raw(*key))
    assert wanted.output.any()
    assert stack.calls.count("setup") == stack.calls.count("end")
    assert not stack.up


def test_samples_of_the_fast_converter_are_raw(firing_config, spikes, attach_pynn, open_board):
    attach_pynn(jitter=2)

    with open_board(firing_config, "pynn") as board:
        found = board.run(spikes, record=["madc"])

    raw = Emulator(firing_config, VirtualChip.of(0, "ideal")).run({"input": spikes})
    np.testing.assert_array_equal(board.raw["out"].madc.values, raw["out"].madc.values)
    assert board.raw["out"].madc.neuron == 1
    assert next(d.value for d in found.diagnostics if d.code == "BS306") == 2


def test_weights_are_signed_whole_numbers_of_any_size(small, spikes, attach_pynn, open_board):
    weight = np.random.default_rng(1).integers(-60, 60, size=(3, 6))
    weight[1, 2] = 150
    config, _ = small["chip"](
        {"input": (6,)},
        [small["population"]("out", 3)],
        [small["projection"]("input", "out", weight)],
    )
    stack = attach_pynn()

    with open_board(config, "pynn") as board:
        board.run(spikes)

    assert max(int(w.max()) for _, _, w in stack.projections) == 150
    total = sum(np.abs(w).sum() for _, _, w in stack.projections)
    assert total == np.abs(weight).sum()


def test_targets_are_given_in_the_units_of_the_stack(firing_config, attach_pynn, open_board):
    stack = attach_pynn()

    open_board(firing_config, "pynn").close()

    found = stack.populations[0].cell.targets
    assert found["v_rest"] == 80
    assert found["v_thresh"] == 125
    assert found["tau_m"] == pytest.approx(10)
    assert found["tau_refrac"] == pytest.approx(2)
    assert found["cm"] == 63
    assert found["synapse_dac_bias"] == 600


def test_neurons_can_be_put_on_the_circuits_of_the_configuration(
    firing_config, attach_pynn, open_board
):
    stack = attach_pynn()

    open_board(firing_config, "pynn", placement="config").close()

    order = stack.setups[0][1]
    assert order[:11] == firing_config.neuron_circuit.tolist()


def test_membranes_are_not_offered(firing_config, attach_pynn, open_board):
    attach_pynn()

    with open_board(firing_config, "pynn") as board:
        assert board.recordable() == {"hidden": ("spikes",), "out": ("spikes", "madc")}
        assert board.identifier == "pynn"


def test_what_pynn_cannot_run_is_told_at_once(small, attach_pynn, open_board):
    config, _ = small["chip"](
        {"input": (2,)},
        [
            small["population"]("hidden", 2, circuits=2),
            small["population"]("readout", 2, switches=("leaky",)),
        ],
        [
            small["projection"]("input", "hidden", np.full((2, 2), 40)),
            small["projection"]("hidden", "readout", np.full((2, 2), 40)),
        ],
    )
    stack = attach_pynn()

    with pytest.raises(DeviceError) as caught:
        open_board(config, "pynn", init="minimal", preset="ideal")

    text = str(caught.value)
    assert "init: only for hxtorch; leave it out" in text
    assert "preset: a chip has its own variability" in text
    assert "'hidden': 2 circuits per neuron, a neuron of PyNN has 1; use the path 'hxtorch'" in text
    assert "'readout': neurons that differ in fire from leaky ones that fire" in text
    assert "output 'output' shows a membrane, PyNN has no slow converter" in text
    assert stack.calls == []


@pytest.mark.parametrize("fault", ["setup_fails", "run_fails", "interrupted"])
def test_the_chip_is_released_and_the_environment_restored(
    fault, firing_config, spikes, attach_pynn, open_board
):
    stack = attach_pynn(**{fault: True if fault == "interrupted" else "broken"})

    with pytest.raises((DeviceError, KeyboardInterrupt)) as caught:
        open_board(firing_config, "pynn:quiggeldy:there:7").run(spikes)

    assert caught.type is KeyboardInterrupt or "pynn:quiggeldy:there:7" in str(caught.value)
    assert stack.environments[0]["QUIGGELDY_IP"] == "there"
    assert stack.calls[-1] == "end"
    assert "QUIGGELDY_IP" not in os.environ


def test_an_end_that_fails_is_an_error_once(firing_config, attach_pynn, open_board):
    attach_pynn(end_fails="lost")
    board = open_board(firing_config, "pynn")

    with pytest.raises(DeviceError, match="releasing the chip failed: lost"):
        board.close()
    board.close()


def test_another_configuration_is_built_anew(
    firing_config, recurrent_config, spikes, attach_pynn, open_board
):
    stack = attach_pynn()

    with open_board(firing_config, "pynn") as board:
        board.update(recurrent_config)
        found = board.run(spikes)
        with pytest.raises(SimulationError, match="open a new session"):
            board.update(3)

    wanted = expected(recurrent_config, spikes, VirtualChip.of(0, "ideal"))
    np.testing.assert_array_equal(found.output, wanted.output)
    assert stack.calls.count("setup") == 2


def test_masked_neurons_neither_report_nor_feed(small, spikes, attach_pynn, open_board):
    config, _ = small["chip"](
        {"input": (6,)},
        [small["population"]("hidden", 4), small["population"]("out", 3)],
        [
            small["projection"]("input", "hidden", np.full((4, 6), 50)),
            small["projection"]("hidden", "out", np.full((3, 4), 60)),
        ],
        masks={"hidden": [True, False, True, False]},
    )
    attach_pynn()

    with open_board(config, "pynn") as board:
        found = board.run(spikes, record=["spikes"])

    wanted = expected(config, spikes, VirtualChip.of(0, "ideal"))
    for key in wanted.signals:
        np.testing.assert_array_equal(found.raw(*key), wanted.raw(*key))
    assert wanted.output.any()
