"""Whatever goes wrong: one clear error, everything stopped; what Lava cannot do is said at once."""

import time

import numpy as np
import pytest
from pydantic import ValidationError

from ranvier.errors import (
    DeviceError,
    DeviceTimeoutError,
    MissingDependencyError,
    SimulationError,
)
from ranvier_loihi.driver import DeployOptions, build_lava_network, list_devices, open_device
from ranvier_loihi.targets import target_named


def given(rng, config, steps=8):
    (shape,) = config.input_shapes.values()
    return (rng.random((1, steps, *shape)) < 0.4).astype(np.int64)


def run_and_reset(session, spikes):
    session.run(spikes)
    session.reset()


def eventually(condition, seconds=3.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


@pytest.mark.parametrize("device", ["lava-cpu", "loihi2:slurm"])
@pytest.mark.parametrize("call", ["compile", "run", "stop"])
@pytest.mark.parametrize(
    ("kind", "error"),
    [("error", DeviceError), ("hang", DeviceTimeoutError), ("interrupt", DeviceError)],
)
def test_a_failing_call_stops_lava(device, call, kind, error, networks, board, rng):
    config = networks["dense"](rng)
    session = open_device(config, device, DeployOptions(timeout=0.5))
    board.FAULTS.update({call: kind, "seconds": 0.8})

    with pytest.raises(error):
        run_and_reset(session, given(rng, config))

    assert "stop" in board.CALLS
    if call != "stop":
        assert eventually(lambda: not board.ALIVE)
    board.FAULTS.clear()


def test_a_host_that_does_not_answer_is_an_error(networks, board, rng):
    board.FAULTS["host"] = "error"
    with pytest.raises(DeviceError, match="finding the board failed: emulated failure of host"):
        open_device(networks["dense"](rng), "loihi2:slurm")


def test_the_order_of_calls_on_a_board(networks, board, rng, monkeypatch):
    monkeypatch.setenv("PARTITION", "oheogulch")
    config = networks["conv"](rng)

    with open_device(config, "loihi2:oheogulch") as session:
        session.run(given(rng, config))
        session.run(given(rng, config))

    calls = [c for c in board.CALLS if not c.startswith(("set", "NxToPy"))]
    assert calls == [
        "host",
        "slurm oheogulch None N3B3",
        "PyToN3ConvAdapter (6, 7, 2) 0",
        "run",
        "compile",
        "run",
        "stop",
    ]
    assert "set data" in board.CALLS


def test_profilers_report_in_the_provenance(networks, board, rng):
    config = networks["sparse"](rng)

    with open_device(config, "loihi2:slurm", DeployOptions(profile=True)) as session:
        (profile,) = session.run(given(rng, config)).provenance["profile"]

    assert profile["Loihi2Power"]["total_power"] == [1.25]
    assert profile["Loihi2Activity"]["synaptic_operations"] == 7


def test_everything_lava_cannot_do_is_said_at_once(networks, board, rng):
    config = networks["conv"](rng)
    pops = [p.model_copy(update={"refractory": np.array([3])}) for p in config.populations]
    synapse = config.synapses[0].model_copy(update={"axon_delay": np.array([2])})
    update = {"populations": tuple(pops), "synapses": (synapse, *config.synapses[1:])}

    with pytest.raises(DeviceError, match=r"LO301.*LO301.*LO301.*LO304"):
        build_lava_network(config.model_copy(update=update))
    assert not board.CALLS


def test_devices_are_listed_from_the_environment(board, monkeypatch):
    assert [d["id"] for d in list_devices(target_named("loihi2")) if d["id"]] == [
        "loopback",
        "lava-cpu",
        "loihi2:slurm",
    ]
    monkeypatch.delenv("SLURM")
    monkeypatch.setenv("NXSDKHOST", "10.0.0.4")
    assert "loihi1:10.0.0.4" in [d["id"] for d in list_devices(target_named("loihi1"))]


def test_without_sdk_only_the_loopback_is_there(networks, rng, monkeypatch):
    found = list_devices(target_named("loihi2"))
    assert [d["id"] for d in found if d["id"]] == ["loopback"]
    monkeypatch.setenv("SLURM", "1")
    for device in ("lava-cpu", "loihi2:slurm"):
        with pytest.raises(MissingDependencyError):
            open_device(networks["dense"](rng), device)


@pytest.mark.parametrize(
    "options", [{"timeout": 0}, {"generation": "N9"}, {"reset_shift": -1}, {"colour": 1}]
)
def test_options_are_checked(options):
    with pytest.raises(ValidationError):
        DeployOptions(**options)


@pytest.mark.parametrize("options", [{"profile": True}, {"host": "a"}, {"board": "b"}])
def test_the_loopback_refuses_what_needs_a_board(options, networks, rng):
    with pytest.raises(DeviceError, match="loopback has no board"):
        open_device(networks["dense"](rng), "loopback", DeployOptions(**options))


def test_a_chip_says_what_it_cannot_do(networks, board, rng):
    config = networks["dense"](rng)
    with open_device(config, "loihi2:slurm") as session:
        session.run(given(rng, config))
        with pytest.raises(SimulationError, match="cannot be recorded now"):
            session.run(given(rng, config), record=["v_mem"])
        with pytest.raises(DeviceError, match="not set"):
            session.state = {}
    with pytest.raises(DeviceError, match="no device"):
        open_device(config, "usb")
