"""The names of hxtorch that the driver uses, of the present and of earlier releases."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ranvier.errors import DeviceError

from ..vendor import find_name, load

SPIKING = ("hxtorch.spiking", "hxtorch.snn")
"""Module of spiking networks: the present name, then the earlier one."""
FIRING = ("LIF", "Neuron")
READOUT = ("LI", "ReadoutNeuron")
ADAPTIVE = ("AELIF",)
EVENTS = ("LIFObservables", "NeuronHandle")
MIXED = ("MixedHXModelParameter", "parameter.MixedHXModelParameter")
MORPHOLOGY = ("morphology.SingleCompartmentNeuron", "SingleCompartmentNeuron")
"""Neurons of several circuits. The name is not certain: it was not read in the source."""
OUTPUT_HANDLE = "output_handle"
"""Attribute of a module: the handle that every call returns. Not certain either; only networks with
recurrence need it."""
COORDINATES = "dlens_vx_v3.halco"
"""Coordinates of the chip, for ``placement="config"``. Not certain."""


@dataclass(frozen=True)
class Stack:
    """hxtorch, its spiking networks, and torch."""

    hxtorch: Any
    snn: Any
    torch: Any

    def name(self, *names: str) -> Any:
        """Return what has the first of some names."""
        return find_name(self.snn, *names)


def load_stack() -> Stack:
    """Import hxtorch and what comes with it.

    Raises
    ------
    MissingDependencyError
        hxtorch is not installed.
    DeviceError
        It cannot be imported.
    """
    hxtorch = load("hxtorch", path="hxtorch")
    try:
        snn = load(SPIKING[0], path="hxtorch")
    except DeviceError:
        snn = load(SPIKING[1], path="hxtorch")
    return Stack(hxtorch, snn, load("torch", path="hxtorch"))


def accepted(maker: Any, arguments: Mapping[str, Any], optional: Mapping[str, Any]) -> Any:
    """Return what a class makes of arguments, leaving out optional ones that it does not know.

    Parameters
    ----------
    maker : type
        Class of the stack.
    arguments : mapping
        Needed keywords.
    optional : mapping of str to (value, default)
        Keywords of some releases; one that is not known may only be left out if its value is the
        default.

    Raises
    ------
    DeviceError
        An unknown keyword has another value.
    """
    parameters = inspect.signature(maker).parameters
    takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    given = dict(arguments)
    for name, (value, default) in optional.items():
        if takes_all or name in parameters:
            given[name] = value
        elif value is not default and value != default:
            raise DeviceError(
                f"bss2: this release's {maker.__name__} has no {name}, which the configuration "
                f"needs ({value!r}); use a newer release of hxtorch"
            )
    return maker(**given)
