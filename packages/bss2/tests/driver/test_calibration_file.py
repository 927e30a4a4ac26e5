"""Calibration files are named to the stack, and never opened here."""

import builtins
import io
from pathlib import Path

import pytest

from ranvier.errors import DeviceError

BOMB = b"cposix\nsystem\n(S'touch exploded'\ntR."


@pytest.fixture
def guarded(tmp_path, monkeypatch):
    """Return a calibration file that must not be opened."""
    file = tmp_path / "spiking_calix-native.pkl"
    file.write_bytes(BOMB)
    real = builtins.open

    def watched(path, *args, **options):
        if isinstance(path, str | Path) and Path(path) == file:
            pytest.fail("the calibration file was opened")
        return real(path, *args, **options)

    monkeypatch.setattr(builtins, "open", watched)
    monkeypatch.setattr(io, "open", watched)
    return file


def test_every_execution_instance_gets_the_name_of_the_file(
    guarded, split_config, spikes, attach_hxtorch, open_board
):
    stack = attach_hxtorch()

    with open_board(split_config, calibration=guarded) as board:
        board.run(spikes)

    assert stack.calibrations == [str(guarded)] * 3


def test_pynn_gets_the_name_of_the_file(guarded, firing_config, spikes, attach_pynn, open_board):
    stack = attach_pynn()

    with open_board(firing_config, "pynn", calibration=guarded) as board:
        board.run(spikes)

    assert stack.setups[0][0] == ("chip", str(guarded))
    assert all(p.cell.targets is None for p in stack.populations)


def test_without_a_file_the_stack_calibrates(config, spikes, attach_hxtorch, open_board):
    stack = attach_hxtorch()

    with open_board(config) as board:
        found = board.run(spikes)

    assert stack.calibrations == []
    assert found.provenance["calibration"] == "by the stack"


def test_the_nightly_calibration_is_found_by_the_stack(
    config, spikes, attach_hxtorch, attach_pynn, open_board
):
    attach_pynn()
    stack = attach_hxtorch()

    with open_board(config, nightly=True) as board:
        found = board.run(spikes)

    assert stack.calibrations == ["/nightly/spiking_calix-native.pkl"]
    assert found.provenance["calibration"] == "nightly"


def test_the_nightly_calibration_of_pynn_is_its_initial_configuration(
    firing_config, attach_pynn, open_board
):
    stack = attach_pynn()

    open_board(firing_config, "pynn", nightly=True).close()

    assert stack.setups[0][0] == ("chip", "nightly")


def test_two_calibrations_are_one_too_many(tmp_path, config, open_board):
    file = tmp_path / "a.pkl"
    file.write_bytes(b"")

    with pytest.raises(ValueError, match="calibration and nightly exclude each other; leave one"):
        open_board(config, calibration=file, nightly=True)


def test_a_missing_file_is_named(tmp_path, config, open_board):
    with pytest.raises(ValueError, match=r"no file '.*gone\.pkl'; give the file that calix wrote"):
        open_board(config, calibration=tmp_path / "gone.pkl")


def test_a_stack_without_pynn_cannot_find_the_nightly_calibration(
    config, attach_hxtorch, open_board, monkeypatch
):
    from ranvier.errors import MissingDependencyError

    stack = attach_hxtorch()

    with pytest.raises((DeviceError, MissingDependencyError), match="pynn_brainscales is not inst"):
        open_board(config, nightly=True)
    assert stack.calls[-1] == "release"


def test_the_calibration_of_a_virtual_chip_is_not_handed_to_a_stack(
    config, tmp_path, attach_hxtorch, open_board
):
    attach_hxtorch()
    file = tmp_path / "chip1.rv"
    file.write_bytes(b"never opened")

    with pytest.raises(DeviceError, match=r"chip1\.rv is that of a virtual chip"):
        open_board(config, calibration=file)
