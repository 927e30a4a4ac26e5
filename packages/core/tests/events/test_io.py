import io
import os
import pickle
import zipfile

import numpy as np
import pytest

from ranvier.errors import FileError
from ranvier.events import ContinuousSeries, EventSeries, read_events, write_events


@pytest.fixture
def series():
    counts = np.random.default_rng(0).poisson(0.5, (30, 2, 3, 4))
    return EventSeries.from_raster(counts, 1e-3, t_start=-5e-3, periodic=True, name="camera")


class Bomb:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("exploded",)


def npy_bytes(array, **options):
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def test_npz_keeps_everything(tmp_path, series):
    write_events(series, tmp_path / "a.npz")

    assert read_events(tmp_path / "a.npz") == series


def test_npz_keeps_payloads_of_24_bits(tmp_path):
    series = EventSeries([0.0, 1.0], [0, 1], payload=[-(2**23), 2**23 - 1])

    write_events(series, tmp_path / "a.npz")
    again = read_events(tmp_path / "a.npz")

    assert again == series
    assert again.payload.dtype == np.int64


def test_npz_keeps_continuous_series(tmp_path):
    series = ContinuousSeries(
        [0.0, 0.5], [[1.0, 2.0], [3.0, 4.0]], t_stop=2.0, interpolation="linear", unit="V"
    )

    write_events(series, tmp_path / "a.npz")

    assert read_events(tmp_path / "a.npz") == series


def test_npy_columns_are_x_p_and_milliseconds(tmp_path):
    series = EventSeries([0.25], [5], shape=(2, 4))

    write_events(series, tmp_path / "a.npy")

    assert np.load(tmp_path / "a.npy").tolist() == [[1.0, 1.0, 250.0]]


@pytest.mark.parametrize("layout", ["columns", "structured"])
def test_npy_round_trip(tmp_path, series, layout):
    write_events(series, tmp_path / "a.npy", layout=layout, time_unit=1.0)
    again = read_events(tmp_path / "a.npy", shape=series.shape, t_stop=series.t_stop, time_unit=1.0)

    assert np.array_equal(again.times, series.times)
    assert np.array_equal(again.channels, series.channels)


def test_milliseconds_fill_the_same_bins_as_seconds(tmp_path):
    series = EventSeries(np.arange(2000) * 1e-3, np.arange(2000) % 5, t_stop=2.0, shape=5)

    write_events(series, tmp_path / "a.npy")
    again = read_events(tmp_path / "a.npy", shape=5, t_stop=2.0)

    assert np.array_equal(again.raster(1e-3), series.raster(1e-3))


def test_structured_npy_holds_payloads_and_columns_do_not(tmp_path):
    series = EventSeries([0.0], [1], payload=[2.5])

    write_events(series, tmp_path / "a.npy", layout="structured")

    assert read_events(tmp_path / "a.npy").payload.tolist() == [2.5]
    with pytest.raises(FileError, match="layout='structured'"):
        write_events(series, tmp_path / "a.npy")


def test_tonic_array_in_npy_is_read_in_microseconds(tmp_path):
    events = np.array([(1500, 3, True)], dtype=[("t", "i8"), ("x", "i2"), ("p", "?")])
    np.save(tmp_path / "a.npy", events)

    series = read_events(tmp_path / "a.npy")

    assert series.times.tolist() == [1.5e-3]
    assert series.shape == (2, 4)


def test_pickle_inside_is_refused_and_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    objects = npy_bytes(np.array([Bomb()], dtype=object), allow_pickle=True)
    (tmp_path / "a.npy").write_bytes(objects)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("times.npy", objects)
    (tmp_path / "b.npy").write_bytes(pickle.dumps(Bomb()))

    for name in ("a.npy", "a.npz", "b.npy"):
        with pytest.raises(FileError, match=r"never loaded|no readable"):
            read_events(tmp_path / name)
    assert not (tmp_path / "exploded").exists()


