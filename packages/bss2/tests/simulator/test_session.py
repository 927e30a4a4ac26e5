import runpy
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

import ranvier as rv
from ranvier.errors import InputError, SimulationError
from ranvier_bss2 import Bss2Session, SimulateOptions
from ranvier_bss2.config import Bss2Config

chips = runpy.run_path(str(Path(__file__).parents[1] / "small_chips.py"))
population, projection = chips["population"], chips["projection"]
NOISY = SimulateOptions(preset="calibrated", chip_seed=3)


def network(*, recurrent=True, **fields):
    rng = np.random.default_rng(0)
    hidden = population("hidden", 12, refractory=2e-6, **fields)
    readout = population("readout", 3, tau_mem=8e-6, **fields)
    w = [
        projection("input", "hidden", rng.integers(-20, 50, size=(12, 8))),
        projection("hidden", "readout", rng.integers(-20, 60, size=(3, 12))),
    ]
    if recurrent:
        w.append(projection("hidden", "hidden", rng.integers(-40, 30, size=(12, 12)), delay=1))
    return chips["chip"]({"input": (8,)}, [hidden, readout], w), w


def spikes(batch=3, n_steps=60, seed=0, rate=0.25):
    return (np.random.default_rng(seed).random((batch, n_steps, 8)) < rate).astype(np.int64)


@pytest.fixture(scope="module")
def config():
    return network()[0][0]


def same(one, other):
    assert set(one.signals) == set(other.signals)
    for key in one.signals:
        np.testing.assert_array_equal(one.raw(*key), other.raw(*key), err_msg=str(key))


def test_levels_agree_on_an_ideal_chip(config):
    x = spikes()

    with Bss2Session(config) as chip, Bss2Session(config, SimulateOptions(level="numeric")) as one:
        emulated, numeric = chip.run(x, record=["spikes"]), one.run(x, record=True)

    for name in ("hidden", "readout"):
        np.testing.assert_array_equal(emulated.raster(name), numeric.raster(name))
    assert numeric.raster("hidden").sum() > 50
    assert set(numeric.signals) >= {("hidden", "i_syn"), ("hidden", "v_mem")}


def test_numeric_weights_are_those_of_the_network(config):
    (config, _), projections = network()
    weights = Bss2Session(config, SimulateOptions(level="numeric"))._model.weights

    scale = chips["KAPPA"] * chips["SCALE"] * 10 / np.array([10, 8, 10])
    for k, (late, q) in enumerate(zip((False, False, True), projections, strict=True)):
        own = weights[q.source, q.target, late]
        np.testing.assert_allclose(own, q.weight * scale[k], rtol=1e-6)


@pytest.mark.parametrize("options", [None, NOISY, SimulateOptions(level="numeric")])
@pytest.mark.parametrize("lengths", [(1, 59), (7, 1, 22, 30)])
def test_chunks_give_the_same_as_one_run(config, options, lengths):
    x = spikes()
    chunks = np.split(x, np.cumsum(lengths)[:-1], axis=1)

    with Bss2Session(config, options) as session:
        whole = session.run(x, record=True, trial_seed=5)
        session.reset()
        parts = list(session.stream(chunks, record=True, trial_seed=5))

    for key in whole.signals:
        joined = np.concatenate([p.raw(*key) for p in parts], axis=1)
        np.testing.assert_array_equal(joined, whole.raw(*key), err_msg=str(key))


@pytest.mark.parametrize("level", ["emulator", "numeric"])
def test_a_batch_is_a_loop_over_its_samples_without_noise(config, level):
    x = spikes()

    with Bss2Session(config, SimulateOptions(level=level)) as session:
        batch = session.run(x, record=True)
        for number, sample in enumerate(x):
            session.reset()
            single = session.run(sample[None], record=True)
            for key in batch.signals:
                np.testing.assert_array_equal(batch.raw(*key)[number], single.raw(*key)[0])


def test_samples_of_a_batch_have_noise_of_their_own(config):
    x = np.zeros((2, 60, 8), dtype=np.int64)

    with Bss2Session(config, NOISY) as session:
        values = session.run(x, record=["v_mem"], trial_seed=0).raw("hidden", "v_mem")

    assert not np.array_equal(values[0], values[1])


def test_a_trial_seed_repeats_a_run_and_none_is_a_new_trial(config):
    x = spikes()

    def run(**options):
        with Bss2Session(config, NOISY) as session:
            return session.run(x, record=True, **options)

    fresh = run()

    same(run(trial_seed=4), run(trial_seed=4))
    assert not np.array_equal(run().raw("hidden", "v_mem"), fresh.raw("hidden", "v_mem"))
    same(run(trial_seed=fresh.provenance["trial_seed"]), fresh)


def test_another_virtual_chip_is_other_silicon(config):
    x = np.zeros((1, 60, 8), dtype=np.int64)

    def run(seed):
        quiet = {"membrane_noise": 0.0, "cadc_noise": 0.0}
        options = SimulateOptions(preset="calibrated", chip_seed=seed, variability=quiet)
        with Bss2Session(config, options) as session:
            return session.run(x, record=["v_mem"]).raw("hidden", "v_mem")

    np.testing.assert_array_equal(run(1), run(1))
    assert not np.array_equal(run(1), run(2))


