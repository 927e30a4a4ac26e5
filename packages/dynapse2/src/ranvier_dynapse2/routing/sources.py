"""Numbers of physical neurons and of what sends packets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ranvier.errors import InputError

if TYPE_CHECKING:
    from ..config import Dynapse2Config


def position_of(config: Dynapse2Config, chip: int, *, core: int, neuron: int) -> int:
    """Return the number of a physical neuron, ``(chip * 4 + core) * 256 + neuron``.

    Raises
    ------
    InputError
        The board has no such neuron.
    """
    limits = config.limits
    sizes = (config.chips, limits.cores_per_chip, limits.neurons_per_core)
    if not all(0 <= k < n for k, n in zip((chip, core, neuron), sizes, strict=True)):
        raise InputError(
            f"dynapse2: there is no chip {chip}, core {core}, neuron {neuron}; the board has "
            f"{sizes[0]} chip(s) of {sizes[1]} cores of {sizes[2]} neurons"
        )
    return (chip * sizes[1] + core) * sizes[2] + neuron


def place_of(config: Dynapse2Config, position: int) -> tuple[int, int, int]:
    """Return chip, core and neuron of a number from `position_of`."""
    limits = config.limits
    rest, neuron = divmod(int(position), limits.neurons_per_core)
    chip, core = divmod(rest, limits.cores_per_chip)
    return chip, core, neuron


def neuron_source(config: Dynapse2Config, chip: int, *, core: int, neuron: int) -> int:
    """Return the number of a neuron as a source: input channels come first, then positions."""
    return config.n_channels + position_of(config, chip, core=core, neuron=neuron)
