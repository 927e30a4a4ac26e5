"""What a row reports: the default evaluation, and the check of any evaluation's answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..artifacts import Recording
from ..errors import InputError
from .canonical import plain


@dataclass(frozen=True, eq=False)
class OutputActivity:
    """Default evaluation: what the outputs did, and whether the decisions are right.

    Of an output that fires: ``spikes``, how many in all, and ``counts``, those of each neuron. Of
    one whose values are read out: ``mean`` of each neuron. Of both: ``decisions``, per sample the
    neuron with the largest total. With labels also ``accuracy``, 0..1. Several outputs prefix their
    names, ``"left.counts"``.

    Parameters
    ----------
    labels : array of int, (batch,), or None
        Right decision of each sample, for networks with one output.
    """

    labels: NDArray[np.int64] | None = None

    def __call__(self, recording: Recording) -> dict[str, Any]:
        """Evaluate one recording."""
        found: dict[str, Any] = {}
        for name in recording.outputs:
            prefix = f"{name}." if len(recording.outputs) > 1 else ""
            own = _output_activity(recording, name)
            found |= {f"{prefix}{key}": value for key, value in own.items()}
        if self.labels is not None:
            found["accuracy"] = self._accuracy(found)
        return found

    def _accuracy(self, found: Mapping[str, Any]) -> float:
        decisions, labels = found.get("decisions"), np.atleast_1d(np.asarray(self.labels))
        if decisions is None or decisions.shape != labels.shape:
            raise InputError(
                f"sweep: labels of shape {labels.shape} need one output and as many samples; give "
                "an evaluate= of your own"
            )
        return float(np.mean(decisions == labels))


def _output_activity(recording: Recording, name: str) -> dict[str, Any]:
    node, quantity = recording.outputs[name]
    spiking = quantity == "spikes"
    values = recording.raster(node) if spiking else recording.trace(node, quantity)
    batch = values if recording.batched else values[None]
    flat = batch.reshape(*batch.shape[:2], -1)
    n_steps = flat.shape[0] * flat.shape[1]
    if recording.lengths is not None:
        valid = np.arange(flat.shape[1])[None] < recording.lengths[:, None]
        flat, n_steps = flat * valid[:, :, None], int(recording.lengths.sum())
    total = flat.sum(1)
    decisions = {"decisions": total.argmax(1)}
    if spiking:
        return {"spikes": total.sum(), "counts": total.sum(0), **decisions}
    return {"mean": total.sum(0) / max(1, n_steps), **decisions}


def checked_values(values: Any, taken: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an evaluation answered, in JSON's types.

    Parameters
    ----------
    values : mapping of str to number or array of numbers
        Answer of the evaluation.
    taken : mapping
        Names that the row uses already.

    Raises
    ------
    InputError
        No mapping of names to numbers, or a name that is taken.
    """
    if not isinstance(values, Mapping) or not all(isinstance(name, str) for name in values):
        raise InputError(
            f"sweep: evaluate returned {type(values).__name__}, expected a mapping of names to "
            "numbers or arrays of numbers"
        )
    clash = sorted(set(values) & {*taken, "error"})
    if clash:
        raise InputError(f"sweep: evaluate returned {', '.join(clash)}, a name that is taken")
    return {name: _numbers(name, value) for name, value in values.items()}


def _numbers(name: str, value: Any) -> Any:
    try:
        array = np.asarray(value)
        found = plain(value)
        json.dumps(found)
    except (TypeError, ValueError):
        array = np.asarray(None)
    if array.dtype.kind not in "biuf":
        raise InputError(
            f"sweep: evaluate returned {type(value).__name__} for {name!r}, expected a number or "
            "an array of numbers"
        )
    return found
