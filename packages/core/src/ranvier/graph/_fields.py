"""Declaration and checking of node parameters: each field states its unit and range once."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import GraphError

_KEY = "ranvier"


@dataclasses.dataclass(frozen=True)
class ArraySpec:
    """Unit and range of an array-valued parameter.

    ``axes`` is ``"neuron"`` for values that must broadcast to the node's shape, ``"synapse"`` for
    those with a leading synapse axis, and ``"free"`` for weights and the like.
    """

    unit: str
    minimum: float | None
    exclusive: bool
    axes: str
    optional: bool
    integer: bool


def array(
    default: Any = dataclasses.MISSING,
    *,
    unit: str = "",
    minimum: float | None = None,
    exclusive: bool = False,
    axes: str = "neuron",
    optional: bool = False,
    integer: bool = False,
) -> Any:
    """Declare an array field of a node.

    Parameters
    ----------
    default : scalar or None
        Default value; required when missing.
    unit : str
        SI unit.
    minimum : float or None
        Lowest allowed value; with ``exclusive`` it is itself forbidden.
    axes : {"neuron", "synapse", "free"}
        How the shape is checked.
    optional : bool
        Whether None is allowed.
    integer : bool
        Whether values are whole numbers, kept as int64.
    """
    spec = ArraySpec(unit, minimum, exclusive, axes, optional, integer)
    return dataclasses.field(default=default, metadata={_KEY: spec})


def array_specs(node: object) -> dict[str, ArraySpec]:
    """Return the array fields of a node class or instance by name."""
    fields = dataclasses.fields(node)  # type: ignore[arg-type]
    return {f.name: f.metadata[_KEY] for f in fields if _KEY in f.metadata}


def normalise(node: object, *, where: str) -> None:
    """Turn every array field into a checked, read-only array; raise all problems at once."""
    problems: list[str] = []
    for name, spec in array_specs(node).items():
        value = getattr(node, name)
        if value is None and spec.optional:
            continue
        try:
            checked = _checked(value, spec)
        except ValueError as error:
            problems.append(f"{name} {error}")
            continue
        object.__setattr__(node, name, checked)
    if problems:
        raise GraphError(f"{where}: " + "; ".join(problems))


def _checked(value: Any, spec: ArraySpec) -> NDArray[Any]:
    try:
        values = np.array(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"is not numeric: {value!r}") from error
    if not np.all(np.isfinite(values)):
        bad = int(np.sum(~np.isfinite(values)))
        raise ValueError(f"has {bad} value(s) that are NaN or infinite; all must be finite")
    if spec.integer and np.any(values != np.round(values)):
        raise ValueError("must be whole numbers")
    if spec.minimum is not None and values.size:
        low = float(values.min())
        if low < spec.minimum or (spec.exclusive and low == spec.minimum):
            sign = ">" if spec.exclusive else ">="
            unit = f" {spec.unit}" if spec.unit else ""
            raise ValueError(f"is {low:g}{unit}, must be {sign} {spec.minimum:g}{unit}")
    result: NDArray[Any] = values.astype(np.int64) if spec.integer else values
    result.setflags(write=False)
    return result
