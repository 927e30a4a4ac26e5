"""Every developer and CI task. ``nox -l`` lists them; ``nox -s tests`` is what CI runs."""

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
CHIPS = ("xylo",)
PACKAGES = (CORE, *CHIPS)
PYTHONS = ("3.11", "3.12", "3.13")
LINTERS = ("ruff", "import-linter", "deptry")
BUILDERS = ("build", "hatchling")

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = os.environ.get("RANVIER_NOX_BACKEND", "uv|virtualenv")
nox.options.reuse_venv = "yes"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["lint", "types", "tests"]


def _share_pip_settings_with_uv() -> None:
    """Hand uv, which ignores pip's configuration, the places where pip looks for wheels, whatever they are."""
    for option, variable in (("find-links", "UV_FIND_LINKS"), ("extra-index-url", "UV_EXTRA_INDEX_URL")):
        value = os.environ.get("PIP_" + option.replace("-", "_").upper()) or _pip_config(option)
        if value and variable not in os.environ:
            os.environ[variable] = ",".join(value.split()) if option == "find-links" else value
            if option == "extra-index-url":  # pip merges all its indexes; uv stops at the first unless told
                os.environ.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")


def _pip_config(option: str) -> str | None:
    command = [sys.executable, "-m", "pip", "config", "get", f"global.{option}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


_share_pip_settings_with_uv()


def _install(
    session: nox.Session, *packages: str, torch: bool = False, extra: str = "test", also: tuple[str, ...] = ()
) -> None:
    """Install workspace packages in ONE call, so that none of them is looked up on an index."""
    extras = f"{extra},torch" if torch else extra
    targets = [("-e", f"./packages/{p}[{extras if p == CORE else extra}]") for p in packages]
    session.install(*(arg for pair in targets for arg in pair), *also, "-c", "constraints.txt")


@nox.session
@nox.parametrize("package", [nox.param(p, id=p) for p in PACKAGES])
def tests(session: nox.Session, package: str) -> None:
    """Each package alone: the core, or the core and that one chip."""
    _install(session, *dict.fromkeys((CORE, package)), torch=True)
    session.run("pytest", f"packages/{package}/tests", *session.posargs)


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
    session.run("pytest", *(f"packages/{p}/tests" for p in PACKAGES), "tests-integration", *session.posargs)


@nox.session
def build(session: nox.Session) -> None:
    """Wheels of all packages into dist/."""
    session.install(*BUILDERS, "-c", "constraints.txt")
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    for package in PACKAGES:
        session.run(
            "python", "-m", "build", "--no-isolation", "--wheel", "--outdir", "dist", f"packages/{package}", silent=True
        )


@nox.session
def integration(session: nox.Session) -> None:
    """All chips from their built wheels, plus optional peers (``nox -s integration -- --peers``)."""
    session.install(*BUILDERS, "-c", "constraints.txt")
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    for package in PACKAGES:
        session.run(
            "python", "-m", "build", "--no-isolation", "--wheel", "--outdir", "dist", f"packages/{package}", silent=True
        )
    wheels = sorted(str(p) for p in (ROOT / "dist").glob("*.whl"))
    args = list(session.posargs)
    peers = ["xylosim"] if "--peers" in args else []
    args = [a for a in args if a != "--peers"]
    session.install("--force-reinstall", "--no-deps", *wheels)
    session.install(*wheels, "ranvier[torch,test]", *peers, "-c", "constraints.txt")
    session.run("pytest", "tests-integration", "-rs", *args)


@nox.session
def conformance(session: nox.Session) -> None:
    """The core's kit against every chip (``nox -s conformance -- xylo`` for one)."""
    chips = session.posargs or CHIPS
    _install(session, CORE, *chips)
    for chip in chips:
        session.run("ranvier", "conformance", chip)


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
    """mypy --strict over all packages."""
    _install(session, *PACKAGES, torch=True, also=("mypy",))
    session.run("mypy", *(a for p in PACKAGES for a in ("-p", "ranvier" if p == CORE else f"ranvier_{p}")))


@nox.session
def lock(session: nox.Session) -> None:
    """Rewrite constraints.txt; torch is kept by hand (see its header)."""
    session.install("uv")
    inputs = [f"packages/{p}/pyproject.toml" for p in PACKAGES]
    kept = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line.startswith(("#", "torch"))]
    requirements = session.create_tmp() + "/all.in"
    docs = (ROOT / "docs" / "requirements.txt").read_text().splitlines()
    Path(requirements).write_text("\n".join([*sorted(_third_party(inputs)), *LINTERS, *BUILDERS, "mypy", *docs]))
    options = ("--universal", "--python-version", PYTHONS[0], "--no-header", "--no-annotate", "--upgrade")
    text = session.run("uv", "pip", "compile", "--quiet", *options, requirements, silent=True)
    (ROOT / "constraints.txt").write_text("\n".join(kept) + "\n" + str(text))


def _third_party(projects: list[str]) -> set[str]:
    """Everything our packages require, except each other and torch."""
    found: set[str] = set()
    for path in projects:
        project = tomllib.loads((ROOT / path).read_text())["project"]
        found |= {*project["dependencies"], *(r for e in project.get("optional-dependencies", {}).values() for r in e)}
    return {r for r in found if not r.startswith(("ranvier", "torch"))}


@nox.session
def demo(session: nox.Session) -> None:
    """The main job, end to end."""
    _install(session, *PACKAGES, torch=True)
    session.run("python", "docs/tutorials/first_chip.py")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site; tutorials are executed and must not fail."""
    _install(session, *PACKAGES, torch=True, also=("-r", "docs/requirements.txt"))
    session.run("sphinx-build", "-W", "--keep-going", "-b", "html", "docs", "docs/_build/html", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Benchmarks; results land in .benchmarks/."""
    _install(session, *PACKAGES, torch=True)
    session.run("pytest", "benchmarks", "--benchmark-autosave", *session.posargs)
