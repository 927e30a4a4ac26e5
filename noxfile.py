"""Every developer and CI task: ``nox -l`` lists them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import nox

ROOT = Path(__file__).parent
CORE = "core"
CHIPS = ("xylo", "loihi", "dynapse2", "bss2")
PACKAGES = (CORE, *CHIPS)
PYTHONS = ("3.11", "3.12", "3.13")
LINTERS = ("ruff", "import-linter", "deptry")
BUILDERS = ("build", "hatchling")
PEERS = ("xylosim", "nirtorch", "pyyaml")
"""Independent implementations that install beside our pins."""
LAVA_DL = "lava-dl==0.6.0"
"""Its wheel holds recordings of networks; its code is never run."""
KEPT_PINS = ("torch==", "aeon==")
"""Pins kept by hand: torch has builds of its own, aeon is only data (installed without needs)."""
CLASHING_PEERS = {"snntorch": ("snntorch",), "norse": ("norse",)}
"""Framework peers, each in an environment of its own."""

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = os.environ.get("RANVIER_NOX_BACKEND", "uv|virtualenv")
nox.options.reuse_venv = "yes"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["lint", "types", "tests"]


def _share_pip_settings_with_uv() -> None:
    """Tell uv, which ignores pip's configuration, where pip looks for wheels."""
    for option, variable in (
        ("find-links", "UV_FIND_LINKS"),
        ("extra-index-url", "UV_EXTRA_INDEX_URL"),
    ):
        value = os.environ.get("PIP_" + option.replace("-", "_").upper()) or _pip_config(option)
        if value and variable not in os.environ:
            os.environ[variable] = ",".join(value.split()) if option == "find-links" else value
            if (
                option == "extra-index-url"
            ):  # pip merges all its indexes; uv stops at the first unless told
                os.environ.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")


