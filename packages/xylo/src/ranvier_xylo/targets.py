"""The targets of this plugin and their limits, read from the manifest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ranvier.errors import ChipNotFoundError
from ranvier.target import Manifest, Target, read_manifest

CHIP = "xylo"
MODULE = "ranvier_xylo.plugin"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one chip of the family holds; the names are those of the manifest's facts.

    Parameters
    ----------
    core_version : {1, 2}
        Which membrane rule the core has.
    bias : bool
        Whether membranes have a bias.
    input_channels, hidden_neurons, output_neurons : int
        Most of each.
    synapses_per_hidden_neuron, synapses_per_output_neuron : int
        Synaptic states per neuron.
    input_expansion_neurons, output_expansion_neurons : int
        Most hidden neurons that receive input, and that drive outputs.
    fan_out : int
        Most recurrent targets of one hidden neuron.
    recurrent_weights : int
        Most recurrent weights in all.
    weight_min, weight_max, weight_shift_max : int
        Range of the weights, and their largest left shift.
    dash_min, dash_max : int
        Range of the decay shifts.
    threshold_min, threshold_max, bias_min, bias_max : int
        Ranges of these registers.
    input_count_max : int
        Most input spikes of one channel in one step.
    hidden_spikes_max, output_spikes_max : int
        Most spikes of one neuron in one step.
    """

    core_version: int
    bias: bool
    input_channels: int
    hidden_neurons: int
    output_neurons: int
    synapses_per_hidden_neuron: int
    synapses_per_output_neuron: int
    input_expansion_neurons: int
    output_expansion_neurons: int
    fan_out: int
    recurrent_weights: int
    weight_min: int
    weight_max: int
    weight_shift_max: int
    dash_min: int
    dash_max: int
    threshold_min: int
    threshold_max: int
    bias_min: int
    bias_max: int
    input_count_max: int
    hidden_spikes_max: int
    output_spikes_max: int


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
        raise ChipNotFoundError(f"xylo: no target {name!r}; targets: {', '.join(known)}")
    return known[name]


@cache
def limits_of(name: str) -> Limits:
    """Return the limits of a target by its name; raises `ChipNotFoundError` otherwise."""
    target = target_named(name)
    counts = {n: target.limit(n) for n in Limits.__dataclass_fields__ if n != "bias"}
    return Limits(bias=bool(target.fact("bias").value), **counts)
