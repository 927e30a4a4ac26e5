"""Contract, discovery and management of chip plugins."""

from .discovery import (
    Catalogue as Catalogue,
    PluginSource as PluginSource,
    catalogue_from as catalogue_from,
)
from .hookspecs import CHIPS_GROUP as CHIPS_GROUP, hookimpl as hookimpl
from .manager import PluginManager as PluginManager, manager as manager
