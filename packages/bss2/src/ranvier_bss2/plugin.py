"""Hooks of the BrainScaleS-2 target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ranvier.plugins import hookimpl

if TYPE_CHECKING:
    from pydantic import BaseModel

    from ranvier.artifacts import AbstractSession, ChipConfig, MappedNetwork, Recording
    from ranvier.graph import Graph
    from ranvier.target import Target

    from .chip import VirtualChip
    from .config import Bss2Config
    from .driver import DeployOptions
    from .mapping import MapOptions
    from .quantization import QuantizeOptions
    from .simulator import SimulateOptions

CHIP = "bss2"


@hookimpl
def ranvier_map(graph: Graph, target: Target, options: MapOptions) -> MappedNetwork | None:
    from .mapping import map_network

    return map_network(graph, target, options) if target.chip == CHIP else None


@hookimpl
def ranvier_quantize(mapped: MappedNetwork, options: QuantizeOptions) -> Bss2Config | None:
    from .quantization import quantize_network

    return quantize_network(mapped, options) if mapped.target == CHIP else None


@hookimpl
def ranvier_simulate(config: ChipConfig, options: SimulateOptions) -> AbstractSession | None:
    from .config import Bss2Config
    from .simulator import Bss2Session

    return Bss2Session(config, options) if isinstance(config, Bss2Config) else None


@hookimpl
def ranvier_deploy(
    config: ChipConfig, device: str, options: DeployOptions
) -> AbstractSession | None:
    from .config import Bss2Config
    from .driver import open_device

    return open_device(config, device, options) if isinstance(config, Bss2Config) else None


@hookimpl
def ranvier_devices(target: Target) -> Sequence[Mapping[str, str]] | None:
    from .driver import list_devices

    return list_devices(target) if target.chip == CHIP else None


@hookimpl
def ranvier_config_model(target: Target) -> type[Bss2Config] | None:
    from .config import Bss2Config

    return Bss2Config if target.chip == CHIP else None


@hookimpl
def ranvier_nodes() -> Sequence[type]:
    from .nodes import KINDS

    return KINDS


@hookimpl
def ranvier_options(verb: str, target: Target) -> type[BaseModel] | None:
    if target.chip != CHIP:
        return None
    if verb == "map":
        from .mapping import MapOptions

        return MapOptions
    if verb == "quantize":
        from .quantization import QuantizeOptions

        return QuantizeOptions
    if verb == "simulate":
        from .simulator import SimulateOptions

        return SimulateOptions
    if verb == "deploy":
        from .driver import DeployOptions

        return DeployOptions
    return None


@hookimpl
def ranvier_estimate(
    config: ChipConfig, recording: Recording | None, options: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    from .config import Bss2Config
    from .energy import estimate

    return estimate(config, recording, options) if isinstance(config, Bss2Config) else None


@hookimpl
def ranvier_virtual_chip(target: Target, seed: int) -> VirtualChip | None:
    from .chip import VirtualChip

    return VirtualChip.of(seed) if target.chip == CHIP else None


@hookimpl
def ranvier_floorplan(config: ChipConfig) -> Mapping[str, Any] | None:
    from .config import Bss2Config
    from .floorplan import floorplan

    return floorplan(config) if isinstance(config, Bss2Config) else None


@hookimpl
def ranvier_calibrate(config: ChipConfig, virtual_chip: Any, options: Mapping[str, Any]) -> Any:
    from .calibration import calibrate
    from .config import Bss2Config

    return calibrate(virtual_chip, config, **options) if isinstance(config, Bss2Config) else None
