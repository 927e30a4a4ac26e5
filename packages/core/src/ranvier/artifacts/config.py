"""Base class of chip configurations: integers as the registers hold them, validated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from ..diagnostics import Diagnostic
from ..graph import payload_hash
from .mapped import part
from .placement import Placement


def _frozen_array(value: Any) -> NDArray[Any]:
    if isinstance(value, np.ndarray) and value.dtype != object and _is_frozen(value):
        return value  # a chip's memory may be larger than a copy is worth
    array = np.array(value)
    if array.dtype == object:
        raise ValueError("is ragged or not numeric")
    array.setflags(write=False)
    return array


def _is_frozen(array: NDArray[Any]) -> bool:
    """Say whether nobody can write to an array: neither through it nor through what it views."""
    while isinstance(array, np.ndarray):
        if array.flags.writeable:
            return False
        if array.base is None:
            return True
        array = array.base
    return False


Array = Annotated[
    Any, BeforeValidator(_frozen_array), PlainSerializer(lambda a: a.tolist(), return_type=list)
]
"""A read-only numpy array inside a pydantic model; JSON shows it as nested lists."""


class OutputChannel(BaseModel):
    """Which signal of which node an output of the graph is.

    Parameters
    ----------
    output : str
        Name of the Output node.
    node : str
        Name of the node whose signal it shows.
    quantity : str
        ``"spikes"``, or a state of that node.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    output: str
    node: str
    quantity: str = "spikes"


class ChipConfig(BaseModel):
    """Result of the verb *quantize*, input of *simulate* and *deploy*.

    Chip packages subclass it, add their registers as array fields (`Array`) or plain fields with
    ranges, and set ``schema_version``.

    Parameters
    ----------
    target : str
        Name of the target.
    dt : float
        Time step of the graph, in s.
    input_shapes : mapping of str to tuple
        Shape of every Input node.
    outputs : tuple of OutputChannel
        What each Output node shows.
    placement : Placement
        Which neuron sits where.
    latency : mapping of str to int
        Extra steps of each node's signal, compared with the graph.
    node_shapes : mapping of str to tuple of int
        Shape of every node that can be recorded.
    diagnostics : tuple of Diagnostic
        Losses and notes of mapping and quantisation.
    provenance : mapping
        Hash of the graph, options, versions.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, ignored_types=(property,)
    )
    schema_version: ClassVar[int] = 1

    target: str
    dt: float = Field(gt=0, allow_inf_nan=False)
    input_shapes: dict[str, tuple[int, ...]]
    outputs: tuple[OutputChannel, ...]
    node_shapes: dict[str, tuple[int, ...]] = Field(default_factory=dict)
    placement: Annotated[Placement, WithJsonSchema({"type": "object", "title": "Placement"})]
    latency: dict[str, int] = Field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()
    provenance: dict[str, Any] = Field(default_factory=dict)

    def to_payload(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return the configuration as named arrays and a JSON-able document."""
        place_arrays, place = self.placement.to_payload()
        arrays = {f"placement/{name}": values for name, values in place_arrays.items()}
        document: dict[str, Any] = {"placement": place}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if name == "placement":
                continue
            if name == "diagnostics":
                document[name] = [d.to_dict() for d in value]
            elif isinstance(value, np.ndarray):
                arrays[f"arrays/{name}"] = value
            else:
                document[name] = _split(value, f"arrays/{name}", arrays)
        return arrays, document

    @classmethod
    def from_payload(cls, arrays: Mapping[str, NDArray[Any]], document: Mapping[str, Any]) -> Self:
        """Build a configuration from what `to_payload` returned, validated again."""
        values = dict(document)
        values["placement"] = Placement.from_payload(
            part(arrays, "placement"), document["placement"]
        )
        values["diagnostics"] = tuple(Diagnostic.from_dict(d) for d in document["diagnostics"])
        for name, array in part(arrays, "arrays").items():
            values = _joined(values, name.split("/"), array)
        return cls(**values)

    @property
    def content_hash(self) -> str:
        """SHA-256 of the canonical content, hexadecimal."""
        return payload_hash(*self.to_payload())

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.content_hash == getattr(other, "content_hash", "")

    def __hash__(self) -> int:
        return hash(self.content_hash)

    def summary(self) -> str:
        """Return a readable overview; chip packages extend it with their resources."""
        lines = [f"{type(self).__name__} for {self.target}, dt = {self.dt:g} s"]
        return "\n".join([*lines, *(f"  {d}" for d in self.diagnostics)])

    def __str__(self) -> str:
        return self.summary()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.target} {self.content_hash[:12]}>"


def _split(value: Any, path: str, arrays: dict[str, NDArray[Any]]) -> Any:
    """Return the JSON-able part of a value and put the arrays of its models under their paths."""
    if isinstance(value, BaseModel):
        own: dict[str, Any] = {}
        for name in type(value).model_fields:
            entry = getattr(value, name)
            if isinstance(entry, np.ndarray):
                arrays[f"{path}/{name}"] = entry
            else:
                own[name] = _split(entry, f"{path}/{name}", arrays)
        return own
    if isinstance(value, tuple | list):
        return [_split(v, f"{path}/{i}", arrays) for i, v in enumerate(value)]
    if isinstance(value, Mapping):
        found = {str(k): v for k, v in value.items()}
        arrays |= {f"{path}/{k}": v for k, v in found.items() if isinstance(v, np.ndarray)}
        plain = {k: v for k, v in found.items() if not isinstance(v, np.ndarray)}
        return {k: _split(v, f"{path}/{k}", arrays) for k, v in plain.items()}
    return value.item() if isinstance(value, np.generic) else value


def _joined(container: Any, path: list[str], array: NDArray[Any]) -> Any:
    """Return a copy of nested lists and mappings with an array put where its path says."""
    name, *rest = path
    if isinstance(container, list):
        number = int(name)
        changed = list(container)
        changed[number] = _joined(changed[number], rest, array) if rest else array
        return changed
    inner = _joined(container[name], rest, array) if rest else array
    return {**container, name: inner}
