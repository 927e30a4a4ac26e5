"""Hooks of the reference target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..plugins import hookimpl
from .config import ReferenceConfig, RunOptions

if TYPE_CHECKING:
    from ..artifacts import AbstractSession, ChipConfig, MappedNetwork
    from ..graph import Graph
    from ..target import Target

NAME = "reference"


@hookimpl
def ranvier_map(graph: Graph, target: Target) -> MappedNetwork | None:
    from .mapping import map_graph

    return map_graph(graph, target=target) if target.name == NAME else None


@hookimpl
def ranvier_quantize(mapped: MappedNetwork) -> ReferenceConfig | None:
    from .quantization import quantize_network

    return quantize_network(mapped) if mapped.target == NAME else None


@hookimpl
def ranvier_simulate(config: ChipConfig, options: RunOptions) -> AbstractSession | None:
    from .simulator import ReferenceSession

    if not isinstance(config, ReferenceConfig):
        return None
    return ReferenceSession(config, graded_input=options.graded_input)


@hookimpl
def ranvier_deploy(config: ChipConfig, device: str, options: RunOptions) -> AbstractSession | None:
    if device != "loopback":
        return None
    session: AbstractSession | None = ranvier_simulate(config, options)
    return session


@hookimpl
def ranvier_config_model(target: Target) -> type[ReferenceConfig] | None:
    return ReferenceConfig if target.name == NAME else None


@hookimpl
def ranvier_options(verb: str, target: Target) -> type[RunOptions] | None:
    runs = target.name == NAME and verb in ("simulate", "deploy")
    return RunOptions if runs else None
