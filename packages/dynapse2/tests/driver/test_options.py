"""Every option changes what the board is told, or how its events are read."""

import numpy as np
import pytest

from ranvier.errors import DeviceError
from ranvier_dynapse2.driver import DeployOptions
from ranvier_dynapse2.simulator import Dynapse2Session


def code_values(recording):
    return {d.code: d.value for d in recording.diagnostics}


def test_a_bit_file_is_loaded_before_anything_else(config, attach, open_board, tmp_path):
    sdk, bitfile = attach(), tmp_path / "stack.bit"
    bitfile.write_bytes(b"bits")

    open_board(config, bitfile=bitfile).close()

    assert sdk.names()[1:4] == [f"configure_opal_kelly {bitfile}", "reset_fpga", "reset PowerCycle"]


@pytest.mark.parametrize(
    ("reset", "expected"),
    [("power-cycle", ["reset PowerCycle"]), ("config", ["reset ConfigReset"]), ("none", [])],
)
def test_resets_are_as_asked(reset, expected, config, attach, open_board):
    sdk = attach()

    open_board(config, reset=reset, reset_fpga=False).close()

    assert [n for n in sdk.names() if n.startswith("reset")] == expected


def test_what_a_board_held_before_does_not_survive_without_a_reset(
    make_config, counts, attach, open_board
):
    attach()
    config = make_config(seed=2)

    open_board(make_config(seed=1)).close()
    with open_board(config, reset="none") as board:
        found = board.run(counts)

    np.testing.assert_array_equal(found.output, Dynapse2Session(config).run(counts).output)


def test_without_verification_a_difference_goes_unnoticed(config, attach, open_board):
    attach(read_back_differs=True)

    open_board(config, verify=False).close()


def test_a_run_may_end_by_time_alone(config, counts, attach, open_board):
    attach(no_marker=True)

    with open_board(config, end="duration") as board:
        found = board.run(counts)

    np.testing.assert_array_equal(found.output, Dynapse2Session(config).run(counts).output)


@pytest.mark.parametrize(
    ("rule", "heard"), [("written", False), (0, True), ("any", True), (3, False)]
)
def test_the_rule_for_hops_decides_which_events_count(
    rule, heard, config, counts, attach, open_board
):
    attach(returned_y=0)

    with open_board(config, monitor_y=rule) as board:
        found = board.run(counts)

    assert found.output.any() == heard
    assert ("DY302" in code_values(found)) != heard
    if not heard:
        assert board.unknown[0].size == code_values(found)["DY302"]


def test_repeated_events_are_counted_once(config, counts, attach, open_board):
    attach(doubles=True)
    expected = Dynapse2Session(config).run(counts, record=["spikes"])

    with open_board(config, double_window=2e-6) as board:
        found = board.run(counts, record=["spikes"])

    np.testing.assert_array_equal(found.raster("hidden"), expected.raster("hidden"))
    total = expected.raster("hidden").sum() + expected.raster("out").sum()
    assert code_values(found)["DY304"] == total


def test_repeated_events_count_as_they_come_by_default(config, counts, attach, open_board):
    attach(doubles=True)

    with open_board(config) as board:
        found = board.run(counts)

    np.testing.assert_array_equal(found.output, 2 * Dynapse2Session(config).run(counts).output)


def test_echoed_inputs_are_recorded_beside_the_outputs(config, counts, attach, open_board):
    attach()
    expected = Dynapse2Session(config).run(counts)

    with open_board(config, echo_inputs=True) as board:
        found = board.run(counts)

    reaching = np.isin(np.arange(12), config.input_channel).reshape(6, 2)
    np.testing.assert_array_equal(found.raster("input"), counts * reaching)
    np.testing.assert_array_equal(found.output, expected.output)
    assert "DY302" not in code_values(found)


def test_echoes_need_a_tag_per_channel(make_config, attach, open_board):
    config = make_config(inputs=(1100,))
    sdk = attach()

    with pytest.raises(DeviceError, match="1100 input channels, there are tags for 1023 echoes"):
        open_board(config, echo_inputs=True)
    assert sdk.released


def test_one_neuron_per_core_can_be_watched(config, attach, open_board):
    sdk = attach()

    with open_board(config, monitor_neurons=(("out", 3),), sadc=("soif_mem",), sadc_period_ms=5):
        core = next(c for c in sdk.board.model.current.chips[0].cores if c.neuron_monitoring_on)

    row = np.flatnonzero((config.placement.node_id == 1) & (config.placement.index == 3))[0]
    assert core is sdk.board.model.current.chips[0].cores[config.placement.core[row]]
    assert core.monitored_neuron == config.placement.slot[row]
    assert core.sadc_enables.soif_mem
    assert not core.sadc_enables.soad_dpi
    assert "sadc period 5" in sdk.names()


def test_converters_are_read_after_a_run(config, counts, attach, open_board):
    attach()

    with open_board(config, monitor_neurons=(("out", 3),), sadc=("soif_mem", "soad_dpi")) as board:
        board.run(counts)

        assert board.sadc == {0: [0.25, 0.25]}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"monitor_neurons": (("out", 0), ("out", 1))}, "2 neurons of chip 0 core .*take neurons"),
        ({"monitor_neurons": (("other", 0),)}, "no node 'other'; nodes: hidden, out"),
        ({"monitor_neurons": (("out", 99),)}, r"'out' has no neuron 99, it has 0\.\.11"),
        ({"monitor_neurons": (("out", 0),), "sadc": ("charm",)}, "no signal charm; names"),
        ({"sadc": ("soif_mem",)}, "soif_mem of 0 neurons; say of which with monitor_neurons="),
        ({"mismatch": 0.1}, "mismatch: a board has its own mismatch; leave it out"),
        ({"chip_seed": 1}, "chip_seed: a board has its own mismatch"),
        ({"dt_fpga": 1.0}, r"dt = 0\.001 s is shorter than a tick .*use a larger dt"),
        (
            {"bitfile": "/nowhere/x.bit"},
            "'/nowhere/x.bit' does not exist; give the FPGA's bit file",
        ),
    ],
)
def test_options_that_cannot_be_are_refused_and_the_board_released(
    options, message, config, attach, open_board
):
    sdk = attach()

    with pytest.raises(DeviceError, match=message):
        open_board(config, **options)
    assert sdk.n_opened == 1
    assert sdk.released


def test_options_are_frozen_and_know_their_fields():
    options = DeployOptions()

    with pytest.raises(ValueError, match="frozen"):
        options.verify = False
    with pytest.raises(ValueError, match="Extra inputs"):
        DeployOptions(colour="red")
    assert all(field.description for field in DeployOptions.model_fields.values())
