import runpy
from pathlib import Path

import numpy as np
import pytest

from ranvier.errors import InputError, QuantizationError, SimulationError
from ranvier_bss2 import VirtualChip
from ranvier_bss2.emulator import Emulator
from ranvier_bss2.records import recording_of, spike_grid

chips = runpy.run_path(str(Path(__file__).parents[1] / "small_chips.py"))
population, projection = chips["population"], chips["projection"]
IDEAL = VirtualChip.of(0, "ideal")
QUIET = {"membrane_noise": 0.0, "cadc_noise": 0.0}


def layer(n=6, n_in=4, *, low=0, high=40, seed=0, **fields):
    w = np.random.default_rng(seed).integers(low, high, size=(n, n_in))
    own = population("layer", n, **fields)
    return (*chips["chip"]({"input": (n_in,)}, [own], [projection("input", "layer", w)]), w)


def events(batch, n_steps, n_in=4, rate=0.2, seed=0):
    return (np.random.default_rng(seed).random((batch, n_steps, n_in)) < rate).astype(int)


def grid(raw, n_steps, size=6):
    spikes = raw["layer"].spikes
    return spike_grid(spikes, n_samples=raw.n_samples, size=size, length=n_steps, dt=1e-6)


def test_weights_can_be_set_without_a_new_configuration():
    config, layout, _ = layer(low=-40)
    other, _, w = layer(low=-40, seed=9)
    x = events(2, 50)
    emulator = Emulator(config, VirtualChip.of(1), layout=layout)
    before = grid(emulator.run({"input": x}, trial_seed=0), 50)

    emulator.reset()
    emulator.set_weights({0: w})

    after = grid(emulator.run({"input": x}, trial_seed=0), 50)
    fresh = grid(Emulator(other, VirtualChip.of(1)).run({"input": x}, trial_seed=0), 50)
    np.testing.assert_array_equal(after, fresh)
    assert not np.array_equal(after, before)


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        ({1: np.zeros((6, 4))}, InputError, "no projection 1"),
        ({0: np.zeros((4, 6))}, InputError, "shape"),
        ({0: np.full((6, 4), 0.5)}, InputError, "round them first"),
        ({0: np.full((6, 4), 64)}, QuantizationError, "clip the weights"),
    ],
)
def test_weights_that_do_not_fit_are_refused_and_change_nothing(weights, error, message):
    config, layout, w = layer()
    emulator = Emulator(config, IDEAL, layout=layout)
    emulator.set_weights({0: w})
    x = events(1, 30)

    with pytest.raises(error, match=message):
        emulator.set_weights(weights)

    expected = grid(Emulator(config, IDEAL).run({"input": x}, trial_seed=0), 30)
    np.testing.assert_array_equal(grid(emulator.run({"input": x}, trial_seed=0), 30), expected)


def test_weights_need_places():
    config, _, w = layer()

    with pytest.raises(SimulationError, match="layout="):
        Emulator(config, IDEAL).set_weights({0: w})


@pytest.mark.parametrize("substeps", [1, 5])
def test_a_batch_in_pieces_has_the_noise_of_the_whole(substeps):
    config, _, _ = layer()
    x = events(5, 40)

    def run(part, first):
        emulator = Emulator(config, VirtualChip.of(2), substeps=substeps)
        return emulator.run({"input": part}, trial_seed=7, first_sample=first)

    whole, pieces = run(x, 0), [run(x[:2], 0), run(x[2:], 2)]

    values = np.concatenate([p["layer"].cadc.values for p in pieces])
    np.testing.assert_array_equal(values, whole["layer"].cadc.values)
    np.testing.assert_array_equal(np.concatenate([grid(p, 40) for p in pieces]), grid(whole, 40))


def test_samples_go_on_where_the_last_run_ended():
    config, _, _ = layer(madc_neuron=2)
    x = events(2, 30)
    emulator = Emulator(config, VirtualChip.of(0))
    whole = emulator.run({"input": x}, trial_seed=0)["layer"]
    emulator.reset()

    parts = [emulator.run({"input": x[:, a:b]}, trial_seed=0) for a, b in ((0, 7), (7, 30))]

    for name in ("cadc", "madc"):
        records = [getattr(p["layer"], name) for p in parts]
        times = [records[0].times, records[1].times + 7 * 125]
        np.testing.assert_allclose(np.concatenate(times), getattr(whole, name).times, atol=1)
        values = np.concatenate([r.values for r in records], axis=1)
        np.testing.assert_array_equal(values, getattr(whole, name).values)


