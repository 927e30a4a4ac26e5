"""The plugin manager: lazy discovery, one import per used chip, typed access to the hooks."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from typing import Any

import pluggy

from ..errors import ChipNotFoundError, PluginError
from ..graph import register_node
from ..target import API_VERSION, Target
from . import hookspecs
from .discovery import Catalogue, PluginSource, catalogue_from, discover


class PluginManager:
    """Knows the installed targets and imports the plugin of the one in use.

    Parameters
    ----------
    catalogue : Catalogue or None
        What is installed; None discovers it on first use. Tests pass their own.
    wrappers : bool
        Whether plugins of the group ``ranvier.plugins`` are loaded.
    """

    def __init__(self, catalogue: Catalogue | None = None, *, wrappers: bool = True) -> None:
        self._catalogue = catalogue
        self._wrappers = wrappers
        self._relay: pluggy.PluginManager | None = None
        self._plugins: dict[str, object] = {}

    @property
    def catalogue(self) -> Catalogue:
        """What is installed, discovered once."""
        if self._catalogue is None:
            self._catalogue = discover()
        return self._catalogue

    @property
    def targets(self) -> Mapping[str, Target]:
        """Usable targets by name."""
        return self.catalogue.targets

    @property
    def problems(self) -> Mapping[str, str]:
        """Broken or outdated plugins and why."""
        return self.catalogue.problems

    def refresh(self) -> None:
        """Forget what was discovered and imported, and look again on next use."""
        self.__init__(wrappers=self._wrappers)  # type: ignore[misc]

    def target(self, name: str) -> Target:
        """Return a target by name.

        Raises
        ------
        ChipNotFoundError
            Not installed, or its plugin is broken; the message lists what is installed.
        """
        if name in self.targets:
            return self.targets[name]
        close = difflib.get_close_matches(str(name), self.targets, n=1)
        guess = f" Did you mean {close[0]!r}?" if close else ""
        broken = "".join(f" Plugin {c!r} is broken: {why}." for c, why in self.problems.items())
        raise ChipNotFoundError(
            f"no installed plugin offers the target {name!r}.{guess} Installed targets: "
            f"{', '.join(self.targets) or 'none'}.{broken} Install a chip with: "
            "pip install ranvier-CHIP"
        )

    def register(self, module: object, *, source: PluginSource) -> None:
        """Add a plugin at run time, for tests of a plugin before it is installed."""
        known = [PluginSource(c, m) for c, m in self.catalogue.modules.items()]
        self._catalogue = catalogue_from([*known, source])
        if source.chip in self.problems:
            raise PluginError(self.problems[source.chip])
        self._add(source.chip, module)

    def call(self, hook: str, chip: Target, /, **arguments: Any) -> Any:
        """Call one hook of the plugin of a target, through any wrapping plugins.

        Returns None when the plugin does not implement the hook.
        """
        plugin = self.load(chip.chip)
        relay = self._pluggy()
        others = [p for p in self._plugins.values() if p is not plugin]
        caller = relay.subset_hook_caller(hook, remove_plugins=others)
        return caller(**arguments)

    def implements(self, hook: str, target: Target) -> bool:
        """Say whether the plugin of a target implements a hook."""
        plugin = self.load(target.chip)
        callers = self._pluggy().get_hookcallers(plugin) or []
        return any(caller.name == hook for caller in callers)

    def load(self, chip: str) -> object:
        """Import and register the plugin of a chip once.

        Raises
        ------
        PluginError
            Its import fails, a mandatory hook is missing, or a hook has a wrong signature.
        """
        if chip not in self._plugins:
            module = self.catalogue.modules[chip]
            try:
                plugin = importlib.import_module(module)
            except Exception as error:
                raise PluginError(
                    f"plugin {chip!r} cannot be imported ({module}): "
                    f"{type(error).__name__}: {error}; reinstall it or remove it from RANVIER_CHIPS"
                ) from error
            self._add(chip, plugin)
        return self._plugins[chip]

    def _add(self, chip: str, plugin: object) -> None:
        relay = self._pluggy()
        missing = [h for h in hookspecs.MANDATORY if not hasattr(plugin, h)]
        if missing:
            raise PluginError(f"plugin {chip!r} does not implement {', '.join(missing)}")
        try:
            relay.register(plugin, name=chip)
            relay.check_pending()
        except (pluggy.PluginValidationError, ValueError) as error:
            if relay.is_registered(plugin):
                relay.unregister(plugin)
            raise PluginError(
                f"plugin {chip!r} does not fit contract version {API_VERSION}: {error}"
            ) from error
        self._plugins[chip] = plugin
        nodes = getattr(plugin, "ranvier_nodes", None)
        for kind in (nodes() if nodes is not None else None) or ():
            register_node(kind)

    def _pluggy(self) -> pluggy.PluginManager:
        if self._relay is None:
            self._relay = pluggy.PluginManager("ranvier")
            self._relay.add_hookspecs(hookspecs)
            if self._wrappers:
                self._relay.load_setuptools_entrypoints(hookspecs.PLUGINS_GROUP)
        return self._relay


_MANAGER = PluginManager()


def manager() -> PluginManager:
    """Return the manager of this process."""
    return _MANAGER
