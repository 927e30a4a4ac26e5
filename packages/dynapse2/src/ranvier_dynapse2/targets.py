"""The target of this plugin and its limits, read from the manifest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ranvier.errors import ChipNotFoundError
from ranvier.target import Manifest, Target, read_manifest

CHIP = "dynapse2"
MODULE = "ranvier_dynapse2.plugin"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a board holds; the names are those of the manifest's facts.

    Parameters
    ----------
    chips, cores_per_chip, neurons_per_core : int
        Sizes.
    synapses_per_neuron : int
        CAM entries of a neuron: its largest fan-in.
    destinations_per_neuron : int
        SRAM words of a neuron: packets that one spike sends.
    tags : int
        Different tags, 0..tags - 1.
    hop_max : int
        Largest distance of a destination along one axis, in chips.
    weight_bits : int
        Base currents per core; a synapse adds up any subset.
    coarse_codes, fine_codes : int
        Codes of the bias generator.
    """

    chips: int
    cores_per_chip: int
    neurons_per_core: int
    synapses_per_neuron: int
    destinations_per_neuron: int
    tags: int
    hop_max: int
    weight_bits: int
    coarse_codes: int
    fine_codes: int


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
        raise ChipNotFoundError(f"dynapse2: no target {name!r}; targets: {', '.join(known)}")
    return known[name]


@cache
def limits_of(name: str = CHIP) -> Limits:
    """Return the limits of a target by its name; raises `ChipNotFoundError` otherwise."""
    target = target_named(name)
    return Limits(**{n: target.limit(n) for n in Limits.__dataclass_fields__})
