"""Base class of all node kinds and the registry through which plugins add their own."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import GraphError
from ._fields import array_specs, normalise

Shape: TypeAlias = tuple[int, ...]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Node:
    """A part of a network: a map or a neuron population.

    Concrete kinds are frozen dataclasses whose array fields are read-only float64 arrays. ``kind``
    is the name under which files store them.
    """

    kind: ClassVar[str] = ""
    spiking: ClassVar[bool] = False
    states: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        normalise(self, where=self.kind)
        self.check()

    def check(self) -> None:
        """Check what single fields cannot: shapes against each other. Raises `GraphError`."""

    @property
    def ports(self) -> tuple[str, ...]:
        """Names of the input ports; the first is the default."""
        return ("in",)

    def input_shape(self, port: str = "in") -> Shape:
        """Return the shape that a port expects, without batch and time."""
        raise NotImplementedError(f"node kind {type(self).__name__} must define input_shape()")

    @property
    def output_shape(self) -> Shape:
        """Shape of what the node emits, without batch and time."""
        raise NotImplementedError(f"node kind {type(self).__name__} must define output_shape")

    @property
    def size(self) -> int:
        """Number of output elements."""
        return int(np.prod(self.output_shape, dtype=np.int64))

    def replace(self, **changes: Any) -> Node:
        """Return a copy with some fields changed, checked again."""
        return dataclasses.replace(self, **changes)

    def to_fields(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return arrays and plain values by field name, as files store them."""
        specs = array_specs(self)
        arrays = {n: getattr(self, n) for n in specs if getattr(self, n) is not None}
        plain = {
            f.name: _plain(getattr(self, f.name))
            for f in dataclasses.fields(self)
            if f.name not in specs
        }
        return arrays, plain


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


NodeClass = TypeVar("NodeClass", bound=type[Node])
_REGISTRY: dict[str, type[Node]] = {}


def register_node(cls: NodeClass) -> NodeClass:
    """Class decorator: make a node kind known to graphs and files.

    Parameters
    ----------
    cls : subclass of Node
        With a ``kind`` of its own.

    Returns
    -------
    subclass of Node
        The class itself.

    Raises
    ------
    GraphError
        Another class already has this kind.
    """
    known = _REGISTRY.get(cls.kind)
    if not cls.kind or (known is not None and known.__qualname__ != cls.__qualname__):
        raise GraphError(f"node kind {cls.kind!r} of {cls.__qualname__} is empty or already taken")
    _REGISTRY[cls.kind] = cls
    return cls


def node_kinds() -> Mapping[str, type[Node]]:
    """Return the known node kinds by name."""
    return dict(_REGISTRY)


def node_from_fields(
    kind: str, arrays: Mapping[str, NDArray[Any]], plain: Mapping[str, Any]
) -> Node:
    """Build a node from what `Node.to_fields` returned; an unknown kind becomes `UnknownNode`.

    Parameters
    ----------
    kind : str
        Kind of the node, ``"LIF"``.
    arrays : mapping of str to array
        Fields that are arrays.
    plain : mapping
        All other fields; a list becomes a tuple.

    Raises
    ------
    GraphError
        A field is unknown, missing or malformed.
    """
    cls = _REGISTRY.get(kind)
    if cls is None:
        return UnknownNode(original_kind=kind, arrays=dict(arrays), plain=dict(plain))
    values = {n: tuple(v) if isinstance(v, list) else v for n, v in plain.items()}
    try:
        return cls(**values, **arrays)
    except TypeError as error:
        raise GraphError(
            f"node of kind {kind!r} has unexpected or missing fields: {error}"
        ) from error


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class UnknownNode(Node):
    """A node whose kind belongs to a plugin that is not installed; it can be shown and saved.

    Parameters
    ----------
    original_kind : str
        Kind that the file names.
    arrays : mapping of str to array
        Fields that are arrays, as the file has them.
    plain : mapping
        All other fields.
    """

    kind: ClassVar[str] = "unknown"
    original_kind: str
    arrays: Mapping[str, NDArray[Any]]
    plain: Mapping[str, Any]

    @property
    def ports(self) -> tuple[str, ...]:
        """Unknown kinds accept any port."""
        return ()

    @property
    def output_shape(self) -> Shape:
        """Shape if the node states one under ``shape``, else ``(-1,)``."""
        shape = self.plain.get("shape", (-1,))
        return tuple(int(s) for s in shape)

    def input_shape(self, port: str = "in") -> Shape:
        """Return the output shape; an unknown kind is not checked."""
        return self.output_shape

    def to_fields(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return the stored fields unchanged."""
        return dict(self.arrays), dict(self.plain)
