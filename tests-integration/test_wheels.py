"""The wheels hold everything that is read at run time, and nothing but the package."""

import importlib.util
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "core": "ranvier",
    "xylo": "ranvier_xylo",
    "loihi": "ranvier_loihi",
    "dynapse2": "ranvier_dynapse2",
    "bss2": "ranvier_bss2",
}
NEEDED = {
    "core": {
        "ranvier/py.typed",
        "ranvier/reference/manifest.toml",
        "ranvier/events/page.html",
        "ranvier/cli/skeleton/template/pyproject.toml.in",
        "ranvier/cli/skeleton/template/README.md.in",
    },
    "xylo": {"ranvier_xylo/py.typed", "ranvier_xylo/manifest.toml"},
    "loihi": {"ranvier_loihi/py.typed", "ranvier_loihi/manifest.toml"},
    "dynapse2": {
        "ranvier_dynapse2/py.typed",
        "ranvier_dynapse2/manifest.toml",
        "ranvier_dynapse2/biases/currents.csv",
    },
    "bss2": {"ranvier_bss2/py.typed", "ranvier_bss2/manifest.toml"},
}


def project(package):
    return tomllib.loads((ROOT / "packages" / package / "pyproject.toml").read_text())["project"]


def build_wheel(package, folder):
    missing = [name for name in ("build", "hatchling") if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"no wheel in dist/, and {' and '.join(missing)} not installed to build one")
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", folder]
    source = ROOT / "packages" / package
    done = subprocess.run([*command, source], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(Path(folder).glob("*.whl"))


@pytest.fixture(scope="module", params=PACKAGES)
def package(request):
    return request.param


@pytest.fixture(scope="module")
def wheel(package, tmp_path_factory):
    """Return the contents of a wheel: from dist/, or built here."""
    pattern = f"{PACKAGES[package]}-{project(package)['version']}-*.whl"
    found = next((ROOT / "dist").glob(pattern), None)
    with zipfile.ZipFile(found or build_wheel(package, tmp_path_factory.mktemp("dist"))) as file:
        return {name: file.read(name) for name in file.namelist()}


def test_files_that_are_read_at_run_time_are_in_the_wheel(package, wheel):
    assert NEEDED[package] <= set(wheel)


def test_the_wheel_holds_every_file_of_the_source(package, wheel):
    source = ROOT / "packages" / package / "src"
    files = {p.relative_to(source).as_posix() for p in source.rglob("*") if p.is_file()}

    wanted = {name for name in files if "__pycache__" not in name}

    assert {name for name in wheel if ".dist-info/" not in name} == wanted


def test_the_license_is_in_the_wheel(package, wheel):
    license_text = (ROOT / "LICENSE").read_bytes()

    assert [v for n, v in wheel.items() if n.endswith("licenses/LICENSE")] == [license_text]


def test_the_wheel_declares_its_plugins(package, wheel):
    declared = next(v for n, v in wheel.items() if n.endswith("entry_points.txt")).decode()

    for group, entries in project(package)["entry-points"].items():
        assert f"[{group}]" in declared
        assert all(f"{name} = {module}" in declared for name, module in entries.items())