@pytest.mark.parametrize("level", ["emulator", "numeric"])
def test_state_can_be_taken_and_put_back(config, level):
    options = SimulateOptions(level=level)
    with Bss2Session(config, options) as one, Bss2Session(config, options) as other:
        one.run(spikes(seed=1), trial_seed=0)
        state = one.state
        expected = one.run(spikes(seed=2), record=True, trial_seed=0)
        other.state = state
        same(other.run(spikes(seed=2), record=True, trial_seed=0), expected)


@pytest.mark.parametrize("level", ["emulator", "numeric"])
def test_a_strange_state_is_refused(config, level):
    with Bss2Session(config, SimulateOptions(level=level)) as session:
        session.run(spikes())
        state = session.state
        with pytest.raises(SimulationError, match="this configuration returned"):
            session.state = {**state, "no_such_state": np.zeros(3)}
        with pytest.raises(SimulationError, match="this configuration returned"):
            session.state = {name: values[..., :0] for name, values in state.items()}


@pytest.mark.parametrize("level", ["emulator", "numeric"])
def test_another_batch_size_needs_a_reset(config, level):
    with Bss2Session(config, SimulateOptions(level=level)) as session:
        session.run(spikes(batch=3))
        with pytest.raises(SimulationError, match=r"call reset\(\)"):
            session.run(spikes(batch=2))
        session.reset()
        assert session.run(spikes(batch=2)).output.shape == (2, 60, 3)


def test_counts_above_one_are_one_event_and_reported(config):
    x = spikes()

    with Bss2Session(config) as session:
        once = session.run(x)
        session.reset()
        often = session.run(3 * x)

    np.testing.assert_array_equal(once.output, often.output)
    assert "BS231" in [d.code for d in often.diagnostics]
    assert "BS231" not in [d.code for d in once.diagnostics]


def test_a_membrane_that_is_not_sampled_cannot_be_an_output():
    w = projection("input", "li", np.ones((2, 8)))
    li = population("li", 2, switches=("leaky",), cadc="off")
    config, _ = chips["chip"]({"input": (8,)}, [li], [w])

    with pytest.raises(SimulationError, match=r"BS233.*'sram' or 'dram'"):
        Bss2Session(config)
    with Bss2Session(config, SimulateOptions(level="numeric")) as session:
        assert session.run(spikes()).output.shape == (3, 60, 2)


def test_a_readout_shows_its_membrane_in_model_units():
    w = projection("input", "li", np.random.default_rng(1).integers(-15, 16, size=(2, 8)))
    config, _ = chips["chip"](
        {"input": (8,)}, [population("li", 2, switches=("leaky",), cadc="dram")], [w]
    )
    x = spikes(n_steps=80, rate=0.05)

    with Bss2Session(config) as chip, Bss2Session(config, SimulateOptions(level="numeric")) as one:
        seen, exact = chip.run(x).output, one.run(x).output

    assert seen.shape == exact.shape == (3, 80, 2)
    assert np.corrcoef(seen.ravel(), exact.ravel())[0, 1] > 0.9
    assert np.abs(seen[:, ::6] - exact[:, ::6]).max() < 1.5 / 45


def test_an_update_keeps_the_state_where_it_fits(config):
    silent = config.model_copy(update={"synapse_weight": np.zeros_like(config.synapse_weight)})
    with Bss2Session(config) as session:
        session.run(spikes())
        before = session.state
        session.update(silent)
        np.testing.assert_array_equal(session.state["0/v_mem"], before["0/v_mem"])
        with pytest.raises(SimulationError, match="open a new session"):
            session.update("no configuration")
        with pytest.raises(SimulationError, match="open a new session"):
            session.update(config.model_copy(update={"dt": 2e-3}))
    with Bss2Session(config) as session:
        session.update(silent)
        assert not session.run(spikes()).output.any()


def test_an_unknown_spread_is_refused_by_name():
    with pytest.raises(ValidationError, match="sigma_leek"):
        SimulateOptions(variability={"sigma_leek": 1.0})
    with pytest.raises(ValidationError, match="substeps"):
        SimulateOptions(substeps=0)


def test_an_unknown_quantity_is_refused_with_what_there_is(config):
    with Bss2Session(config) as session, pytest.raises(InputError, match="v_mem"):
        session.run(spikes(), record=["i_syn"])


def test_a_configuration_survives_its_file(config, tmp_path):
    rv.save(config, tmp_path / "chip.rv")

    again = rv.load(tmp_path / "chip.rv")

    assert isinstance(again, Bss2Config)
    assert again == config


@pytest.mark.parametrize("level", ["emulator", "numeric"])
def test_a_run_without_steps_is_empty(config, level):
    with Bss2Session(config, SimulateOptions(level=level)) as session:
        session.run(spikes())
        assert session.run(spikes()[:, :0]).output.shape == (3, 0, 3)
