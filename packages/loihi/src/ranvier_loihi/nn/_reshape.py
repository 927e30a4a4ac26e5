"""Blocks without neurons: flattening, averages over groups, averages over time."""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn import functional as f

from ranvier.errors import GraphError

from ._blocks import Block
from ._synapse import Shape


class FlattenBlock(Block):
    """All axes merged into one, channels first.

    Parameters
    ----------
    in_shape : tuple of int or None
        Shape of the input; None takes any.
    """

    def __init__(self, in_shape: Shape | None = None) -> None:
        super().__init__(None, shape=None, delay_shift=False)
        self.in_shape = None if in_shape is None else tuple(in_shape)

    def shape_after(self, shape: Shape) -> Shape:
        """Return the flattened shape."""
        return (math.prod(super().shape_after(shape)),)

    def respond(self, x: Tensor) -> Tensor:
        """Flatten."""
        return x.flatten(2)


class AverageBlock(Block):
    """Mean over consecutive groups of the flattened input; a vote of populations.

    Parameters
    ----------
    num_outputs : int
        Groups, a divisor of the size of the input.
    in_shape : int, tuple of int or None
        Shape of the input; None takes any.
    count_log : bool
        Whether a call also gives the share of values above zero.
    """

    def __init__(
        self,
        num_outputs: int,
        *,
        in_shape: int | Shape | None = None,
        count_log: bool = False,
    ) -> None:
        super().__init__(None, shape=None, delay_shift=False, count_log=count_log)
        if num_outputs < 1:
            raise GraphError(f"Average: num_outputs is {num_outputs}; it must be >= 1")
        self.num_outputs = num_outputs
        self.in_shape = (in_shape,) if isinstance(in_shape, int) else in_shape

    def shape_after(self, shape: Shape) -> Shape:
        """Return ``(num_outputs,)``."""
        size = math.prod(super().shape_after(shape))
        if size % self.num_outputs:
            raise GraphError(
                f"Average: the {size} inputs do not fall into {self.num_outputs} equal groups; "
                "use a multiple of neurons"
            )
        return (self.num_outputs,)

    def respond(self, x: Tensor) -> Tensor:
        """Average."""
        return x.reshape(*x.shape[:2], self.num_outputs, -1).mean(-1)


class TimeDecimationBlock(Block):
    """Mean over blocks of steps; the end is filled with zeros.

    Parameters
    ----------
    factor : int
        Steps of a block, a power of two.
    count_log : bool
        Whether a call also gives the share of values above zero.
    """

    def __init__(self, factor: int = 2, *, count_log: bool = False) -> None:
        super().__init__(None, shape=None, delay_shift=False, count_log=count_log)
        if factor < 1 or factor & (factor - 1):
            raise GraphError(f"TimeDecimation: factor is {factor}; it must be a power of two")
        self.factor = factor

    def respond(self, x: Tensor) -> Tensor:
        """Average over time: ``(batch, ceil(time / factor), *shape)``."""
        missing = -x.shape[1] % self.factor
        padded = f.pad(x.flatten(2), (0, 0, 0, missing))
        return padded.reshape(len(x), -1, self.factor, *x.shape[2:]).mean(2)
