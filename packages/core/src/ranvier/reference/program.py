"""A compiled graph and the builder that lays out its arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..graph import Shape
from .opcodes import WIDTH
from .sparse import Columns


@dataclass(frozen=True)
class StateSlot:
    """Where one named state of a node sits in a sample's state vector.

    Parameters
    ----------
    node, quantity : str
        Name of the state is ``"node.quantity"``.
    offset : int
        First element.
    shape : tuple of int
        Its shape; a ring has ``(depth, *shape)``, oldest step first between runs.
    ring : bool
        Whether it is a ring of past steps.
    """

    node: str
    quantity: str
    offset: int
    shape: Shape
    ring: bool = False

    @property
    def name(self) -> str:
        """Name users see."""
        return f"{self.node}.{self.quantity}"

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))


@dataclass(frozen=True)
class Program:
    """What the kernel interprets; arrays as in `ranvier.reference.kernels.interpret`.

    Parameters
    ----------
    values : mapping of str to int
        Where each node's output sits among the values of a step.
    slots : tuple of StateSlot
        Layout of the state.
    initial : array, (n_state,)
        State before the first step.
    """

    code: NDArray[np.int64]
    par: NDArray[np.float64]
    matrices: NDArray[np.float64]
    weights: NDArray[np.float64]
    targets: NDArray[np.int32]
    pointers: NDArray[np.int64]
    n_values: int
    values: dict[str, int]
    slots: tuple[StateSlot, ...]
    initial: NDArray[np.float64]

    def slot(self, node: str, quantity: str) -> StateSlot:
        """Return the slot of a state."""
        return next(s for s in self.slots if (s.node, s.quantity) == (node, quantity))


@dataclass
class Builder:
    """Collects instructions and arrays; every method returns the offset of what it added."""

    values: dict[str, int] = field(default_factory=dict)
    slots: list[StateSlot] = field(default_factory=list)
    n_values: int = 0
    _code: list[list[int]] = field(default_factory=list)
    _par: list[NDArray[np.float64]] = field(default_factory=list)
    _matrices: list[NDArray[np.float64]] = field(default_factory=list)
    _weights: list[NDArray[np.float64]] = field(default_factory=list)
    _targets: list[NDArray[np.int32]] = field(default_factory=list)
    _pointers: list[NDArray[np.int64]] = field(default_factory=list)
    _initial: list[NDArray[np.float64]] = field(default_factory=list)

    def emit(self, code: int, n: int, *operands: int) -> None:
        """Append an instruction."""
        row = [code, n, *operands]
        self._code.append(row + [0] * (WIDTH - len(row)))

    def value(self, n: int) -> int:
        """Reserve values."""
        self.n_values += n
        return self.n_values - n

    def parameters(self, shape: Shape, *arrays: ArrayLike) -> int:
        """Add parameters, each broadcast to a shape, one after the other."""
        offset = _length(self._par)
        for array in arrays:
            full = np.broadcast_to(np.asarray(array, dtype=np.float64), shape)
            self._par.append(full.ravel())
        return offset

    def scalar(self, value: float) -> None:
        """Add one number behind the parameters added last."""
        self._par.append(np.array([value], dtype=np.float64))

    def dense(self, weight: NDArray[np.float64]) -> int:
        """Add a matrix (n_out, n_in), stored by input."""
        offset = _length(self._matrices)
        self._matrices.append(np.ascontiguousarray(weight.T).ravel())
        return offset

    def sparse(self, columns: Columns) -> int:
        """Add a sparse matrix."""
        offset = _length(self._pointers)
        self._pointers.append(columns.pointers + _length(self._weights))
        self._weights.append(columns.weights)
        self._targets.append(columns.targets)
        return offset

    def state(
        self,
        node: str,
        quantity: str,
        shape: Shape,
        initial: ArrayLike = 0.0,
        *,
        ring: bool = False,
    ) -> int:
        """Reserve a named state with its value before the first step."""
        slot = StateSlot(node, quantity, _length(self._initial), shape, ring)
        self.slots.append(slot)
        full = np.broadcast_to(np.asarray(initial, dtype=np.float64), shape)
        self._initial.append(full.ravel())
        return slot.offset

    def finish(self) -> Program:
        """Join everything."""
        return Program(
            code=np.array(self._code, dtype=np.int64).reshape(-1, WIDTH),
            par=_joined(self._par, np.float64),
            matrices=_joined(self._matrices, np.float64),
            weights=_joined(self._weights, np.float64),
            targets=_joined(self._targets, np.int32),
            pointers=_joined(self._pointers, np.int64),
            n_values=self.n_values,
            values=dict(self.values),
            slots=tuple(self.slots),
            initial=_joined(self._initial, np.float64),
        )


def _length(parts: list[Any]) -> int:
    return sum(int(p.size) for p in parts)


def _joined(parts: list[Any], dtype: Any) -> NDArray[Any]:
    return np.concatenate(parts).astype(dtype) if parts else np.zeros(0, dtype=dtype)
