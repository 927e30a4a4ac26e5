"""Mini-batches of tensors that lie in memory, shuffled by the epoch's seed."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from ..errors import InputError


class TensorBatches:
    """Batches of equally long tensors.

    Parameters
    ----------
    *tensors : Tensor, (n, ...)
        Inputs and targets.
    batch_size : int
        Samples per batch; the last batch may be smaller.
    shuffle : bool
        Draw a new order for every pass, from torch's generator.
    """

    def __init__(self, *tensors: Tensor, batch_size: int = 32, shuffle: bool = False) -> None:
        sizes = {len(t) for t in tensors}
        if len(sizes) != 1:
            raise InputError(f"data: tensors have {sorted(sizes)} samples; all must be equal")
        if batch_size < 1:
            raise InputError(f"data: batch_size is {batch_size}, must be >= 1")
        self.tensors = tensors
        self.batch_size = batch_size
        self.shuffle = shuffle

    def __len__(self) -> int:
        return math.ceil(len(self.tensors[0]) / self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        n = len(self.tensors[0])
        order = torch.randperm(n) if self.shuffle else torch.arange(n)
        for start in range(0, n, self.batch_size):
            chosen = order[start : start + self.batch_size]
            yield tuple(t[chosen] for t in self.tensors)
