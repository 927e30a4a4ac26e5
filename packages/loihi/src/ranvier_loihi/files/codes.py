"""Values of a graph as the integers that a .net file holds; what is none becomes a finding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Findings
from ranvier.graph import Neuron, Shape, decay_factor

from ..diagnostics import NET_NOT_WHOLE, NET_UNWRITABLE
from .source import DECAY_UNIT, MANTISSA_UNIT

_NEAR = 1e-6


@dataclass(frozen=True)
class Coder:
    """Turns values of one node into integers.

    Parameters
    ----------
    name : str
        Name of the node, for the findings.
    dt : float
        Time step of the graph, in s.
    findings : Findings
        Gets what has no code.
    """

    name: str
    dt: float
    findings: Findings

    def whole(self, field: str, values: Any, least: int, most: int) -> NDArray[np.int64]:
        """Return values that are integers within a range; report them if they are not."""
        array = np.asarray(values, dtype=np.float64)
        codes = np.rint(array)
        off = np.abs(array - codes) > _NEAR * np.maximum(1.0, np.abs(codes))
        if np.any(off):
            example = float(array[off].flat[0])
            message = f"{field}: {int(off.sum())} of {array.size} value(s) are no integer codes"
            self.findings.add(
                NET_NOT_WHOLE.at(self.name, f"{message}, {example:g} for one", value=example)
            )
        elif array.size and (codes.min() < least or codes.max() > most):
            found = f"{int(codes.min())}..{int(codes.max())}"
            message = f"{field} is {found} in codes, allowed are {least}..{most}"
            limit = f"{least}..{most}"
            self.findings.add(NET_NOT_WHOLE.at(self.name, message, value=found, limit=limit))
        return np.clip(codes, least, most).astype(np.int64)

    def mantissa(self, field: str, values: Any, least: int, most: int) -> NDArray[np.int64]:
        """Return 64 times the values."""
        return self.whole(field, np.asarray(values) * MANTISSA_UNIT, least, most)

    def decay(self, node: Neuron, field: str) -> NDArray[np.int64]:
        """Return what a state loses per step, in 1/4096."""
        decay: Any = node.decay
        kept = decay_factor(getattr(node, field), dt=self.dt, decay=decay)
        lost = np.asarray((1.0 - kept) * DECAY_UNIT)
        return self.stored(field, self.whole(field, lost, 0, DECAY_UNIT), node.shape)

    def stored(self, field: str, values: NDArray[Any], shape: Shape) -> NDArray[Any]:
        """Return a scalar, or one value per channel, (c,); report what differs within one."""
        if values.size == 1:
            return values.reshape(())
        full = np.broadcast_to(values, shape).reshape(shape[0], -1)
        if np.any(full != full[:, :1]):
            message = f"{field} differs within a channel; the format has one value per channel"
            self.findings.add(NET_UNWRITABLE.at(self.name, message))
        return full[:, 0]
