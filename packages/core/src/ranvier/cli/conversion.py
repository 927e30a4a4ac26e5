"""Commands that write other forms: convert, export."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import FileError
from .console import Output
from .flags import (
    ConfigArgument,
    ConventionOption,
    DtOption,
    JsonFlag,
    QuietFlag,
    ResetOption,
    SchemeOption,
)
from .inputs import check_exists, load_as, read_network, save_artifact
from .outputs import check_writable

if TYPE_CHECKING:
    from ..diagnostics import Diagnostic

_EVENTS = (".bs1", ".bs2", ".npy", ".npz")


def convert_file(
    source: Annotated[Path, typer.Argument(help="File to read.", metavar="SOURCE")],
    destination: Annotated[
        Path, typer.Argument(help="File to write; its ending chooses the format.", metavar="OUT")
    ],
    dt: DtOption = None,
    convention: ConventionOption = None,
    reset: ResetOption = None,
    scheme: SchemeOption = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> None:
    """Convert networks, events or recordings.

    Networks: .nir, .rv and the formats of plugins, both ways. Events: .bs1, .bs2, .npy, .npz, both
    ways. Recordings: .rv to .npz.
    """
    output = Output(as_json=as_json, quiet=quiet)
    check_exists(source)
    if destination.exists() and destination.samefile(source):
        raise FileError(f"{destination}: is the source itself; name another output")
    noted: tuple[Diagnostic, ...] = ()
    if source.suffix.lower() in _EVENTS:
        kind = _convert_events(source, destination)
    elif source.suffix.lower() == ".rv" and destination.suffix.lower() == ".npz":
        kind = _unpack_recording(source, destination)
    else:
        given = {"dt": dt, "convention": convention, "reset": reset, "scheme": scheme}
        kind, noted = "network", _convert_network(source, destination, given)
    output.text(f"{kind}: {source} -> {destination}")
    output.diagnostics(noted)
    output.document(
        {
            "kind": kind,
            "source": source,
            "file": destination,
            "diagnostics": [d.to_dict() for d in noted],
        }
    )


def export_config(
    config: ConfigArgument,
    directory: Annotated[
        Path, typer.Argument(help="Folder for the files; created if missing.", metavar="DIR")
    ],
    form: Annotated[
        str, typer.Option("--form", help="Vendor form, as the plugin names it.", metavar="NAME")
    ],
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> None:
    """Write a configuration in a vendor's form."""
    from ..artifacts import ChipConfig
    from ..plugins import manager

    output = Output(as_json=as_json, quiet=quiet)
    chip = load_as(config, ChipConfig)
    target = manager().target(chip.target)
    is_new = not directory.exists()
    make_folder(directory)
    written = None
    try:
        written = manager().call(
            "ranvier_export", target, config=chip, directory=directory, form=form
        )
    finally:
        if is_new and not written:
            with suppress(OSError):
                directory.rmdir()
    if written is None:
        raise FileError(
            f"{chip.target}: its plugin has no form {form!r}; its page in the documentation lists "
            "the forms it writes"
        )
    for path in written:
        output.text(str(path))
    output.document({"target": chip.target, "form": form, "files": list(written)})


def make_folder(directory: Path) -> None:
    """Create a folder if it is missing; raises `FileError` if that cannot be done."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(
            f"{directory}: cannot be used as a folder ({error.strerror or error})"
        ) from error


def _convert_events(source: Path, destination: Path) -> str:
    from ..events import read_events, write_events

    check_writable(destination, suffixes=_EVENTS)
    write_events(read_events(source), destination)
    return "events"


def _unpack_recording(source: Path, destination: Path) -> str:
    from ..artifacts import Recording
    from .spikes import write_recording

    check_writable(destination, suffixes=(".npz",))
    write_recording(load_as(source, Recording), destination)
    return "recording"


def _convert_network(
    source: Path, destination: Path, given: dict[str, Any]
) -> tuple[Diagnostic, ...]:
    """Convert a network; return what reading and writing lost or chose."""
    from .. import files

    graph = read_network(source, **given)
    if destination.suffix.lower() == ".rv":
        save_artifact(graph, destination)
        return graph.diagnostics
    return (*graph.diagnostics, *(files.write(graph, destination) or ()))