def test_the_slow_converter_samples_every_1_7_microseconds_up_to_100_times():
    config, _, _ = layer()

    cadc = Emulator(config, IDEAL).run({"input": events(1, 300)}, trial_seed=0)["layer"].cadc

    assert cadc.times.size == 100
    np.testing.assert_allclose(cadc.times, np.arange(100) * 212.5, atol=0.5)
    assert cadc.dropped == 176 - 100
    raw = Emulator(config, IDEAL).run({"input": events(1, 300)}, trial_seed=0)
    found = recording_of(config, raw, n_steps=300, record={})
    assert [d.code for d in found.diagnostics] == ["BS230"]


def test_dram_samples_are_rarer_and_not_dropped():
    config, _, _ = layer(cadc="dram")

    cadc = Emulator(config, IDEAL).run({"input": events(1, 1000)}, trial_seed=0)["layer"].cadc

    assert cadc.times.tolist() == [750 * k for k in range(167)]
    assert cadc.dropped == 0


def test_samples_between_steps_are_on_the_line_between_them():
    config, _, _ = layer(switches=("leaky",))
    x = events(1, 30)

    fine = Emulator(config, IDEAL, cadc_period=1e-6).run({"input": x}, trial_seed=0)["layer"].cadc
    halves = Emulator(config, IDEAL, cadc_period=0.5e-6).run({"input": x}, trial_seed=0)["layer"]

    v = fine.values.astype(float)
    np.testing.assert_array_equal(halves.cadc.values[:, ::2], fine.values)
    between = (v[:, 1:] + v[:, :-1]) / 2
    assert np.abs(halves.cadc.values[:, 1::2] - between).max() <= 1.0


def test_the_fast_converter_takes_29_samples_per_microsecond_of_10_bits():
    config, _, _ = layer(switches=("leaky",), madc_neuron=3, cadc="off")

    raw = Emulator(config, IDEAL).run({"input": events(2, 21)}, trial_seed=0)["layer"]

    assert raw.cadc is None
    assert raw.madc.neuron == 3
    assert raw.madc.values.dtype == np.uint16
    assert raw.madc.times.size == int(20e-6 * 500e6 / 17) + 1
    assert raw.madc.values[:, 0].tolist() == [320, 320]
    assert raw.madc.values.max() > 330


def test_both_converters_read_the_same_membrane():
    config, _, _ = layer(switches=("leaky",), madc_neuron=3)
    x = events(1, 40)

    raw = Emulator(config, IDEAL, cadc_period=1e-6).run({"input": x}, trial_seed=0)["layer"]

    at = np.arange(40) * 125
    fast = np.interp(at, raw.madc.times, raw.madc.values[0] / 4)
    slow = raw.cadc.values[0, :, 3].astype(float)
    kept = slow < 255
    assert kept.sum() > 20
    assert slow[kept].max() > 100
    assert np.abs(fast - slow)[kept].max() < 1.0


def test_membranes_beyond_the_range_are_clipped_in_the_converter_only():
    config, _, _ = layer(switches=("leaky",))
    x = np.ones((1, 60, 4), dtype=int)
    emulator = Emulator(config, IDEAL)

    cadc = emulator.run({"input": x}, trial_seed=0)["layer"].cadc

    assert cadc.values.max() == 255
    assert emulator.get_state()["0/v_mem"].max() > 255


def test_substeps_and_exact_decays_approach_the_same_curve():
    config, _, _ = layer(switches=("leaky",), low=20)
    x = np.zeros((1, 30, 4), dtype=int)
    x[0, 3] = 1

    def final(**options):
        emulator = Emulator(config, IDEAL, **options)
        emulator.run({"input": x}, trial_seed=0)
        return emulator.get_state()["0/v_mem"] - 80

    reference = final(substeps=200)
    assert np.abs(final() - reference).max() > 0.2
    for options in ({"substeps": 20}, {"substeps": 20, "decay": "exact"}):
        assert np.abs(final(**options) - reference).max() < 0.02 * reference.max()


