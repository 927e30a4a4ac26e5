"""What can be wrong with the registers of a Xylo configuration, as sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .targets import Limits

if TYPE_CHECKING:
    from .config import XyloConfig

_FLOATS = ("v_lsb", "v_lsb_out", "v_offset_out", "i_lsb", "i_lsb_out")


def shape_problems(config: XyloConfig, *, synapses: int) -> list[str]:
    """Return arrays whose axes or sizes do not fit each other, or that are no integers."""
    n_hid, n_out = np.size(config.threshold), np.size(config.threshold_out)
    n_syn = config.dash_syn.shape[-1] if config.dash_syn.ndim == 2 else 1
    expected: dict[str, tuple[int | None, ...]] = {
        "weights_in": (None, None, n_syn),
        "weights_rec": (n_hid, n_hid, n_syn),
        "weights_out": (None, n_out),
        "dash_syn": (n_hid, n_syn),
        "i_lsb": (n_hid, n_syn),
        **dict.fromkeys(("threshold", "dash_mem", "bias", "aliases", "v_lsb"), (n_hid,)),
        **dict.fromkeys(("threshold_out", "dash_mem_out", "dash_syn_out", "bias_out"), (n_out,)),
        **dict.fromkeys(("v_lsb_out", "v_offset_out", "i_lsb_out"), (n_out,)),
    }
    problems = []
    for name, shape in expected.items():
        array = getattr(config, name)
        fits = array.ndim == len(shape) and all(
            want is None or have == want for have, want in zip(array.shape, shape, strict=True)
        )
        if not fits:
            text = ", ".join("any" if size is None else str(size) for size in shape)
            problems.append(f"{name} has shape {array.shape}, expected ({text})")
        if name not in _FLOATS and not np.issubdtype(array.dtype, np.integer):
            problems.append(f"{name} has dtype {array.dtype}; registers hold integers")
    if not 1 <= n_syn <= synapses:
        problems.append(f"dash_syn has {n_syn} synapses per neuron, allowed are 1..{synapses}")
    for name in ("threshold", "threshold_out"):
        if not np.size(getattr(config, name)):
            problems.append(f"{name} is empty; a network needs hidden and output neurons")
    return problems


def range_problems(config: XyloConfig, limits: Limits) -> list[str]:
    """Return registers whose values do not fit their width."""
    weight = (limits.weight_min, limits.weight_max)
    dash = (limits.dash_min, limits.dash_max)
    threshold = (limits.threshold_min, limits.threshold_max)
    ranges = {
        **dict.fromkeys(("weights_in", "weights_rec", "weights_out"), weight),
        **dict.fromkeys(("dash_mem", "dash_syn", "dash_mem_out", "dash_syn_out"), dash),
        **dict.fromkeys(("threshold", "threshold_out"), threshold),
        **dict.fromkeys(("bias", "bias_out"), (limits.bias_min, limits.bias_max)),
        **dict.fromkeys(
            ("weight_shift_in", "weight_shift_rec", "weight_shift_out"),
            (0, limits.weight_shift_max),
        ),
        "aliases": (-1, config.n_hid - 1),
    }
    problems = []
    for name, (low, high) in ranges.items():
        found = _outside(getattr(config, name), low, high)
        if found:
            problems.append(f"{name} spans {found}, allowed are {low}..{high}")
    for name in _FLOATS:
        if not np.all(np.isfinite(getattr(config, name))):
            problems.append(f"{name} has NaN or infinite values")
    return problems


def _outside(values: Any, low: int, high: int) -> str:
    array = np.asarray(values)
    if array.size and (array.min() < low or array.max() > high):
        return f"{array.min()}..{array.max()}"
    return ""


def limit_problems(config: XyloConfig, limits: Limits) -> list[str]:
    """Return the resources of the chip that are exceeded, and aliases against its rules."""
    pairs = config.recurrent_pairs
    used = [
        ("input channels", config.n_in, limits.input_channels),
        ("hidden neurons", config.n_hid, limits.hidden_neurons),
        ("output neurons", config.n_out, limits.output_neurons),
        ("neurons with input", config.n_ien, limits.input_expansion_neurons),
        ("neurons with output", config.n_oen, limits.output_expansion_neurons),
        ("recurrent targets of one neuron", int(pairs.sum(axis=1).max()), limits.fan_out),
        ("recurrent weights", int(pairs.sum()), limits.recurrent_weights),
    ]
    problems = [f"{what}: {n}, the chip has {limit}" for what, n, limit in used if n > limit]
    for what, n in (("n_ien", config.n_ien), ("n_oen", config.n_oen)):
        if n > config.n_hid:
            problems.append(f"{what} is {n}, more than the {config.n_hid} hidden neurons")
    source = np.flatnonzero(config.aliases >= 0)
    downwards = source[config.aliases[source] <= source]
    if downwards.size:
        first = int(downwards[0])
        problems.append(
            f"aliases: neuron {first} has its alias at {int(config.aliases[first])}; "
            "an alias must point to a higher id"
        )
    return problems


def placement_problems(config: XyloConfig) -> list[str]:
    """Return ports whose slots are not exactly the neurons (or channels) of the chip."""
    problems = []
    for port, size in (("input", config.n_in), ("hidden", config.n_hid), ("output", config.n_out)):
        slots = [slot for slot, _, _ in config.placement.owners_of(port=port)]
        if slots != list(range(size)):
            problems.append(
                f"placement: {port} has {len(slots)} slots, expected 0..{size - 1} once"
            )
    return problems
