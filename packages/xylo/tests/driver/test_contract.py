"""What the driver tells the SDK, and in which order. The emulation itself refuses the rest."""

import numpy as np
import pytest

from ranvier.errors import DeviceError
from ranvier_xylo.driver.configuration import vendor_configuration
from ranvier_xylo.export import export


def in_order(names, *expected):
    rest = iter(names)
    return all(name in rest for name in expected)


def test_a_configuration_is_validated_before_it_is_applied(config, target, attach, open_board):
    sdk = attach(target)

    open_board(config).close()

    assert in_order(
        sdk.names(), "open_device", "validate_configuration", "apply_configuration", "close_device"
    )


def test_audio2_is_initialised_by_one_step_with_its_microphone_off(
    rng, make_config, attach, open_board
):
    sdk = attach("xylo-audio2")

    open_board(make_config(rng, "xylo-audio2")).close()

    assert ("afe.set_saer_interface_enable", False) in sdk.calls
    assert in_order(sdk.names(), "initial step", "apply_configuration")


def test_streams_stop_before_the_board_is_closed(config, target, counts, attach, open_board):
    sdk = attach(target)

    with open_board(config, power=True) as board:
        board.run(counts)

    assert in_order(sdk.names(), "power.start", "power.stop", "graph.stop", "close_device")


def test_a_run_asks_for_the_time_first(config, target, counts, attach, open_board):
    sdk = attach(target)

    with open_board(config) as board:
        sdk.calls.clear()
        board.run(counts)

    assert in_order(sdk.names(), "TriggerReadout")
    assert "apply_configuration" not in sdk.names()


def test_audio2_erases_the_spike_that_ends_a_run(rng, make_config, counts, attach, open_board):
    sdk = attach("xylo-audio2")

    with open_board(make_config(rng, "xylo-audio2")) as board:
        sdk.calls.clear()
        board.run(counts)

    assert sdk.calls[-6:-2] == [("register", a, 0) for a in (0x11, 0x12, 0x13, 0x14)]


def test_audio2_memory_is_switched_off_in_reverse_order(rng, make_config, attach, open_board):
    sdk = attach("xylo-audio2")

    with open_board(make_config(rng, "xylo-audio2")) as board:
        sdk.calls.clear()
        board.get_state()

    writes = [call[2] for call in sdk.calls if call[:2] == ("register", 1)]
    assert writes == [1 << 17 | 1, 3 << 16 | 1, 1 << 17 | 1, 1]


def test_audio2_real_time_sets_step_registers_and_sensor_mode(rng, make_config, attach, open_board):
    sdk = attach("xylo-audio2")

    with open_board(make_config(rng, "xylo-audio2"), mode="real-time", clock=12.5e6) as board:
        board.run(np.zeros((4, 4), int))

    assert ("write_config", 0x21, 3) in sdk.calls
    assert ("set_main_clk_rate", 12_500_000) in sdk.calls
    assert [("register", a, 12_500) in sdk.calls for a in (3, 4)] == [True, True]
    assert sdk.chip.registers[1] == 0, "the manual bit is still set"
    assert in_order(sdk.names(), "apply_configuration", "set_main_clk_rate", "set_operation_mode")


def test_audio3_real_time_sets_microphone_and_dividers(rng, make_config, attach, open_board):
    sdk = attach("xylo-audio3")

    with open_board(make_config(rng, "xylo-audio3"), mode="real-time") as board:
        board.run(np.zeros((4, 4), int))

    config = sdk.chip.config
    assert config.time_resolution_wrap == 50_000
    assert config.input_source.name == "DigitalMicrophone"
    assert config.debug.sdm_clock_ratio == int(50 / 1.56 / 2 - 1)
    assert config.digital_frontend.filter_bank.dn_enable is True
    assert config.digital_frontend.pdm_preprocessing.clock_direction == 1


def test_imu_real_time_sets_interface_and_divider(rng, make_config, attach, open_board):
    sdk = attach("xylo-imu")

    with open_board(make_config(rng, "xylo-imu"), mode="real-time") as board:
        board.run(np.zeros((4, 4), int))

    config = sdk.chip.config
    assert config.imu_if_input_enable is True
    assert config.debug.imu_if_clock_freq_div == 999
    assert config.input_interface.configuration_timeout == 20000


