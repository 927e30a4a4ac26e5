"""Dropout of whole neurons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .. import diagnostics as codes
from ._handles import Handle, LIFObservables
from ._instances import ExecutionInstance
from ._module import HXModule, input_error

if TYPE_CHECKING:
    from ._experiment import Experiment


class BatchDropout(HXModule[LIFObservables]):
    """Silences neurons for a whole run: one mask for all samples and steps.

    On a chip the mask is the spike mask of the neurons in front: their spikes do not leave.

    Parameters
    ----------
    size : int
        Neurons of the layer in front.
    dropout : float
        Share that is silent in training, 0..1; none in evaluation.
    experiment : Experiment
        To which it belongs.
    execution_instance : ExecutionInstance, optional
        Run of the chip.
    """

    def __init__(
        self,
        size: int,
        dropout: float,
        experiment: Experiment,
        execution_instance: ExecutionInstance | None = None,
    ) -> None:
        super().__init__(experiment, execution_instance, name="dropout")
        if not 0.0 <= dropout <= 1.0 or size < 1:
            text = f"size {size} and dropout {dropout}; use size >= 1 and 0 <= dropout <= 1"
            raise input_error(codes.BAD_CHOICE.at(self.name, text))
        self.size, self.dropout = size, dropout
        self.mask = torch.ones(size)

    def forward(self, spikes: Handle, *, out: LIFObservables | None = None) -> LIFObservables:
        """Record a call and draw a mask.

        Parameters
        ----------
        spikes : handle of neurons that fire
            Sources; not a tensor, for there are no neurons to silence.
        out : handle, optional
            An empty handle to fill, which closes a loop: it was given to synapses before.

        Raises
        ------
        InputError
            The handle is not of neurons that fire.
        """
        if isinstance(spikes, Tensor) or not self.experiment.is_from_neurons(spikes):
            raise self._misplaced(spikes, "the handle of a layer of neurons that fire")
        self.mask = torch.ones(self.size)
        if self.training:
            self.mask = (torch.rand(self.size) > self.dropout).to(torch.float32)
        return self._record((spikes,), out or LIFObservables(), self.mask)
