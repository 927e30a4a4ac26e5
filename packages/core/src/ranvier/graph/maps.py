"""Stateless node kinds: linear maps, convolutions, pools and reshapes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import GraphError
from ._fields import array
from .node import Node, Shape, register_node


@dataclass(frozen=True, kw_only=True, eq=False)
class ShapedNode(Node):
    """A node whose input has a given shape, and unless it says otherwise its output too.

    Parameters
    ----------
    shape : tuple of int
        Shape of one step, all sizes >= 1.
    """

    shape: Shape

    def check(self) -> None:
        """Check that the shape is a tuple of positive integers."""
        object.__setattr__(self, "shape", checked_shape(self.shape, where=self.kind))

    def input_shape(self, port: str = "in") -> Shape:
        """Return the shape."""
        return self.shape

    @property
    def output_shape(self) -> Shape:
        """The shape."""
        return self.shape


def checked_shape(shape: Any, *, where: str) -> Shape:
    """Return a shape as a tuple of positive ints; an int stands for one axis."""
    try:
        values = (int(shape),) if np.ndim(shape) == 0 else tuple(int(s) for s in shape)
    except (TypeError, ValueError) as error:
        raise GraphError(f"{where}: shape {shape!r} is not a tuple of integers") from error
    if not values or any(s < 1 for s in values):
        raise GraphError(f"{where}: shape {values} must have at least one axis, all sizes >= 1")
    return values


def check_broadcast(values: NDArray[Any] | None, shape: Shape, *, where: str) -> None:
    """Raise `GraphError` unless ``values`` broadcast to ``shape``."""
    if values is None:
        return
    try:
        fits = np.broadcast_shapes(values.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise GraphError(f"{where} has shape {values.shape}, which does not broadcast to {shape}")


@register_node
@dataclass(frozen=True, kw_only=True, eq=False)
class Input(ShapedNode):
    """Entry point: spike counts or values per step.

    Parameters
    ----------
    shape : tuple of int
        Shape of one step of the input.
    """

    kind: ClassVar[str] = "Input"


@register_node
@dataclass(frozen=True, kw_only=True, eq=False)
class Output(ShapedNode):
    """Exit point: hands on what arrives, unchanged.

    Parameters
    ----------
    shape : tuple of int
        Shape of one step of the output.
    """

    kind: ClassVar[str] = "Output"


@register_node
@dataclass(frozen=True, kw_only=True, eq=False)
class Linear(Node):
    """``y = W x + b``.

    Parameters
    ----------
    weight : array, (n_out, n_in)
        Finite.
    bias : array, (n_out,), or None
        Added in every step.
    """

    kind: ClassVar[str] = "Linear"
    weight: NDArray[np.float64] = array(axes="free")
    bias: NDArray[np.float64] | None = array(None, axes="free", optional=True)

    def check(self) -> None:
        """Check that the weight is a matrix and the bias fits it."""
        if self.weight.ndim != 2 or 0 in self.weight.shape:
            raise GraphError(
                f"Linear: weight has shape {self.weight.shape}, expected (n_out, n_in), both >= 1"
            )
        if self.bias is not None and self.bias.shape != self.weight.shape[:1]:
            raise GraphError(
                f"Linear: bias has shape {self.bias.shape}, expected ({self.weight.shape[0]},)"
            )

    def input_shape(self, port: str = "in") -> Shape:
        """Return ``(n_in,)``."""
        return (self.weight.shape[1],)

    @property
    def output_shape(self) -> Shape:
        """``(n_out,)``."""
        return (self.weight.shape[0],)


@register_node
@dataclass(frozen=True, kw_only=True, eq=False)
class SparseLinear(Node):
    """``y = W x + b`` with W in compressed sparse rows (one row per output).

    Parameters
    ----------
    data : array, (n_nonzero,)
        Weights.
    indices : array of int, (n_nonzero,)
        Column (input) of each weight, in 0..n_in-1.
    indptr : array of int, (n_out + 1,)
        Start of each row.
    n_in : int
        Number of inputs.
    bias : array, (n_out,), or None
        Added in every step.
    """

    kind: ClassVar[str] = "SparseLinear"
    data: NDArray[np.float64] = array(axes="free")
    indices: NDArray[np.int64] = array(axes="free", integer=True, minimum=0)
    indptr: NDArray[np.int64] = array(axes="free", integer=True, minimum=0)
    n_in: int
    bias: NDArray[np.float64] | None = array(None, axes="free", optional=True)

    def check(self) -> None:
        """Check that the three arrays form a matrix."""
        n = self.data.size
        good = (
            self.data.shape == self.indices.shape == (n,)
            and self.indptr.ndim == 1
            and self.indptr.size >= 2
            and self.indptr[0] == 0
            and self.indptr[-1] == n
            and bool(np.all(np.diff(self.indptr) >= 0))
        )
        if not good:
            raise GraphError("SparseLinear: data, indices and indptr are not a CSR matrix")
        if n and int(self.indices.max()) >= self.n_in:
            raise GraphError(
                f"SparseLinear: column {int(self.indices.max())} is beyond n_in = {self.n_in}"
            )
        if self.bias is not None and self.bias.shape != self.output_shape:
            raise GraphError(
                f"SparseLinear: bias has shape {self.bias.shape}, expected {self.output_shape}"
            )

    def input_shape(self, port: str = "in") -> Shape:
        """Return ``(n_in,)``."""
        return (self.n_in,)

    @property
    def output_shape(self) -> Shape:
        """``(n_out,)``."""
        return (self.indptr.size - 1,)


@register_node
@dataclass(frozen=True, kw_only=True, eq=False)
class Flatten(ShapedNode):
    """Merge all axes into one, last axis fastest (C-major).

    Parameters
    ----------
    shape : tuple of int
        Shape of the input.
    """

    kind: ClassVar[str] = "Flatten"

    @property
    def output_shape(self) -> Shape:
        """One axis."""
        return (int(np.prod(self.shape)),)


@register_node
@dataclass(frozen=True, kw_only=True, eq=False)
class Scale(ShapedNode):
    """``y = scale * x``, elementwise.

    Parameters
    ----------
    shape : tuple of int
        Shape of input and output.
    scale : array, broadcastable to ``shape``
        Factor.
    """

    kind: ClassVar[str] = "Scale"
    scale: NDArray[np.float64] = array()

    def check(self) -> None:
        """Check shape and factor."""
        super().check()
        check_broadcast(self.scale, self.shape, where="Scale: scale")


@register_node
@dataclass(frozen=True, kw_only=True, eq=False)
class Delay(ShapedNode):
    """``y(t) = x(t - delay)``, per element, zero before the first step.

    Parameters
    ----------
    shape : tuple of int
        Shape of input and output.
    delay : array, broadcastable to ``shape``
        In s, >= 0; rounded to whole steps of the graph's dt.
    """

    kind: ClassVar[str] = "Delay"
    delay: NDArray[np.float64] = array(unit="s", minimum=0.0)

    def check(self) -> None:
        """Check shape and delays."""
        super().check()
        check_broadcast(self.delay, self.shape, where="Delay: delay")


@register_node
@dataclass(frozen=True, kw_only=True, eq=False)
class Threshold(ShapedNode):
    """``y = 1 if x >= threshold else 0`` (or ``>``), elementwise and without state.

    Parameters
    ----------
    shape : tuple of int
        Shape of input and output.
    threshold : array, broadcastable to ``shape``
        Value from which the output is 1.
    comparison : {">=", ">"}
        Whether an input at the threshold gives 1.
    """

    kind: ClassVar[str] = "Threshold"
    spiking: ClassVar[bool] = True
    threshold: NDArray[np.float64] = array(1.0)
    comparison: str = ">="

    def check(self) -> None:
        """Check shape, threshold and comparison."""
        super().check()
        check_broadcast(self.threshold, self.shape, where="Threshold: threshold")
        if self.comparison not in (">=", ">"):
            raise GraphError(f"Threshold: comparison {self.comparison!r} must be '>=' or '>'")
