"""Finding plugins by their manifests, without importing them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import PluginError
from ..target import API_VERSION, Manifest, Target, read_manifest
from ._declared import declared_entry_points

CHIPS_GROUP = "ranvier.chips"


@dataclass(frozen=True)
class Catalogue:
    """What is installed: targets by name, and what is broken.

    Parameters
    ----------
    targets : dict of str to Target
        Usable targets.
    modules : dict of str to str
        Plugin module by chip name.
    problems : dict of str to str
        Per chip name, why it (or one of its targets) cannot be used.
    """

    targets: dict[str, Target] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PluginSource:
    """Where a plugin was declared.

    Parameters
    ----------
    chip : str
        Name of the entry point.
    module : str
        Module that has the hooks; the manifest lies beside it.
    """

    chip: str
    module: str


def discover() -> Catalogue:
    """Read the manifests of all installed chip plugins.

    The environment variable ``RANVIER_CHIPS`` (``"xylo,loihi"``) restricts the search; the
    reference is always there. A broken plugin is reported and does not disturb the others.
    """
    return catalogue_from(_declared(), only=_restriction())


def catalogue_from(sources: Iterable[PluginSource], *, only: set[str] | None = None) -> Catalogue:
    """Build a catalogue from declared plugins.

    Parameters
    ----------
    sources : iterable of PluginSource
        What is declared; one that is broken becomes a problem of the catalogue.
    only : set of str or None
        Chips to keep; None keeps all.
    """
    catalogue = Catalogue()
    for source in sorted(set(sources), key=lambda s: (s.chip != "reference", s.chip, s.module)):
        if only is not None and source.chip not in only:
            continue
        try:
            _add(catalogue, _manifest(source))
        except PluginError as error:
            catalogue.problems[source.chip] = str(error)
    return catalogue


def _add(catalogue: Catalogue, manifest: Manifest) -> None:
    if manifest.api_version != API_VERSION:
        newer = manifest.api_version > API_VERSION
        fix = "ranvier" if newer else manifest.distribution
        raise PluginError(
            f"{manifest.distribution} was built for contract version {manifest.api_version}, "
            f"this core has {API_VERSION}; run: pip install --upgrade {fix}"
        )
    if manifest.chip in catalogue.modules:
        raise PluginError(
            f"two plugins are called {manifest.chip!r}: {catalogue.modules[manifest.chip]} and "
            f"{manifest.module}; uninstall one"
        )
    taken = [t for t in manifest.targets if t.name in catalogue.targets]
    if taken:
        owner = catalogue.targets[taken[0].name].distribution
        raise PluginError(
            f"target {taken[0].name!r} is offered by {owner} and by {manifest.distribution}; "
            f"uninstall one, or set RANVIER_CHIPS to choose (using {owner})"
        )
    catalogue.modules[manifest.chip] = manifest.module
    catalogue.targets.update({t.name: t for t in manifest.targets})


def _restriction() -> set[str] | None:
    value = os.environ.get("RANVIER_CHIPS")
    if value is None:
        return None
    return {name.strip() for name in value.split(",") if name.strip()} | {"reference"}


def _declared() -> list[PluginSource]:
    return [PluginSource(name, value) for name, value in declared_entry_points(CHIPS_GROUP)]


def _manifest(source: PluginSource) -> Manifest:
    folder = _package_folder(source)
    return read_manifest(folder / "manifest.toml", chip=source.chip, module=source.module)


def _package_folder(source: PluginSource) -> Path:
    """Locate the package of a module without importing anything of it."""
    from importlib.util import find_spec

    top, *rest = source.module.split(":")[0].split(".")[:-1] or [source.module]
    try:
        spec = find_spec(top)
    except (ImportError, ValueError) as error:
        raise PluginError(f"plugin {source.chip!r}: {error}") from error
    if spec is None or not spec.submodule_search_locations:
        raise PluginError(
            f"plugin {source.chip!r} names the package {top!r}, which is not importable; "
            "reinstall it"
        )
    return Path(next(iter(spec.submodule_search_locations)), *rest)
