import json
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import time

import pytest

HEAVY = [
    *("numpy", "pydantic", "pluggy", "typer", "rich"),
    *("h5py", "numba", "torch", "scipy", "matplotlib"),
]
PROBE = """
import sys
from ranvier.cli import main
code = main(sys.argv[1:])
chips = [m for m in sys.modules if m.startswith("ranvier_") or m.startswith("ranvier.reference")]
print("LOADED", *[m for m in {heavy!r} if m in sys.modules], *chips, file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize("arguments", [["targets"], ["targets", "--json"], ["targets", "--check"]])
def test_targets_are_listed_without_importing_anything_heavy_or_a_plugin(process, arguments):
    done = process("-c", PROBE.format(heavy=HEAVY), *arguments)

    assert done.returncode == 0, done.stderr
    assert "cli-chip" in done.stdout
    assert done.stderr.split() == ["LOADED"]


def test_the_version_is_printed_without_importing_anything_heavy(process):
    done = process("-c", PROBE.format(heavy=HEAVY), "--version")

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ranvier ")
    assert done.stderr.split() == ["LOADED"]


def test_the_version_can_also_be_asked_for_before_a_command(cli):
    result = cli("--version", "targets")

    assert result.code == 0
    assert result.out.startswith("ranvier ")


def without_reader(package, command):
    """Run a command whose output nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    environment = {**os.environ, "PYTHONPATH": str(package), "RANVIER_CHIPS": "cli-chip"}
    with os.fdopen(writing, "wb") as sink:
        return subprocess.run(
            [sys.executable, "-m", "ranvier.cli", command, "--json"],
            env=environment,
            stdout=sink,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )


def test_a_reader_that_goes_away_is_no_error_message(package):
    done = without_reader(package, "targets")

    assert done.returncode == 141
    assert done.stderr == b""


def test_a_reader_of_a_typer_command_that_goes_away_is_no_error_message(package):
    done = without_reader(package, "diagnostics")

    assert done.returncode == 141
    assert done.stderr == b""


FULL = pathlib.Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize("arguments", [["targets"], ["diagnostics"], ["diagnostics", "--json"]])
def test_a_full_disk_behind_the_output_is_one_line(package, arguments):
    environment = {**os.environ, "PYTHONPATH": str(package), "RANVIER_CHIPS": "cli-chip"}

    with FULL.open("wb") as sink:
        done = subprocess.run(
            [sys.executable, "-m", "ranvier.cli", *arguments],
            env=environment,
            stdout=sink,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("ranvier: the output cannot be written")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [["targets"], ["diagnostics"]])
def test_a_closed_output_is_no_error(package, arguments):
    command = shlex.join([sys.executable, "-m", "ranvier.cli", *arguments])
    environment = {**os.environ, "PYTHONPATH": str(package), "RANVIER_CHIPS": "cli-chip"}

    done = subprocess.run(
        ["sh", "-c", f"{command} >&-"],
        env=environment,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, b"")


SLOW_READ = """
import sys, time
from ranvier.cli import compilation, main

def read(path, **options):
    print("READY", flush=True)
    time.sleep(60)

compilation.read_network = read
sys.exit(main(sys.argv[1:]))
"""


def test_ctrl_c_exits_with_130_and_leaves_the_previous_file_alone(package, tmp_path):
    (tmp_path / "net.nir").write_bytes(b"never read")
    (tmp_path / "out.rv").write_bytes(b"previous")
    command = [sys.executable, "-c", SLOW_READ, "build", "net.nir", "-t", "cli-chip"]
    environment = {**os.environ, "PYTHONPATH": str(package), "RANVIER_CHIPS": "cli-chip"}

    with subprocess.Popen(
        [*command, "--out", "out.rv"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout.readline() == "READY\n"
        time.sleep(0.1)
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=30)

    assert running.returncode == 130
    assert err == "ranvier: interrupted\n"
    assert (tmp_path / "out.rv").read_bytes() == b"previous"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["net.nir", "out.rv"]


def test_the_package_can_be_run_as_a_module(process):
    done = process("-m", "ranvier.cli", "targets", "--json")

    assert [t["name"] for t in json.loads(done.stdout)["targets"]][-1] == "cli-chip"
