"""What a sweep varies: its axes, the check of every combination, and the rows."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import InputError
from ..pipeline import checked_options
from ..target import Target
from .canonical import plain

TRIAL_SEED = "trial_seed"


@dataclass(frozen=True)
class Row:
    """One combination of values.

    Parameters
    ----------
    index : int
        Place in the table.
    parameters : mapping of str to value
        Value of every axis, and the trial seed.
    """

    index: int
    parameters: Mapping[str, Any]

    @property
    def trial_seed(self) -> int | None:
        """Seed of the noise of this row."""
        seed: int | None = self.parameters[TRIAL_SEED]
        return seed

    def varied(self, verb: str) -> dict[str, Any]:
        """Return the options of one verb that this row sets."""
        return _of_verb(self.parameters, verb)


@dataclass(frozen=True)
class Space:
    """The axes of a sweep; its rows are their product, the last axis running fastest.

    Parameters
    ----------
    axes : mapping of str to tuple
        Values by ``"verb.option"``, or of ``"trial_seed"``.
    seed : int
        From which the trial seed of a row is drawn where no axis sets it.
    """

    axes: Mapping[str, tuple[Any, ...]]
    seed: int = 0

    @property
    def size(self) -> int:
        """Number of rows."""
        size = 1
        for values in self.axes.values():
            size *= len(values)
        return size

    def rows(self) -> tuple[Row, ...]:
        """Return every combination; a trial seed depends on its own row and nothing else."""
        made = []
        for index, values in enumerate(itertools.product(*self.axes.values())):
            parameters = dict(zip(self.axes, values, strict=True))
            parameters.setdefault(TRIAL_SEED, _drawn(self.seed, parameters))
            made.append(Row(index, parameters))
        return tuple(made)


def space_of(definition: Mapping[str, Any]) -> Space:
    """Return the axes that the definition of a sweep names."""
    axes = {name: tuple(values) for name, values in definition["vary"]}
    return Space(axes, definition["seed"])


def space_from(vary: Mapping[str, Sequence[Any]], *, seed: int) -> Space:
    """Return the axes in plain values.

    Raises
    ------
    InputError
        No axis, an axis without values or with a repeated one, or a value that is no plain data.
    """
    if not isinstance(vary, Mapping) or not vary:
        raise InputError(
            "sweep: nothing varies; give vary={'simulate.chip_seed': range(100)} or the like"
        )
    return Space({name: _values(name, values) for name, values in vary.items()}, seed)


def check_space(space: Space, fixed: Mapping[str, Any], chip: Target, verbs: Sequence[str]) -> None:
    """Validate every combination of options that will be used, before anything runs.

    Raises
    ------
    InputError
        A name is not ``"verb.option"`` of these verbs, an option is both fixed and varied, unknown
        to the target, or out of range.
    """
    for name in (*space.axes, *fixed):
        verb, dot, option = str(name).partition(".")
        if name == TRIAL_SEED and name not in fixed:
            continue
        if verb not in verbs or not dot or not option:
            raise InputError(
                f"sweep: {name!r} is no option here; name options 'verb.option' with a verb of "
                f"{', '.join(verbs)}; vary may have {TRIAL_SEED!r}, with one value too"
            )
    both = sorted(set(space.axes) & set(fixed))
    if both:
        raise InputError(f"sweep: {', '.join(both)} is both fixed and varied; leave one out")
    for verb in verbs:
        for options in _combinations(space, fixed, verb):
            checked_options(verb, chip, options)
    for seed in space.axes.get(TRIAL_SEED, ()):
        if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
            raise InputError(f"sweep: trial_seed {seed!r} is no seed; use whole numbers >= 0")


def fixed_of(fixed: Mapping[str, Any], verb: str) -> dict[str, Any]:
    """Return the options of one verb that are the same in all rows."""
    return _of_verb(fixed, verb)


def _combinations(space: Space, fixed: Mapping[str, Any], verb: str) -> list[dict[str, Any]]:
    own = {name: values for name, values in space.axes.items() if name.startswith(f"{verb}.")}
    return [
        _of_verb(fixed, verb) | _of_verb(dict(zip(own, values, strict=True)), verb)
        for values in itertools.product(*own.values())
    ]


def _of_verb(parameters: Mapping[str, Any], verb: str) -> dict[str, Any]:
    prefix = f"{verb}."
    return {k[len(prefix) :]: v for k, v in parameters.items() if k.startswith(prefix)}


def _values(name: str, values: Any) -> tuple[Any, ...]:
    if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__iter__"):
        raise InputError(
            f"sweep: {name!r} varies over {values!r}, expected a sequence of values; write "
            f"[{values!r}] for one"
        )
    try:
        found = tuple(plain(value) for value in values)
    except TypeError as error:
        raise InputError(
            f"sweep: {name!r} has a value of type {error}; the table takes numbers, text, lists "
            "and mappings; give what is the same in all rows with options="
        ) from error
    keys = [json.dumps(value, sort_keys=True) for value in found]
    if not found or len(set(keys)) != len(keys):
        problem = "a repeated value" if found else "no value"
        raise InputError(f"sweep: {name!r} has {problem}; repeat a run with {TRIAL_SEED!r}")
    return found


def _drawn(seed: int, parameters: Mapping[str, Any]) -> int:
    text = json.dumps([seed, parameters], sort_keys=True)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) >> 1
