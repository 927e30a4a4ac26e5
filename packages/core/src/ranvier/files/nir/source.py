"""NIR files and objects as plain records, before anything is interpreted.

The HDF5 is parsed here and not by the ``nir`` package, which types convolutions wrongly, runs
assertions on user input and loses the reason of a failure.

References
----------
NIR 1.0.8, source and documentation (neuromorphs/NIR); Pedersen et al., Nature Communications 2024.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import FileError
from .._hdf5 import MAX_BYTES, build_image, checked_datasets, library, open_hdf5, scalar_text

NIR_VERSION = "1.0.8"
"""Version of the format that is written."""
GRAPH_TYPE = "NIRGraph"
_FORM = "a NIR file (.nir)"
_MAX_TEXT = 1 << 26
_MAX_DEPTH = 64
_RESERVED = ("type", "metadata")
_NEURON = ("r", "v_threshold")

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "Input": ("shape",),
    "Output": ("shape",),
    "Affine": ("weight", "bias"),
    "Linear": ("weight",),
    "Scale": ("scale",),
    "Conv1d": ("weight", "stride", "padding", "dilation", "groups", "bias"),
    "Conv2d": ("weight", "stride", "padding", "dilation", "groups", "bias"),
    "SumPool2d": ("kernel_size", "stride", "padding"),
    "AvgPool2d": ("kernel_size", "stride", "padding"),
    "Flatten": ("start_dim", "end_dim"),
    "Delay": ("delay",),
    "Threshold": ("threshold",),
    "I": ("r",),
    "IF": _NEURON,
    "LI": ("tau", "r", "v_leak"),
    "LIF": ("tau", "v_leak", *_NEURON),
    "CubaLI": ("tau_syn", "tau_mem", "r", "v_leak"),
    "CubaLIF": ("tau_syn", "tau_mem", "v_leak", *_NEURON),
}
"""Node types of NIR 1.0.8 (besides graphs) and the fields that each must have."""
OPTIONAL: Mapping[str, tuple[str, ...]] = {
    "Conv1d": ("input_shape",),
    "Conv2d": ("input_shape",),
    "Flatten": ("input_type",),
    "IF": ("v_reset",),
    "LIF": ("v_reset",),
    "CubaLI": ("w_in",),
    "CubaLIF": ("v_reset", "w_in"),
}


@dataclass(frozen=True)
class RawNode:
    """One node as stored: type and fields; values are arrays, text or numbers."""

    type: str
    fields: Mapping[str, Any]
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RawGraph:
    """A graph as stored, possibly with graphs inside."""

    nodes: Mapping[str, RawNode | RawGraph]
    edges: tuple[tuple[str, str], ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    version: str = ""


def raw_from_file(path: Path, *, max_bytes: int = MAX_BYTES) -> RawGraph:
    """Parse a NIR file.

    Raises
    ------
    FileError
        Not a NIR file, or damaged or hostile; the message names the object.
    """
    with open_hdf5(path, form=_FORM) as file:
        tree = _tree(checked_datasets(file, path, max_bytes=max_bytes, text=True), path)
        root = tree.get("node")
        if not isinstance(root, Mapping) or "type" not in root:
            kind = file.attrs.get("format") if "format" in file.attrs else None
            hint = "it is a .rv file, use ranvier.load()" if kind is not None else "check the path"
            raise FileError(f"{path}: is an HDF5 file but not {_FORM} (no 'node/type'); {hint}")
        version = tree.get("version", "")
    raw = _record(root, "", path)
    if isinstance(raw, RawNode):
        raise FileError(
            f"{path}: holds a single node of type {raw.type!r}, not a graph; wrap it with "
            "nir.NIRGraph.from_list(node) before writing"
        )
    return RawGraph(raw.nodes, raw.edges, raw.metadata, version if isinstance(version, str) else "")


def _tree(datasets: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Read all datasets into nested dictionaries."""
    tree: dict[str, Any] = {}
    spent = 0
    for name, item in datasets.items():
        *groups, leaf = name.split("/")
        if len(groups) > _MAX_DEPTH:
            raise FileError(f"{path}: groups are nested more than {_MAX_DEPTH} deep at {name!r}")
        place = tree
        for group in groups:
            place = place.setdefault(group, {})
        value = _value(item)
        spent += _text_size(value)
        if spent > _MAX_TEXT:
            raise FileError(f"{path}: holds more than {_MAX_TEXT} bytes of text, up to {name!r}")
        place[leaf] = value
    return tree


def _value(item: Any) -> Any:
    """Return text as str or a list of rows, everything else as an array."""
    if item.dtype.kind not in "OS":
        return np.asarray(item[()])
    if item.shape == ():
        return scalar_text(item)
    rows, spent = [], 0
    for row in item:
        rows.append([v.decode("utf-8") for v in np.atleast_1d(row)])
        spent += _text_size(rows[-1])
        if spent > _MAX_TEXT:
            break
    return rows


