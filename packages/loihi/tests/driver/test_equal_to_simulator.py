"""What Lava's processes give, as the driver builds them, is what the simulator gives."""

import numpy as np
import pytest

from ranvier.artifacts import Trace
from ranvier_loihi import LoihiSession
from ranvier_loihi.driver import DeployOptions, open_device

NAMES = ["dense", "sparse", "conv", "ternary", "rf", "rf_iz", "delta", "driven"]


def given(rng, config, *, batch=1, steps=20):
    (shape,) = config.input_shapes.values()
    if config.values:
        return rng.normal(0, 2, (batch, steps, *shape))
    return (rng.random((batch, steps, *shape)) < 0.4).astype(np.int64)


def assert_equal_recordings(found, expected, *, late=0):
    assert set(found.signals) == set(expected.signals)
    for key in expected.signals:
        got, wanted = found.raw(*key), expected.raw(*key)
        if late:
            got, wanted = got[:, late:], wanted[:, :-late]
        np.testing.assert_array_equal(got, wanted, err_msg=str(key))
        if isinstance(expected[key], Trace):
            np.testing.assert_array_equal(found[key].scale, expected[key].scale)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("device", ["loopback", "lava-cpu"])
@pytest.mark.parametrize("seed", range(3))
def test_every_signal_is_equal_over_several_runs(name, device, seed, networks, sdk):
    rng = np.random.default_rng(seed)
    config = networks[name](rng)
    reference = LoihiSession(config)
    active = 0

    with open_device(config, device) as session:
        for steps in (13, 1, 6):
            batch = given(rng, config, batch=2, steps=steps)
            expected = reference.run(batch, record=True)
            assert_equal_recordings(session.run(batch, record=True), expected)
            active += int(np.count_nonzero(expected.raw(*next(iter(expected.signals)))))

    assert active
    assert not sdk.ALIVE


@pytest.mark.parametrize("name", NAMES)
def test_a_chip_gives_the_same_two_steps_later(name, networks, board, rng):
    config = networks[name](rng)
    if name == "delta":  # a bias of a sigma-delta layer starts before its input
        populations = [
            p.model_copy(update={"bias_mant": np.array([0])}) for p in config.populations
        ]
        config = config.model_copy(update={"populations": tuple(populations)})
    reference = LoihiSession(config)
    parts = [given(rng, config, steps=n) for n in (12, 5, 20)]
    whole = reference.run(np.concatenate(parts, axis=1), record=True)

    with open_device(config, "loihi2:slurm") as session:
        recordings = [session.run(part, record=True) for part in parts]
        assert session.state

    for key in whole.signals:
        if key[0] == "later":
            continue  # the host's delay starts with zeros, as on the chip
        got = np.concatenate([r.raw(*key) for r in recordings], axis=1)
        np.testing.assert_array_equal(got[:, 2:], whole.raw(*key)[:, :-2], err_msg=str(key))
    first = next(iter(recordings[0].outputs.values()))[0]
    assert recordings[0].latency[first] == config.latency.get(first, 0) + 2
    assert not board.ALIVE


@pytest.mark.parametrize("reset_offset", [0, 3])
def test_periodic_resets_go_on_over_runs(reset_offset, networks, board, rng):
    config = networks["dense"](rng, reset_interval=5, reset_offset=reset_offset)
    parts = [given(rng, config, steps=n) for n in (7, 9)]
    reference = LoihiSession(config)
    expected = [reference.run(part, record=True) for part in parts]

    with open_device(config, "lava-cpu") as session:
        for part, wanted in zip(parts, expected, strict=True):
            assert_equal_recordings(session.run(part, record=True), wanted)
    with open_device(config, "loihi2:slurm", DeployOptions(reset_shift=1)) as session:
        found = session.run(np.concatenate(parts, axis=1), record=["b.v_mem"])
    wanted = np.concatenate([r.raw("b", "v_mem") for r in expected], axis=1)
    np.testing.assert_array_equal(found.raw("b", "v_mem")[:, 2:], wanted[:, :-2])


def test_a_batch_on_a_chip_is_sample_by_sample(networks, board, rng):
    config = networks["conv"](rng)
    batch = given(rng, config, batch=3)

    with open_device(config, "loihi2:slurm") as session:
        together = session.run(batch).output
        session.reset()
        alone = [session.run(batch[:1]).output]
        for sample in batch[1:]:
            session.reset()
            alone.append(session.run(sample[None]).output)

    np.testing.assert_array_equal(together, np.concatenate(alone))


def test_a_state_can_be_kept_and_put_back(networks, sdk, rng):
    config = networks["dense"](rng)
    first, second = given(rng, config, steps=9), given(rng, config, steps=9)

    with open_device(config, "lava-cpu") as session:
        session.run(first)
        kept = session.state
        once = session.run(second, record=["v_mem"]).raw("b", "v_mem")
        session.state = kept
        again = session.run(second, record=["v_mem"]).raw("b", "v_mem")

    np.testing.assert_array_equal(once, again)
    assert any(np.any(values) for values in kept.values())
