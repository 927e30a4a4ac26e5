import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ranvier.errors import InputError, SimulationError
from ranvier_loihi.config import ConvSynapse, Tap
from ranvier_loihi.plugin import ranvier_simulate
from ranvier_loihi.simulator import LoihiSession, SimulateOptions

nets = runpy.run_path(str(Path(__file__).with_name("loihi_networks.py")))
assert_same_as_scalar, dense = nets["assert_same_as_scalar"], nets["dense"]
network, population, observed = nets["network"], nets["population"], nets["observed"]


def two_layers(seed=0, **fields):
    rng = np.random.default_rng(seed)
    lif = {"decay_u": 900, "decay_v": 200, "threshold": 150}
    return network(
        [population("a", 9, **lif), population("b", 4, **lif)],
        [
            dense(rng.integers(-100, 128, (9, 6)) * 2),
            dense(rng.integers(-100, 128, (4, 9)) * 2, "a", "b", axon_delay=np.array([2])),
        ],
        **fields,
    )


def every_kind(seed=0):
    """A network with all ways in which something can be under way between two runs."""
    rng = np.random.default_rng(seed)
    conv = ConvSynapse(
        source="input",
        target="c",
        weights=(rng.integers(-60, 80, (2, 1, 2, 2)) * 2).astype(np.int16),
        input_shape=(1, 3, 3),
        axon_delay=np.array([1]),
    )
    delays = rng.integers(0, 5, (5, 8)).astype(np.uint8)
    return network(
        [
            population("c", (2, 2, 2), decay_u=700, threshold=90, refractory=2),
            population("t", 5, "ternary", decay_u=700, threshold=20, threshold_low=-20),
            population("s", 3, "sigma_delta", threshold=300, spike_exp=0, state_exp=3),
            population("r", 2, "rf_iz", sin_decay=1500, cos_decay=3500, threshold=900),
        ],
        [
            conv,
            dense(rng.integers(-100, 128, (5, 8)) * 2, "c", "t", weight_exp=-2, delays=delays,
                  axon_delay=rng.integers(0, 3, 8)),
            dense(rng.integers(-100, 128, (3, 5)) * 2, "t", "s", num_message_bits=8),
            dense(rng.integers(-100, 128, (2, 3)) * 2, "s", "r", port="im"),
        ],
        inputs={"input": (1, 3, 3)},
        taps=(Tap(name="later", source="c", delay=np.arange(8) % 4),),
    )  # fmt: skip


def spikes(config, steps=60, batch=None, rate=0.4, seed=1):
    rng = np.random.default_rng(seed)
    shape = (steps, *next(iter(config.input_shapes.values())))
    return (rng.random(shape if batch is None else (batch, *shape)) < rate).astype(int)


def test_a_network_of_every_kind_equals_the_scalar_model():
    config = every_kind()

    recording, _ = assert_same_as_scalar(config, spikes(config))

    assert recording["r", "spikes"].total > 0


def test_a_batch_equals_one_sample_after_the_other():
    config = every_kind()
    x = spikes(config, batch=5)

    batch = LoihiSession(config).run(x, record=True)

    for sample in range(5):
        alone = observed(LoihiSession(config).run(x[sample], record=True), config)
        for key, values in observed(batch, config, sample).items():
            np.testing.assert_array_equal(values, alone[key])


@pytest.mark.parametrize("cut", [0, 1, 2, 7, 31, 60])
def test_chunked_runs_equal_one_run(cut):
    config = every_kind()
    x = spikes(config)
    whole = observed(LoihiSession(config).run(x, record=True), config)

    session = LoihiSession(config)
    parts = [observed(session.run(part, record=True), config) for part in (x[:cut], x[cut:])]

    for key, values in whole.items():
        np.testing.assert_array_equal(np.concatenate([p[key] for p in parts]), values)


def test_the_state_moves_to_another_session():
    config = every_kind()
    x = spikes(config, batch=2)
    session, other = LoihiSession(config), LoihiSession(config)
    session.run(x[:, :23])

    other.set_state(session.get_state())

    expected = observed(session.run(x[:, 23:], record=True), config, 1)
    for key, values in observed(other.run(x[:, 23:], record=True), config, 1).items():
        np.testing.assert_array_equal(values, expected[key])


def test_reset_returns_to_the_first_step():
    config = every_kind()
    session = LoihiSession(config)
    first = session.run(spikes(config))

    session.reset()

    assert session.run(spikes(config)).content_hash == first.content_hash


