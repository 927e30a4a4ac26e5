import pickle

import h5py
import numpy as np
import pytest

import ranvier
from ranvier.errors import FileError, InputError, RanvierError
from ranvier_bss2.calibration import CalibrationResult, load_calibration, save_calibration


@pytest.fixture
def saved(result, tmp_path):
    path = tmp_path / "chip1.rv"
    result.save(path)
    return path


def test_a_saved_result_comes_back_equal(result, saved):
    again = CalibrationResult.load(saved)
    assert again.chip_seed == result.chip_seed
    assert again.variability == result.variability
    assert again.code_model == result.code_model
    for part in ("codes", "before", "after", "success"):
        first, second = getattr(result, part), getattr(again, part)
        assert set(first) == set(second)
        for name in first:
            np.testing.assert_array_equal(first[name], second[name])
    for name, values in result.targets.arrays().items():
        np.testing.assert_array_equal(values, again.targets.arrays()[name])
    assert again.diagnostics == result.diagnostics
    assert again.chip() == result.chip()
    assert again.explain() == result.explain()


def test_another_ending_is_refused_and_a_path_is_needed(result, tmp_path):
    with pytest.raises(FileError, match=r"name it chip\.rv"):
        save_calibration(result, tmp_path / "chip.pkl")
    with pytest.raises(InputError, match="expected a path"):
        save_calibration(result, 3)
    with pytest.raises(FileError, match=r"cannot be written|No such file"):
        save_calibration(result, tmp_path / "missing" / "chip.rv")


def test_a_pickle_is_named_and_never_opened(tmp_path):
    path = tmp_path / "spiking_calix-native.rv"
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(FileError, match="looks like a pickle"):
        load_calibration(path)


def test_missing_empty_and_truncated_files_are_refused(saved, tmp_path):
    with pytest.raises(FileError, match="does not exist"):
        load_calibration(tmp_path / "none.rv")
    with pytest.raises(FileError, match="regular file"):
        load_calibration(tmp_path)
    empty = tmp_path / "empty.rv"
    empty.write_bytes(b"")
    with pytest.raises(FileError, match="is empty"):
        load_calibration(empty)
    content = saved.read_bytes()
    for part in (9, len(content) // 3, len(content) - 100):
        cut = tmp_path / "cut.rv"
        cut.write_bytes(content[:part])
        with pytest.raises(FileError):
            load_calibration(cut)


def test_flipped_bytes_never_pass_unnoticed(result, saved, tmp_path):
    content = saved.read_bytes()
    random = np.random.default_rng(0)
    for position in random.integers(0, len(content), 60):
        changed = bytearray(content)
        changed[position] ^= 0x55
        path = tmp_path / "flipped.rv"
        path.write_bytes(changed)
        try:
            again = load_calibration(path)
        except FileError:
            continue
        # a byte that HDF5 does not use; everything that counts is the same
        assert again.chip() == result.chip()


def alter(path, change):
    with h5py.File(path, "r+") as file:
        change(file)


def relabel(file, name, value):
    del file[name]
    file[name] = value


@pytest.mark.parametrize(
    "change",
    [
        lambda f: relabel(f, "arrays/codes/leak", np.zeros(512, np.int64)),
        lambda f: relabel(f, "arrays/codes/leak", np.zeros(3, np.int64)),
        lambda f: f.create_dataset("arrays/more", data=np.zeros(2)),
        lambda f: f.__delitem__("arrays/after/leak"),
        lambda f: f.__delitem__("document"),
        lambda f: relabel(f, "document", np.zeros(3, np.uint8)),
        lambda f: relabel(f, "document", 3.5),
        lambda f: relabel(f, "document", h5py.SoftLink("/arrays")),
        lambda f: f.attrs.__setitem__("content_hash", b"0" * 64),
        lambda f: f.attrs.__setitem__("version", b"99"),
        lambda f: f.attrs.__setitem__("version", b"-1"),
        lambda f: f.attrs.__setitem__("kind", b"config"),
        lambda f: f.attrs.__setitem__("kind", 3),
        lambda f: f.attrs.__delitem__("kind"),
    ],
)
def test_altered_files_are_refused(saved, change):
    alter(saved, change)
    with pytest.raises(FileError):
        load_calibration(saved)


def test_values_out_of_range_are_refused_even_with_a_matching_hash(result, tmp_path):
    from dataclasses import replace

    path = tmp_path / "bad.rv"
    for codes in ({**result.codes, "leak": np.full(512, 1023)}, {"leak": np.zeros(512, np.int64)}):
        save_calibration(replace(result, codes=codes), path)
        with pytest.raises(FileError, match="no valid calibration"):
            load_calibration(path)
    save_calibration(replace(result, chip_seed=-1), path)
    with pytest.raises(FileError, match="chip_seed"):
        load_calibration(path)
    after = {**result.after, "leak": np.full(512, np.nan)}
    save_calibration(replace(result, after=after), path)
    with pytest.raises(FileError, match="after/leak"):
        load_calibration(path)


def test_the_core_says_that_it_is_no_artefact_of_its_own(saved):
    with pytest.raises(RanvierError):
        ranvier.load(saved)
