"""Groups of modules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import nn

from .. import diagnostics as codes
from ._handles import Handle
from ._layer import NeuronLayer
from ._module import HXModule, input_error
from ._synapse import Synapse

if TYPE_CHECKING:
    from ._experiment import Experiment


class HXModuleWrapper(nn.Module):
    """Modules that are called together; by default neurons with synapses onto themselves.

    Unless a subclass defines `forward_func`, calling the group with handles of synapses runs its
    one layer of neurons, whose spikes go back through all of its synapses, one step later.

    Parameters
    ----------
    experiment : Experiment
        To which the modules belong.
    **modules : HXModule
        By name; they become attributes.

    Examples
    --------
    >>> from ranvier_bss2 import nn
    >>> experiment = nn.Experiment()
    >>> first = nn.Synapse(5, 20, experiment)
    >>> loop = nn.HXModuleWrapper(
    ...     experiment, neurons=nn.LIF(20, experiment), back=nn.Synapse(20, 20, experiment)
    ... )
    """

    def __init__(self, experiment: Experiment, **modules: HXModule[Any]) -> None:
        super().__init__()
        self.experiment = experiment
        for name, module in modules.items():
            self.add_module(name, module)

    def forward(self, *inputs: Handle) -> Any:
        """Record the calls of all modules; see `forward_func`."""
        return self.forward_func(*inputs)

    def forward_func(self, *inputs: Handle) -> Any:
        """Call the modules with handles, and return the handle of the result.

        Raises
        ------
        InputError
            There is not exactly one layer of neurons that fire.
        """
        layers = [m for m in self.children() if isinstance(m, NeuronLayer)]
        synapses = [m for m in self.children() if isinstance(m, Synapse)]
        if len(layers) != 1 or not layers[0].fires or not synapses:
            text = f"{len(layers)} layers of neurons and {len(synapses)} synapses; expected one "
            text += "layer that fires, and synapses from it to itself"
            hint = "define forward_func for other groups"
            raise input_error(codes.MISPLACED_MODULE.at("wrapper", text, hint=hint))
        result = layers[0].observables()
        back = [synapse(result) for synapse in synapses]
        return layers[0](*inputs, *back, out=result)