def _pip_config(option: str) -> str | None:
    command = [sys.executable, "-m", "pip", "config", "get", f"global.{option}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


_share_pip_settings_with_uv()
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # spinning threads collapse on shared machines


def _install(
    session: nox.Session,
    *packages: str,
    torch: bool = False,
    extra: str = "test",
    also: tuple[str, ...] = (),
) -> None:
    """Install workspace packages in ONE call, so that none of them is looked up on an index."""
    extras = f"{extra},torch" if torch else extra
    targets = [("-e", f"./packages/{p}[{extras if p == CORE else extra}]") for p in packages]
    session.install(*(arg for pair in targets for arg in pair), *also, "-c", "constraints.txt")


@nox.session
def demo(session: nox.Session) -> None:
    """Real speech to every Xylo: train, map, quantise, simulate, deploy (``-- --quick``)."""
    _install(session, *PACKAGES, torch=True, extra="demo")
    session.install("--no-deps", "aeon", "-c", "constraints.txt")
    session.run("python", "demo/run.py", *session.posargs)


@nox.session
@nox.parametrize("package", [nox.param(p, id=p) for p in PACKAGES])
def tests(session: nox.Session, package: str) -> None:
    """Each package alone, examples in docstrings too: the core, or the core and that one chip."""
    _install(session, *dict.fromkeys((CORE, package)), torch=True)
    session.run("pytest", f"packages/{package}/tests", *session.posargs)
    if not session.posargs:
        session.run("pytest", "--doctest-modules", f"packages/{package}/src")


@nox.session(name="tests-base", python=PYTHONS)
def tests_base(session: nox.Session) -> None:
    """All packages on each Python, without torch."""
    _install(session, *PACKAGES)
    session.run("python", "-c", "import importlib.util as u; assert u.find_spec('torch') is None")
    session.run("pytest", *(f"packages/{p}/tests" for p in PACKAGES), *session.posargs)


@nox.session(name="tests-all")
def tests_all(session: nox.Session) -> None:
    """Everything in one environment."""
    _install(session, *PACKAGES, torch=True)
    paths = (*(f"packages/{p}/tests" for p in PACKAGES), "tests-integration")
    session.run("pytest", *paths, *session.posargs)


@nox.session
def build(session: nox.Session) -> None:
    """Wheels of all packages into dist/."""
    _build_wheels(session)


def _build_wheels(session: nox.Session) -> list[str]:
    session.install(*BUILDERS, "-c", "constraints.txt")
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    command = ("python", "-m", "build", "--no-isolation", "--wheel", "--outdir", "dist")
    for package in PACKAGES:
        session.run(*command, f"packages/{package}", silent=True)
    return sorted(str(p) for p in (ROOT / "dist").glob("*.whl"))


@nox.session
def integration(session: nox.Session) -> None:
    """Built wheels of all chips together (``-- --peers`` adds vendor and framework peers)."""
    wheels = _build_wheels(session)
    args = [a for a in session.posargs if a != "--peers"]
    peers = PEERS if "--peers" in session.posargs else ()
    session.install("--force-reinstall", "--no-deps", *wheels)
    session.install(*wheels, "ranvier[torch,test]", *peers, "-c", "constraints.txt")
    env = {"RANVIER_LAVA_GOLDEN": _lava_recordings(session)} if peers else {}
    session.run("pytest", "tests-integration", "-rs", *args, env=env)
    if peers:
        for name in CLASHING_PEERS:
            session.notify(f"peer-{name}")


def _lava_recordings(session: nox.Session) -> str:
    """Return the folder of the recordings in the wheel of lava-dl, which is only unpacked."""
    folder = Path(session.create_tmp()) / "lava-dl"
    recordings = folder / "tests" / "lava" / "lib" / "dl" / "netx"
    if not recordings.exists():
        options = ("--no-deps", "--no-binary=:none:", "--ignore-requires-python", "--dest")
        command = (sys.executable, "-m", "pip", "download", *options, str(folder), LAVA_DL)
        session.run(*command, external=True, silent=True)
        for wheel in folder.glob("*.whl"):
            shutil.unpack_archive(wheel, folder, "zip")
    return str(recordings)


def _peer_session(name: str, requirements: tuple[str, ...]) -> None:
    @nox.session(name=f"peer-{name}", default=False)
    def peer(session: nox.Session) -> None:
        """One framework peer in its own environment."""
        _install(session, *PACKAGES, torch=True, also=(*requirements, "nirtorch"))
        session.run("pytest", "tests-integration/peers/test_nir_peers.py", "-rs", "-k", name)


for _name, _requirements in CLASHING_PEERS.items():
    _peer_session(_name, _requirements)


@nox.session
def conformance(session: nox.Session) -> None:
    """The core's kit against every target (``nox -s conformance -- xylo-audio3`` for one)."""
    _install(session, *PACKAGES)
    listed = session.run("python", "-c", "import ranvier; print(*ranvier.targets())", silent=True)
    for target in session.posargs or str(listed).split():
        session.run("ranvier", "conformance", target)


@nox.session
def lint(session: nox.Session) -> None:
    """Format, lint, layering, unused or undeclared dependencies."""
    _install(session, *PACKAGES, also=LINTERS)
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("lint-imports")
    for package in PACKAGES:
        with session.chdir(f"packages/{package}"):
            session.run("deptry", "src", silent=True)


@nox.session
def types(session: nox.Session) -> None:
    """Strict mypy over all packages."""
    _install(session, *PACKAGES, torch=True, also=("mypy",))
    names = ("ranvier" if p == CORE else f"ranvier_{p}" for p in PACKAGES)
    session.run("mypy", *(a for name in names for a in ("-p", name)))


@nox.session
def lock(session: nox.Session) -> None:
    """Rewrite constraints.txt; torch and aeon are kept by hand (see its header)."""
    session.install("uv")
    inputs = [f"packages/{p}/pyproject.toml" for p in PACKAGES]
    old = (ROOT / "constraints.txt").read_text().splitlines()
    kept = [line for line in old if line.startswith(("#", *KEPT_PINS))]
    requirements = session.create_tmp() + "/all.in"
    docs = (ROOT / "docs" / "requirements.txt").read_text().splitlines()
    tools = (*LINTERS, *BUILDERS, "mypy", *PEERS)
    Path(requirements).write_text("\n".join([*sorted(_third_party(inputs)), *tools, *docs]))
    options = ("--universal", "--python-version", PYTHONS[0], "--no-header", "--no-annotate")
    text = session.run(
        "uv", "pip", "compile", "--quiet", "--upgrade", *options, requirements, silent=True
    )
    lines = [line for line in str(text).splitlines() if not _brings_torch(line)]
    (ROOT / "constraints.txt").write_text("\n".join([*kept, *lines]) + "\n")


def _brings_torch(line: str) -> bool:
    """Say whether a pin belongs to a build of torch, which is chosen by hand."""
    return line.startswith(("torch==", "triton==", "nvidia-", "cuda-"))


def _third_party(projects: list[str]) -> set[str]:
    """Everything our packages require, except each other and torch."""
    found: set[str] = set()
    for path in projects:
        project = tomllib.loads((ROOT / path).read_text())["project"]
        extras = project.get("optional-dependencies", {}).values()
        found |= {*project["dependencies"], *(r for extra in extras for r in extra)}
    return {r for r in found if not r.startswith(("ranvier", "torch"))}


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site; tutorials are executed and must not fail."""
    _install(session, *PACKAGES, torch=True, also=("-r", "docs/requirements.txt"))
    session.install("--no-deps", "aeon", "-c", "constraints.txt")
    target = ("docs", "docs/_build/html")
    session.run("sphinx-build", "-W", "--keep-going", "-b", "html", *target, *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Benchmarks, one thread, against peers where they are installed; prints tables."""
    _install(session, *PACKAGES, torch=True, also=PEERS)
    names = session.posargs or sorted(p.stem for p in (ROOT / "benchmarks").glob("bench_*.py"))
    for name in names:
        session.run("python", f"benchmarks/{name}.py")
