"""Biases outside of the network's own: buffers that boards need, and codes set by hand."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ranvier.diagnostics import Diagnostic

from .. import diagnostics as codes
from ..biases import (
    BUFFER_BIASES,
    CORE_BIASES,
    PARAMETER_BIASES,
    SCALE_FACTORS,
    WEIGHT_BIASES,
    BiasCode,
)
from ..config.codes import CHIP_BIASES, EXTRA_CORE_BIASES
from ._biases import resting_currents
from ._task import Task


def refuse_by_hand(task: Task) -> None:
    """Report biases of the options that do not exist, and codes out of range."""
    limits = task.limits
    for name, (coarse, fine) in task.options.biases.items():
        if name not in SCALE_FACTORS:
            close = difflib.get_close_matches(name, SCALE_FACTORS, n=3)
            advice = f"; did you mean {', '.join(close)}?" if close else ""
            text = f"there is no bias {name!r}{advice}"
            task.findings.add(codes.UNKNOWN_BIAS.at(None, text, value=name))
        if not (0 <= coarse < limits.coarse_codes and 0 <= fine < limits.fine_codes):
            text = (
                f"{name}: code ({coarse}, {fine}) is out of range; coarse is 0.."
                f"{limits.coarse_codes - 1}, fine 0..{limits.fine_codes - 1}"
            )
            limit = f"0..{limits.coarse_codes - 1}, 0..{limits.fine_codes - 1}"
            task.findings.add(
                codes.BIAS_CODE_RANGE.at(None, text, value=f"{coarse}, {fine}", limit=limit)
            )


def bias_registers(per_core: Mapping[int, Mapping[str, BiasCode]], task: Task) -> dict[str, Any]:
    """Return names and codes of all biases of a board, as the configuration has them.

    Cores without neurons get the default neuron, which is silent, and no weights.

    Parameters
    ----------
    per_core : mapping of int to mapping of str to BiasCode
        All of `CORE_BIASES` by core that holds neurons.
    task : Task
        Its options replace and add codes.
    """
    by_hand = task.options.biases
    names = dict.fromkeys((*CORE_BIASES, *EXTRA_CORE_BIASES))
    names |= dict.fromkeys(name for name in by_hand if name not in CHIP_BIASES)
    resting = _resting(task)
    extra = {name: BiasCode(*BUFFER_BIASES[name]) for name in EXTRA_CORE_BIASES}
    rows = []
    for core in range(task.n_cores):
        own = {**extra, **per_core.get(core, resting), **_codes(by_hand)}
        rows.append([own[name] for name in names])
    chip = {**{name: BUFFER_BIASES[name] for name in CHIP_BIASES}, **by_hand}
    chips = task.network.chips
    core_codes = np.array(rows, dtype=np.uint8)
    core_codes = core_codes.reshape(chips, task.limits.cores_per_chip, len(names), 2)
    chip_codes = np.array([[chip[name] for name in CHIP_BIASES]] * chips, dtype=np.uint8)
    return {
        "bias_names": tuple(names),
        "bias_coarse": core_codes[..., 0],
        "bias_fine": core_codes[..., 1],
        "chip_bias_names": CHIP_BIASES,
        "chip_bias_coarse": chip_codes[..., 0],
        "chip_bias_fine": chip_codes[..., 1],
    }


def by_hand_notes(task: Task) -> Iterator[Diagnostic]:
    """Yield which biases of the network the options replace."""
    for name, code in task.options.biases.items():
        if name in CORE_BIASES:
            text = f"{name} is {tuple(code)} on every core"
            yield codes.BIAS_BY_HAND.at(None, text, value=name)


def _codes(pairs: Mapping[str, tuple[int, int]]) -> dict[str, BiasCode]:
    return {name: BiasCode(*pair) for name, pair in pairs.items()}


def _resting(task: Task) -> dict[str, BiasCode]:
    """Return codes for a core without neurons."""
    resting = {
        PARAMETER_BIASES[name]: task.table.code(PARAMETER_BIASES[name], current)
        for name, current in resting_currents().items()
    }
    return resting | dict.fromkeys(WEIGHT_BIASES, BiasCode(0, 0))
