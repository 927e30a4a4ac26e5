"""Options of each target, sorted to the verbs that know them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import InputError
from ..pipeline import checked_options
from ..plugins import manager
from ..target import Target

TargetOptions = Mapping[str, Mapping[str, Any]]
_VERBS = ("map", "quantize", "simulate")


@dataclass(frozen=True)
class VerbOptions:
    """Keywords of one target by verb."""

    map: Mapping[str, Any] = field(default_factory=dict)
    quantize: Mapping[str, Any] = field(default_factory=dict)
    simulate: Mapping[str, Any] = field(default_factory=dict)


def check_names(options: TargetOptions, wanted: Iterable[str]) -> None:
    """Raise `InputError` if options are for something that is neither a target nor a chip.

    Parameters
    ----------
    options : mapping of str to mapping
        As in `ranvier.compare`.
    wanted : iterable of str
        Targets asked for; one that is not installed may have options.
    """
    known = {*manager().targets, *manager().catalogue.modules, *manager().problems, *wanted}
    for name, chosen in options.items():
        if name not in known:
            close = difflib.get_close_matches(str(name), sorted(known), n=1)
            guess = f"; did you mean {close[0]!r}?" if close else ""
            raise InputError(
                f"compare: options for {name!r}, which is no installed target or chip{guess}"
            )
        if not isinstance(chosen, Mapping):
            raise InputError(
                f"compare: options for {name!r} are {type(chosen).__name__}; "
                "give a mapping of names to values"
            )


def options_of(target: Target, options: TargetOptions) -> VerbOptions:
    """Return the options of one target: those of its chip, then its own, each where it is known.

    Raises
    ------
    InputError
        No verb knows an option, or a value is out of range.
    PluginError
        The plugin is broken.
    """
    chosen = {**options.get(target.chip, {}), **options.get(target.name, {})}
    known = {}
    for verb in _VERBS:
        model = manager().call("ranvier_options", target, verb=verb, target=target)
        known[verb] = set(model.model_fields) if model is not None else set()
    strangers = sorted(set(chosen) - set().union(*known.values()))
    if strangers:
        raise InputError(
            f"compare: {target.name} has no option {', '.join(strangers)}; known options: "
            f"{', '.join(sorted(set().union(*known.values()))) or 'none'}"
        )
    sorted_ = {verb: {n: v for n, v in chosen.items() if n in known[verb]} for verb in _VERBS}
    for verb, own in sorted_.items():
        if own:
            checked_options(verb, target, own)
    return VerbOptions(**sorted_)