def test_audio3_clock_is_set_by_a_soft_reset_before_anything_is_written(
    rng, make_config, attach, open_board
):
    sdk = attach("xylo-audio3")

    open_board(make_config(rng, "xylo-audio3"), clock=25e6).close()

    assert ("reset_board_soft", 25_000_000) in sdk.calls
    assert in_order(sdk.names(), "reset_board_soft", "apply_configuration")


@pytest.mark.parametrize(
    ("target", "clock", "message"),
    [("xylo-imu", 1e6, "not published"), ("xylo-audio2", 400e6, "at most")],
)
def test_a_clock_that_cannot_be_set_is_refused(
    target, clock, message, rng, make_config, attach, open_board
):
    sdk = attach(target)

    with pytest.raises(DeviceError, match=message):
        open_board(make_config(rng, target), clock=clock)

    assert sdk.released


def test_hibernation_reaches_the_configuration(config, target, attach, open_board):
    sdk = attach(target)

    open_board(config, hibernation=True).close()

    assert sdk.chip.config.enable_hibernation_mode is True


def test_monitors_cover_only_what_is_recorded(config, target, counts, attach, open_board):
    sdk = attach(target)

    with open_board(config) as board:
        board.run(counts)
        quiet = [
            list(getattr(sdk.chip.config.debug, f"monitor_neuron_{n}"))
            for n in ("i_syn", "v_mem", "spike")
        ]
        board.run(counts, record=["v_mem"])
        busy = list(sdk.chip.config.debug.monitor_neuron_v_mem)

    assert quiet == [[], [], []]
    assert busy == list(range(12))


def test_a_membrane_read_out_monitors_the_outputs_only(
    rng, make_config, target, counts, attach, open_board
):
    sdk = attach(target)

    with open_board(make_config(rng, target, readout="v_mem")) as board:
        board.run(counts)

    assert list(sdk.chip.config.debug.monitor_neuron_v_mem) == [9, 10, 11]
    assert list(sdk.chip.config.debug.monitor_neuron_i_syn) == []


def test_stale_events_are_forgotten_before_a_run(config, target, counts, attach, open_board):
    sdk = attach(target)

    with open_board(config) as board:
        board.run(counts)
        held = [len(sink.events) for _, sink in sdk.chip.sinks if hasattr(sink, "events")]
        sdk.chip.emit(sdk.chip.ns.event.Readout(**{sdk.time: 10**6}))
        board.run(counts)
        again = [len(sink.events) for _, sink in sdk.chip.sinks if hasattr(sink, "events")]

    assert held == again


def test_networks_without_features_leave_their_switches_off(rng, make_config, attach):
    attach("xylo-audio2")
    plain = {
        "aliases": np.full(9, -1),
        "bias": np.zeros(9, int),
        "bias_out": np.zeros(3, int),
        "weights_in": np.zeros((4, 6, 2), int),
        "weights_rec": np.zeros((9, 9, 2), int),
    }

    vendor = vendor_configuration(make_config(rng, "xylo-audio2", changes=plain))

    assert vendor.reservoir.aliasing is False
    assert vendor.bias_enable is False
    assert vendor.synapse2_enable is False
    assert vendor.debug.bias_clock_enable is False
    assert vendor.debug.isyn2_clock_enable is False


def test_audio3_refuses_a_second_synapse_that_its_configuration_cannot_hold(
    rng, make_config, attach, open_board
):
    sdk = attach("xylo-audio3")
    two = {
        "weights_in": np.ones((4, 6, 2), int),
        "weights_rec": np.zeros((9, 9, 2), int),
        "dash_syn": np.ones((9, 2), int),
        "i_lsb": np.ones((9, 2)),
    }

    with pytest.raises(DeviceError, match="fields for one"):
        open_board(make_config(rng, "xylo-audio3", changes=two))

    assert sdk.released


def test_the_vendors_json_is_written_by_its_sdk(config, target, attach, tmp_path):
    attach(target)

    (path,) = export(config, tmp_path, "json")

    assert path.read_text() == f'{{"emulated": "{target}"}}'


def test_the_vendors_json_of_a_rejected_configuration_is_not_written(
    config, target, attach, tmp_path
):
    attach(target, rejects="fan-out of neuron 3 is too large")

    with pytest.raises(DeviceError, match="fan-out of neuron 3 is too large"):
        export(config, tmp_path, "json")

    assert list(tmp_path.iterdir()) == []
