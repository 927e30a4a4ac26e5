"""From our registers to the configuration object of the vendor's SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ranvier.errors import DeviceError

from ..biases import transistor
from ..config.codes import CAM_FLAGS, DENDRITES, LATCHES
from .vendor import load_sdk, speaking

if TYPE_CHECKING:
    from ..config import Dynapse2Config

DENDRITE_CODES = {"none": 0, "ampa": 1024, "gaba": 512, "nmda": 256, "shunt": 128}
"""The SDK's numbers for the types of synapses (rockpool 3.1.0, devices/dynapse)."""
CHIP_MAPS = ("global_parameters", "shared_parameters01", "shared_parameters23")
"""Maps of biases that a chip has; a bias is set in every one that has its name."""
_SHOWN = 5


def vendor_configuration(config: Dynapse2Config) -> Any:
    """Return the SDK's own configuration object, filled.

    Raises
    ------
    MissingDependencyError
        The SDK is not installed.
    DeviceError
        The SDK's object has fewer chips, or no bias of a name.
    """
    sdk = load_sdk()
    with speaking(config.target, "building the vendor's configuration"):
        return build_configuration(sdk, config)


def build_configuration(sdk: Any, config: Dynapse2Config, *, start: Any = None) -> Any:
    """Fill a configuration object of the SDK with a network.

    Parameters
    ----------
    sdk : module
        The vendor's SDK.
    config : Dynapse2Config
        What is written: every neuron of its chips, and the biases that it names.
    start : object or None
        The object to fill, such as a model's ``get_configuration()``; None makes a new one.

    Raises
    ------
    DeviceError
        The object has fewer chips than the configuration, or no bias of a name; all at once.

    References
    ----------
    Field names: rockpool 3.1.0, devices/dynapse/samna_alias and mapping.
    """
    vendor = sdk.dynapse2.Dynapse2Configuration() if start is None else start
    check_chips(config, len(vendor.chips), where="the SDK's configuration")
    missing = sorted(_missing_biases(config, vendor))
    if missing:
        raise DeviceError(
            f"{config.target}: the SDK's configuration has no bias {', '.join(missing[:_SHOWN])} "
            f"({len(missing)} missing); leave out these names, or use another version of the SDK"
        )
    writer = _NeuronWriter(sdk.dynapse2, config)
    for h in range(config.chips):
        chip = vendor.chips[h]
        for b, name in enumerate(config.chip_bias_names):
            code = (int(config.chip_bias_coarse[h, b]), int(config.chip_bias_fine[h, b]))
            for parameters in maps_with(chip, name):
                _set_bias(parameters[name], name, code)
        for c in range(config.limits.cores_per_chip):
            core = chip.cores[c]
            for b, name in enumerate(config.bias_names):
                code = (int(config.bias_coarse[h, c, b]), int(config.bias_fine[h, c, b]))
                _set_bias(core.parameters[name], name, code)
            for n in range(config.limits.neurons_per_core):
                writer.write(core.neurons[n], (h, c, n))
    return vendor


def check_chips(config: Dynapse2Config, chips: int, *, where: str) -> None:
    """Raise `DeviceError` if a configuration needs more chips than there are."""
    if chips < config.chips:
        raise DeviceError(
            f"{config.target}: the configuration is for {config.chips} chips, {where} has {chips}; "
            f"map the graph with chips={chips}, or use another board"
        )


def maps_with(chip: Any, name: str) -> list[Any]:
    """Return the maps of a chip that have a bias."""
    return [m for m in (getattr(chip, attribute) for attribute in CHIP_MAPS) if name in m]


def _missing_biases(config: Dynapse2Config, vendor: Any) -> set[str]:
    missing = set()
    for h in range(config.chips):
        chip = vendor.chips[h]
        missing |= {n for n in config.chip_bias_names if not maps_with(chip, n)}
        for c in range(config.limits.cores_per_chip):
            missing |= {n for n in config.bias_names if n not in chip.cores[c].parameters}
    return missing


def _set_bias(parameter: Any, name: str, code: tuple[int, int]) -> None:
    parameter.coarse_value, parameter.fine_value = code
    if name.endswith(("_N", "_P")):  # the type of buffers and switchable ones is the SDK's choice
        parameter.type = transistor(name)


class _NeuronWriter:
    """Writes latches, CAM and SRAM of single neurons."""

    def __init__(self, space: Any, config: Dynapse2Config) -> None:
        self._space, self._config = space, config
        kind = type(space.Dynapse2Synapse().dendrite)
        self._dendrites = [kind(DENDRITE_CODES[name]) for name in DENDRITES]
        limits = config.limits
        self._empty = [space.Dynapse2Synapse() for _ in range(limits.synapses_per_neuron)]
        self._silent = [space.Dynapse2Destination() for _ in range(limits.destinations_per_neuron)]
        self._weights = [_bits(m, limits.weight_bits) for m in range(1 << limits.weight_bits)]
        self._cores = [_bits(m, limits.cores_per_chip) for m in range(1 << limits.cores_per_chip)]

    def write(self, neuron: Any, at: tuple[int, int, int]) -> None:
        config = self._config
        for name, value in zip(LATCHES, config.latches[at].tolist(), strict=True):
            setattr(neuron, f"latch_{name}", value)
        used = bool(config.cam_dendrite[at].any())
        neuron.synapses = self._synapses(at) if used else list(self._empty)
        sends = bool(config.sram_used[at].any())
        neuron.destinations = self._destinations(at) if sends else list(self._silent)

    def _synapses(self, at: tuple[int, int, int]) -> list[Any]:
        config = self._config
        columns = (config.cam_dendrite, config.cam_mask, config.cam_tag, config.cam_flags)
        rows = zip(*(column[at].tolist() for column in columns), strict=True)
        return [self._synapse(*row) for row in rows]

    def _synapse(self, dendrite: int, mask: int, tag: int, flags: int) -> Any:
        synapse = self._space.Dynapse2Synapse()
        synapse.dendrite = self._dendrites[dendrite]
        synapse.weight = list(self._weights[mask])
        synapse.tag = tag
        for bit, name in enumerate(CAM_FLAGS):
            setattr(synapse, name, bool(flags >> bit & 1))
        return synapse

    def _destinations(self, at: tuple[int, int, int]) -> list[Any]:
        config = self._config
        columns = (
            config.sram_used,
            config.sram_cores,
            config.sram_x,
            config.sram_y,
            config.sram_tag,
        )
        rows = zip(*(column[at].tolist() for column in columns), strict=True)
        return [self._destination(*row) for row in rows]

    def _destination(self, used: bool, cores: int, x: int, y: int, tag: int) -> Any:
        destination = self._space.Dynapse2Destination()
        if used:
            destination.core = list(self._cores[cores])
            destination.x_hop, destination.y_hop, destination.tag = x, y, tag
        return destination


def _bits(mask: int, width: int) -> list[bool]:
    """Return the bits of a mask, the lowest first."""
    return [bool(mask >> bit & 1) for bit in range(width)]
