"""Reference pages that restate code: commands, targets, diagnostics, errors.

``python docs/_generate.py`` writes them to ``docs/generated``; the docs build calls `write_pages`.
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

from typer.main import get_command

from ranvier import errors
from ranvier.cli.app import build_app
from ranvier.cli.codes import all_codes
from ranvier.cli.exits import MEANINGS
from ranvier.cli.options import flags_of
from ranvier.cli.request import OPTION_VERBS
from ranvier.plugins import manager
from ranvier.target import Fact, Target

FOLDER = Path(__file__).parent / "generated"


def write_pages(folder: Path = FOLDER) -> list[Path]:
    """Write all pages, replacing those whose text changed; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = {
        "cli.md": commands_page(),
        "targets.md": targets_page(),
        "diagnostics.md": diagnostics_page(),
        "errors.md": errors_page(),
    }
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    return [folder / name for name in pages]


def commands_page() -> str:
    """Return the help of every command, the options of every plugin, and the exit codes."""
    program = get_command(build_app())
    parts = ["# Command line", _console("ranvier --help", _help_of(program, "ranvier"))]
    for name, command in program.commands.items():
        parts += [f"## ranvier {name}", _console("", _help_of(command, f"ranvier {name}"))]
        parts += [text for text in (_plugin_options(name),) if text]
    codes = [(f"`{code}`", meaning) for code, meaning in MEANINGS.items()]
    parts += ["## Exit codes", _table(("Code", "Meaning"), codes)]
    return _page(parts)


def targets_page() -> str:
    """Return the table of targets and, per target, every fact with its source."""
    targets = list(manager().targets.values())
    rows = [
        (f"[`{t.name}`](#{_anchor(t.name)})", t.nature, f"`{t.distribution}`", t.description)
        for t in targets
    ]
    parts = ["# Targets", _table(("Target", "Kind", "Distribution", "Description"), rows)]
    for target in targets:
        parts += [f"({_anchor(target.name)})=\n## {target.name}", _target(target)]
    return _page(parts)


def diagnostics_page() -> str:
    """Return the table of all codes of diagnostics."""
    rows = [
        (f"`{d.code}`", d.severity, d.title, d.hint)
        for d in (listed.definition for listed in all_codes())
    ]
    intro = (
        "A diagnostic has a stable code. `error`: the verb cannot go on; `loss`: numbers will "
        "change; `info`: nothing changes. `strict=True` and `--strict` turn losses into errors."
    )
    return _page(["# Diagnostics", intro, _table(("Code", "Severity", "Meaning", "Advice"), rows)])


def errors_page() -> str:
    """Return the classes of errors with their bases and meanings."""
    classes = [
        value
        for value in vars(errors).values()
        if inspect.isclass(value) and issubclass(value, errors.RanvierError)
    ]
    rows = [
        (
            f"`{cls.__name__}`",
            ", ".join(f"`{base.__name__}`" for base in cls.__bases__),
            (inspect.getdoc(cls) or "").splitlines()[0],
        )
        for cls in classes
    ]
    intro = "Every error that ranvier raises on purpose; all are in `ranvier.errors`."
    return _page(["# Errors", intro, _table(("Error", "Is a", "Meaning"), rows)])


def _help_of(command, path):
    context = command.context_class(command, info_name=path, terminal_width=98)
    return command.get_help(context)


def _plugin_options(command):
    """Return a table of the options that each plugin adds to a command; empty if none does."""
    rows = []
    for target in manager().targets.values():
        found = {
            verb: manager().call("ranvier_options", target, verb=verb, target=target)
            for verb in OPTION_VERBS.get(command, ())
        }
        models = {verb: model for verb, model in found.items() if model is not None}
        for flag in flags_of(models):
            default = flag.info.get_default(call_default_factory=False)
            shown = "required" if flag.info.is_required() else f"`{default}`"
            rows.append((f"`{target.name}`", f"`{flag.flag}`", shown, flag.info.description or ""))
    return _table(("Target", "Option", "Default", "Meaning"), rows) if rows else ""


def _target(target: Target) -> str:
    about = [target.description + "."]
    if target.vendor:
        about.append(f"Vendor: {target.vendor}.")
    about.append(f"Node kinds: {', '.join(f'`{kind}`' for kind in target.node_kinds)}.")
    rows = [_fact(name, fact) for name, fact in target.facts.items()]
    return " ".join(about) + "\n\n" + _table(("Fact", "Value", "Certainty", "Source"), rows)


def _fact(name: str, fact: Fact) -> tuple[str, str, str, str]:
    value = "unlimited or unknown" if fact.value is None else str(fact.value)
    return f"`{name}`", value, fact.certainty, fact.source


def _anchor(name: str) -> str:
    return f"target-{name}"


def _console(command: str, text: str) -> str:
    prompt = f"$ {command}\n" if command else ""
    return f"```text\n{prompt}{text.rstrip()}\n```"


def _table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [columns, tuple("---" for _ in columns), *rows]
    cells = ((cell.replace("|", "\\|").replace("\n", " ") for cell in line) for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def _page(parts: list[str]) -> str:
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    for page in write_pages():
        print(page, file=sys.stderr)
