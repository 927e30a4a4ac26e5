"""Where an object of the vendor's SDK differs from what was written to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..config.codes import CAM_FLAGS, DENDRITES, LATCHES
from .configuration import DENDRITE_CODES, maps_with

if TYPE_CHECKING:
    from ..config import Dynapse2Config


def differences(vendor: Any, config: Dynapse2Config) -> list[str]:
    """Return where an object of the SDK differs from what was written to it.

    Parameters
    ----------
    vendor : object
        From `build_configuration`, or read back from a board.
    config : Dynapse2Config
        What was written.

    Returns
    -------
    list of str
        A sentence per register that differs, with place, value found and value expected.
    """
    return [*_bias_differences(vendor, config), *_neuron_differences(vendor, config)]


def _bias_differences(vendor: Any, config: Dynapse2Config) -> Iterator[str]:
    for h in range(config.chips):
        chip = vendor.chips[h]
        for b, name in enumerate(config.chip_bias_names):
            code = (int(config.chip_bias_coarse[h, b]), int(config.chip_bias_fine[h, b]))
            for parameters in maps_with(chip, name):
                yield from _differing(f"chip {h} bias {name}", _code(parameters[name]), code)
        for c in range(config.limits.cores_per_chip):
            parameters = chip.cores[c].parameters
            for b, name in enumerate(config.bias_names):
                code = (int(config.bias_coarse[h, c, b]), int(config.bias_fine[h, c, b]))
                where = f"chip {h} core {c} bias {name}"
                yield from _differing(where, _code(parameters[name]), code)


def _code(parameter: Any) -> tuple[int, int]:
    return int(parameter.coarse_value), int(parameter.fine_value)


def _differing(where: str, found: Any, expected: Any) -> Iterator[str]:
    if found != expected:
        yield f"{where} is {found}, expected {expected}"


def _neuron_differences(vendor: Any, config: Dynapse2Config) -> Iterator[str]:
    wanted = {name: np.asarray(values) for name, values in _expected_registers(config).items()}
    for h in range(config.chips):
        for c in range(config.limits.cores_per_chip):
            neurons = vendor.chips[h].cores[c].neurons
            for n in range(config.limits.neurons_per_core):
                at = (h, c, n)
                where = f"chip {h} core {c} neuron {n}"
                yield from _of_neuron(neurons[n], wanted, at, where)


def _expected_registers(config: Dynapse2Config) -> dict[str, NDArray[Any]]:
    codes = np.array([DENDRITE_CODES[name] for name in DENDRITES])
    used = config.sram_used
    cam = (codes[config.cam_dendrite], config.cam_mask, config.cam_tag, config.cam_flags)
    sram = [
        np.where(used, part, 0)
        for part in (config.sram_cores, config.sram_x, config.sram_y, config.sram_tag)
    ]
    return {
        "latches": config.latches,
        "cam": np.stack([part.astype(np.int64) for part in cam], axis=-1),
        "sram": np.stack([part.astype(np.int64) for part in sram], axis=-1),
    }


def _of_neuron(
    neuron: Any, wanted: Mapping[str, NDArray[Any]], at: tuple[int, int, int], where: str
) -> Iterator[str]:
    latches = [bool(getattr(neuron, f"latch_{name}")) for name in LATCHES]
    if latches != wanted["latches"][at].tolist():
        for name, is_on, should in zip(
            LATCHES, latches, wanted["latches"][at].tolist(), strict=True
        ):
            yield from _differing(f"{where} latch_{name}", is_on, should)
    for kind, rows in (
        ("synapse", _cam_rows(neuron, empty=not wanted["cam"][at][:, 0].any())),
        ("destination", _sram_rows(neuron)),
    ):
        expected = wanted["cam" if kind == "synapse" else "sram"][at].tolist()
        if rows is not None and rows != expected:
            for k, (found, value) in enumerate(zip(rows, expected, strict=False)):
                yield from _differing(f"{where} {kind} {k}", found, value)


def _cam_rows(neuron: Any, *, empty: bool) -> list[list[int]] | None:
    """Return dendrite, mask, tag and flags per entry; None if it is as empty as it should be."""
    synapses = neuron.synapses
    if empty and not any(int(s.dendrite) for s in synapses):
        return None
    return [
        [int(s.dendrite), _mask(s.weight), int(s.tag), _mask([getattr(s, n) for n in CAM_FLAGS])]
        for s in synapses
    ]


def _sram_rows(neuron: Any) -> list[list[int]]:
    return [[_mask(d.core), int(d.x_hop), int(d.y_hop), int(d.tag)] for d in neuron.destinations]


def _mask(bits: Sequence[Any]) -> int:
    return sum(1 << k for k, bit in enumerate(bits) if bit)
