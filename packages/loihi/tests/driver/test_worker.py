"""The worker runs in another interpreter; its starter survives whatever goes wrong there."""

import json
import os
import tempfile
import threading
import time

import numpy as np
import pytest

from ranvier.errors import DeviceError, DeviceTimeoutError
from ranvier_loihi import LoihiSession
from ranvier_loihi.driver import DeployOptions, list_devices, open_device
from ranvier_loihi.driver.worker import worker
from ranvier_loihi.targets import target_named


def given(rng, config, *, steps=15):
    (shape,) = config.input_shapes.values()
    if config.values:
        return rng.normal(0, 2, (1, steps, *shape))
    return (rng.random((1, steps, *shape)) < 0.4).astype(np.int64)


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.parametrize("name", ["dense", "sparse", "conv", "delta", "driven"])
def test_the_worker_gives_the_signals_of_the_simulator(name, networks, interpreter, temporary, rng):
    if name == "sparse":
        pytest.importorskip("scipy")
    config = networks[name](rng)
    interpreter()
    reference = LoihiSession(config)

    with open_device(config, "lava-worker") as session:
        for steps in (9, 5):
            batch = given(rng, config, steps=steps)
            expected = reference.run(batch, record=True)
            found = session.run(batch, record=True)
            for key in expected.signals:
                np.testing.assert_array_equal(found.raw(*key), expected.raw(*key), str(key))

    assert not list(temporary.iterdir())


def test_a_chip_behind_the_worker_runs_once_between_resets(networks, interpreter, rng, monkeypatch):
    config = networks["dense"](rng)
    interpreter(hardware=True)
    monkeypatch.setenv("SLURM", "1")
    batch = given(rng, config)
    expected = LoihiSession(config).run(batch, record=["v_mem"]).raw("b", "v_mem")

    with open_device(config, "lava-worker:loihi2:slurm", DeployOptions(profile=True)) as session:
        found = session.run(batch, record=["v_mem"])
        with pytest.raises(Exception, match="call reset"):
            session.run(batch)
        session.reset()
        session.run(batch)

    np.testing.assert_array_equal(found.raw("b", "v_mem")[:, 2:], expected[:, :-2])
    assert found.provenance["profile"][0]["Loihi2ExecutionTime"]["avg_time_per_step"] == 12.5


@pytest.mark.parametrize(
    ("faults", "error", "message"),
    [
        ({"run": "error"}, DeviceError, "emulated failure of run"),
        ({"compile": "error"}, DeviceError, "emulated failure of compile"),
        ({"stop": "error"}, DeviceError, "emulated failure of stop"),
        ({"run": "exit"}, DeviceError, "ended with status 7"),
        ({"run": "hang", "seconds": 60}, DeviceTimeoutError, "more than 3 s"),
    ],
)
def test_a_failing_worker_is_one_clear_error_and_leaves_nothing(
    faults, error, message, networks, interpreter, temporary, rng
):
    config = networks["dense"](rng)
    interpreter(faults=json.dumps(faults))
    start = time.monotonic()

    with (
        open_device(config, "lava-worker", DeployOptions(timeout=3)) as session,
        pytest.raises(error, match=message),
    ):
        session.run(given(rng, config))

    assert time.monotonic() - start < 20
    assert not list(temporary.iterdir())


def test_an_interrupt_ends_the_worker(networks, interpreter, temporary, rng):
    config = networks["dense"](rng)
    interpreter(faults='{"run": "hang", "seconds": 60}')
    session = open_device(config, "lava-worker")
    timer = threading.Timer(2, lambda: os.kill(os.getpid(), 2))
    timer.start()

    with pytest.raises(KeyboardInterrupt):
        session.run(given(rng, config))

    timer.cancel()
    assert not list(temporary.iterdir())


def test_a_missing_interpreter_is_reported_not_raised(networks, monkeypatch, rng):
    problems = [d["problem"] for d in list_devices(target_named("loihi2")) if "problem" in d]
    assert any("RANVIER_LAVA_PYTHON" in p for p in problems)
    with pytest.raises(DeviceError, match="no interpreter is configured"):
        open_device(networks["dense"](rng), "lava-worker")

    monkeypatch.setenv("RANVIER_LAVA_PYTHON", "/nowhere/python")
    problems = [d["problem"] for d in list_devices(target_named("loihi2")) if "problem" in d]
    assert any("is no program" in p for p in problems)


def test_an_interpreter_without_lava_is_named_with_its_version(networks, interpreter, rng):
    import sys

    interpreter(body=f'PYTHONPATH={np.__file__.rsplit("/", 2)[0]} exec {sys.executable} -S "$@"')

    found = list_devices(target_named("loihi2"))
    with pytest.raises(DeviceError, match=r"Lava cannot be imported.*Python 3\.10"):
        open_device(networks["dense"](rng), "lava-worker")

    assert "lava-worker" not in [d["id"] for d in found]
    assert any("Lava cannot be imported" in d.get("problem", "") for d in found)


def test_what_is_no_python_is_reported(networks, interpreter, rng):
    interpreter(body="echo hello")

    with pytest.raises(DeviceError, match="must be a Python"):
        worker.about()