def test_spikes_of_substeps_carry_their_own_time():
    config, _, _ = layer(low=30)
    x = np.zeros((1, 20, 4), dtype=int)
    x[0, 2:] = 1

    cycle = (
        Emulator(config, IDEAL, substeps=5).run({"input": x}, trial_seed=0)["layer"].spikes.cycle
    )

    assert (cycle % 25 == 0).all()
    assert (cycle % 125 != 0).any()


def test_a_saturated_input_drives_less():
    config, _, _ = layer(switches=("leaky",), low=50, high=64)
    x = np.ones((1, 100, 4), dtype=int)

    def top(chip):
        emulator = Emulator(config, chip)
        emulator.run({"input": x}, trial_seed=0)
        return emulator.get_state()["0/v_mem"] - 80

    limited = top(VirtualChip.of(0, "ideal", saturation=100.0))
    np.testing.assert_allclose(limited, 100, atol=0.01)
    assert (top(IDEAL) > 1000).all()


def test_a_chip_is_the_same_for_every_sample_and_run():
    config, _, _ = layer()
    x = np.repeat(events(1, 40), 3, axis=0)

    raw = Emulator(config, VirtualChip.of(4, **QUIET)).run({"input": x}, trial_seed=0)
    again = Emulator(config, VirtualChip.of(4, **QUIET)).run({"input": x}, trial_seed=1)
    other = Emulator(config, VirtualChip.of(5, **QUIET)).run({"input": x}, trial_seed=0)

    values = raw["layer"].cadc.values
    assert (values == values[:1]).all()
    np.testing.assert_array_equal(again["layer"].cadc.values, values)
    assert not np.array_equal(other["layer"].cadc.values, values)


def test_time_constants_below_the_step_are_refused_with_advice():
    config, _, _ = layer(tau_mem=0.6e-6)

    with pytest.raises(SimulationError, match=r"BS234.*'exact'"):
        Emulator(config, IDEAL)
    Emulator(config, IDEAL, decay="exact").run({"input": events(1, 5)}, trial_seed=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"substeps": 0}, "substeps"),
        ({"decay": "linear"}, "'euler' or 'exact'"),
        ({"cadc_period": 0.0}, "cadc_period"),
    ],
)
def test_impossible_options_are_refused(options, message):
    config, _, _ = layer()

    with pytest.raises(InputError, match=message):
        Emulator(config, IDEAL, **options)


def test_inputs_that_do_not_fit_are_refused():
    config, _, _ = layer()
    emulator = Emulator(config, IDEAL)

    with pytest.raises(InputError, match="expected \\['input'\\]"):
        emulator.run({"other": events(1, 5)}, trial_seed=0)
    with pytest.raises(InputError, match="time, 4"):
        emulator.run({"input": events(1, 5, n_in=3)}, trial_seed=0)
    with pytest.raises(InputError, match="trial_seed"):
        emulator.run({"input": events(1, 5)}, trial_seed=-1)


def test_a_run_without_steps_changes_nothing():
    config, _, _ = layer(madc_neuron=1)
    emulator = Emulator(config, VirtualChip.of(0))
    x = events(2, 20)
    emulator.run({"input": x}, trial_seed=0)
    before = emulator.get_state()

    raw = emulator.run({"input": x[:, :0]}, trial_seed=0)

    assert raw.duration == 0
    assert raw["layer"].cadc.values.shape == (2, 0, 6)
    assert all(np.array_equal(emulator.get_state()[n], v) for n, v in before.items())


def test_spikes_between_runs_belong_to_the_later_one():
    config, _, _ = layer(low=30)
    x = np.ones((1, 20, 4), dtype=int)
    emulator = Emulator(config, IDEAL, substeps=5)

    whole = emulator.run({"input": x}, trial_seed=0)["layer"].spikes
    emulator.reset()
    parts = [
        emulator.run({"input": x[:, t : t + 1]}, trial_seed=0)["layer"].spikes for t in range(20)
    ]

    cycles = np.concatenate([p.cycle + 125 * t for t, p in enumerate(parts)])
    assert cycles.tolist() == whole.cycle[np.argsort(whole.cycle, kind="stable")].tolist()
    assert min(p.cycle.min(initial=0) for p in parts) < 0
