"""The target of this plugin and its limits, read from the manifest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ranvier.errors import ChipNotFoundError
from ranvier.target import Manifest, Target, read_manifest

CHIP = "bss2"
MODULE = "ranvier_bss2.plugin"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What the chip holds; the names are those of the manifest's facts.

    Parameters
    ----------
    neuron_circuits, columns, arrays : int
        Circuits, and how they are laid out: circuit ``row * columns + column`` is fed by column
        ``column`` of synapse array ``row``.
    rows, drivers, buses, rows_per_bus : int
        Per array: synapse rows, drivers of two rows each, buses, rows that one bus reaches.
    weight_max, label_max, row_address_max : int
        Ranges of synapse weight, synapse label and row address.
    event_outputs, event_address_max, external_links, background_sources : int
        Sources of events.
    background_period_max, background_rate_max, background_seed_max, background_channels_max : int
        Ranges of a background generator: cycles, threshold of its draws, seed, and labels that it
        chooses from.
    signed_fan_in : int
        Signed inputs of one circuit.
    cadc_max, madc_max, capmem_max, membrane_capacitance_max : int
        Ranges of converters and parameters.
    cadc_samples_sram, cadc_samples_dram : int
        Samples that one run can record.
    madc_neurons_hxtorch, madc_neurons_pynn : int
        Neurons whose membrane the fast converter records in one run.
    timer_max : int
        Longest run, in cycles of the event clock.
    """

    neuron_circuits: int
    columns: int
    arrays: int
    rows: int
    drivers: int
    buses: int
    rows_per_bus: int
    weight_max: int
    label_max: int
    row_address_max: int
    event_outputs: int
    event_address_max: int
    external_links: int
    background_sources: int
    background_period_max: int
    background_rate_max: int
    background_seed_max: int
    background_channels_max: int
    signed_fan_in: int
    cadc_max: int
    madc_max: int
    capmem_max: int
    membrane_capacitance_max: int
    cadc_samples_sram: int
    cadc_samples_dram: int
    madc_neurons_hxtorch: int
    madc_neurons_pynn: int
    timer_max: int


@cache
def manifest() -> Manifest:
    """Return the manifest beside this module."""
    return read_manifest(Path(__file__).with_name("manifest.toml"), chip=CHIP, module=MODULE)


@cache
def target_named(name: str = CHIP) -> Target:
    """Return a target of this plugin.

    Raises
    ------
    ChipNotFoundError
        There is no such target; the message lists those there are.
    """
    known = {target.name: target for target in manifest().targets}
    if name not in known:
        raise ChipNotFoundError(f"bss2: no target {name!r}; targets: {', '.join(known)}")
    return known[name]


@cache
def limits_of(name: str = CHIP) -> Limits:
    """Return the limits of a target by its name; raises `ChipNotFoundError` otherwise."""
    target = target_named(name)
    return Limits(**{n: target.limit(n) for n in Limits.__dataclass_fields__})
