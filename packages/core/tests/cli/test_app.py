import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from ranvier.cli.app import COMMANDS, build_app
from ranvier.cli.exits import MEANINGS


def test_help_lists_every_command_and_exit_code(cli):
    result = cli("--help")

    text = " ".join(result.out.split())
    assert result.code == 0
    assert all(f" {name} " in text for name in COMMANDS)
    assert all(f"{code} {meaning}" in text for code, meaning in MEANINGS.items())


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_command_has_help_and_documented_parameters(command):
    result = CliRunner().invoke(build_app([command, "--help"]), [command, "--help"])

    assert result.exit_code == 0
    assert f"ranvier {command}" in result.output


@pytest.mark.parametrize("command", [c for c in COMMANDS])
def test_every_command_can_answer_in_json(command):
    result = CliRunner().invoke(build_app(), [command, "--help"])

    assert "--json" in result.output


@pytest.mark.parametrize("command", ["build", "quantize"])
def test_options_of_the_target_are_in_the_help_of_the_verb(chip, command):
    arguments = [command, "--target", chip, "--help"]

    result = CliRunner().invoke(build_app(arguments), arguments)

    assert "--headroom" in result.output
    assert "Share of the weight range" in result.output


def test_without_a_target_the_help_has_no_options_of_plugins():
    result = CliRunner().invoke(build_app(["build", "--help"]), ["build", "--help"])

    assert "--headroom" not in result.output


def test_options_are_found_through_the_file_that_is_named(chip, graph, tmp_path, cli):
    import ranvier

    path = tmp_path / "mapped.rv"
    ranvier.save(ranvier.map(graph, chip), path)

    assert "--headroom" in cli("quantize", path, "--help").out


def test_an_option_of_another_target_is_a_usage_error(cli, chip, network_file):
    result = cli("build", network_file, "--target", chip, "--no-such-option", "1")

    assert result.code == 2
    assert "--no-such-option" in result.err
    assert "Traceback" not in result.err


def test_an_unknown_command_is_a_usage_error(cli):
    assert cli("frobnicate").code == 2


def test_an_unknown_target_is_named_before_its_options_are_parsed(cli, chip, network_file):
    result = cli("build", network_file, "--target", "cli-chop", "--headroom", "0.5")

    assert result.code == 1
    assert "Did you mean 'cli-chip'?" in result.err
    assert "No such option" not in result.err
    assert len(result.err.splitlines()) == 1


def completions(package, line):
    """What bash is offered at the end of a line."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(package),
        "_RANVIER_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(line.count(" ")),
    }
    done = subprocess.run(
        [sys.executable, "-c", "from ranvier.cli import main; main()"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout.split()


def test_the_shell_completes_options_of_the_target(package, chip):
    assert "--headroom" in completions(package, f"ranvier build --target {chip} --head")


def test_the_shell_completes_targets(package, chip):
    assert completions(package, "ranvier build --target cli-") == [chip]
