"""The exact graph inside the metadata of a NIR file, used only while the standard fields agree."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import RanvierError
from ...graph import Graph
from .settings import Options
from .source import RawGraph, RawNode

KEY = "ranvier"
"""Name of the group in the metadata of the root."""


def hints_of(graph: Graph, raw: RawGraph) -> dict[str, Any]:
    """Return what the standard fields of ``raw`` do not say about the graph.

    Arrays that the standard fields hold unchanged (weights above all) are only referred to.
    """
    arrays, document = graph.to_payload()
    shared: list[str] = []
    stored: dict[str, dict[str, NDArray[Any]]] = {}
    for path, values in arrays.items():
        _, name, field = path.split("/")
        standard = _standard(raw, name, field)
        same = standard is not None and standard.dtype == values.dtype
        if same and np.array_equal(standard, values):  # type: ignore[arg-type]
            shared.append(f"{name}/{field}")
        else:
            stored.setdefault(name, {})[field] = values
    return {"graph": json.dumps({"document": document, "shared": shared}), "arrays": stored}


def graph_of_hints(raw: RawGraph, options: Options) -> Graph | None:
    """Return the graph that the metadata describe, None if there is none or the caller differs.

    The reader compares what this graph would be written as with the file: another tool may have
    changed the fields and kept the metadata.
    """
    hints = raw.metadata.get(KEY)
    if not isinstance(hints, Mapping) or set(options.stated) - {"dt"}:
        return None
    try:
        content = json.loads(hints["graph"])
        document = content["document"]
        if options.dt not in (None, document["dt"]):
            return None
        arrays = {
            f"nodes/{name}/{field}": np.asarray(values)
            for name, fields in hints.get("arrays", {}).items()
            for field, values in fields.items()
        }
        for path in content["shared"]:
            name, field = path.split("/")
            arrays[f"nodes/{path}"] = np.asarray(_standard(raw, name, field))
        return Graph.from_payload(arrays, document)
    except (RanvierError, LookupError, ValueError, TypeError, AttributeError, RecursionError):
        return None


def _standard(raw: RawGraph, name: str, field: str) -> NDArray[Any] | None:
    node = raw.nodes.get(name)
    if not isinstance(node, RawNode) or field not in node.fields:
        return None
    return np.asarray(node.fields[field])
