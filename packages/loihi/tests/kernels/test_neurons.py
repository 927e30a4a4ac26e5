import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ranvier_loihi.simulator import LoihiSession

nets = runpy.run_path(str(Path(__file__).parents[1] / "loihi_networks.py"))
assert_same_as_scalar, dense = nets["assert_same_as_scalar"], nets["dense"]
network, population = nets["network"], nets["population"]
M = 1 << 23


def spikes(steps, n, rate=0.3, seed=0, most=1):
    rng = np.random.default_rng(seed)
    return rng.integers(1, most + 1, (steps, n)) * (rng.random((steps, n)) < rate)


def random_lif(rng, n, **fields):
    ranges = {
        "decay_u": (0, 4097),
        "decay_v": (0, 4097),
        "threshold": (0, 400),
        "bias_mant": (-200, 200),
        "bias_exp": (0, 5),
        "v_initial": (-30000, 30000),
    }
    drawn = {k: rng.integers(*r, n) for k, r in ranges.items() if rng.random() < 0.8}
    return population("a", n, **(drawn | fields))


@pytest.mark.parametrize("seed", range(12))
def test_random_lif_populations_equal_the_scalar_model(seed):
    rng = np.random.default_rng(seed)
    weights = rng.integers(-128, 128, (19, 11)) * 2
    config = network([random_lif(rng, 19)], [dense(weights, weight_exp=int(rng.integers(-4, 5)))])

    recording, _ = assert_same_as_scalar(config, spikes(70, 11, seed=seed))

    assert recording["a", "spikes"].total > 0


@pytest.mark.parametrize("decay_u", [0, 1, 128, 4095, 4096])
@pytest.mark.parametrize("decay_v", [0, 1, 4095, 4096])
def test_decays_at_the_ends_of_their_range(decay_u, decay_v):
    config = network(
        [population("a", 9, decay_u=decay_u, decay_v=decay_v, threshold=300)],
        [dense(np.arange(-8, 10, 2)[:, None] * 20)],
    )

    assert_same_as_scalar(config, np.ones((60, 1), dtype=int))


