"""Loops: modules that feed each other share one function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .stack import EVENTS, Stack


def wrap(stack: Stack, experiment: Any, members: Mapping[str, Any]) -> Any:
    """Return a wrapper around the modules of a loop, whose function passes on what was recorded.

    Parameters
    ----------
    stack : Stack
        hxtorch.
    experiment : object
        hxtorch's Experiment.
    members : mapping of str to module
        Modules of the loop by name.

    Notes
    -----
    hxtorch refuses cyclic networks unless the modules of a cycle are grouped. How the function gets
    the chip's data differs between releases and is not documented; it may come by name or last, as
    one entry per module in the order of ``members``. Not tried on a chip.
    """
    present = stack.name(*EVENTS)

    class Recorded(stack.snn.HXModuleWrapper):  # type: ignore[misc, name-defined]
        """Returns the records of its modules."""

        def forward_func(self, *inputs: Any, hw_data: Any = None) -> tuple[Any, ...]:
            data = inputs[-1] if hw_data is None else hw_data
            return tuple(observed(present, entry) for entry in data)

    return Recorded(experiment, **dict(members))


def observed(handle: Any, data: Any) -> Any:
    """Return the records of one module as a handle with its fields by name.

    Parameters
    ----------
    handle : type
        Of firing neurons.
    data : handle, sequence or None
        Records: a handle, or spikes, samples of the slow and of the fast converter.
    """
    if data is None or hasattr(data, "membrane_cadc") or hasattr(data, "spikes"):
        return data
    names = ("spikes", "membrane_cadc", "membrane_madc")
    return handle(**dict(zip(names, data, strict=False)))
