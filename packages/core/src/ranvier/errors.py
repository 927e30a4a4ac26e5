"""Every error that ranvier raises on purpose, with one common root.

The second base class keeps idiomatic handlers (``except ValueError``) working.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .diagnostics import Diagnostic


class RanvierError(Exception):
    """Root of all errors of ranvier and its chip packages."""


class DiagnosticError(RanvierError):
    """An error that carries the diagnostics which caused it.

    Parameters
    ----------
    message : str
        Where, what was found, what is allowed, what to do.
    diagnostics : sequence of Diagnostic
        All problems found, not only the first. May be empty.
    """

    def __init__(self, message: str, diagnostics: Sequence[Diagnostic] = ()) -> None:
        super().__init__(message)
        self.diagnostics = tuple(diagnostics)


class GraphError(DiagnosticError, ValueError):
    """The network itself is malformed."""


class InputError(RanvierError, ValueError):
    """Data given to a verb (spikes, labels, options) has a wrong shape, type or range."""


class MappingError(DiagnosticError, ValueError):
    """The network is well-formed but does not fit this chip."""


class ResourceError(MappingError):
    """A resource of the chip ran out.

    Parameters
    ----------
    message : str
        Sentence for the user.
    resource : str
        Name of the resource, as in the target's limits.
    needed, available : int
        Amount asked for and amount there is.
    """

    def __init__(
        self,
        message: str,
        diagnostics: Sequence[Diagnostic] = (),
        *,
        resource: str,
        needed: int,
        available: int,
    ) -> None:
        super().__init__(message, diagnostics)
        self.resource = resource
        self.needed = needed
        self.available = available


class QuantizationError(DiagnosticError, ValueError):
    """A value has no code on this chip."""


class FileError(RanvierError, ValueError):
    """A file cannot be read as what it should be, or cannot be written."""


class SimulationError(RanvierError, RuntimeError):
    """A simulation cannot start or cannot go on."""


class DeviceError(RanvierError, RuntimeError):
    """Hardware is absent, busy, or answered badly."""


class DeviceTimeoutError(DeviceError, TimeoutError):
    """Hardware did not answer in time."""


class PluginError(RanvierError):
    """A plugin is broken, or built for another version of the contract."""


class ChipNotFoundError(PluginError, LookupError):
    """No installed plugin offers this target."""


class MissingDependencyError(RanvierError, ImportError):
    """An optional dependency is not installed."""
