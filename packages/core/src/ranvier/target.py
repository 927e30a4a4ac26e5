"""What a target is, read from a plugin's static manifest without importing the plugin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from .errors import PluginError

API_VERSION = 1
"""Version of the plugin contract. Removed or re-typed hooks raise it by one."""

Certainty: TypeAlias = Literal["verified", "read", "uncertain"]
Nature: TypeAlias = Literal["digital", "analog", "reference"]


@dataclass(frozen=True)
class Fact:
    """One figure about a chip, with the place it is known from.

    Parameters
    ----------
    value : int, float, str, bool or None
        The figure in SI units unless the name says otherwise; None means unlimited or unknown.
    source : str
        Publication, documentation page or measurement that states it.
    certainty : {"verified", "read", "uncertain"}
        Verified by experiment, read in a source, or contradicted or unconfirmed.
    """

    value: int | float | str | bool | None
    source: str
    certainty: Certainty = "read"


@dataclass(frozen=True)
class Target:
    """One chip (or the reference) as its manifest describes it.

    Parameters
    ----------
    name : str
        Name users give to verbs, ``"xylo-audio3"``.
    chip : str
        Name of the plugin (entry point) that offers it.
    distribution : str
        Distribution that the plugin comes with, ``"ranvier-xylo"``.
    description, vendor, url : str
        One line about the chip, who makes it, where it is documented.
    nature : {"digital", "analog", "reference"}
        Decides the tolerance of the conformance kit: exact on digital chips.
    time_scale : float
        Chip seconds per model second.
    latency_per_hop : int
        Steps that a spike needs from neuron to neuron.
    node_kinds : tuple of str
        Kinds of graph nodes that the mapper accepts, rewrites included.
    silicon_verified : bool
        Whether results were compared with a chip.
    facts : mapping of str to Fact
        Limits and widths.
    """

    name: str
    chip: str
    distribution: str
    description: str
    nature: Nature
    vendor: str = ""
    url: str = ""
    time_scale: float = 1.0
    latency_per_hop: int = 0
    node_kinds: tuple[str, ...] = ()
    silicon_verified: bool = False
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def limit(self, name: str) -> int:
        """Return an integer fact.

        Raises
        ------
        PluginError
            The manifest has no such fact, or it is not an integer.
        """
        value = self.fact(name).value
        if not isinstance(value, int) or isinstance(value, bool):
            raise PluginError(f"{self.name}: fact {name!r} is {value!r}, expected an integer")
        return value

    def fact(self, name: str) -> Fact:
        """Return a fact by name; raises `PluginError` with the known names otherwise."""
        try:
            return self.facts[name]
        except KeyError as error:
            known = ", ".join(sorted(self.facts))
            raise PluginError(f"{self.name}: no fact {name!r}; known: {known}") from error


@dataclass(frozen=True)
class Manifest:
    """Static description of one plugin: its targets and where its code is."""

    chip: str
    distribution: str
    api_version: int
    module: str
    targets: tuple[Target, ...]


def read_manifest(path: Path, *, chip: str, module: str) -> Manifest:
    """Read and check a ``manifest.toml``.

    Parameters
    ----------
    path : Path
        The file.
    chip, module : str
        Name and value of the entry point that led here.

    Raises
    ------
    PluginError
        The file is missing or does not have the documented form; the message names it.
    """
    import tomllib

    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PluginError(
            f"plugin {chip!r}: manifest {path.name} cannot be read: {error}"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PluginError(f"plugin {chip!r}: manifest is not valid TOML: {error}") from error
    try:
        distribution = str(document["distribution"])
        targets = tuple(
            _target(name, table, chip=chip, distribution=distribution)
            for name, table in document["targets"].items()
        )
        api_version = int(document["api_version"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PluginError(
            f"plugin {chip!r}: manifest is incomplete or malformed ({error!r}); "
            "it needs api_version, distribution and [targets.NAME] tables"
        ) from error
    return Manifest(chip, distribution, api_version, module, targets)


def _target(name: str, table: Mapping[str, Any], *, chip: str, distribution: str) -> Target:
    facts = {key: Fact(**entry) for key, entry in table.get("facts", {}).items()}
    plain = {key: value for key, value in table.items() if key != "facts"}
    plain["node_kinds"] = tuple(plain.get("node_kinds", ()))
    return Target(
        name=name,
        chip=chip,
        distribution=distribution,
        facts=MappingProxyType(facts),
        **plain,
    )
