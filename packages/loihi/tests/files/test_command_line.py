import json

import pytest

import ranvier
from ranvier.cli import main


@pytest.fixture
def cli(capfd):
    """Return a function that runs one command in this process."""

    def run(*arguments):
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return code, captured.out + captured.err

    return run


def test_show_lists_the_layers_and_what_the_reader_noticed(cli, net, parts):
    code, text = cli("show", net(parts["dense"](neuron=None)))

    assert code == 0
    assert "0.synapse" in text
    assert "LO441" in text


def test_show_takes_the_time_step(cli, net, parts):
    code, text = cli("show", net(parts["dense"]()), "--dt", "0.002", "--json")

    assert code == 0
    assert json.loads(text)["document"]["dt"] == 0.002


def test_a_net_goes_to_rv_and_back(cli, net, parts, tmp_path):
    source = net({"type": "input", "shape": [4]}, parts["dense"](), parts["dense"](2, 3, delay=4))

    assert cli("convert", source, tmp_path / "a.rv")[0] == 0
    assert cli("convert", tmp_path / "a.rv", tmp_path / "back.net")[0] == 0

    first, second = ranvier.load(tmp_path / "a.rv"), ranvier.read(tmp_path / "back.net")
    for name, node in first.nodes.items():
        assert node.to_fields()[1] == second.nodes[name].to_fields()[1]


def test_a_broken_net_ends_with_all_its_problems(cli, net, parts):
    code, text = cli("show", net(parts["dense"](type="dens"), parts["dense"](2, 3, weight=None)))

    assert code != 0
    assert "LO402" in text
    assert "LO403" in text
