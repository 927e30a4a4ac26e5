"""Calibrated chips in simulations, behind the loopback, and in experiments."""

import dataclasses
import runpy
from pathlib import Path

import numpy as np
import pytest

import ranvier
from ranvier import pipeline
from ranvier.errors import DeviceError, FileError, InputError
from ranvier_bss2.calibration import CALIBRATED_TO, CalibrationTargets
from ranvier_bss2.chip import VirtualChip
from ranvier_bss2.driver import DeployOptions, open_device
from ranvier_bss2.emulator import Emulator
from ranvier_bss2.simulator import Bss2Session, SimulateOptions

helpers = runpy.run_path(str(Path(__file__).parents[1] / "small_graphs.py"))
build, chain, lif, spikes_for = (helpers[n] for n in ("build", "chain", "lif", "spikes_for"))


@pytest.fixture(scope="session")
def saved(result, tmp_path_factory):
    path = tmp_path_factory.mktemp("calibration") / "chip1.rv"
    result.save(path)
    return path


@pytest.fixture(scope="session")
def graph():
    # decays that come out at the default targets: 10 us both
    tau = -1e-3 / np.log(1 - 0.1)
    return chain(lif(3, tau_mem=tau, tau_syn=tau, refractory=1e-3), n_in=4, scale=0.2)


def codes_of(recording):
    return [d.code for d in recording.diagnostics]


def test_a_simulation_takes_the_chip_of_a_calibration(saved, result, graph):
    config, spikes = build(graph), spikes_for(graph)
    found = pipeline.simulate(config, spikes, calibration=saved, record=True, trial_seed=4)

    emulator = Emulator(config, result.chip())
    wanted = emulator.run({"input": spikes}, trial_seed=4)
    np.testing.assert_array_equal(found.raw("layer0", "v_mem"), wanted["layer0"].cadc.values)
    assert found.provenance["preset"] == "calibration"
    assert found.provenance["chip_seed"] == result.chip_seed
    assert "BS404" not in codes_of(found)


def test_the_loopback_takes_it_too(saved, graph):
    config, spikes = build(graph), spikes_for(graph)
    with open_device(config, "loopback", DeployOptions(calibration=saved)) as board:
        found = board.run(spikes, record=True, trial_seed=4)
    wanted = pipeline.simulate(config, spikes, calibration=saved, record=True, trial_seed=4)

    np.testing.assert_array_equal(found.raw("layer0", "v_mem"), wanted.raw("layer0", "v_mem"))


def test_a_calibration_and_a_drawn_chip_exclude_each_other(saved, graph):
    config = build(graph)
    with pytest.raises(InputError, match="leave out chip_seed, preset, or calibration"):
        pipeline.simulate(
            config, spikes_for(graph), calibration=saved, preset="calibrated", chip_seed=1
        )
    with pytest.raises(DeviceError, match="leave out chip_seed, or calibration"):
        open_device(config, "loopback", DeployOptions(calibration=saved, chip_seed=1))


def test_other_files_are_refused_and_no_pickle_is_opened(graph, tmp_path):
    config, pickled = build(graph), tmp_path / "spiking.pkl"
    pickled.write_bytes(b"\x80\x04N.")
    with pytest.raises(InputError, match="looks like a pickle"):
        pipeline.simulate(config, spikes_for(graph), calibration=pickled)
    with pytest.raises(DeviceError, match="looks like a pickle"):
        open_device(config, "loopback", DeployOptions(calibration=pickled))
    with pytest.raises(ValueError, match="does not exist"):
        SimulateOptions(calibration=tmp_path / "missing.rv")


def test_targets_that_the_chip_was_not_calibrated_to_are_named(result, graph):
    longer = -1e-3 / np.log(1 - 0.05)
    other = chain(lif(3, tau_mem=longer, tau_syn=longer / 2, refractory=1e-3), n_in=4, scale=0.2)
    told = result.chip().foreign_targets(build(other, leak_lsb=90.0))

    assert {d.code for d in told} == {"BS404"}
    assert [d.message.split()[0] for d in told] == [
        "leak",
        "reset",
        "threshold",
        "tau_mem",
        "tau_syn_exc",
        "tau_syn_inh",
    ]
    assert "tau_mem of 3 circuits, first 20 us, calibrated to 10 us" in told[3].message
    assert {d.severity for d in told} == {"loss"}
    assert result.chip().foreign_targets(build(graph)) == ()
    assert VirtualChip.of(1).foreign_targets(build(other)) == ()


def test_a_run_on_a_chip_for_other_targets_says_so(saved, graph):
    config = build(graph, leak_lsb=90.0)
    with Bss2Session(config, SimulateOptions(calibration=saved)) as session:
        found = session.run(spikes_for(graph))

    assert codes_of(found).count("BS404") == 3  # leak, reset, threshold


def test_a_calibration_for_the_configuration_is_not_reported(result, graph):
    config = build(graph, leak_lsb=90.0)
    targets = CalibrationTargets.of(leak=90.0, reset=90.0, threshold=135.0)
    chip = dataclasses.replace(result, targets=targets).chip()

    assert set(chip.targets) == set(CALIBRATED_TO)
    assert chip.foreign_targets(config) == ()


def test_the_core_says_how_such_a_file_is_read(saved):
    with pytest.raises(FileError, match=r"ranvier_bss2\.calibration\.load_calibration"):
        ranvier.load(saved)
