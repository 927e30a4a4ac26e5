"""Training state as named arrays and JSON: no pickle on either side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import FileError
from ..graph import payload_hash


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What is needed to go on as if nothing had happened.

    Parameters
    ----------
    epoch : int
        Finished epochs.
    network, optimizer, scheduler : mapping
        State dictionaries.
    history : list of dict
        Rows of the training history.
    seed : int
        Seed of the run.
    """

    epoch: int
    network: Mapping[str, Any]
    optimizer: Mapping[str, Any] = field(default_factory=dict)
    scheduler: Mapping[str, Any] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    seed: int = 0

    def to_payload(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return the state as named arrays and a JSON-able document."""
        arrays: dict[str, NDArray[Any]] = {}
        document = {
            "epoch": self.epoch,
            "seed": self.seed,
            "history": self.history,
            "network": _packed(dict(self.network), "network", arrays),
            "optimizer": _packed(dict(self.optimizer), "optimizer", arrays),
            "scheduler": _packed(dict(self.scheduler), "scheduler", arrays),
        }
        return arrays, document

    @classmethod
    def from_payload(
        cls, arrays: Mapping[str, NDArray[Any]], document: Mapping[str, Any]
    ) -> Checkpoint:
        """Build a checkpoint from what `to_payload` returned."""
        parts = {n: _unpacked(document[n], arrays) for n in ("network", "optimizer", "scheduler")}
        return cls(
            epoch=document["epoch"], seed=document["seed"], history=document["history"], **parts
        )

    @property
    def content_hash(self) -> str:
        """SHA-256 of the canonical content, hexadecimal."""
        return payload_hash(*self.to_payload())


def _packed(value: Any, path: str, arrays: dict[str, NDArray[Any]]) -> Any:
    """Replace tensors by references to ``arrays``; keep the types JSON cannot tell apart."""
    if isinstance(value, torch.Tensor):
        arrays[path] = value.detach().cpu().numpy()
        return {"tensor": path}
    if isinstance(value, Mapping):
        items = [
            [_packed(k, f"{path}.key", arrays), _packed(v, f"{path}.{k}", arrays)]
            for k, v in value.items()
        ]
        return {"mapping": items}
    if isinstance(value, tuple | list):
        items = [_packed(v, f"{path}.{i}", arrays) for i, v in enumerate(value)]
        return {"tuple" if isinstance(value, tuple) else "list": items}
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise FileError(
        f"checkpoint: {path} is a {type(value).__name__}, which has no safe representation; "
        "keep tensors, numbers, text and containers of them in optimizer and scheduler state"
    )


def _unpacked(value: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    if not isinstance(value, Mapping):
        return value
    if "tensor" in value:
        return torch.from_numpy(np.array(arrays[value["tensor"]]))
    if "mapping" in value:
        return {_unpacked(k, arrays): _unpacked(v, arrays) for k, v in value["mapping"]}
    if "tuple" in value:
        return tuple(_unpacked(v, arrays) for v in value["tuple"])
    return [_unpacked(v, arrays) for v in value["list"]]
