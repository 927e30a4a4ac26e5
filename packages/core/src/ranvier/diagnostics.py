"""Numbered findings: what a verb noticed about a network, with number, limit and advice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Severity: TypeAlias = Literal["error", "loss", "info"]
"""``error``: cannot go on; ``loss``: numbers will change; ``info``: nothing changes."""


@dataclass(frozen=True)
class Diagnostic:
    """One finding about one node (or the whole network).

    Parameters
    ----------
    code : str
        Stable code, ``"XY012"``; see the reference page of diagnostics.
    severity : {"error", "loss", "info"}
        What it means for the numbers.
    message : str
        What was found, with the number.
    node : str or None
        Name of the node in the graph; None for the network as a whole.
    hint : str
        What to do about it.
    value, limit : number, str or None
        What was found and what is allowed, for programs.
    """

    code: str
    severity: Severity
    message: str
    node: str | None = None
    hint: str = ""
    value: float | int | str | None = None
    limit: float | int | str | None = None

    def __str__(self) -> str:
        where = f" node {self.node!r}:" if self.node is not None else ""
        advice = f" ({self.hint})" if self.hint else ""
        return f"{self.code} {self.severity}:{where} {self.message}{advice}"

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a JSON-able dictionary."""
        return {
            "code": self.code,
            "severity": self.severity,
            "node": self.node,
            "message": self.message,
            "hint": self.hint,
            "value": self.value,
            "limit": self.limit,
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Diagnostic:
        """Build a diagnostic from what `to_dict` returned."""
        return cls(**{name: document.get(name) for name in cls.__dataclass_fields__})  # type: ignore[arg-type]


@dataclass(frozen=True)
class DiagnosticCode:
    """Definition of one stable code: severity, what it means, what to do.

    A package lists its codes as module constants; the documentation is generated from them.
    """

    code: str
    severity: Severity
    title: str
    hint: str = ""

    def at(
        self,
        node: str | None,
        message: str,
        *,
        value: float | int | str | None = None,
        limit: float | int | str | None = None,
        hint: str | None = None,
    ) -> Diagnostic:
        """Make the diagnostic of this code for one node.

        Parameters
        ----------
        node : str or None
            Node of the graph, None for the whole network.
        message : str
            What was found, with the number.
        value, limit : number, str or None
            The same for programs.
        hint : str or None
            Advice that knows the case; None takes the general advice of the code.
        """
        return Diagnostic(
            code=self.code,
            severity=self.severity,
            message=message,
            node=node,
            hint=self.hint if hint is None else hint,
            value=value,
            limit=limit,
        )


@dataclass
class Findings:
    """Collects diagnostics while a verb looks at a network, so that all are raised at once."""

    items: list[Diagnostic] = field(default_factory=list)

    def add(self, *diagnostics: Diagnostic) -> None:
        """Append diagnostics, keeping their order and dropping exact repeats."""
        self.items.extend(d for d in dict.fromkeys(diagnostics) if d not in self.items)

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self.items)

    def errors(self, *, strict: bool = False) -> tuple[Diagnostic, ...]:
        """Return what forbids going on; with ``strict`` losses count as errors."""
        bad = {"error", "loss"} if strict else {"error"}
        return tuple(d for d in self.items if d.severity in bad)

    def without_errors(self) -> tuple[Diagnostic, ...]:
        """Return the losses and infos that travel with the result."""
        return tuple(d for d in self.items if d.severity != "error")


def describe(diagnostics: Sequence[Diagnostic] | Iterable[Diagnostic], *, heading: str) -> str:
    """Format diagnostics as the text of an error: a heading, then one line each."""
    lines = [str(d) for d in diagnostics]
    return heading if not lines else "\n  ".join([f"{heading}:", *lines])


GUESSED_VALUE = DiagnosticCode(
    "CORE001",
    "info",
    "A value that the file does not state was chosen.",
    "state it explicitly to silence this",
)
"""The reader had to choose a value that the file leaves open."""
LOST_FIELD = DiagnosticCode(
    "CORE002", "loss", "A field of the source has no counterpart and was dropped.", ""
)
"""Information of the source is lost in the result."""
CHANGED_VALUE = DiagnosticCode(
    "CORE003", "loss", "A value was changed to fit what the result can express.", ""
)
"""A value differs between source and result."""
UNEQUAL_LATENCY = DiagnosticCode(
    "CORE004",
    "loss",
    "Paths into one node arrive with different extra latency on the chip.",
    "train with the chip's hops (Sequential(latency=1)) so that training sees the same delays",
)
"""Latency that no shift of a whole signal can compensate."""
ADDED_LATENCY = DiagnosticCode(
    "CORE005", "info", "The chip delivers this node's signal later than the graph does.", ""
)
"""Equal latency on all paths; comparisons shift by it."""
