"""The verbs: typed functions that find the plugin of a target and call its hooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from .artifacts import AbstractSession, ChipConfig, MappedNetwork, Recording
from .diagnostics import Diagnostic, describe
from .errors import DeviceError, InputError, MappingError, PluginError, QuantizationError
from .graph import Graph
from .plugins import manager
from .target import Target

Result = TypeVar("Result")


def targets() -> Mapping[str, Target]:
    """Return the installed targets by name, without importing their plugins."""
    return manager().targets


def map(graph: Graph, target: str, *, strict: bool = False, **options: Any) -> MappedNetwork:
    """Place a network on a chip, still in floating point.

    Parameters
    ----------
    graph : Graph
        The network.
    target : str
        Name of an installed target, ``"xylo-audio3"``.
    strict : bool
        Whether losses count as errors, those of the reader of a foreign file included.
    **options
        Fields of the plugin's options model for ``map``.

    Raises
    ------
    ChipNotFoundError
        The target is not installed.
    MappingError
        The network does not fit; all problems are listed in ``.diagnostics``.
    InputError
        An option is unknown or out of range, or ``graph`` is not a Graph.
    """
    if not isinstance(graph, Graph):
        raise InputError(f"map: expected a Graph, got {type(graph).__name__}; use net.to_graph()")
    chip = manager().target(target)
    chosen = checked_options("map", chip, options)
    mapped = manager().call("ranvier_map", chip, graph=graph, target=chip, options=chosen)
    result = _expect(mapped, MappedNetwork, "ranvier_map", chip)
    found = (*graph.diagnostics, *result.diagnostics)
    _refuse_losses(found, strict, f"{target}: map", MappingError)
    return result


def quantize(mapped: MappedNetwork, *, strict: bool = False, **options: Any) -> ChipConfig:
    """Turn a mapped network into the integers of the chip's registers.

    Parameters
    ----------
    mapped : MappedNetwork
        What `map` returned.
    strict : bool
        Whether losses count as errors.
    **options
        Fields of the plugin's options model for ``quantize``.

    Raises
    ------
    QuantizationError
        A value has no code on the chip; all problems are listed in ``.diagnostics``.
    """
    if not isinstance(mapped, MappedNetwork):
        raise InputError(f"quantize: expected a MappedNetwork, got {type(mapped).__name__}")
    chip = manager().target(mapped.target)
    chosen = checked_options("quantize", chip, options)
    config = manager().call("ranvier_quantize", chip, mapped=mapped, options=chosen)
    result = _expect(config, ChipConfig, "ranvier_quantize", chip)
    _refuse_losses(result.diagnostics, strict, f"{chip.name}: quantize", QuantizationError)
    return result


def build(graph: Graph, target: str, *, strict: bool = False, **options: Any) -> ChipConfig:
    """Map and quantise in one step; each option goes to the verb that knows it.

    Parameters
    ----------
    graph, target, strict
        As in `map`.
    **options
        Fields of the plugin's options models for ``map`` and ``quantize``.

    Raises
    ------
    ChipNotFoundError, MappingError, QuantizationError, InputError
        As in `map` and `quantize`.
    """
    chip = manager().target(target)
    known = {verb: _option_names(verb, chip) for verb in ("map", "quantize")}
    for_map = {k: v for k, v in options.items() if k in known["map"]}
    for_quantize = {k: v for k, v in options.items() if k not in for_map or k in known["quantize"]}
    return quantize(map(graph, target, strict=strict, **for_map), strict=strict, **for_quantize)


def open_simulation(config: ChipConfig, **options: Any) -> AbstractSession:
    """Open the chip's simulator; a context manager with ``run``, ``state``, ``reset``.

    Parameters
    ----------
    config : ChipConfig
        What `quantize` or `build` returned.
    **options
        Fields of the plugin's options model for ``simulate``.

    Raises
    ------
    ChipNotFoundError
        The target is not installed.
    InputError
        An option is unknown or out of range, or ``config`` is not a ChipConfig.
    """
    chip = _chip_of(config, "simulate")
    chosen = checked_options("simulate", chip, options)
    session = manager().call("ranvier_simulate", chip, config=config, options=chosen)
    return _expect(session, AbstractSession, "ranvier_simulate", chip)  # type: ignore[type-abstract]


def simulate(
    config: ChipConfig,
    spikes: Any,
    *,
    record: Sequence[str] | bool = (),
    lengths: Sequence[int] | NDArray[np.int64] | None = None,
    trial_seed: int | None = None,
    **options: Any,
) -> Recording:
    """Open the simulator, run once, close it.

    Parameters
    ----------
    config : ChipConfig
        What `quantize` or `build` returned.
    spikes, record, lengths, trial_seed
        As in `AbstractSession.run`.
    **options
        Fields of the plugin's options model for ``simulate``.
    """
    with open_simulation(config, **options) as session:
        return session.run(spikes, record=record, lengths=lengths, trial_seed=trial_seed)


def deploy(config: ChipConfig, *, device: str, **options: Any) -> AbstractSession:
    """Open a device with a configuration.

    Parameters
    ----------
    config : ChipConfig
        What `quantize` or `build` returned.
    device : str
        An id from `devices`, or ``"loopback"``: the simulator behind the driver's interface.
    **options
        Fields of the plugin's options model for ``deploy``.

    Raises
    ------
    DeviceError
        The device is absent, busy, or answers badly.
    """
    chip = _chip_of(config, "deploy")
    chosen = checked_options("deploy", chip, options)
    session = manager().call("ranvier_deploy", chip, config=config, device=device, options=chosen)
    if session is None:
        raise DeviceError(
            f"{chip.name}: no device {device!r}; list attached ones with `ranvier devices`, "
            "or use device='loopback'"
        )
    return _expect(session, AbstractSession, "ranvier_deploy", chip)  # type: ignore[type-abstract]


def devices(target: str | None = None) -> list[dict[str, str]]:
    """Return attached devices of one target, or of all installed ones.

    Parameters
    ----------
    target : str or None
        Name of an installed target; None asks all.

    Returns
    -------
    list of dict
        ``target``, ``id``, ``description``; a driver that cannot look says why under ``problem``.
    """
    chosen = [manager().target(target)] if target else list(targets().values())
    found = []
    for chip in chosen:
        listed = manager().call("ranvier_devices", chip, target=chip) or ()
        found += [{"target": chip.name, **device} for device in listed]
    return found


def estimate(
    config: ChipConfig, recording: Recording | None = None, **options: Any
) -> dict[str, Any]:
    """Return utilisation, required clock, latency and energy as far as the plugin knows them.

    Parameters
    ----------
    config : ChipConfig
        The configured chip.
    recording : Recording or None
        Measured activity; None takes the worst case.
    """
    chip = _chip_of(config, "estimate")
    result = manager().call(
        "ranvier_estimate", chip, config=config, recording=recording, options=options
    )
    return dict(result or {})


def checked_options(verb: str, target: Target, options: Mapping[str, Any]) -> BaseModel | None:
    """Return the options of a verb as the plugin's validated model.

    Raises
    ------
    InputError
        An option is unknown or invalid; the message lists all problems and the known names.
    """
    model = manager().call("ranvier_options", target, verb=verb, target=target)
    if model is None:
        if options:
            raise InputError(f"{target.name}: {verb} takes no options, got {sorted(options)}")
        return None
    try:
        checked: BaseModel = model(**options)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in e['loc']) or 'options'}: {e['msg']}"
            for e in error.errors()
        )
        raise InputError(
            f"{target.name}: {verb}: {problems}; known options: {', '.join(model.model_fields)}"
        ) from error
    return checked


def _option_names(verb: str, target: Target) -> set[str]:
    model = manager().call("ranvier_options", target, verb=verb, target=target)
    return set(model.model_fields) if model is not None else set()


def _chip_of(config: ChipConfig, verb: str) -> Target:
    if not isinstance(config, ChipConfig):
        raise InputError(
            f"{verb}: expected a ChipConfig, got {type(config).__name__}; "
            "build one with ranvier.build(graph, target)"
        )
    return manager().target(config.target)


def _expect(value: Any, kind: type[Result], hook: str, target: Target) -> Result:
    if not isinstance(value, kind):
        raise PluginError(
            f"plugin {target.chip!r}: {hook} returned {type(value).__name__} for {target.name!r}, "
            f"expected {kind.__name__}; report this to {target.distribution}"
        )
    return value


def _refuse_losses(
    diagnostics: Sequence[Diagnostic],
    strict: bool,
    heading: str,
    error: type[MappingError] | type[QuantizationError],
) -> None:
    losses = [d for d in diagnostics if d.severity == "loss"]
    if strict and losses:
        raise error(describe(losses, heading=f"{heading}: {len(losses)} loss(es)"), losses)
