"""RAM images by hand; generated ones are compared with the vendor's writer among the peers."""

import json

import numpy as np
import pytest

from ranvier.errors import FileError, InputError
from ranvier_xylo.export import activity_images, export, ram_images, write_files
from ranvier_xylo.kernels import CoreArrays


def small_core(version=2):
    weights_rec = np.zeros((3, 3, 2), int)
    weights_rec[0, 1, 0], weights_rec[0, 2, 1], weights_rec[2, 0, 0] = 10, -1, -128
    return CoreArrays(
        weights_in=np.array([[[5, 0], [0, -7]]]),
        weights_rec=weights_rec,
        weights_out=np.array([[3]]),
        threshold=np.array([1, 300, 32767]),
        threshold_out=np.array([16]),
        dash_mem=np.array([1, 2, 15]),
        dash_mem_out=np.array([4]),
        dash_syn=np.array([[1, 2], [3, 4], [5, 6]]),
        dash_syn_out=np.array([9]),
        bias=np.array([0, -1, 127]) * (version == 2),
        bias_out=np.array([-128]) * (version == 2),
        aliases=np.array([1, -1, -1]),
        weight_shift_in=1,
        version=version,
    )


EXPECTED = {
    "iwtram.ini": "// iwt for IN0|05|00|00",
    "iwt2ram.ini": "// iwt2 for IN0|00|f9|00",
    "rforam.ini": "// rfo of RSN0|001|002|// rfo of RSN1|// rfo of RSN2|000",
    "rwtram.ini": "// rwt of RSN0|0a|00|// rwt of RSN1|// rwt of RSN2|80",
    "rwt2ram.ini": "// rwt2 of RSN0|00|ff|// rwt2 of RSN1|// rwt2 of RSN2|00",
    "refocram.ini": "02|00|01",
    "owtram.ini": "// owt for RSN0|00|// owt for RSN1|00|// owt for RSN2|03",
    "ndmram.ini": "1|2|f|4",
    "ndsram.ini": "1|3|5|9",
    "rds2ram.ini": "2|4|6",
    "nthram.ini": "0001|012c|7fff|0010",
    "nbram.ini": "00|ff|7f|80",
    "raram.ini": "001|fff|fff",
    "rcram.ini": "2|1|0",
}


@pytest.mark.parametrize("name", EXPECTED)
def test_image_holds_the_register_values(name):
    assert ram_images(small_core(), dt=1e-3)[name].splitlines() == EXPECTED[name].split("|")


def test_basic_configuration_states_sizes_shifts_and_features():
    document = json.loads(ram_images(small_core(), dt=2e-3)["basic_config.json"])

    assert document == {
        "IN": 1,
        "RSN": 3,
        "ON": 1,
        "IWBS": 1,
        "RWBS": 0,
        "OWBS": 0,
        "time_resolution_wrap": 0,
        "DT": 2e-3,
        "N_SYNS": 2,
        "RA": True,
        "BIAS": True,
    }


def test_the_first_generation_has_no_bias_image():
    images = ram_images(small_core(version=1), dt=1e-3)

    assert "nbram.ini" not in images
    assert "BIAS" not in json.loads(images["basic_config.json"])


def test_input_spikes_are_single_writes_with_idle_steps_between():
    text = activity_images(small_core(), np.array([[0], [2], [0], [1]]))["spk_in/inp_spks.txt"]

    assert text.splitlines() == [
        "// time step 1", "idle 1", "wr IN0", "wr IN0", "// time step 3", "idle 2", "wr IN0",
    ]  # fmt: skip


def test_export_writes_all_images_of_a_configuration(tmp_path, rng):
    arrays = small_core()

    class Configuration:
        target, dt = "xylo-audio2", 1e-3

        def core_arrays(self):
            return arrays

    files = export(Configuration(), tmp_path / "new" / "folder", "ram")

    assert sorted(f.name for f in files) == sorted([*EXPECTED, "basic_config.json"])
    assert all(f.read_text() == ram_images(arrays, dt=1e-3)[f.name] for f in files)


def test_an_unknown_form_is_an_error_with_the_known_ones(tmp_path):
    class Configuration:
        target = "xylo-audio2"

    with pytest.raises(InputError, match="no form 'bitstream'; forms: ram, json"):
        export(Configuration(), tmp_path, "bitstream")


def test_a_failed_export_leaves_the_old_files_and_no_new_ones(tmp_path):
    (tmp_path / "a.ini").write_text("old")
    (tmp_path / "b.ini").write_text("a file where a folder is needed")

    with pytest.raises(FileError, match="cannot write 2 file"):
        write_files(tmp_path, {"a.ini": "new", "b.ini/c.ini": "new"})

    assert (tmp_path / "a.ini").read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.ini", "b.ini"]