@pytest.mark.parametrize(
    ("arriving", "expected"),
    [
        (1 << 17, M),  # exactly the limit stays
        (-(1 << 17), M),
        ((1 << 17) + 1, -M + 64),
        (-(1 << 17) - 1, M - 64),
        (1 << 19, 1 << 24),  # only one correction
        (-(1 << 19), -(1 << 24)),
    ],
)
def test_the_current_wraps_once_per_step(arriving, expected):
    value, exponent = abs(arriving), 0
    while value % 2 == 0 and exponent < 7:
        value, exponent = value // 2, exponent + 1
    weights = np.sign(arriving) * np.array([255] * (value // 255) + [value % 255])
    mode = "inhibitory" if arriving < 0 else "excitatory"
    config = network(
        [population("a", 1, threshold=131071)],
        [dense(weights, weight_exp=exponent, sign_mode=mode)],
    )
    x = np.zeros((4, len(weights)), dtype=int)
    x[0] = 1

    recording, lost = assert_same_as_scalar(config, x)

    assert recording["a", "i_syn"].values[0, 1, 0] == expected
    wrapped = [d.value for d in recording.diagnostics if d.code == "LO230"]
    assert wrapped == ([lost["a.wrapped"]] if lost["a.wrapped"] else [])


def test_a_current_that_never_decays_keeps_what_is_beyond_its_range():
    config = network(
        [population("a", 2, decay_u=0, threshold=131071)],
        [dense(np.full((2, 40), 254) * [[1], [-1]], weight_exp=7)],
    )

    recording, _ = assert_same_as_scalar(config, np.ones((120, 40), dtype=int))

    assert np.abs(recording["a", "i_syn"].values).max() > M


def test_the_voltage_saturates_and_says_so():
    config = network(
        [population("a", 2, bias_mant=[4095, -4096], bias_exp=7, threshold=131071)],
        [dense([[0], [0]])],
    )

    recording, lost = assert_same_as_scalar(config, np.zeros((40, 1), dtype=int))

    assert recording["a", "v_mem"].values.min() == -M + 1
    (finding,) = [d for d in recording.diagnostics if d.code == "LO231"]
    assert finding.value == lost["a.clipped"] > 0


def test_the_threshold_is_strict():
    config = network([population("a", 2, threshold=[10, 9])], [dense([[10], [10]])])
    x = np.zeros((3, 1), dtype=int)
    x[0] = 1

    recording, _ = assert_same_as_scalar(config, x)

    np.testing.assert_array_equal(recording.raster("a").sum(axis=0), [0, 1])


@pytest.mark.parametrize("refractory", [1, 2, 5, 63])
def test_the_refractory_steps_hold_the_voltage_at_zero(refractory):
    config = network(
        [population("a", 9, refractory=refractory, bias_mant=50, threshold=1, decay_u=200)],
        [dense(np.full((9, 2), 20))],
    )

    recording, _ = assert_same_as_scalar(config, spikes(150, 2))

    times = np.flatnonzero(recording.raster("a")[:, 0])
    assert np.diff(times).min() == refractory


@pytest.mark.parametrize(("interval", "offset"), [(1, 0), (4, 0), (4, 1), (4, 7), (16, 3)])
def test_the_periodic_reset_clears_before_the_step(interval, offset):
    config = network(
        [
            population(
                "a",
                3,
                reset_interval=interval,
                reset_offset=offset,
                decay_u=300,
                v_initial=777,
                threshold=4000,
            )
        ],
        [dense([[20], [-20], [100]])],
    )

    assert_same_as_scalar(config, np.ones((40, 1), dtype=int))


@pytest.mark.parametrize("seed", range(4))
def test_ternary_neurons_send_both_signs(seed):
    rng = np.random.default_rng(seed)
    weights = rng.integers(-60, 60, (13, 7)) * 2
    config = network(
        [
            population("a", 13, "ternary", threshold=90, threshold_low=-70, decay_u=900),
            population("b", 5, threshold=50, decay_v=100),
        ],
        [
            dense(weights),
            dense(rng.integers(-60, 60, (5, 13)) * 2, "a", "b", num_message_bits=seed % 2 * 8),
        ],
    )

    recording, _ = assert_same_as_scalar(config, spikes(60, 7, seed=seed))

    assert set(np.unique(recording["a", "value"].values)) == {-1, 0, 1}


@pytest.mark.parametrize("model", ["rf", "rf_iz"])
@pytest.mark.parametrize("seed", range(4))
def test_resonators_equal_the_scalar_model(model, seed):
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0.1, 1.5, 9)
    config = network(
        [
            population(
                "a",
                9,
                model,
                sin_decay=np.trunc(4096 * 0.97 * np.sin(angle)).astype(int),
                cos_decay=np.trunc(4096 * 0.97 * np.cos(angle)).astype(int),
                threshold=rng.integers(1, 30000, 9),
                state_exp=6,
            )
        ],
        [
            dense(rng.integers(-120, 120, (9, 6)) * 2, port="re"),
            dense(rng.integers(-120, 120, (9, 6)) * 2, port="im", weight_exp=1),
        ],
    )

    recording, _ = assert_same_as_scalar(config, spikes(120, 6, seed=seed))

    assert recording["a", "spikes"].total > 0


def test_resonators_saturate_and_say_so():
    config = network(
        [population("a", 1, "rf", sin_decay=0, cos_decay=4096, threshold=5, state_exp=12)],
        [dense([[254]], port="re"), dense([[-256]], port="im")],
    )

    recording, lost = assert_same_as_scalar(config, np.ones((30, 1), dtype=int))

    assert recording["a", "re"].values.max() == M - 1
    assert [d.value for d in recording.diagnostics] == [lost["a.clipped"]]


@pytest.mark.parametrize("activation", ["relu", "identity"])
@pytest.mark.parametrize(("spike_exp", "state_exp"), [(6, 6), (0, 0), (0, 12), (12, 0)])
def test_sigma_delta_networks_equal_the_scalar_model(activation, spike_exp, state_exp):
    rng = np.random.default_rng(spike_exp + state_exp)
    exps = {"spike_exp": spike_exp, "state_exp": state_exp}
    one = 1 << (spike_exp + state_exp)
    config = network(
        [
            population("a", 8, "delta", threshold=one // 8, drive="input", **exps),
            population(
                "b",
                7,
                "sigma_delta",
                threshold=one // 10,
                bias_mant=rng.integers(-4000, 4000, 7),
                bias_exp=rng.integers(0, 3, 7),
                activation=activation,
                **exps,
            ),
            population("c", 3, "sigma", **exps),
        ],
        [
            dense(rng.integers(-60, 60, (7, 8)) * 2, "a", "b", num_message_bits=16),
            dense(rng.integers(-60, 60, (3, 7)) * 2, "b", "c", num_message_bits=16, weight_exp=-3),
        ],
        inputs={"input": (8,)},
        values=("input",),
    )

    recording, _ = assert_same_as_scalar(config, np.cumsum(rng.normal(0, 0.2, (50, 8)), axis=0))

    assert np.any(recording["b", "value"].values)


def test_a_delta_encoder_behind_synapses_takes_whole_units():
    config = network(
        [population("a", 2, "delta", threshold=3 << 12)],
        [dense([[2], [-4]], num_message_bits=8)],
    )

    recording, _ = assert_same_as_scalar(config, np.array([[1], [3], [3], [1], [0], [0]]))

    np.testing.assert_array_equal(
        recording["a", "value"].values[0, 1:4], [[0, -4 * 64], [6 * 64, -8 * 64], [0, 0]]
    )


@settings(max_examples=60, deadline=None)
@given(
    u=st.integers(-M, M),
    v=st.integers(-M + 1, M - 1),
    decay_u=st.integers(0, 4096),
    decay_v=st.integers(0, 4096),
)
def test_decay_rounds_toward_zero(u, v, decay_u, decay_v):
    config = network(
        [population("a", 1, decay_u=decay_u, decay_v=decay_v, threshold=131071)], [dense([[0]])]
    )
    session = LoihiSession(config)
    state = session.get_state()
    state["populations/a/u"][:] = u
    state["populations/a/v"][:] = v
    session.set_state(state)

    recording = session.run(np.zeros((1, 1), dtype=int), record=True)

    kept = int(u * (4096 - decay_u) / 4096)
    kept = kept + 2 * M if kept <= -M else kept
    voltage = max(-M + 1, min(M - 1, int(v * (4096 - decay_v) / 4096) + kept))
    assert recording["a", "i_syn"].values.item() == kept
    assert recording["a", "v_mem"].values.item() == (0 if voltage > 131071 * 64 else voltage)
