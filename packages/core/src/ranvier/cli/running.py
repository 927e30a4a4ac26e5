"""Commands that run a configured chip: simulate, deploy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .console import Output
from .flags import (
    BinOption,
    ConfigArgument,
    JsonFlag,
    QuietFlag,
    RecordingOption,
    RecordOption,
    SameTargetOption,
    SpikesArgument,
    TrialSeedOption,
)
from .inputs import load_as
from .outputs import check_target, check_writable
from .spikes import read_spikes, write_recording

if TYPE_CHECKING:
    from ..artifacts import AbstractSession, ChipConfig, Recording, Signal


def simulate_config(
    config: ConfigArgument,
    spikes: SpikesArgument,
    target: SameTargetOption = None,
    out: RecordingOption = None,
    record: RecordOption = None,
    dt: BinOption = None,
    trial_seed: TrialSeedOption = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
    *,
    options: Mapping[str, Any],
) -> None:
    """Run the chip's simulator on spikes."""
    from .. import pipeline

    output = Output(as_json=as_json, quiet=quiet)
    chip, given = _prepare(config, spikes, target=target, out=out, dt=dt)
    with (
        output.progress(f"simulating {chip.target}"),
        pipeline.open_simulation(chip, **options) as session,
    ):
        recording = _run(session, given, record, trial_seed)
    _finish(recording, chip, out, output)


def deploy_config(
    config: ConfigArgument,
    spikes: SpikesArgument,
    device: Annotated[
        str,
        typer.Option(
            "--device",
            "-d",
            help="Id from `ranvier devices`, or loopback: the simulator behind the driver.",
            metavar="ID",
        ),
    ],
    target: SameTargetOption = None,
    out: RecordingOption = None,
    record: RecordOption = None,
    dt: BinOption = None,
    trial_seed: TrialSeedOption = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
    *,
    options: Mapping[str, Any],
) -> None:
    """Run spikes on an attached device, or on the loopback."""
    from .. import pipeline

    output = Output(as_json=as_json, quiet=quiet)
    chip, given = _prepare(config, spikes, target=target, out=out, dt=dt)
    with (
        output.progress(f"running on {device}"),
        pipeline.deploy(chip, device=device, **options) as session,
    ):
        recording = _run(session, given, record, trial_seed)
    _finish(recording, chip, out, output)


def _prepare(
    path: Path, spikes: Path, *, target: str | None, out: Path | None, dt: float | None
) -> tuple[ChipConfig, tuple[Any, Any]]:
    """Check where the recording goes, then return the configuration and the spikes for it."""
    from ..artifacts import ChipConfig

    check_writable(out, suffixes=(".rv", ".npz"))
    config = load_as(path, ChipConfig)
    check_target(path, config.target, target)
    return config, read_spikes(
        spikes, shapes=config.input_shapes, dt=config.dt if dt is None else dt
    )


def _run(
    session: AbstractSession,
    given: tuple[Any, Any],
    record: Sequence[str] | None,
    trial_seed: int | None,
) -> Recording:
    values, lengths = given
    wanted: Sequence[str] | bool = True if record == ["all"] else record or ()
    return session.run(values, record=wanted, lengths=lengths, trial_seed=trial_seed)


def _finish(recording: Recording, config: ChipConfig, out: Path | None, output: Output) -> None:
    """Write the recording and summarise it."""
    if out is not None:
        write_recording(recording, out)
    rows = [_summary(key, signal) for key, signal in recording.signals.items()]
    output.table(
        ("SIGNAL", "UNIT", "SHAPE", "SAMPLES", "STEPS", "SPIKES", "RATE / HZ", "MIN", "MAX"),
        [[row[name] for name in _COLUMNS] for row in rows],
        title=f"{config.target}, dt = {config.dt:g} s",
    )
    output.text(f"written to {out}" if out else "nothing was written; keep it with --out FILE.rv")
    output.diagnostics(recording.diagnostics)
    output.document(
        {
            "kind": "recording",
            "target": config.target,
            "dt": recording.dt,
            "outputs": recording.outputs,
            "latency": recording.latency,
            "signals": rows,
            "diagnostics": [d.to_dict() for d in recording.diagnostics],
            "provenance": recording.provenance,
            "file": out,
        }
    )


_COLUMNS = ("signal", "unit", "shape", "samples", "steps", "spikes", "rate_hz", "min", "max")


def _summary(key: tuple[str, str], signal: Signal) -> dict[str, Any]:
    """Return size and activity of one signal; rates are per neuron, in Hz of model time."""
    from ..artifacts import SpikeTrain

    row: dict[str, Any] = dict.fromkeys(_COLUMNS)
    row |= {"signal": ".".join(key), "unit": "", "shape": signal.shape}
    if isinstance(signal, SpikeTrain):
        neurons = math.prod(signal.shape)
        seconds = signal.n_samples * signal.n_ticks * signal.tick_duration * neurons
        rate = signal.total / seconds if seconds else 0.0
        return row | {
            "samples": signal.n_samples,
            "steps": signal.n_ticks,
            "spikes": signal.total,
            "rate_hz": rate,
        }
    values = signal.model
    row |= {"unit": signal.unit, "samples": values.shape[0], "steps": values.shape[1]}
    if values.size:
        row |= {"min": float(values.min()), "max": float(values.max())}
    return row
