import numpy as np
import pytest

from ranvier.encoding import LIFEncoder
from ranvier.errors import InputError


@pytest.fixture(scope="module")
def signals():
    rng = np.random.default_rng(0)
    return rng.normal(size=(6, 100, 4)).cumsum(axis=1) * np.array([1.0, 100.0, 1e-6, 3.0])


def slow_spikes(x, gain, tau_mem, dt):
    """Return the spikes of one channel, one step after the other in plain floats."""
    v, alpha, spikes = 0.0, np.exp(-dt / tau_mem), []
    for value in x:
        v = alpha * v + (1 - alpha) * gain * max(value, 0.0)
        count = int(v) if v >= 1 else 0
        v -= count
        spikes.append(count)
    return spikes


@pytest.mark.parametrize("signs", ["positive", "both"])
def test_every_channel_hits_the_target_rate_on_the_training_data(signals, signs):
    data = np.concatenate([signals, -signals])

    encoder = LIFEncoder.fit(data, target_rate=90.0, tau_mem=15e-3, dt=1e-3, signs=signs)

    total = encoder.transform(data).sum(axis=(0, 1))
    wanted = 90.0 * 1e-3 * 1200
    assert total.size == (4 if signs == "positive" else 8)
    assert np.abs(total - wanted).max() <= 1


def test_spikes_are_those_of_the_equation():
    x = np.random.default_rng(2).normal(size=(80, 3))
    encoder = LIFEncoder(np.array([1.0, 5.0, 40.0]), tau_mem=10e-3, dt=1e-3)

    counts = encoder.transform(x)

    expected = [slow_spikes(x[:, k], encoder.gain[k], 10e-3, 1e-3) for k in range(3)]
    assert counts.max() > 1
    assert counts.T.tolist() == expected


def test_negative_parts_drive_the_second_half_of_the_channels():
    encoder = LIFEncoder([50.0, 50.0], tau_mem=10e-3, dt=1e-3, signs="both")

    counts = encoder.transform([[1.0], [-1.0], [0.0]])

    assert counts[0].tolist() == [4, 0]
    assert counts[1, 1] == 4


def test_batch_equals_single_samples(signals):
    encoder = LIFEncoder.fit(signals, target_rate=50.0, tau_mem=15e-3, dt=1e-3, allow_silent=True)

    batch = encoder.transform(signals)

    for sample, counts in zip(signals, batch, strict=True):
        assert np.array_equal(encoder.transform(sample), counts)


def test_padding_does_not_count():
    x = np.abs(np.random.default_rng(3).normal(size=(2, 200, 2)))
    padded = np.concatenate([x, np.full((2, 100, 2), 50.0)], axis=1)
    options = {"target_rate": 40.0, "tau_mem": 10e-3, "dt": 1e-3}

    plain = LIFEncoder.fit(x, **options)
    ragged = LIFEncoder.fit(padded, lengths=[200, 200], **options)

    assert np.array_equal(plain.gain, ragged.gain)


def test_arrays_restore_the_encoder(signals, tmp_path):
    encoder = LIFEncoder.fit(
        np.abs(signals), target_rate=50.0, tau_mem=15e-3, dt=1e-3, signs="positive"
    )
    np.savez(tmp_path / "encoder.npz", **encoder.to_arrays())

    with np.load(tmp_path / "encoder.npz", allow_pickle=False) as arrays:
        again = LIFEncoder.from_arrays(arrays)

    assert np.array_equal(again.transform(signals), encoder.transform(signals))
    with pytest.raises(InputError, match="'dt'"):
        LIFEncoder.from_arrays({"gain": np.ones(1), "tau_mem": 1.0, "both_signs": False})


def test_channels_without_drive_are_named_or_stay_silent():
    x = np.ones((50, 3)) * np.array([1.0, 0.0, -1.0])

    with pytest.raises(InputError, match=r"channels \[1, 2\] .* allow_silent=True"):
        LIFEncoder.fit(x, target_rate=10.0, tau_mem=10e-3, dt=1e-3)
    encoder = LIFEncoder.fit(x, target_rate=100.0, tau_mem=10e-3, dt=1e-3, allow_silent=True)
    assert encoder.gain[1:].tolist() == [0.0, 0.0]
    assert encoder.transform(x)[:, 0].sum() == 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target_rate": 0.0}, "target_rate"),
        ({"tau_mem": -1.0}, "tau_mem"),
        ({"dt": np.inf}, "dt"),
        ({"signs": "up"}, "'positive' or 'both'"),
        ({"lengths": [5]}, "lengths"),
    ],
)
def test_parameters_out_of_range_are_refused(change, message):
    options = {"target_rate": 10.0, "tau_mem": 10e-3, "dt": 1e-3} | change

    with pytest.raises(InputError, match=message):
        LIFEncoder.fit(np.ones((2, 10, 1)), **options)


def test_signals_of_another_width_are_refused():
    with pytest.raises(InputError, match="fitted are 2"):
        LIFEncoder(np.ones(2), tau_mem=1e-2, dt=1e-3).transform(np.ones((5, 3)))
