import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ranvier.errors import FileError
from ranvier.events import EventSeries, read_events, write_events

TIMES_US = st.integers(0, 2**23 - 1)


def series_of(events, shape):
    times_us, channels = zip(*events, strict=True)
    return EventSeries(np.array(times_us) / 1e6, channels, shape=shape)


@pytest.mark.parametrize(
    ("time", "neuron", "polarity", "data"),
    [
        (0.5e-3, 1, 0, "00 01 00 01 f4"),
        (0.0, 0x1234, 0, "12 34 00 00 00"),
        (8.388607, 65535, 1, "ff ff ff ff ff"),
        (65.536e-3, 300, 1, "01 2c 81 00 00"),
    ],
)
def test_bs1_bytes(tmp_path, time, neuron, polarity, data):
    size = 65536
    series = EventSeries([time], [polarity * size + neuron], shape=(2, size))

    write_events(series, tmp_path / "a.bs1")

    assert (tmp_path / "a.bs1").read_bytes() == bytes.fromhex(data)
    again = read_events(tmp_path / "a.bs1", shape=(2, size))
    assert np.array_equal(again.channels, series.channels)
    assert again.times[0] == time


@pytest.mark.parametrize(
    ("time", "x", "y", "p", "data"),
    [(0.5e-3, 1, 2, 0, "01 02 00 01 f4"), (8.388607, 255, 254, 1, "ff fe ff ff ff")],
)
def test_bs2_bytes(tmp_path, time, x, y, p, data):
    series = EventSeries([time], [(p * 256 + y) * 256 + x], shape=(2, 256, 256))

    write_events(series, tmp_path / "a.bs2")

    assert (tmp_path / "a.bs2").read_bytes() == bytes.fromhex(data)
    again = read_events(tmp_path / "a.bs2", shape=(2, 256, 256), t_stop=9.0)
    assert (again.x[0], again.y[0], again.p[0], again.times[0]) == (x, y, p, time)


@settings(max_examples=30, deadline=None)
@given(events=st.lists(st.tuples(TIMES_US, st.integers(0, 2 * 700 - 1)), min_size=1, max_size=50))
def test_bs1_round_trip_of_many_neurons(tmp_path_factory, events):
    path = tmp_path_factory.mktemp("aer") / "a.bs1"
    series = series_of(events, (2, 700))

    write_events(series, path)

    assert read_events(path, shape=(2, 700)) == series


@settings(max_examples=30, deadline=None)
@given(
    events=st.lists(st.tuples(TIMES_US, st.integers(0, 2 * 34 * 35 - 1)), min_size=1, max_size=50)
)
def test_bs2_round_trip(tmp_path_factory, events):
    path = tmp_path_factory.mktemp("aer") / "a.bs2"
    series = series_of(events, (2, 34, 35))

    write_events(series, path)

    assert read_events(path, shape=(2, 34, 35)) == series


def test_polarity_of_all_ones_stays_one(tmp_path):
    (tmp_path / "a.bs1").write_bytes(bytes.fromhex("00 05 80 00 01"))

    series = read_events(tmp_path / "a.bs1")

    assert series.shape == (2, 6)
    assert series.p.tolist() == [1]


def test_polarity_that_the_shape_lacks_is_refused_with_the_way_out(tmp_path):
    (tmp_path / "a.bs1").write_bytes(bytes.fromhex("00 05 80 00 01"))

    with pytest.raises(FileError, match=r"merge_polarities\(\)"):
        read_events(tmp_path / "a.bs1", shape=200)
    merged = read_events(tmp_path / "a.bs1", shape=(2, 200)).merge_polarities()
    assert merged.channels.tolist() == [5]


def test_empty_file_has_no_events(tmp_path):
    (tmp_path / "a.bs1").write_bytes(b"")

    assert len(read_events(tmp_path / "a.bs1", shape=200, t_stop=2.0)) == 0


def test_length_that_is_no_multiple_of_five_is_refused(tmp_path):
    (tmp_path / "a.bs1").write_bytes(bytes(12))

    with pytest.raises(FileError, match="12 bytes are no whole number of 5-byte events"):
        read_events(tmp_path / "a.bs1")


@pytest.mark.parametrize(
    ("suffix", "series", "message"),
    [
        (".bs1", EventSeries([8.388608], [0]), "not below 8.388608 s"),
        (".bs1", EventSeries([8.3886079], [0]), "not below 8.388608 s"),
        (".bs1", EventSeries([-1.0], [0], t_start=-2.0), "negative"),
        (".bs1", EventSeries([0.0], [65536]), "neuron 65536 is above 65535"),
        (".bs1", EventSeries([0.0], [2], shape=(3, 1)), "polarity 2 is above 1"),
        (".bs1", EventSeries([0.0], [0], payload=[5]), "payloads cannot be stored"),
        (".bs1", EventSeries([0.0], [0], shape=(1, 2, 2)), r"is not \(n,\)"),
        (".bs2", EventSeries([0.0], [0], shape=3), r"is not \(polarity, row, column\)"),
        (".bs2", EventSeries([0.0], [256], shape=(1, 1, 257)), "column 256 is above 255"),
        (".bs2", EventSeries([0.0], [256], shape=(1, 257, 1)), "row 256 is above 255"),
    ],
)
def test_what_five_bytes_cannot_hold_is_refused(tmp_path, suffix, series, message):
    path = tmp_path / f"a{suffix}"

    with pytest.raises(FileError, match=message):
        write_events(series, path)
    assert list(tmp_path.iterdir()) == []


def test_all_reasons_are_reported_at_once(tmp_path):
    series = EventSeries([9.0], [70_000], payload=[3])

    with pytest.raises(FileError, match=r"(?s)neuron 70000.*9\.0 s.*payloads.*\.npz"):
        write_events(series, tmp_path / "a.bs1")
