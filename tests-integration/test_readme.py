"""Every code block of the README and of the guides runs, in order, in an empty folder."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
README = ROOT / "README.md"
PAGES = [
    README,
    *sorted((ROOT / "packages").glob("*/README.md")),
    ROOT / "docs" / "getting-started.md",
    *sorted((ROOT / "docs" / "guides").glob("*.md")),
]


def blocks(page: Path) -> list[tuple[str, str]]:
    """Return language and text of the fenced blocks of a page."""
    return [(m[1], m[2]) for m in FENCE.finditer(page.read_text(encoding="utf-8"))]


def run_commands(text: str, folder: Path) -> None:
    """Run lines that call ranvier."""
    for line in text.strip().splitlines():
        words = shlex.split(line, comments=True)
        assert words[0] == "ranvier", f"only ranvier is called in sh blocks, not {line!r}"
        call = [sys.executable, "-m", "ranvier.cli", *words[1:]]
        done = subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"


def check_installation(text: str) -> None:
    """Check commands that would download: named folders, extras and nox sessions exist."""
    sessions = set(re.findall(r"^def (\w+)\(session", (ROOT / "noxfile.py").read_text(), re.M))
    for name in re.findall(r"nox -s ([\w-]+)", text):
        assert name in sessions, f"no nox session {name!r}; there are {sorted(sessions)}"
    for folder, extras in re.findall(r"-e \"?(packages/\w+)(?:\[([\w,]+)\])?", text):
        project = tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]
        unknown = set(filter(None, extras.split(","))) - set(project["optional-dependencies"])
        assert not unknown, f"{folder} has no extra {sorted(unknown)}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_code_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "page"}

    for language, text in blocks(page):
        if language == "python":
            exec(compile(text, f"{page.name} (block)", "exec"), namespace)
        elif language == "sh":
            run_commands(text, tmp_path)
        else:
            check_installation(text)


def test_readme_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 120


def test_readme_lists_every_target_of_every_package() -> None:
    text = README.read_text(encoding="utf-8")
    names = {
        name
        for manifest in (ROOT / "packages").glob("*/src/**/manifest.toml")
        for name in tomllib.loads(manifest.read_text(encoding="utf-8"))["targets"]
    }

    assert names == {name for name in names if f"`{name}`" in text}


def test_readme_shows_a_figure_that_exists() -> None:
    figures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README.read_text(encoding="utf-8"))

    assert figures
    assert all((ROOT / figure).is_file() for figure in figures)
