"""The targets of this plugin and their limits, read from the manifest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ranvier.errors import ChipNotFoundError
from ranvier.target import Manifest, Target, read_manifest

CHIP = "loihi"
MODULE = "ranvier_loihi.plugin"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one chip of the family holds; the names are those of the manifest's facts.

    Parameters
    ----------
    cores_per_chip, neurons_per_core : int
        Sizes.
    axons_in_per_core, axons_out_per_core : int
        Most distinct sources that reach a core, and most (neuron, target core) pairs that leave it.
    synapse_words_per_core, bits_per_word : int
        Synaptic memory.
    overhead_bits_per_synapse, overhead_bits_per_axon : int
        Memory besides the weight bits.
    convolution_shared : bool
        Whether a core stores the kernel of a convolution once, not every synapse.
    groups_per_core, thresholds_per_core : int
        Most different sets of neuron parameters, and of thresholds, on one core.
    payload_bits_max : int
        Most bits of a graded spike; 0: spikes are binary.
    weight_bits_max, weight_min, weight_max, weight_exp_min, weight_exp_max : int
        Weights: ``weight * 2**exp``.
    delay_max : int
        Most steps of a synaptic delay.
    state_bits : int
        Width of currents and voltages, with sign.
    decay_max, threshold_max, bias_mant_min, bias_mant_max, bias_exp_max, refractory_max : int
        Ranges of the neuron's registers.
    """

    cores_per_chip: int
    neurons_per_core: int
    axons_in_per_core: int
    axons_out_per_core: int
    synapse_words_per_core: int
    bits_per_word: int
    overhead_bits_per_synapse: int
    overhead_bits_per_axon: int
    convolution_shared: bool
    groups_per_core: int
    thresholds_per_core: int
    payload_bits_max: int
    weight_bits_max: int
    weight_min: int
    weight_max: int
    weight_exp_min: int
    weight_exp_max: int
    delay_max: int
    state_bits: int
    decay_max: int
    threshold_max: int
    bias_mant_min: int
    bias_mant_max: int
    bias_exp_max: int
    refractory_max: int


@cache
def manifest() -> Manifest:
    """Return the manifest beside this module."""
    return read_manifest(Path(__file__).with_name("manifest.toml"), chip=CHIP, module=MODULE)


@cache
def target_named(name: str) -> Target:
    """Return a target of this plugin.

    Raises
    ------
    ChipNotFoundError
        There is no such target; the message lists those there are.
    """
    known = {target.name: target for target in manifest().targets}
    if name not in known:
        raise ChipNotFoundError(f"loihi: no target {name!r}; targets: {', '.join(known)}")
    return known[name]


@cache
def limits_of(name: str) -> Limits:
    """Return the limits of a target by its name; raises `ChipNotFoundError` otherwise."""
    target = target_named(name)
    counts = {n: target.limit(n) for n in Limits.__dataclass_fields__ if n != "convolution_shared"}
    shared = bool(target.fact("convolution_shared").value)
    return Limits(convolution_shared=shared, **counts)


def boards_of(name: str) -> dict[str, int]:
    """Return the chips of each board of a target, ``{"kapoho-point": 8}``."""
    found: dict[str, int] = {}
    for fact in target_named(name).facts:
        if fact.startswith("board_") and fact.endswith("_chips"):
            board = fact.removeprefix("board_").removesuffix("_chips").replace("_", "-")
            found[board] = target_named(name).limit(fact)
    return found
