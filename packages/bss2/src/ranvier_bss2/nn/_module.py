"""Modules of an experiment: calling one records the call, running the experiment computes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from torch import Tensor, nn

from ranvier.diagnostics import Diagnostic
from ranvier.errors import InputError

from .. import diagnostics as codes
from ._handles import Handle, LIFObservables, SynapseHandle
from ._instances import ExecutionInstance

if TYPE_CHECKING:
    from ._experiment import Experiment

Out = TypeVar("Out", bound=Handle)


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a module.

    Parameters
    ----------
    module : HXModule
        What was called.
    inputs : tuple of Handle
        With what.
    output : Handle
        Filled by the run.
    mask : Tensor or None
        Of a dropout: 1 where neurons pass spikes on, (n,).
    """

    module: HXModule[Any]
    inputs: tuple[Handle, ...]
    output: Handle
    mask: Tensor | None = None


class HXModule(nn.Module, Generic[Out]):
    """Something that an experiment computes.

    Parameters
    ----------
    experiment : Experiment
        To which it belongs.
    execution_instance : ExecutionInstance, optional
        Run of the chip in which it takes part; the experiment's own by default.
    name : str
        Start of its name.
    """

    def __init__(
        self,
        experiment: Experiment,
        execution_instance: ExecutionInstance | None = None,
        *,
        name: str,
    ) -> None:
        super().__init__()
        self.experiment = experiment
        self.execution_instance = execution_instance or experiment.default_execution_instance
        self.name = experiment.new_name(name)

    def _record(self, inputs: tuple[Handle, ...], output: Out, mask: Tensor | None = None) -> Out:
        self.experiment.record(Call(self, inputs, output, mask))
        return output

    def _misplaced(self, given: object, wanted: str) -> InputError:
        text = f"takes {wanted}, got {type(given).__name__}"
        return input_error(codes.MISPLACED_MODULE.at(self.name, text))


def input_error(*problems: Diagnostic) -> InputError:
    """Return one error with all problems."""
    return InputError("bss2: " + "\n  ".join(str(p) for p in problems))


def spikes_handle(module: HXModule[Any], given: Handle | Tensor) -> Handle:
    """Return what a module takes spikes from; a tensor is wrapped.

    Raises
    ------
    InputError
        It is a handle that has no spikes.
    """
    if isinstance(given, Tensor):
        return LIFObservables(spikes=given)
    if isinstance(given, LIFObservables):
        return given
    raise module._misplaced(given, "spikes: a tensor, or the handle of neurons that fire")


def graded_handle(module: HXModule[Any], given: object) -> SynapseHandle:
    """Return what neurons take; raises `InputError` for anything but the handle of a synapse."""
    if isinstance(given, SynapseHandle):
        return given
    raise module._misplaced(given, "handles of synapses")
