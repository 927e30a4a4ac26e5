"""What a stack cannot run, found before the chip is asked, with numbers and advice."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ranvier.diagnostics import Diagnostic
from ranvier.errors import DeviceError

from ..diagnostics import NO_GENERATOR, TRACES_END_EARLY
from ..records import CLOCK
from ..targets import target_named

if TYPE_CHECKING:
    from ..config import Bss2Config
    from .access import Access
    from .options import DeployOptions
    from .plan import Plan

LOOPBACK_ONLY = ("preset", "chip_seed", "variability")
PYNN_SWITCHES = {"leaky", "fire"}


def check(config: Bss2Config, plan: Plan, *, access: Access, options: DeployOptions) -> None:
    """Raise one `DeviceError` with everything that this stack cannot do.

    Parameters
    ----------
    config : Bss2Config
        What shall run.
    plan : Plan
        Its network.
    access : Access
        Device and stack.
    options : DeployOptions
        As the user chose.
    """
    problems = list(_option_problems(access, options))
    path = _hxtorch_problems if access.path == "hxtorch" else _pynn_problems
    problems += path(config)
    if options.placement == "config":
        problems += _shape_problems(config, plan)
    if problems:
        raise DeviceError(f"{access.name}: " + "; ".join(problems))


def cycles_of(config: Bss2Config, steps: int, *, where: str) -> int:
    """Return the length of a run in cycles of the event clock.

    Raises
    ------
    DeviceError
        The chip's timer does not last that long.
    """
    cycles, most = round(steps * config.chip_dt * CLOCK), config.limits.timer_max
    if cycles > most:
        raise DeviceError(
            f"{where}: a run of {steps} steps takes {cycles} cycles of the event clock, its timer "
            f"has {most} ({most / CLOCK:.1f} s); split the input into shorter runs"
        )
    return cycles


def early_ends(config: Bss2Config, steps: int) -> list[Diagnostic]:
    """Report populations whose traces end before the run does."""
    target, found = target_named(config.target), []
    for p in config.populations:
        if p.cadc == "off":
            continue
        period = float(str(target.fact(f"cadc_period_{p.cadc}").value))
        limit = target.limit(f"cadc_samples_{p.cadc}")
        wanted = math.ceil(steps * config.chip_dt / period - 1e-9)
        if wanted > limit:
            message = (
                f"{wanted} samples of {period * 1e6:g} us each, the memory ({p.cadc}) holds {limit}"
            )
            found.append(TRACES_END_EARLY.at(p.name, message, value=wanted, limit=limit))
    return found


def _option_problems(access: Access, options: DeployOptions) -> Iterator[str]:
    wrong = options.given(*LOOPBACK_ONLY)
    if wrong:
        yield (
            f"{', '.join(wrong)}: a chip has its own variability; leave it out, or use "
            "device='loopback'"
        )
    if options.calibration is not None and options.calibration.suffix.lower() == ".rv":
        yield (
            f"calibration: {options.calibration.name} is that of a virtual chip; give the file "
            "that calix wrote, or use device='loopback'"
        )
    foreign = options.given("init", "ann") if access.path == "pynn" else []
    if foreign:
        yield f"{', '.join(foreign)}: only for hxtorch; leave it out, or use device='hxtorch'"


def _hxtorch_problems(config: Bss2Config) -> Iterator[str]:
    for b in config.backgrounds:
        text = "hxtorch has no module for it"
        hint = "use the path 'pynn', or draw the spikes and give them as an input"
        yield str(NO_GENERATOR.at(b.name, text, value="hxtorch", hint=hint))
    for c in config.outputs:
        if c.quantity != "spikes" and config.population_of[c.node].cadc == "off":
            yield (
                f"output {c.output!r} shows the membrane of {c.node!r}, which is not recorded; map "
                "with cadc='sram' or 'dram', or let it show spikes"
            )
    memories = sorted({p.cadc for p in config.populations} - {"off"})
    if len(memories) > 1:
        yield (
            "the slow converter records through one memory, not through sram and dram; choose "
            "one of them for all populations"
        )


def _pynn_problems(config: Bss2Config) -> Iterator[str]:
    for b in config.backgrounds:
        if b.regular:
            text = "it is regular, PyNN's SpikeSourcePoissonOnChip is not"
            hint = "use rate_code, or give the spikes as an input"
            yield str(NO_GENERATOR.at(b.name, text, value="regular", hint=hint))
        elif b.size > 1:
            text = (
                f"it has {b.size} channels; whether the rate of PyNN's SpikeSourcePoissonOnChip is "
                "that of one or of all is not known"
            )
            hint = "use one node per channel"
            yield str(NO_GENERATOR.at(b.name, text, value=b.size, limit=1, hint=hint))
    large = [p for p in config.populations if p.circuits > 1]
    if large:
        yield (
            f"{', '.join(repr(p.name) for p in large)}: {max(p.circuits for p in large)} circuits "
            "per neuron, a neuron of PyNN has 1; use the path 'hxtorch'"
        )
    for p in config.populations:
        other = sorted(set(p.switches) ^ PYNN_SWITCHES)
        if other:
            yield (
                f"{p.name!r}: neurons that differ in {', '.join(other)} from leaky ones that fire; "
                "use the path 'hxtorch'"
            )
    shown = [c.output for c in config.outputs if c.quantity != "spikes"]
    if shown:
        yield (
            f"output {', '.join(map(repr, shown))} shows a membrane, PyNN has no slow converter; "
            "use the path 'hxtorch', or let it show spikes"
        )


def _shape_problems(config: Bss2Config, plan: Plan) -> Iterator[str]:
    columns = config.limits.columns
    for part in plan.parts:
        first = part.circuits[:, :1]
        rank = np.arange(part.circuits.shape[1])
        expected = first % columns + rank // 2 + rank % 2 * columns
        alone = part.circuits.shape[1] == 1
        if not alone and not np.array_equal(part.circuits, expected):
            yield (
                f"{part.population.name!r}: circuits of a neuron do not go column by column from "
                "the upper row, as hxtorch joins them; use placement='stack'"
            )