def test_a_tap_shows_its_source_later_across_runs():
    config = every_kind()
    session = LoihiSession(config)
    x = spikes(config)
    parts = [session.run(part, record=["spikes"]) for part in (x[:2], x[2:3], x[3:])]

    source = np.concatenate([p["c", "spikes"].raster()[0].reshape(-1, 8) for p in parts])
    shown = np.concatenate([p["later", "spikes"].raster()[0].reshape(-1, 8) for p in parts])

    assert source.any()
    for j in range(8):
        d = j % 4
        np.testing.assert_array_equal(shown[d:, j], source[: 60 - d, j])
        assert not shown[:d, j].any()


def test_taps_show_values_and_read_outs():
    config = network(
        [
            population("a", 2, spiking=False, threshold=131071, decay_u=500, v_lsb=[0.5, 0.25]),
            population("d", 2, "delta", threshold=1, drive="input"),
        ],
        [dense([[2, 4], [4, 2]], "d", "a")],
        inputs={"input": (2,)},
        values=("input",),
        taps=(
            Tap(name="v", source="a", delay=np.array([3])),
            Tap(name="x", source="input", delay=np.array([1])),
            Tap(name="m", source="d", delay=np.array([0])),
        ),
    )
    x = np.random.default_rng(0).normal(size=(9, 2))

    recording = LoihiSession(config).run(x, record=True)

    v, later = recording["a", "v_mem"], recording["v", "v_mem"]
    np.testing.assert_array_equal(later.model[0, 3:], v.model[0, :-3])
    np.testing.assert_array_equal(recording["x", "value"].values[0, 1:], x[:-1])
    np.testing.assert_array_equal(recording["m", "value"].model, recording["d", "value"].model)
    assert "spikes" not in LoihiSession(config).recordable()["a"]


def test_traces_are_integers_with_their_scale():
    config = network(
        [population("a", 2, u_lsb=[0.5, 2.0], v_lsb=0.25, decay_v=4096)], [dense([[2], [4]])]
    )

    recording = LoihiSession(config).run(np.array([[1], [0]]), record=True)

    assert recording["a", "v_mem"].values.dtype.kind == "i"
    np.testing.assert_array_equal(recording["a", "i_syn"].model[0, 1], [64.0, 512.0])
    np.testing.assert_array_equal(recording["a", "v_mem"].model[0, 1], [32.0, 64.0])


def test_messages_of_sigma_delta_neurons_have_their_binary_point():
    config = network([population("a", 1, "delta", threshold=1, drive="input")], [],
                     inputs={"input": (1,)}, values=("input",))  # fmt: skip

    recording = LoihiSession(config).run(np.array([[0.5], [0.25], [0.26]]))

    np.testing.assert_array_equal(recording.output[:, 0], [0.5, -0.25, 0.0])


@pytest.mark.parametrize("model", ["lif", "ternary"])
def test_a_driven_population_takes_its_input_in_the_same_step(model):
    config = network(
        [
            population(
                "a",
                3,
                model,
                drive="input",
                drive_weight=[100.0, -50.5, 7.0],
                drive_offset=3.0,
                bias_mant=[5, 0, -9],
                bias_exp=[6, 2, 0],
                threshold=70,
                threshold_low=-30 if model == "ternary" else 0,
            )
        ],
        [],
        inputs={"input": (3,)},
        values=("input",),
    )
    x = np.random.default_rng(0).normal(size=(30, 3))

    recording, _ = assert_same_as_scalar(config, x)

    first = int(100.0 * x[0, 0] + 3.0) + 5
    assert recording["a", "v_mem"].values[0, 0, 0] in (first << 6, 0)


def test_a_drive_beyond_its_register_is_refused_with_the_numbers():
    config = network(
        [population("a", 2, drive="input", drive_weight=1000.0, bias_mant=100)],
        [],
        inputs={"input": (2,)},
        values=("input",),
    )

    with pytest.raises(InputError, match=r"mantissa of 4000 \(sample 0, step 1, neuron 1\), "
                       r"allowed are -4196..3995; scale the input down"):  # fmt: skip
        LoihiSession(config).run(np.array([[0.0, 0.0], [0.0, 4.0]]))


def test_a_message_beyond_32_bits_is_refused():
    config = network([population("a", 1, "delta", drive="input")], [], inputs={"input": (1,)},
                     values=("input",))  # fmt: skip

    with pytest.raises(InputError, match="scale the input down"):
        LoihiSession(config).run(np.array([[1e300]]))