def _text_size(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    return sum(_text_size(v) for v in value) if isinstance(value, list) else 0


def _record(tree: Any, name: str, path: Path) -> RawNode | RawGraph:
    where = f"{path}: node {name!r}" if name else f"{path}: root"
    if not isinstance(tree, Mapping) or not isinstance(tree.get("type"), str):
        raise FileError(f"{where} has no type; a node name with '/' makes such files, rename it")
    metadata = tree.get("metadata", {})
    metadata = metadata if isinstance(metadata, Mapping) else {}
    if tree["type"] != GRAPH_TYPE:
        fields = {k: v for k, v in tree.items() if k not in _RESERVED}
        return RawNode(tree["type"], fields, metadata)
    inner = tree.get("nodes", {})
    if not isinstance(inner, Mapping):
        raise FileError(f"{where}: 'nodes' is not a group")
    nodes = {n: _record(t, f"{name}.{n}" if name else n, path) for n, t in inner.items()}
    return RawGraph(nodes, _edges(tree.get("edges", []), where), metadata)


def _edges(value: Any, where: str) -> tuple[tuple[str, str], ...]:
    if isinstance(value, np.ndarray) and value.size == 0:
        return ()
    if not isinstance(value, list) or any(len(row) != 2 for row in value):
        raise FileError(f"{where}: 'edges' is not a list of [source, target] names")
    return tuple((row[0], row[1]) for row in value)


def raw_from_object(graph: Any, *, where: str = "NIR graph") -> RawGraph:
    """Take over a ``nir.NIRGraph`` without relying on its own checks.

    Parameters
    ----------
    graph : nir.NIRGraph
        Arrays may be numpy arrays, torch tensors or numbers.
    where : str
        For messages.
    """
    if type(graph).__name__ != GRAPH_TYPE:
        raise FileError(f"{where}: expected a nir.NIRGraph, got {type(graph).__name__}")
    nodes: dict[str, RawNode | RawGraph] = {}
    for name, node in graph.nodes.items():
        if type(node).__name__ == GRAPH_TYPE:
            nodes[name] = raw_from_object(node, where=f"{where}: {name}")
        else:
            nodes[name] = _raw_node(node)
    edges = tuple((str(source), str(target)) for source, target in graph.edges)
    return RawGraph(nodes, edges, _plain_metadata(graph))


def _raw_node(node: Any) -> RawNode:
    kind = type(node).__name__
    fields = {
        name: value if isinstance(value, str) else _numbers(value)
        for name, value in vars(node).items()
        if name not in ("input_type", "output_type", "metadata") and value is not None
    }
    end = {"Input": ("shape", "input_type"), "Output": ("shape", "output_type")}
    name, source = end.get(kind, ("input_type", "input_type" if kind == "Flatten" else ""))
    types = getattr(node, source, None) if source else None
    shape = next(iter(types.values()), None) if types else None
    if shape is not None:
        fields[name] = np.asarray(shape)
    return RawNode(kind, fields, _plain_metadata(node))


def _numbers(value: Any) -> Any:
    detached = value.detach().cpu() if hasattr(value, "detach") else value
    return np.asarray(detached)


def _plain_metadata(node: Any) -> Mapping[str, Any]:
    metadata = getattr(node, "metadata", None)
    return metadata if isinstance(metadata, Mapping) else {}


def image_of(raw: RawGraph) -> bytes:
    """Return the bytes of a NIR file."""
    return build_image(lambda file: _write_root(file, raw))


def _write_root(file: Any, raw: RawGraph) -> None:
    _write_text(file, "version", NIR_VERSION)
    _write_graph(file.create_group("node"), raw)


def _write_graph(group: Any, raw: RawGraph) -> None:
    h5py = library()

    _write_text(group, "type", GRAPH_TYPE)
    edges = np.array(raw.edges, dtype=object).reshape(-1, 2)
    group.create_dataset("edges", data=edges, dtype=h5py.string_dtype())
    _write_items(group.create_group("metadata"), raw.metadata)
    inner = group.create_group("nodes")
    for name, node in raw.nodes.items():
        place = inner.create_group(name)
        if isinstance(node, RawGraph):
            _write_graph(place, node)
        else:
            _write_text(place, "type", node.type)
            _write_items(place, node.fields)


def _write_items(group: Any, items: Mapping[str, Any]) -> None:
    for name, value in items.items():
        if isinstance(value, Mapping):
            _write_items(group.require_group(name), value)
        elif isinstance(value, str):
            _write_text(group, name, value)
        else:
            values = np.asarray(value)
            options = {"compression": "gzip"} if values.ndim and values.size else {}
            group.create_dataset(name, data=values, **options)


def _write_text(group: Any, name: str, text: str) -> None:
    h5py = library()

    group.create_dataset(name, data=text, dtype=h5py.string_dtype())


def same_content(first: RawGraph, second: RawGraph) -> bool:
    """Say whether two graphs without subgraphs have equal nodes, fields and edges."""
    if sorted(first.edges) != sorted(second.edges) or set(first.nodes) != set(second.nodes):
        return False
    return all(_same_node(node, second.nodes[name]) for name, node in first.nodes.items())


def _same_node(first: RawNode | RawGraph, second: RawNode | RawGraph) -> bool:
    if isinstance(first, RawGraph) or isinstance(second, RawGraph) or first.type != second.type:
        return False
    names: Iterable[str] = REQUIRED.get(first.type, ()) + OPTIONAL.get(first.type, ())
    skipped = ("input_shape", "input_type")
    return all(
        np.array_equal(np.asarray(first.fields.get(n, 0)), np.asarray(second.fields.get(n, 0)))
        for n in names
        if n not in skipped
    )
