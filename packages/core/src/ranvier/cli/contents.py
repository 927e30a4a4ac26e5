"""What a network or a ``.rv`` file holds, for programs: everything but the arrays' values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..files import FileHeader
    from ..graph import Graph


def network_document(graph: Graph, path: Path) -> dict[str, Any]:
    """Return a network that was read from a foreign format, JSON-able."""
    arrays, document = graph.to_payload()
    return {
        "file": path,
        "kind": "graph",
        "target": "",
        "hash": graph.content_hash,
        "arrays": {n: {"shape": v.shape, "dtype": str(v.dtype)} for n, v in arrays.items()},
        "document": document,
    }


def header_document(header: FileHeader) -> dict[str, Any]:
    """Return what a ``.rv`` file says about itself, JSON-able."""
    return {
        "file": header.path,
        "kind": header.kind,
        "target": header.target,
        "hash": header.content_hash,
        "container_version": header.container_version,
        "schema_version": header.schema_version,
        "writers": header.writers,
        "arrays": {n: {"shape": s, "dtype": d} for n, (s, d) in header.arrays.items()},
        "document": header.document,
    }