def test_declared_size_is_checked_before_memory_is_taken(tmp_path):
    honest = npy_bytes(np.zeros((10, 3)))
    lying = honest.replace(b"(10, 3)", b"(9999999999999, 3)").replace(b" " * 12 + b"\n", b"  \n")
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "<f8", "fortran_order": False, "shape": (10**13, 3)}
    )
    (tmp_path / "a.npy").write_bytes(stream.getvalue() + bytes(240))
    (tmp_path / "b.npy").write_bytes(lying)

    with pytest.raises(FileError, match="declares 240000000000000 bytes"):
        read_events(tmp_path / "a.npy")
    with pytest.raises(FileError):
        read_events(tmp_path / "b.npy")


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_every_truncation_is_one_clear_error(tmp_path, series, suffix):
    path = tmp_path / f"a{suffix}"
    write_events(series, path)
    data = path.read_bytes()

    for length in range(0, len(data), max(1, len(data) // 60)):
        path.write_bytes(data[:length])
        with pytest.raises(FileError):
            read_events(path)


def test_altered_npz_fails_its_checksum(tmp_path, series):
    path = tmp_path / "a.npz"
    write_events(series, path)
    data = bytearray(path.read_bytes())
    data[data.find(series.times.tobytes()[:64]) + 3] ^= 0x10
    path.write_bytes(data)

    with pytest.raises(FileError, match="no readable"):
        read_events(path)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": np.zeros(3)}, "write it with write_events"),
        ({"format": "ranvier.events", "version": 99}, "upgrade ranvier"),
        ({"format": "other", "version": 1}, "unknown here"),
        ({"format": "ranvier.events", "version": 1}, "missing; the file is altered"),
        (
            {
                "format": "ranvier.events", "version": 1, "times": [0.0], "channels": [9],
                "shape": [3], "t_stop": 1.0,
            },
            "0 to 2",
        ),
    ],
)  # fmt: skip
def test_foreign_newer_and_altered_npz_are_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)

    with pytest.raises(FileError, match=message):
        read_events(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((3, 5)), "x, p, t or x, y, p, t"),
        (np.zeros(3), "x, p, t or x, y, p, t"),
        (np.array([[0.5, 0, 0]]), "whole numbers"),
        (np.array([[1e300, 0, 0]]), "above 2\\*\\*53"),
        (np.array([[0, 0, np.nan]]), "NaN or infinite"),
        (np.array([[-1.0, 0, 0]]), "negative"),
        (np.zeros(3, dtype=[("t", "f8"), ("q", "i4")]), "needs one axis, field t"),
    ],
)
def test_npy_that_is_no_event_list_is_refused(tmp_path, array, message):
    np.save(tmp_path / "a.npy", array)

    with pytest.raises(FileError, match=message):
        read_events(tmp_path / "a.npy")


def test_missing_file_and_unknown_ending_are_refused(tmp_path, series):
    with pytest.raises(FileError, match="cannot be read"):
        read_events(tmp_path / "none.npz")
    with pytest.raises(FileError, match=r"use \.bs1"):
        read_events(tmp_path / "a.csv")
    with pytest.raises(FileError, match=r"use \.bs1"):
        write_events(series, tmp_path / "a.csv")


def test_failed_write_leaves_the_previous_file(tmp_path, series, monkeypatch):
    path = tmp_path / "a.npz"
    write_events(series, path)
    before = path.read_bytes()

    def full_disk(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full_disk)
    with pytest.raises(FileError, match="No space left on device"):
        write_events(series, path)

    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.npz"]


def test_missing_folder_is_one_clear_error(tmp_path, series):
    with pytest.raises(FileError, match="cannot be written"):
        write_events(series, tmp_path / "none" / "a.npz")


def test_file_shape_that_differs_from_the_one_asked_for_is_refused(tmp_path, series):
    write_events(series, tmp_path / "a.npz")

    with pytest.raises(FileError, match=r"remap\(\) after reading"):
        read_events(tmp_path / "a.npz", shape=24)


@pytest.mark.parametrize("name", ["a.npz", "a.npy", "structured.npy", "a.bs2"])
def test_random_damage_is_read_or_refused_but_never_a_foreign_error(tmp_path, series, name):
    path = tmp_path / name
    shifted = EventSeries(series.times + 5e-3, series.channels, shape=series.shape)
    write_events(shifted, path, layout="structured" if "structured" in name else "columns")
    data, rng = path.read_bytes(), np.random.default_rng(0)

    refused = 0
    for _ in range(150):
        damaged = bytearray(data)
        for place in rng.integers(0, min(200, len(data)), size=2):
            damaged[place] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            read_events(path)
        except FileError:
            refused += 1

    assert (refused == 0) == (name == "a.bs2")  # every 5 bytes are some event


def test_wrong_types_inside_an_npz_are_refused(tmp_path, series):
    write_events(series, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as stored:
        arrays = dict(stored)

    for field in ("times", "channels", "shape", "t_start", "t_stop", "periodic"):
        np.savez(tmp_path / "b.npz", **(arrays | {field: np.array(["a", "b"])}))
        with pytest.raises(FileError):
            read_events(tmp_path / "b.npz")
