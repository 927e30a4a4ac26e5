"""Checks of a configuration: shapes, types and ranges of every register, and references."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..biases import CORE_BIASES, SCALE_FACTORS
from ..biases.table import SHAPE as TABLE_SHAPE
from ..targets import Limits
from ._places import placement_problems
from .codes import CAM_FLAGS, DENDRITES, LATCHES, MODELS

if TYPE_CHECKING:
    from .configuration import Dynapse2Config

_AXES = ("chip", "core", "neuron", "entry")
_SHOWN = 5


def register_problems(config: Dynapse2Config, limits: Limits) -> list[str]:
    """Return every problem of a configuration as a sentence with number, limit and place.

    Parameters
    ----------
    config : Dynapse2Config
        What is checked; nothing about its arrays is taken for granted.
    limits : Limits
        Of the target.

    Returns
    -------
    list of str
        Empty if the configuration can be written to a board.
    """
    problems = list(_name_problems(config, limits))
    shaped = [p for n, k, s in _expected(config, limits) for p in _form(config, n, k, s)]
    if shaped:
        return [*problems, *shaped]
    for name, least, most in _ranges(limits):
        problems += _outside(config, name, least, most)
    problems += _flag_problems(config)
    problems += _unused_problems(config)
    problems += _real_problems(config)
    problems += _channel_problems(config)
    if not problems:
        problems += placement_problems(config, limits)
    return problems


def _name_problems(config: Dynapse2Config, limits: Limits) -> Iterator[str]:
    if config.model not in MODELS:
        yield f"model {config.model!r} is unknown; models: {', '.join(MODELS)}"
    if config.chips > limits.chips:
        yield f"chips is {config.chips}, a board has at most {limits.chips}"
    for field in ("bias_names", "chip_bias_names"):
        names = getattr(config, field)
        unknown = [n for n in names if n not in SCALE_FACTORS]
        twice = sorted({n for n in names if names.count(n) > 1})
        if unknown:
            yield f"{field}: unknown biases {unknown[:_SHOWN]}; see ranvier_dynapse2.biases"
        if twice:
            yield f"{field}: {twice[:_SHOWN]} appear more than once"
    missing = [n for n in CORE_BIASES if n not in config.bias_names]
    if missing:
        yield f"bias_names: {missing[:_SHOWN]} are missing ({len(missing)} of {len(CORE_BIASES)})"


def _expected(
    config: Dynapse2Config, limits: Limits
) -> Iterator[tuple[str, str, tuple[int, ...] | None]]:
    """Yield field, dtype and shape; a shape of None is one axis as long as ``input_channel``."""
    cores = (config.chips, limits.cores_per_chip)
    neurons = (*cores, limits.neurons_per_core)
    cam = (*neurons, limits.synapses_per_neuron)
    words = (*neurons, limits.destinations_per_neuron)
    for name in ("bias_coarse", "bias_fine"):
        yield name, "uint8", (*cores, len(config.bias_names))
    for name in ("chip_bias_coarse", "chip_bias_fine"):
        yield name, "uint8", (config.chips, len(config.chip_bias_names))
    yield "latches", "bool", (*neurons, len(LATCHES))
    for name in ("cam_mask", "cam_dendrite", "cam_flags"):
        yield name, "uint8", cam
    yield "cam_tag", "uint16", cam
    yield "sram_used", "bool", words
    for prefix, shape in (("sram", words), ("input", None)):
        yield f"{prefix}_tag", "uint16", shape
        yield f"{prefix}_cores", "uint8", shape
        yield f"{prefix}_x", "int8", shape
        yield f"{prefix}_y", "int8", shape
    yield "input_channel", "int64", None
    for name in ("i_scale", "drive_factor"):
        yield name, "float64", cores
    yield "bias_table", "float64", TABLE_SHAPE


def _form(
    config: Dynapse2Config, name: str, kind: str, shape: tuple[int, ...] | None
) -> Iterator[str]:
    array = getattr(config, name)
    wanted = (np.size(config.input_channel),) if shape is None else shape
    if array.shape != wanted:
        yield f"{name} has shape {array.shape}, expected {wanted}"
    if array.dtype != kind:
        yield f"{name} is {array.dtype}, expected {kind}"


def _ranges(limits: Limits) -> Iterator[tuple[str, int, int]]:
    """Yield field, smallest and largest value."""
    for prefix in ("bias", "chip_bias"):
        yield f"{prefix}_coarse", 0, limits.coarse_codes - 1
        yield f"{prefix}_fine", 0, limits.fine_codes - 1
    yield "cam_tag", 0, limits.tags - 1
    yield "cam_mask", 0, (1 << limits.weight_bits) - 1
    yield "cam_dendrite", 0, len(DENDRITES) - 1
    yield "cam_flags", 0, (1 << len(CAM_FLAGS)) - 1
    for prefix in ("sram", "input"):
        yield f"{prefix}_tag", 0, limits.tags - 1
        yield f"{prefix}_cores", 0, (1 << limits.cores_per_chip) - 1
        yield f"{prefix}_x", -limits.hop_max, limits.hop_max
        yield f"{prefix}_y", -limits.hop_max, limits.hop_max


def _outside(config: Dynapse2Config, name: str, least: int, most: int) -> Iterator[str]:
    array = getattr(config, name)
    if not array.size or (int(array.min()) >= least and int(array.max()) <= most):
        return
    bad = (array < least) | (array > most)
    first = int(np.flatnonzero(bad)[0])
    yield (
        f"{name} is {int(array.flat[first])} at {_place(config, name, array, first)}, allowed are "
        f"{least}..{most} ({int(bad.sum())} value(s))"
    )


def _place(config: Dynapse2Config, name: str, array: NDArray[Any], flat: int) -> str:
    """Name a position of an array in words."""
    at = [int(k) for k in np.unravel_index(flat, array.shape)]
    if name.startswith("input_"):
        return f"row {at[0]}"
    if name in ("bias_coarse", "bias_fine"):
        return f"chip {at[0]}, core {at[1]}, bias {config.bias_names[at[2]]}"
    if name in ("chip_bias_coarse", "chip_bias_fine"):
        return f"chip {at[0]}, bias {config.chip_bias_names[at[1]]}"
    axes = (*_AXES[:3], "word") if name.startswith("sram_") else _AXES
    return ", ".join(f"{axis} {k}" for axis, k in zip(axes, at, strict=False))


def _flag_problems(config: Dynapse2Config) -> Iterator[str]:
    reach = (config.sram_cores == 0) & config.sram_used
    if reach.any():
        first = int(np.flatnonzero(reach)[0])
        yield (
            f"sram_cores is 0 in a word in use at {_place(config, 'sram_', reach, first)} "
            f"({int(reach.sum())} word(s)): its packets reach no core; set a bit per core, or "
            "sram_used to False"
        )


def _unused_problems(config: Dynapse2Config) -> Iterator[str]:
    """Look for values in CAM entries and SRAM words that are not in use."""
    free = config.cam_dendrite == 0
    masked = free & (config.cam_mask != 0)
    if masked.any():
        first = int(np.flatnonzero(masked)[0])
        yield (
            f"cam_mask is {int(config.cam_mask.flat[first])} without a dendrite at "
            f"{_place(config, 'cam_', masked, first)} ({int(masked.sum())} entries): give it a "
            "type of synapse, or mask 0"
        )
    for name, unused in (
        ("cam_tag", free),
        ("cam_flags", free),
        ("sram_tag", ~config.sram_used),
        ("sram_cores", ~config.sram_used),
        ("sram_x", ~config.sram_used),
        ("sram_y", ~config.sram_used),
    ):
        values = getattr(config, name)
        dirty = unused & (values != 0)
        if dirty.any():
            first = int(np.flatnonzero(dirty)[0])
            yield (
                f"{name} is {int(values.flat[first])} in an unused entry at "
                f"{_place(config, name, dirty, first)} ({int(dirty.sum())} entries); it must be 0"
            )


def _real_problems(config: Dynapse2Config) -> Iterator[str]:
    for name in ("i_scale", "drive_factor"):
        values = getattr(config, name)
        bad = ~(np.isfinite(values) & (values > 0))
        if bad.any():
            first = int(np.flatnonzero(bad)[0])
            yield (
                f"{name} is {values.flat[first]:g} at {_place(config, name, values, first)}; it "
                "must be finite and > 0"
            )
    table = config.bias_table
    if not np.all(np.isfinite(table)) or table.min() < 0:
        yield "bias_table has currents that are negative or not finite; all are finite, >= 0 A"


def _channel_problems(config: Dynapse2Config) -> Iterator[str]:
    channel, n = config.input_channel, config.n_channels
    bad = (channel < 0) | (channel >= n)
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        yield (
            f"input_channel is {int(channel[first])} in row {first}, the inputs have {n} channels, "
            f"0..{n - 1} ({int(bad.sum())} row(s))"
        )
