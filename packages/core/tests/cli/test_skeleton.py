import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ranvier.cli.skeleton import write_package
from ranvier.errors import FileError, InputError

RUFF = shutil.which("ruff") or shutil.which("ruff", path=str(Path(sys.executable).parent))
CONFIGURATION = Path(__file__).parents[4] / "pyproject.toml"


def test_the_generated_package_has_the_files_of_a_chip_package(tmp_path):
    written = write_package("my-chip", tmp_path / "new")

    names = {str(p.relative_to(tmp_path / "new")) for p in written}
    source = "src/ranvier_my_chip"
    assert {"pyproject.toml", f"{source}/manifest.toml", f"{source}/plugin.py"} <= names
    assert {"tests/test_conformance.py", f"{source}/simulator.py"} <= names
    assert not any("$" in p.read_text() for p in written)


def test_new_chip_tells_what_it_wrote(cli, tmp_path):
    document = json.loads(cli("new-chip", "my-chip", tmp_path / "a" / "b", "--json").out)

    assert document["target"] == "my-chip"
    assert all(Path(name).is_file() for name in document["files"])


@pytest.mark.parametrize("name", ["My-Chip", "1chip", "a--b", "a/b", "../x", "a_b", ""])
def test_a_name_of_another_form_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="my-chip"):
        write_package(name, tmp_path / "new")

    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_files_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")

    with pytest.raises(FileError, match="not empty"):
        write_package("my-chip", tmp_path)

    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "new").mkdir()

    assert write_package("my-chip", tmp_path / "new")


def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "write_text", _no_space)

    with pytest.raises(FileError, match="No space left"):
        write_package("my-chip", tmp_path / "new")

    assert list(tmp_path.iterdir()) == []


def _no_space(*arguments, **options):
    raise OSError(28, "No space left on device")


def test_the_name_of_an_installed_target_is_refused(cli, chip, tmp_path):
    result = cli("new-chip", chip, tmp_path / "new")

    assert result.code == 1
    assert "already offered by ranvier-cli-chip" in result.err


@pytest.mark.skipif(RUFF is None, reason="ruff is not installed")
def test_the_generated_package_follows_the_house_style(package):
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [RUFF, *command, "--config", str(CONFIGURATION), "--no-cache", str(package)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_the_generated_tests_and_the_conformance_kit_pass(process, package):
    done = process(
        *("-m", "pytest", package.parent / "tests", "-q", "-p", "no:cacheprovider", "-x"),
        *("-W", "error", "--import-mode=importlib"),
        cwd=package.parent,
    )

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "0 failed, 0 known deviations" in done.stdout


def test_conformance_of_the_generated_chip_is_run_from_the_command_line(process):
    done = process("-m", "ranvier.cli", "conformance", "cli-chip", "--", "-k", "unknown_option")

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "0 failed" in done.stdout


def test_conformance_of_an_unknown_target_is_an_error(cli, chip):
    result = cli("conformance", "no-chip")

    assert result.code == 1
    assert "no-chip" in result.err
