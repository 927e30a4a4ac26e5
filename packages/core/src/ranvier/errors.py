"""Every error that ranvier raises on purpose, with one common root.

The second base class keeps idiomatic handlers (``except ValueError``) working.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .diagnostics import Diagnostic, Findings


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


def raise_mapping_errors(findings: Findings, *, target: str, resources: Mapping[str, str]) -> None:
    """Raise one `MappingError` with all errors found; for the mappers of chip plugins.

    Parameters
    ----------
    findings : Findings
        What was found; losses and notes do not count.
    target : str
        Name of the target, for the message.
    resources : mapping of str to str
        Fact of the manifest by diagnostic code, for diagnostics that say that something ran out.

    Raises
    ------
    ResourceError
        Only resources ran out; it carries the first of them.
    MappingError
        Something else is wrong.
    """
    from .diagnostics import describe

    errors = findings.errors()
    if not errors:
        return
    message = describe(
        errors, heading=f"{target}: the network does not fit, {len(errors)} problem(s)"
    )
    if all(d.code in resources for d in errors):
        first = errors[0]
        raise ResourceError(
            message,
            errors,
            resource=resources[first.code],
            needed=int(first.value or 0),
            available=int(first.limit or 0),
        )
    raise MappingError(message, errors)
