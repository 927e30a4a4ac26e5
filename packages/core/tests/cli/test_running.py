import json

import numpy as np
import pytest

import ranvier
from ranvier.events import EventSeries, write_events


@pytest.mark.parametrize("extra", [("simulate",), ("deploy", "--device", "loopback")])
def test_a_run_writes_the_recording_that_the_library_gives(
    cli, config_file, spikes, spikes_file, tmp_path, extra
):
    verb, *flags = extra
    out = tmp_path / "rec.rv"

    result = cli(verb, config_file, spikes_file, *flags, "-o", out, "-r", "v_mem")

    expected = ranvier.simulate(ranvier.load(config_file), spikes, record=["v_mem"])
    assert result.code == 0, result.err
    assert ranvier.load(out).content_hash == expected.content_hash


def test_the_summary_names_every_signal_with_its_spikes_and_rate(
    cli, config_file, spikes, spikes_file
):
    recording = ranvier.simulate(ranvier.load(config_file), spikes)

    result = cli("simulate", config_file, spikes_file)

    total = int(recording.output.sum())
    rate = total / (3 * 20 * 1e-3 * 2)
    row = next(line for line in result.out.splitlines() if line.startswith("out.spikes"))
    assert f" {total} " in row
    assert f"{rate:.4g}" in row


def test_json_summarises_signals_for_programs(cli, config_file, spikes_file):
    result = cli("simulate", config_file, spikes_file, "-r", "all", "--json")

    document = json.loads(result.out)
    assert document["kind"] == "recording"
    assert document["outputs"] == {"output": ["out", "spikes"]}
    assert {row["signal"] for row in document["signals"]} == {
        f"{node}.{quantity}"
        for node in ("hidden", "out")
        for quantity in ("spikes", "i_syn", "v_mem")
    }


def test_npz_holds_the_signals_on_the_grid_of_the_network(
    cli, config_file, spikes, spikes_file, tmp_path
):
    cli("simulate", config_file, spikes_file, "-o", tmp_path / "rec.npz", "-r", "v_mem")

    expected = ranvier.simulate(ranvier.load(config_file), spikes, record=["v_mem"])
    with np.load(tmp_path / "rec.npz", allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["out.spikes"], expected.raster("out"))
        np.testing.assert_array_equal(arrays["hidden.v_mem"], expected.trace("hidden"))
        assert arrays["dt"] == 1e-3


def test_a_device_must_always_be_named(cli, config_file, spikes_file):
    result = cli("deploy", config_file, spikes_file)

    assert result.code == 2
    assert "--device" in result.err


def test_an_absent_device_is_one_line_that_says_what_to_do(cli, config_file, spikes_file):
    result = cli("deploy", config_file, spikes_file, "--device", "board-7")

    assert result.code == 1
    assert "ranvier devices" in result.err
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize("suffix", [".bs1", ".npz"])
def test_events_are_binned_at_the_time_step_of_the_network(
    cli, config_file, spikes, tmp_path, suffix
):
    sample = spikes[0]
    step, channel = np.nonzero(sample)
    series = EventSeries(step * 1e-3 + 2e-4, channel, shape=4, t_stop=20e-3)
    write_events(series, tmp_path / f"in{suffix}")

    result = cli("simulate", config_file, tmp_path / f"in{suffix}", "-o", tmp_path / "rec.npz")

    last = int(step.max()) + 1
    expected = ranvier.simulate(ranvier.load(config_file), sample).raster("out")
    assert result.code == 0, result.err
    with np.load(tmp_path / "rec.npz") as arrays:
        np.testing.assert_array_equal(arrays["out.spikes"][:last], expected[:last])


@pytest.mark.parametrize("dt", ["0", "-1e-3", "nan"])
def test_a_bin_of_events_that_is_not_positive_is_refused(cli, config_file, tmp_path, dt):
    write_events(EventSeries([1e-3], [0], shape=4), tmp_path / "in.npz")

    result = cli("simulate", config_file, tmp_path / "in.npz", f"--dt={dt}")

    assert result.code == 1
    assert "Traceback" not in result.err


def test_lengths_in_npz_make_a_ragged_batch(cli, config_file, spikes, tmp_path):
    spikes[1, 10:] = 0
    np.savez(tmp_path / "in.npz", x=spikes, lengths=np.array([20, 10, 20]))

    result = cli("simulate", config_file, tmp_path / "in.npz", "-o", tmp_path / "rec.rv")

    assert result.code == 0, result.err
    np.testing.assert_array_equal(ranvier.load(tmp_path / "rec.rv").lengths, [20, 10, 20])


def test_a_recording_can_be_the_input_of_the_next_run(cli, chip, config_file, spikes, tmp_path):
    from ranvier.artifacts import Recording, SpikeTrain

    train = SpikeTrain.from_raster(spikes, dt=1e-3)
    ranvier.save(Recording(signals={("input", "spikes"): train}, dt=1e-3), tmp_path / "in.rv")

    result = cli("simulate", config_file, tmp_path / "in.rv", "-o", tmp_path / "rec.npz")

    expected = ranvier.simulate(ranvier.load(config_file), spikes).raster("out")
    assert result.code == 0, result.err
    with np.load(tmp_path / "rec.npz") as arrays:
        np.testing.assert_array_equal(arrays["out.spikes"], expected)


BAD = {
    "shape": (np.zeros((3, 20, 5), dtype=int), "expected ([batch,] time, 4)"),
    "negative": (np.full((20, 4), -1), "negative"),
    "fractional": (np.full((20, 4), 0.5), "fractional"),
    "nan": (np.full((20, 4), np.nan), "NaN"),
}


@pytest.mark.parametrize("case", list(BAD))
def test_bad_spikes_are_one_line_and_no_file(cli, config_file, tmp_path, case):
    values, message = BAD[case]
    np.save(tmp_path / "bad.npy", values)

    result = cli("simulate", config_file, tmp_path / "bad.npy", "-o", tmp_path / "rec.rv")

    assert result.code == 1
    assert message in result.err
    assert len(result.err.splitlines()) == 1
    assert not (tmp_path / "rec.rv").exists()


def test_a_pickle_in_the_input_is_refused(cli, config_file, tmp_path):
    np.save(tmp_path / "evil.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)

    result = cli("simulate", config_file, tmp_path / "evil.npy")

    assert result.code == 1
    assert "evil.npy" in result.err
    assert len(result.err.splitlines()) == 1


def test_an_unknown_quantity_lists_what_can_be_recorded(cli, config_file, spikes_file):
    result = cli("simulate", config_file, spikes_file, "-r", "mood")

    assert result.code == 1
    assert "v_mem" in result.err


@pytest.mark.parametrize("name", ["rec.txt", "missing/rec.rv"])
def test_an_output_that_cannot_be_written_is_refused_before_the_run(
    cli, config_file, spikes_file, tmp_path, name, monkeypatch
):
    monkeypatch.setattr("ranvier.pipeline.open_simulation", lambda *a, **k: pytest.fail("ran"))

    result = cli("simulate", config_file, spikes_file, "-o", tmp_path / name)

    assert result.code == 1
    assert str(tmp_path / name) in result.err


def test_an_event_beyond_all_memory_is_one_line(cli, config_file, tmp_path):
    events = np.zeros(2, dtype=[("t", "f8"), ("x", "i4"), ("p", "i4")])
    events["t"] = [0.0, 1e12]
    np.save(tmp_path / "far.npy", events)

    result = cli("simulate", config_file, tmp_path / "far.npy")

    assert result.code == 1
    assert "not enough memory" in result.err
    assert len(result.err.splitlines()) == 1
