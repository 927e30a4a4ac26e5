"""The contract between the core and a plugin: every hook, typed and documented.

A chip plugin is a module with a static ``manifest.toml`` beside it and an entry point in the group
``ranvier.chips``. It decorates functions with `hookimpl`. All hooks are first-result: a plugin
answers for its own targets and returns None for everything else. Only the plugin of the target in
use is imported. An implementation may take fewer arguments than the specification.

Mandatory for a chip: ``ranvier_map``, ``ranvier_quantize``, ``ranvier_simulate`` and
``ranvier_config_model``. Everything else is optional.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydantic import BaseModel

    from ..artifacts import AbstractSession, ChipConfig, MappedNetwork, Recording
    from ..graph import Graph
    from ..target import Target

hookspec = pluggy.HookspecMarker("ranvier")
hookimpl = pluggy.HookimplMarker("ranvier")

CHIPS_GROUP = "ranvier.chips"
"""Entry-point group of chip plugins."""
PLUGINS_GROUP = "ranvier.plugins"
"""Entry-point group of plugins that wrap verbs (caching, timing, logging)."""


@hookspec(firstresult=True)
def ranvier_map(graph: Graph, target: Target, options: BaseModel | None) -> MappedNetwork | None:
    """Place a network on a chip, in floating point.

    Called by `ranvier.map`. ``options`` is an instance of the model that ``ranvier_options``
    returned for ``"map"``. All problems are collected and raised as one `MappingError`; losses
    travel in the result.
    """


@hookspec(firstresult=True)
def ranvier_quantize(mapped: MappedNetwork, options: BaseModel | None) -> ChipConfig | None:
    """Turn a mapped network into the integers of the chip's registers.

    Called by `ranvier.quantize`. The plugin knows its own networks by ``mapped.target``.
    """


@hookspec(firstresult=True)
def ranvier_simulate(config: ChipConfig, options: BaseModel | None) -> AbstractSession | None:
    """Open a simulation of a configuration. Called by `ranvier.open_simulation`."""


@hookspec(firstresult=True)
def ranvier_deploy(
    config: ChipConfig, device: str, options: BaseModel | None
) -> AbstractSession | None:
    """Open a device with a configuration.

    Called by `ranvier.deploy`. ``device`` is ``"loopback"`` or an id that ``ranvier_devices``
    reported. Raises `DeviceError` when the device is absent or busy.
    """


@hookspec(firstresult=True)
def ranvier_config_model(target: Target) -> type[ChipConfig] | None:
    """Return the configuration class of a target, for reading files and showing schemas."""


@hookspec(firstresult=True)
def ranvier_options(verb: str, target: Target) -> type[BaseModel] | None:
    """Return the options model of a verb: ``"map"``, ``"quantize"``, ``"simulate"``, ``"deploy"``.

    A frozen pydantic model with ``extra="forbid"`` and a description per field: keywords are
    checked with it and become command-line flags. None: the verb has no options.
    """


@hookspec(firstresult=True)
def ranvier_devices(target: Target) -> Sequence[Mapping[str, str]] | None:
    """Return attached devices as mappings with ``id`` and ``description``.

    Must not raise for a missing vendor SDK: report it in a mapping with ``id`` "" and ``problem``.
    """


@hookspec(firstresult=True)
def ranvier_estimate(
    config: ChipConfig, recording: Recording | None, options: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """Return energy, latency, clock and utilisation, each figure with its source.

    ``recording`` gives measured activity; None takes the worst case. Values are mappings with
    ``value``, ``unit`` and ``source``.
    """


@hookspec
def ranvier_nodes() -> Sequence[type] | None:
    """Return node kinds that the plugin contributes, registered when the plugin is imported."""


@hookspec
def ranvier_formats() -> Sequence[Any] | None:
    """Return `ranvier.files.Format` objects for foreign file formats that the plugin reads."""


@hookspec(firstresult=True)
def ranvier_migrate(
    target: Target,
    schema_version: int,
    arrays: Mapping[str, NDArray[Any]],
    document: Mapping[str, Any],
) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, Any]] | None:
    """Lift the payload of an older configuration file to the current schema version."""


@hookspec(firstresult=True)
def ranvier_shadow(config: ChipConfig, switches: Mapping[str, bool]) -> AbstractSession | None:
    """Open the float64 model of the chip with named non-idealities switched on or off.

    All on equals the simulator's spikes; all off equals the reference up to declared latency.
    """


@hookspec(firstresult=True)
def ranvier_grids(target: Target) -> Mapping[str, Any] | None:
    """Return the value grids of weights, decays and thresholds for quantisation-aware training."""


@hookspec(firstresult=True)
def ranvier_virtual_chip(target: Target, seed: int) -> Any | None:
    """Return the fixed pattern of one virtual chip, drawn from a seed."""


@hookspec(firstresult=True)
def ranvier_calibrate(config: ChipConfig, virtual_chip: Any, options: Mapping[str, Any]) -> Any:
    """Calibrate a virtual or real chip and return the result."""


@hookspec(firstresult=True)
def ranvier_floorplan(config: ChipConfig) -> Mapping[str, Any] | None:
    """Return rectangles with occupancy for a drawing of the chip."""


@hookspec(firstresult=True)
def ranvier_export(config: ChipConfig, directory: Path, form: str) -> Sequence[Path] | None:
    """Write a configuration in a vendor's form (RAM images, JSON) and return the files."""


MANDATORY = ("ranvier_map", "ranvier_quantize", "ranvier_simulate", "ranvier_config_model")
"""Hooks that every chip plugin implements."""
