import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

import ranvier as rv
from ranvier.errors import (
    ChipNotFoundError,
    DeviceError,
    InputError,
    MappingError,
    PluginError,
    SimulationError,
)
from ranvier.graph import Graph, Input, Output
from ranvier.plugins import PluginManager, PluginSource, catalogue_from

FAKE = runpy.run_path(str(Path(__file__).parent / "plugins" / "fake_chip.py"))


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a fake chip whose plugin may be altered: {found: replacement}."""
    monkeypatch.syspath_prepend(tmp_path)

    def installed(changes=()):
        code = FAKE["PLUGIN"]
        for found, replacement in dict(changes).items():
            assert found in code
            code = code.replace(found, replacement)
        module = FAKE["write_chip"](tmp_path, "echo", target="echo", plugin=code)
        plugins = PluginManager(catalogue_from([PluginSource("echo", module)]), wrappers=False)
        monkeypatch.setattr("ranvier.pipeline.manager", lambda: plugins)

    yield installed
    for name in [n for n in sys.modules if n.startswith("fake_echo")]:
        del sys.modules[name]


@pytest.fixture
def chip(install):
    install()


def graph():
    nodes = {"input": Input(shape=(2,)), "output": Output(shape=(2,))}
    return Graph(nodes, [("input", "output")], 1e-3)


SPIKES = np.array([[1, 0], [0, 2]])


def test_verbs_lead_from_graph_to_recording(chip):
    mapped = rv.map(graph(), "echo", gain=2)
    config = rv.quantize(mapped)

    recording = rv.simulate(config, SPIKES)

    assert recording.output.tolist() == [[2, 0], [0, 4]]


def test_build_hands_each_option_to_the_verb_that_knows_it(chip):
    assert rv.build(graph(), "echo", gain=3) == rv.quantize(rv.map(graph(), "echo", gain=3))


def test_unknown_option_is_refused_with_the_known_ones(chip):
    with pytest.raises(InputError, match=r"echo: map: speed.*known options: gain, lossy"):
        rv.map(graph(), "echo", speed=2)


def test_option_out_of_range_is_refused_with_its_limit(chip):
    with pytest.raises(InputError, match=r"gain: .*less than or equal to 3"):
        rv.map(graph(), "echo", gain=4)


def test_build_refuses_an_option_that_no_verb_knows(chip):
    with pytest.raises(InputError, match="speed"):
        rv.build(graph(), "echo", speed=2)


def test_verb_without_options_refuses_any(chip):
    with pytest.raises(InputError, match=r"quantize takes no options, got .'speed'"):
        rv.quantize(rv.map(graph(), "echo"), speed=2)


def test_unknown_target_is_refused(chip):
    with pytest.raises(ChipNotFoundError, match=r"'echoo'.*Did you mean 'echo'"):
        rv.map(graph(), "echoo")


@pytest.mark.parametrize(
    ("call", "advice"),
    [
        (lambda: rv.map("net.nir", "echo"), "expected a Graph, got str; use net.to_graph"),
        (lambda: rv.quantize(graph()), "expected a MappedNetwork, got Graph"),
        (lambda: rv.simulate(graph(), SPIKES), "expected a ChipConfig, got Graph; build one"),
        (lambda: rv.deploy(None, device="x"), "expected a ChipConfig, got NoneType"),
    ],
)
def test_wrong_noun_is_refused_with_what_to_do(chip, call, advice):
    with pytest.raises(InputError, match=advice):
        call()


def test_losses_travel_with_the_result(chip):
    config = rv.build(graph(), "echo", lossy=True)

    assert [d.code for d in config.diagnostics] == ["FK001"]


def test_strict_makes_losses_errors(chip):
    with pytest.raises(MappingError, match=r"echo: map: 1 loss.*\n.*FK001.*use another") as caught:
        rv.map(graph(), "echo", lossy=True, strict=True)

    assert [d.code for d in caught.value.diagnostics] == ["FK001"]
    assert rv.map(graph(), "echo", strict=True).diagnostics == ()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"return Session(config)\n\n\n@hookimpl\ndef ranvier_deploy": "return 3\n\n\n@hookimpl\n"
          "def ranvier_deploy"}, "ranvier_simulate returned int for 'echo', expected Abstract"),
        ({"if target.name != NAME": "if True"}, "ranvier_map returned NoneType"),
    ],
)  # fmt: skip
def test_wrong_answer_of_a_plugin_names_it_and_its_distribution(install, changes, message):
    install(changes)

    with pytest.raises(PluginError, match=rf"{message}.*report this to ranvier-echo"):
        rv.simulate(rv.build(graph(), "echo"), SPIKES)


def test_deploy_opens_a_device_by_name(chip):
    with rv.deploy(rv.build(graph(), "echo"), device="loopback") as device:
        assert device.run(SPIKES).output.tolist() == SPIKES.tolist()


def test_absent_device_is_refused_with_what_to_try(chip):
    with pytest.raises(DeviceError, match=r"echo: no device 'usb-9'.*ranvier devices.*loopback"):
        rv.deploy(rv.build(graph(), "echo"), device="usb-9")


def test_devices_carry_their_target(chip):
    assert rv.devices() == [{"target": "echo", "id": "usb-1", "description": "a board"}]


def test_estimate_without_the_hook_is_empty(chip):
    assert rv.estimate(rv.build(graph(), "echo")) == {}


def test_session_is_released_once(chip):
    session = rv.open_simulation(rv.build(graph(), "echo"))
    with session:
        pass
    session.close()

    assert session.released == 1
    with pytest.raises(SimulationError, match="closed; open a new one"):
        session.run(SPIKES)


def test_strict_refuses_what_the_reader_of_a_foreign_file_lost(install):
    install()
    lost = {"code": "CORE002", "severity": "loss", "message": "a bias was dropped", "node": "fc"}
    read = Graph(graph().nodes, graph().edges, graph().dt, {"diagnostics": [lost]})

    with pytest.raises(MappingError, match="a bias was dropped"):
        rv.map(read, "echo", strict=True)
    assert rv.map(read, "echo").diagnostics == ()