def test_real_values_cannot_enter_a_synapse():
    config = network([population("a", 1)], [dense([[2]])], values=("input",))

    with pytest.raises(SimulationError, match="let it drive a population"):
        LoihiSession(config)


@pytest.mark.parametrize("model", ["rf", "delta", "sigma"])
def test_a_bias_without_a_place_is_refused(model):
    port = "re" if model == "rf" else "in"
    config = network([population("a", 1, model, bias_mant=3)], [dense([[2]], port=port)],
                     quantity="spikes" if model == "rf" else "value")  # fmt: skip

    with pytest.raises(SimulationError, match="set bias_mant to 0"):
        LoihiSession(config)


def test_a_model_that_cannot_be_driven_is_refused():
    config = network([population("a", 1, "sigma", drive="input")], [], inputs={"input": (1,)})

    with pytest.raises(SimulationError, match="cannot be driven"):
        LoihiSession(config)


def test_a_read_out_at_its_limit_is_reported():
    config = network(
        [population("a", 1, spiking=False, threshold=131071, bias_mant=4095, bias_exp=7)],
        [dense([[0]])],
        quantity="v_mem",
    )

    recording = LoihiSession(config).run(np.zeros((20, 1), dtype=int))

    (finding,) = recording.diagnostics
    assert finding.code == "LO232"
    assert "1 neuron(s) were reset" in finding.message


def test_counts_above_one_are_reported():
    recording = LoihiSession(two_layers()).run(np.full((3, 6), 4))

    assert [(d.code, d.value, d.limit) for d in recording.diagnostics] == [("LO233", 4, 1)]


def test_a_quiet_run_reports_nothing():
    assert LoihiSession(two_layers()).run(np.zeros((9, 6), dtype=int)).diagnostics == ()


def test_another_batch_size_needs_a_reset():
    config = two_layers()
    session = LoihiSession(config)
    session.run(spikes(config, batch=2))

    with pytest.raises(SimulationError, match="holds 2 samples, the input 3; call reset"):
        session.run(spikes(config, batch=3))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"populations/a/u": np.zeros((1, 8), dtype=int)}, r"expected integers \(1, 9\)"),
        ({"populations/a/u": np.full((1, 9), 1 << 24)}, "allowed are up to"),
        ({"populations/a/v": np.zeros((1, 9))}, "expected integers"),
        ({"synapses/1/arriving": np.zeros((1, 2, 4), dtype=int)}, r"expected integers \(1, 3, 4\)"),
        ({"synapses/1/arriving": np.full((1, 3, 4), 1 << 40)}, "values beyond"),
        ({"step": np.array([[1]])}, "step"),
        ({"more": np.array([1])}, "pass what get_state"),
    ],
)
def test_a_state_that_does_not_fit_is_refused(change, message):
    session = LoihiSession(two_layers())

    with pytest.raises(InputError, match=message):
        session.set_state(session.get_state() | change)


def test_update_keeps_the_state_of_a_network_of_the_same_size():
    config, other = two_layers(0), two_layers(1)
    x = spikes(config)
    session = LoihiSession(config)
    session.run(x[:20])
    state = session.get_state()

    session.update(other)

    fresh = LoihiSession(other)
    fresh.set_state(state)
    expected = observed(fresh.run(x[20:], record=True), other)
    for key, values in observed(session.run(x[20:], record=True), other).items():
        np.testing.assert_array_equal(values, expected[key])


def test_update_refuses_other_inputs_and_other_things():
    session = LoihiSession(two_layers())

    with pytest.raises(SimulationError, match="open a new session"):
        session.update(every_kind())
    with pytest.raises(SimulationError, match="expected a LoihiConfig, got int"):
        session.update(3)


def test_update_to_another_network_starts_at_rest():
    config = two_layers()
    wider = network([population("a", 3)], [dense(np.full((3, 6), 2))])
    session = LoihiSession(config)
    session.run(spikes(config))

    session.update(wider)

    assert session.get_state()["step"].tolist() == [0]


def test_the_plugin_opens_a_session():
    assert isinstance(ranvier_simulate(two_layers(), SimulateOptions()), LoihiSession)


def test_importing_the_simulator_does_not_import_numba():
    code = "import sys, ranvier_loihi.simulator; sys.exit('numba' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
