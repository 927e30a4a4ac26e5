"""The public door to distrustful HDF5 reading, as plugins use it."""

import h5py
import numpy as np
import pytest

from ranvier.errors import FileError
from ranvier.files.hdf5 import (
    build_image,
    checked_datasets,
    has_signature,
    open_hdf5,
    scalar_text,
)

FORM = "a file of a plugin"


def fill(file):
    file["flag"] = np.bool_(True)
    file["flags"] = np.array([True, False])
    file["name"] = "of any length"
    file["fixed"] = np.array([b"dense"], dtype="S10")
    file["group/values"] = np.arange(3.0)


@pytest.fixture
def path(tmp_path):
    target = tmp_path / "a.own"
    target.write_bytes(build_image(fill))
    return target


def test_numbers_flags_and_texts_of_both_kinds_are_allowed(path):
    assert has_signature(path)
    with open_hdf5(path, form=FORM) as file:
        found = checked_datasets(file, path, text=True)

        assert sorted(found) == ["fixed", "flag", "flags", "group/values", "name"]
        assert found["flag"].dtype == np.bool_
        assert bool(found["flag"][()])
        assert found["flags"][()].tolist() == [True, False]
        assert scalar_text(found["name"]) == "of any length"
        assert found["fixed"][0] == b"dense"


def test_other_enumerations_than_flags_are_refused(tmp_path):
    path = tmp_path / "a.own"
    kinds = h5py.enum_dtype({"RED": 0, "GREEN": 1}, basetype="i1")
    path.write_bytes(build_image(lambda file: file.create_dataset("x", data=1, dtype=kinds)))

    with open_hdf5(path, form=FORM) as file, pytest.raises(FileError, match="only plain numbers"):
        checked_datasets(file, path)


def test_texts_of_any_length_need_permission(path):
    with open_hdf5(path, form=FORM) as file, pytest.raises(FileError, match="name"):
        checked_datasets(file, path)
